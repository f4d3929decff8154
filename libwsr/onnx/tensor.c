// SPDX-License-Identifier: Apache-2.0
//
// Tensors of ONNX files. Elements lie in the file as raw bytes, in a list of
// their type, or in another file of the model's folder. Floats of 16 bits are
// widened exactly, those of 64 bits rounded; whole numbers and truth values
// become int64.

#include "base/base.h"
#include "base/half.h"
#include "onnx/file.h"

#include <float.h>
#include <math.h>
#include <string.h>

// An element of raw data, which need not be aligned.
typedef double (*read_float)(const unsigned char *raw);
typedef int64_t (*read_int)(const unsigned char *raw);

static double float32(const unsigned char *raw)
{
    float value = 0;
    memcpy(&value, raw, sizeof(value));
    return (double)value;
}

static double float64(const unsigned char *raw)
{
    double value = 0;
    memcpy(&value, raw, sizeof(value));
    return value;
}

static uint16_t half_word(const unsigned char *raw)
{
    return (uint16_t)(raw[0] | raw[1] << 8);
}

static double bfloat16(const unsigned char *raw)
{
    return wsr__from_bfloat16(half_word(raw));
}

static double float16(const unsigned char *raw)
{
    return wsr__from_float16(half_word(raw));
}

// clang-format off
#define READ_INT(name, type)                          \
    static int64_t name(const unsigned char *raw)     \
    {                                                 \
        type value = 0;                               \
        memcpy(&value, raw, sizeof(value));           \
        return (int64_t)value;                        \
    }
// clang-format on
READ_INT(uint8, uint8_t)
READ_INT(int8, int8_t)
READ_INT(uint16, uint16_t)
READ_INT(int16, int16_t)
READ_INT(int32, int32_t)
READ_INT(int64, int64_t)
READ_INT(uint32, uint32_t)
READ_INT(uint64, uint64_t)

// Index: number of the type. A size of 0: no type that is read.
static const struct {
    size_t size;
    read_float as_float;
    read_int as_int;
} types[] = {
    [WSR__ONNX_FLOAT] = {4, float32, NULL},
    [WSR__ONNX_UINT8] = {1, NULL, uint8},
    [WSR__ONNX_INT8] = {1, NULL, int8},
    [WSR__ONNX_UINT16] = {2, NULL, uint16},
    [WSR__ONNX_INT16] = {2, NULL, int16},
    [WSR__ONNX_INT32] = {4, NULL, int32},
    [WSR__ONNX_INT64] = {8, NULL, int64},
    [WSR__ONNX_BOOL] = {1, NULL, uint8},
    [WSR__ONNX_FLOAT16] = {2, float16, NULL},
    [WSR__ONNX_DOUBLE] = {8, float64, NULL},
    [WSR__ONNX_UINT32] = {4, NULL, uint32},
    [WSR__ONNX_UINT64] = {8, NULL, uint64},
    [WSR__ONNX_BFLOAT16] = {2, bfloat16, NULL},
};

static bool is_known(const Wsr__Onnx__Tensor *t)
{
    return t->data_type > 0 &&
           (size_t)t->data_type < sizeof(types) / sizeof(*types) &&
           types[t->data_type].size > 0;
}

bool wsr__onnx_is_float(const Wsr__Onnx__Tensor *t)
{
    return is_known(t) && types[t->data_type].as_float != NULL;
}

static const char *name_of(const Wsr__Onnx__Tensor *t)
{
    return t->name != NULL ? t->name : "";
}

// ------------------------------------------------------------------- shapes

// Elements in whichever list the file has filled, SIZE_MAX for those that lie
// in another file.
static size_t listed(const Wsr__Onnx__Tensor *t)
{
    if (t->data_location != 0) {
        return SIZE_MAX;
    }
    if (t->has_raw_data) {
        return t->raw_data.len % types[t->data_type].size == 0
                   ? t->raw_data.len / types[t->data_type].size
                   : SIZE_MAX - 1;
    }
    return t->n_float_data + t->n_int32_data + t->n_int64_data +
           t->n_double_data + t->n_uint64_data;
}

wsr_status wsr__onnx_tensor_shape(wsr_shape *shape, size_t *count,
                                  const wsr__onnx_file *file,
                                  const Wsr__Onnx__Tensor *t)
{
    const size_t most = SIZE_MAX / 16;
    size_t n = 1;
    if (!is_known(t) || t->n_dims > WSR_MAX_DIMS) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: tensor '%.80s': elements of type %d in %zu "
                        "dimensions are not read",
                        file->path, name_of(t), t->data_type, t->n_dims);
    }
    *shape = (wsr_shape){.ndims = (int)t->n_dims};
    for (size_t i = 0; i < t->n_dims; i++) {
        const int64_t d = t->dims[i];
        if (d < 0 || (d > 0 && n > most / (size_t)d)) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: tensor '%.80s': dimension %zu is %lld",
                            file->path, name_of(t), i, (long long)d);
        }
        shape->dims[i] = d;
        n *= (size_t)d;
    }
    const size_t there = listed(t);
    if (there != SIZE_MAX && there != n) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: tensor '%.80s': its shape has %zu elements, its "
                        "data have not",
                        file->path, name_of(t), n);
    }
    *count = n;
    return WSR_OK;
}

// ------------------------------------------------------------ external data

static const char *entry(const Wsr__Onnx__Tensor *t, const char *key)
{
    for (size_t i = 0; i < t->n_external_data; i++) {
        if (wsr__streq(t->external_data[i]->key, key)) {
            return t->external_data[i]->value;
        }
    }
    return NULL;
}

// A path from the model's folder downwards: a model cannot name files
// elsewhere.
static bool stays_below(const char *path)
{
    if (path == NULL || path[0] == '\0' || path[0] == '/') {
        return false;
    }
    for (const char *p = path; p != NULL; p = strchr(p, '/')) {
        p += *p == '/';
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0')) {
            return false;
        }
    }
    return true;
}

// "folder/name" beside the model. [out, owned]
static wsr_status beside(char **out, const wsr__onnx_file *file,
                         const Wsr__Onnx__Tensor *t)
{
    const char *const location = entry(t, "location");
    if (!stays_below(location)) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: tensor '%.80s': its data lie in '%.80s', which is "
                        "not below the folder of the model",
                        file->path, name_of(t),
                        location == NULL ? "" : location);
    }
    const char *const slash = strrchr(file->path, '/');
    wsr__str path = {0};
    wsr__str_addn(&path, file->path,
                  slash == NULL ? 0 : (size_t)(slash - file->path) + 1);
    wsr__str_add(&path, location);
    return wsr__str_give(out, &path);
}

// `size` bytes of an open file from `offset` on.
static wsr_status read_range(unsigned char *out, FILE *stream, int64_t offset,
                             size_t size)
{
    return offset >= 0 && fseeko(stream, (off_t)offset, SEEK_SET) == 0 &&
                   fread(out, 1, size, stream) == size
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT, "it ends before %zu bytes from %lld on",
                          size, (long long)offset);
}

// Whether a file has so many bytes: asked before memory is taken for them.
static bool is_as_long(FILE *stream, int64_t offset, size_t size)
{
    return fseeko(stream, 0, SEEK_END) == 0 && offset >= 0 &&
           (uint64_t)ftello(stream) >= (uint64_t)offset &&
           (uint64_t)ftello(stream) - (uint64_t)offset >= size;
}

// The bytes of a tensor that lies in another file. [out, owned]
static wsr_status read_external(unsigned char **out, size_t size,
                                const wsr__onnx_file *file,
                                const Wsr__Onnx__Tensor *t)
{
    wsr_status status = WSR_OK;
    const char *const start = entry(t, "offset");
    char *path = NULL;
    FILE *stream = NULL;
    int64_t offset = 0;
    WSR_TRY(beside(&path, file, t));
    if (start != NULL && !wsr__parse_int(&offset, start)) {
        offset = -1;
    }
    stream = fopen(path, "rb");
    if (stream == NULL) {
        status = WSR_FAIL(WSR_IO, "%s: cannot be opened; it belongs to %s",
                          path, file->path);
        goto out;
    }
    if (!is_as_long(stream, offset, size)) {
        status = WSR_FAIL(WSR_FORMAT,
                          "%s: is too short for tensor '%.80s' of %s", path,
                          name_of(t), file->path);
        goto out;
    }
    *out = wsr__alloc_raw(size + 1, 1);
    WSR_TRY(*out != NULL ? WSR_OK : WSR_NOMEM);
    WSR_TRY(read_range(*out, stream, offset, size));
out:
    if (stream != NULL) {
        (void)fclose(stream);
    }
    wsr__free(path);
    return status;
}

// ----------------------------------------------------------------- elements

static wsr_status fail_type(const wsr__onnx_file *file,
                            const Wsr__Onnx__Tensor *t, const char *wanted)
{
    return WSR_FAIL(WSR_FORMAT, "%s: tensor '%.80s' does not hold %s",
                    file->path, name_of(t), wanted);
}

// Bytes of a tensor whose data are raw, here or elsewhere; NULL for lists.
// `*owned` is released by the caller.
static wsr_status raw_bytes(const unsigned char **out, unsigned char **owned,
                            size_t count, const wsr__onnx_file *file,
                            const Wsr__Onnx__Tensor *t)
{
    wsr_status status = WSR_OK;
    *out = t->raw_data.data;
    *owned = NULL;
    if (t->data_location != 0) {
        WSR_TRY(
            read_external(owned, count * types[t->data_type].size, file, t));
        *out = *owned;
    } else if (!t->has_raw_data) {
        *out = NULL;
    }
out:
    return status;
}

// Floats of 16 bits lie in the list of int32 as they are.
static double listed_float(const Wsr__Onnx__Tensor *t, size_t i)
{
    if (t->n_double_data > 0) {
        return t->double_data[i];
    }
    if (t->n_float_data > 0) {
        return (double)t->float_data[i];
    }
    const int32_t word = t->n_int32_data > 0 ? t->int32_data[i] : 0;
    const unsigned char raw[8] = {(unsigned char)word,
                                  (unsigned char)(word >> 8)};
    return types[t->data_type].as_float(raw);
}

static int64_t listed_int(const Wsr__Onnx__Tensor *t, size_t i)
{
    return t->n_int64_data > 0    ? t->int64_data[i]
           : t->n_uint64_data > 0 ? (int64_t)t->uint64_data[i]
           : t->n_int32_data > 0  ? t->int32_data[i]
                                  : 0;
}

// Elements in several lists of which only one is read would be read beyond its
// end.
static bool in_one_list(const Wsr__Onnx__Tensor *t, size_t count)
{
    return t->has_raw_data || t->data_location != 0 ||
           t->n_float_data == count || t->n_int32_data == count ||
           t->n_int64_data == count || t->n_double_data == count ||
           t->n_uint64_data == count;
}

const void *wsr__onnx_tensor_raw(size_t count, const Wsr__Onnx__Tensor *t)
{
    return t->data_type == WSR__ONNX_FLOAT && t->data_location == 0 &&
                   t->has_raw_data && in_one_list(t, count) &&
                   t->raw_data.len == count * sizeof(float)
               ? t->raw_data.data
               : NULL;
}

wsr_status wsr__onnx_tensor_floats(float *out, size_t count,
                                   const wsr__onnx_file *file,
                                   const Wsr__Onnx__Tensor *t)
{
    wsr_status status = WSR_OK;
    const unsigned char *raw = NULL;
    unsigned char *owned = NULL;
    if (!wsr__onnx_is_float(t) || !in_one_list(t, count)) {
        return fail_type(file, t, "floating-point numbers");
    }
    WSR_TRY(raw_bytes(&raw, &owned, count, file, t));
    if (raw != NULL && t->data_type == WSR__ONNX_FLOAT) {
        memcpy(out, raw, count * sizeof(*out));
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        const double value = raw != NULL
                                 ? types[t->data_type].as_float(
                                       raw + i * types[t->data_type].size)
                                 : listed_float(t, i);
        if (isfinite(value) && fabs(value) > (double)FLT_MAX) {
            status = fail_type(file, t, "numbers that fit into float");
            goto out;
        }
        out[i] = (float)value;
    }
out:
    wsr__free(owned);
    return status;
}

wsr_status wsr__onnx_tensor_ints(int64_t *out, size_t count,
                                 const wsr__onnx_file *file,
                                 const Wsr__Onnx__Tensor *t)
{
    wsr_status status = WSR_OK;
    const unsigned char *raw = NULL;
    unsigned char *owned = NULL;
    if (!is_known(t) || types[t->data_type].as_int == NULL ||
        !in_one_list(t, count)) {
        return fail_type(file, t, "whole numbers");
    }
    WSR_TRY(raw_bytes(&raw, &owned, count, file, t));
    for (size_t i = 0; i < count; i++) {
        out[i] = raw != NULL ? types[t->data_type].as_int(
                                   raw + i * types[t->data_type].size)
                             : listed_int(t, i);
    }
out:
    wsr__free(owned);
    return status;
}
