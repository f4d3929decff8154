// SPDX-License-Identifier: Apache-2.0
//
// Arrays of state in checkpoints.

#include "io/io.h"

#include <stdio.h>

enum { NAME_SIZE = 256 };

static wsr_status name_of(char out[NAME_SIZE], const char *prefix,
                          const char *name)
{
    const int n = snprintf(out, NAME_SIZE, "%s%s", prefix, name);
    return n >= 0 && n < NAME_SIZE
               ? WSR_OK
               : WSR_FAIL(WSR_ARG, "%.60s: is too long for a name", name);
}

wsr_status wsr__st_add_state(wsr__st_builder *builder, const char *prefix,
                             const wsr__state *state)
{
    wsr_status status = WSR_OK;
    char name[NAME_SIZE];
    WSR_TRY(name_of(name, prefix, state->name));
    if (state->kind == WSR__STATE_F32) {
        WSR_TRY(wsr__st_add_f32(builder, name, state->data, state->count));
    } else if (state->kind == WSR__STATE_F64) {
        WSR_TRY(wsr__st_add_f64(builder, name, state->data, state->count));
    } else {
        WSR_TRY(wsr__st_add_i64(builder, name, state->data, state->count));
    }
out:
    return status;
}

wsr_status wsr__st_read_state(const wsr__state *state, const wsr__st *st,
                              const char *prefix)
{
    wsr_status status = WSR_OK;
    char name[NAME_SIZE];
    WSR_TRY(name_of(name, prefix, state->name));
    if (state->kind == WSR__STATE_F32) {
        WSR_TRY(wsr__st_read_f32(state->data, st, name, state->count));
    } else if (state->kind == WSR__STATE_F64) {
        WSR_TRY(wsr__st_read_f64(state->data, st, name, state->count));
    } else {
        WSR_TRY(wsr__st_read_i64(state->data, st, name, state->count));
    }
out:
    return status;
}
