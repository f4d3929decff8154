// SPDX-License-Identifier: Apache-2.0
//
// Copies the elements of tensors in safetensors files, converted to the type
// that the caller wants. Floats of 16 bits convert to 32 bits exactly.

#include "base/half.h"
#include "io/io.h"

#include <float.h>
#include <math.h>
#include <string.h>

// Integers are never silently taken for floats, or the other way round.
static wsr_status fail_dtype(const wsr__st *st, const wsr__st_tensor *t,
                             const char *wanted)
{
    return WSR_FAIL(WSR_FORMAT, "%s: tensor '%s' is %s, not %s",
                    wsr__st_path(st), t->name, wsr__st_dtype_name(t->dtype),
                    wanted);
}

// Shapes are the caller's business; here only the number counts.
static wsr_status need_count(const wsr__st_tensor **out, const wsr__st *st,
                             const char *name, size_t count)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__st_need(out, st, name));
    if ((*out)->count != count) {
        status = WSR_FAIL(WSR_FORMAT,
                          "%s: tensor '%s' has %zu elements, not %zu",
                          wsr__st_path(st), name, (*out)->count, count);
    }
out:
    return status;
}

// Element `i`, which need not be aligned.
static void element(void *out, const wsr__st_tensor *t, size_t i, size_t size)
{
    memcpy(out, (const char *)t->data + i * size, size);
}

// Every float type is read by way of double, which holds all of them.
static double from_f32(const wsr__st_tensor *t, size_t i)
{
    float value = 0;
    element(&value, t, i, sizeof(value));
    return (double)value;
}

// memcpy() rather than a cast: offsets in a file may be odd.
static double from_f64(const wsr__st_tensor *t, size_t i)
{
    double value = 0;
    element(&value, t, i, sizeof(value));
    return value;
}

static double from_bf16(const wsr__st_tensor *t, size_t i)
{
    uint16_t half = 0;
    element(&half, t, i, sizeof(half));
    return wsr__from_bfloat16(half);
}

static double from_f16(const wsr__st_tensor *t, size_t i)
{
    uint16_t half = 0;
    element(&half, t, i, sizeof(half));
    return wsr__from_float16(half);
}

// Index: dtype. NULL: no float.
static double (*const from[])(const wsr__st_tensor *t, size_t i) = {
    [WSR__ST_F32] = from_f32, [WSR__ST_F64] = from_f64,
    [WSR__ST_F16] = from_f16, [WSR__ST_BF16] = from_bf16,
    [WSR__ST_BOOL] = NULL, // the last of the types
};

// The table has an entry for each type.
bool wsr__st_is_float(const wsr__st_tensor *t)
{
    return from[t->dtype] != NULL;
}

static wsr_status need_floats(const wsr__st_tensor **out, const wsr__st *st,
                              const char *name, size_t count)
{
    const wsr_status status = need_count(out, st, name, count);
    return status == WSR_OK && !wsr__st_is_float(*out)
               ? fail_dtype(st, *out, "F32, F64, F16 or BF16")
               : status;
}

// A finite number must stay one.
static wsr_status narrow(float *out, double value, const wsr__st *st,
                         const char *name)
{
    if (isfinite(value) && fabs(value) > (double)FLT_MAX) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: tensor '%s' holds %g, which F32 cannot hold",
                        wsr__st_path(st), name, value);
    }
    *out = (float)value;
    return WSR_OK;
}

// F32 is copied as it is, NaN's bits included.
wsr_status wsr__st_read_f32(float *dst, const wsr__st *st, const char *name,
                            size_t count)
{
    wsr_status status = WSR_OK;
    const wsr__st_tensor *t = NULL;
    WSR_TRY(need_floats(&t, st, name, count));
    if (t->dtype == WSR__ST_F32) {
        memcpy(dst, t->data, t->bytes);
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        WSR_TRY(narrow(&dst[i], from[t->dtype](t, i), st, name));
    }
out:
    return status;
}

// Widening is exact from every type.
wsr_status wsr__st_read_f64(double *dst, const wsr__st *st, const char *name,
                            size_t count)
{
    wsr_status status = WSR_OK;
    const wsr__st_tensor *t = NULL;
    WSR_TRY(need_floats(&t, st, name, count));
    for (size_t i = 0; i < count; i++) {
        dst[i] = from[t->dtype](t, i);
    }
out:
    return status;
}

// U8 and BOOL are taken as they are, so a BOOL of 2 reads as 2.
wsr_status wsr__st_read_i64(int64_t *dst, const wsr__st *st, const char *name,
                            size_t count)
{
    wsr_status status = WSR_OK;
    const wsr__st_tensor *t = NULL;
    WSR_TRY(need_count(&t, st, name, count));
    if (t->dtype == WSR__ST_I64) {
        memcpy(dst, t->data, t->bytes);
    } else if (t->dtype == WSR__ST_I32) {
        for (size_t i = 0; i < count; i++) {
            int32_t value = 0;
            element(&value, t, i, sizeof(value));
            dst[i] = value;
        }
    } else if (t->dtype == WSR__ST_U8 || t->dtype == WSR__ST_BOOL) {
        const unsigned char *const bytes = t->data;
        for (size_t i = 0; i < count; i++) {
            dst[i] = bytes[i];
        }
    } else {
        status = fail_dtype(st, t, "an integer");
    }
out:
    return status;
}

// The format has U64, but PyTorch does not; such numbers are written as I64.
wsr_status wsr__st_read_u64(uint64_t *dst, const wsr__st *st, const char *name,
                            size_t count)
{
    wsr_status status = WSR_OK;
    const wsr__st_tensor *t = NULL;
    WSR_TRY(need_count(&t, st, name, count));
    if (t->dtype == WSR__ST_I64) {
        memcpy(dst, t->data, t->bytes);
    } else {
        status = fail_dtype(st, t, "I64");
    }
out:
    return status;
}

// Bytes as they are: images, flags.
wsr_status wsr__st_read_u8(unsigned char *dst, const wsr__st *st,
                           const char *name, size_t count)
{
    wsr_status status = WSR_OK;
    const wsr__st_tensor *t = NULL;
    WSR_TRY(need_count(&t, st, name, count));
    if (t->dtype == WSR__ST_U8 || t->dtype == WSR__ST_BOOL) {
        memcpy(dst, t->data, t->bytes);
    } else {
        status = fail_dtype(st, t, "U8 or BOOL");
    }
out:
    return status;
}
