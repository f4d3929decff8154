// SPDX-License-Identifier: Apache-2.0
//
// Arrays of state in checkpoints, and names made of two parts.

#include "io/io.h"

#include <stdio.h>

// A name that does not fit is refused: a cut one could be another's.
wsr_status wsr__st_name(char out[WSR__ST_NAME], const char *prefix,
                        const char *name)
{
    const int n = snprintf(out, WSR__ST_NAME, "%s%s", prefix, name);
    return n >= 0 && n < WSR__ST_NAME
               ? WSR_OK
               : WSR_FAIL(WSR_ARG, "%.40s...: name is too long", name);
}

// One dimension; the kind decides the type of the elements.
wsr_status wsr__st_add_state(wsr__st_builder *builder, const char *prefix,
                             const wsr__state *state)
{
    wsr_status status = WSR_OK;
    char name[WSR__ST_NAME];
    WSR_TRY(wsr__st_name(name, prefix, state->name));
    static const wsr__st_dtype dtypes[] = {[WSR__STATE_F32] = WSR__ST_F32,
                                           [WSR__STATE_F64] = WSR__ST_F64,
                                           [WSR__STATE_I64] = WSR__ST_I64,
                                           [WSR__STATE_U32] = WSR__ST_I32,
                                           [WSR__STATE_FLAGS] = WSR__ST_U8};
    const int64_t n = (int64_t)state->count;
    WSR_TRY(
        wsr__st_borrow(builder, name, dtypes[state->kind], state->data, &n, 1));
out:
    return status;
}

// Counts index arrays and bound loops, so none may be negative or huge.
wsr_status wsr__st_read_counts(int64_t *dst, const wsr__st *st,
                               const char *name, size_t count, int64_t most)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__st_read_i64(dst, st, name, count));
    for (size_t i = 0; i < count; i++) {
        if (dst[i] < 0 || dst[i] > most) {
            return WSR_FAIL(
                WSR_FORMAT, "%s: %s: %lld is outside [0, %lld] (element %zu)",
                wsr__st_path(st), name, (long long)dst[i], (long long)most, i);
        }
    }
out:
    return status;
}

// They are indices and counts, which files hold as I32: a negative number shows
// a damaged file.
wsr_status wsr__st_read_u32(uint32_t *dst, const wsr__st *st, const char *name,
                            size_t count)
{
    wsr_status status = WSR_OK;
    int64_t *const wide = wsr__alloc(count, sizeof(*wide));
    if (wide == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__st_read_counts(wide, st, name, count, UINT32_MAX));
    for (size_t i = 0; i < count; i++) {
        dst[i] = (uint32_t)wide[i];
    }
out:
    wsr__free(wide);
    return status;
}

// Flags index nothing, but a value beyond 1 shows a damaged file.
wsr_status wsr__st_read_flags(uint8_t *dst, const wsr__st *st, const char *name,
                              size_t count)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__st_read_u8(dst, st, name, count));
    for (size_t i = 0; i < count; i++) {
        if (dst[i] > 1) {
            return WSR_FAIL(WSR_FORMAT, "%s: %s: %u is neither 0 nor 1",
                            wsr__st_path(st), name, (unsigned)dst[i]);
        }
    }
out:
    return status;
}

// The array exists and has the size that the file must have. Integers are
// counts, so they are checked as counts.
wsr_status wsr__st_read_state(const wsr__state *state, const wsr__st *st,
                              const char *prefix)
{
    wsr_status status = WSR_OK;
    char name[WSR__ST_NAME];
    WSR_TRY(wsr__st_name(name, prefix, state->name));
    switch (state->kind) {
    case WSR__STATE_F32:
        return wsr__st_read_f32(state->data, st, name, state->count);
    case WSR__STATE_F64:
        return wsr__st_read_f64(state->data, st, name, state->count);
    case WSR__STATE_U32:
        return wsr__st_read_u32(state->data, st, name, state->count);
    case WSR__STATE_FLAGS:
        return wsr__st_read_flags(state->data, st, name, state->count);
    default:
        return wsr__st_read_counts(state->data, st, name, state->count,
                                   WSR__COUNT_MOST);
    }
out:
    return status;
}
