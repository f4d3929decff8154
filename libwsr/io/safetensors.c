// SPDX-License-Identifier: Apache-2.0
//
// Reads safetensors files: eight bytes of header length, little-endian; a
// header in JSON that maps names to {"dtype", "shape", "data_offsets"} and
// "__metadata__" to strings; then the data, which the tensors fill without gap
// or overlap. Files come from strangers, so everything is checked once, here,
// before anything is used. The file is read as a whole and not mapped: if
// another process truncated a mapped file, reading it would kill this one.

#include "io/format.h"

#include "base/magic.h"

#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors are little-endian; this file copies their bytes as they are"
#endif

enum {
    LENGTH_SIZE = 8,
    HEADER_MAX = 100000000 // bytes, as other readers have it
};

// Index: wsr__st_dtype. Sizes are bytes of an element.
static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [WSR__ST_F32] = {"F32", 4}, [WSR__ST_F64] = {"F64", 8},
    [WSR__ST_F16] = {"F16", 2}, [WSR__ST_BF16] = {"BF16", 2},
    [WSR__ST_I64] = {"I64", 8}, [WSR__ST_I32] = {"I32", 4},
    [WSR__ST_U8] = {"U8", 1},   [WSR__ST_BOOL] = {"BOOL", 1},
};

enum { N_DTYPES = sizeof(dtypes) / sizeof(dtypes[0]) };

// Bytes of an element.
size_t wsr__st_dtype_size(wsr__st_dtype dtype)
{
    return dtypes[dtype].size;
}

const char *wsr__st_dtype_name(wsr__st_dtype dtype)
{
    return dtypes[dtype].name;
}

// ------------------------------------------------------------ header entries

// A type that exists but is not used here gets a message of its own.
static wsr_status read_dtype(wsr__st_tensor *t, const json_t *info,
                             const char *path)
{
    // Types of the format that no reader of this library converts.
    static const char *const known[] = {
        "I16", "I8", "U16", "U32", "U64", "C64", "F8_E4M3", "F8_E5M2", NULL};
    const char *const text = json_string_value(json_object_get(info, "dtype"));
    if (text == NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: tensor '%s' has no dtype", path,
                        t->name);
    }
    for (size_t i = 0; i < N_DTYPES; i++) {
        if (wsr__streq(text, dtypes[i].name)) {
            t->dtype = (wsr__st_dtype)i;
            return WSR_OK;
        }
    }
    for (size_t i = 0; known[i] != NULL; i++) {
        if (wsr__streq(text, known[i])) {
            return WSR_FAIL(WSR_UNSUPPORTED,
                            "%s: tensor '%s' has dtype %s, supported are F32, "
                            "F64, F16, BF16, I64, I32, U8, BOOL",
                            path, t->name, text);
        }
    }
    return WSR_FAIL(WSR_FORMAT, "%s: tensor '%s' has unknown dtype '%.40s'",
                    path, t->name, text);
}

// The bound leaves room for the largest element, eight bytes. A dimension of 0
// must not hide an overflow in the others.
bool wsr__st_measure(wsr__st_tensor *t)
{
    size_t product = 1; // of the dimensions that are not 0
    bool empty = false;
    for (size_t d = 0; d < t->ndims; d++) {
        const size_t dim = (size_t)t->dims[d];
        if (t->dims[d] < 0 || (dim != 0 && product > SIZE_MAX / 8 / dim)) {
            return false;
        }
        product *= dim != 0 ? dim : 1;
        empty = empty || dim == 0;
    }
    t->count = empty ? 0 : product;
    t->bytes = t->count * dtypes[t->dtype].size;
    return true;
}

// A scalar has an empty list.
static wsr_status read_shape(wsr__st_tensor *t, const json_t *info,
                             const char *path)
{
    const json_t *const shape = json_object_get(info, "shape");
    if (!json_is_array(shape) || json_array_size(shape) > WSR__ST_DIMS) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: tensor '%s' has no shape of at most %d dimensions",
                        path, t->name, WSR__ST_DIMS);
    }
    t->ndims = json_array_size(shape);
    for (size_t d = 0; d < t->ndims; d++) {
        const json_t *const dim = json_array_get(shape, d);
        t->dims[d] = json_integer_value(dim);
        if (!json_is_integer(dim) || t->dims[d] < 0) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: dimension %zu of tensor '%s' is no count",
                            path, d, t->name);
        }
    }
    return wsr__st_measure(t)
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT, "%s: tensor '%s' is too large", path,
                          t->name);
}

// Offsets count from the end of the header. They must agree with the shape.
static wsr_status read_offsets(wsr__st_tensor *t, const json_t *info,
                               const unsigned char *data, size_t size,
                               const char *path)
{
    const json_t *const offsets = json_object_get(info, "data_offsets");
    const json_t *const first = json_array_get(offsets, 0);
    const json_t *const last = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) ||
        !json_is_integer(last)) {
        return WSR_FAIL(WSR_FORMAT, "%s: tensor '%s' has no data_offsets", path,
                        t->name);
    }
    const json_int_t begin = json_integer_value(first);
    const json_int_t end = json_integer_value(last);
    if (begin < 0 || end < begin || (uint64_t)end > size) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: bytes [%lld, %lld) of tensor '%s' are outside the "
                        "data of %zu bytes",
                        path, (long long)begin, (long long)end, t->name, size);
    }
    if ((uint64_t)(end - begin) != t->bytes) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: tensor '%s' has %lld bytes, its shape needs %zu",
                        path, t->name, (long long)(end - begin), t->bytes);
    }
    t->data = data + begin;
    return WSR_OK;
}

// Any order: the tensors are sorted by place afterwards.
static wsr_status read_entries(wsr__st *st, const unsigned char *data,
                               size_t size)
{
    wsr_status status = WSR_OK;
    const char *key = NULL;
    json_t *info = NULL;
    json_object_foreach(st->header, key, info)
    {
        if (wsr__streq(key, "__metadata__")) {
            WSR_TRY(json_is_null(info) ? WSR_OK
                                       : wsr__st_take_metadata(st, info));
            continue;
        }
        wsr__st_tensor t = {.name = key};
        WSR_TRY(wsr__st_check_name(st, key));
        if (!json_is_object(info)) {
            status = WSR_FAIL(WSR_FORMAT,
                              "%s: tensor '%s' is not described by dtype, "
                              "shape and data_offsets",
                              st->path, key);
            goto out;
        }
        WSR_TRY(read_dtype(&t, info, st->path));
        WSR_TRY(read_shape(&t, info, st->path));
        WSR_TRY(read_offsets(&t, info, data, size, st->path));
        WSR_TRY(wsr__st_append(st, &t));
    }
out:
    return status;
}

// ------------------------------------------------------------- whole header

// A total order, so that sorting does not depend on qsort().
static int by_place(const void *a, const void *b)
{
    const wsr__st_tensor *const x = a;
    const wsr__st_tensor *const y = b;
    const uintptr_t px = (uintptr_t)x->data;
    const uintptr_t py = (uintptr_t)y->data;
    if (px != py) {
        return px < py ? -1 : 1;
    }
    if (x->bytes != y->bytes) { // empty ones come before what follows
        return x->bytes < y->bytes ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

// Tensors are sorted by place; each must begin where the one before ends. Bytes
// that belong to none could hide anything.
static wsr_status check_coverage(const wsr__st *st, const unsigned char *data,
                                 size_t size)
{
    size_t filled = 0;
    for (size_t i = 0; i < st->n; i++) {
        const wsr__st_tensor *const t = &st->tensors[i];
        const size_t begin = (size_t)((const unsigned char *)t->data - data);
        if (begin < filled) {
            return WSR_FAIL(WSR_FORMAT, "%s: tensor '%s' overlaps tensor '%s'",
                            st->path, t->name, st->tensors[i - 1].name);
        }
        if (begin > filled) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: %zu bytes before tensor '%s' belong to none",
                            st->path, begin - filled, t->name);
        }
        filled += t->bytes;
    }
    if (filled != size) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: %zu bytes at the end belong to no tensor",
                        st->path, size - filled);
    }
    return WSR_OK;
}

// The file is of another kind than wanted; `what` says how that showed.
static wsr_status not_safetensors(const wsr__st *st, size_t size,
                                  const char *what)
{
    const wsr__magic *const magic = wsr__magic_of(st->bytes, size);
    if (magic == NULL || magic->weights == NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: no safetensors file%s", st->path,
                        what);
    }
    return WSR_FAIL(WSR_FORMAT, "%s: no safetensors file, but %s: %s", st->path,
                    magic->what, magic->weights);
}

wsr_status wsr__st_parse_json(wsr__st *st, const char *text, size_t length)
{
    json_error_t error;
    bool shortage = false;
    st->header = wsr__json_parse(&shortage, text, length,
                                 JSON_REJECT_DUPLICATES, &error);
    if (shortage) {
        return WSR_FAIL(WSR_NOMEM, "out of memory: the header of %s", st->path);
    }
    if (st->header == NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: header: %s at byte %d", st->path,
                        error.text, error.position);
    }
    return WSR_OK;
}

// The length is checked against the file before it is used.
static wsr_status read_header(wsr__st *st, size_t size)
{
    uint64_t length = 0;
    char what[96] = ": it is empty";
    if (size < LENGTH_SIZE) {
        if (size > 0) {
            (void)snprintf(what, sizeof(what), ": it has %zu bytes", size);
        }
        return not_safetensors(st, size, what);
    }
    memcpy(&length, st->bytes, sizeof(length));
    if (length > HEADER_MAX || length > size - LENGTH_SIZE) {
        (void)snprintf(what, sizeof(what),
                       ", or a truncated one: a header of %llu bytes in a file "
                       "of %zu",
                       (unsigned long long)length, size);
        return not_safetensors(st, size, what);
    }
    // Other readers accept white space before the header.
    const char *const text = (const char *)st->bytes + LENGTH_SIZE;
    size_t blank = 0;
    while (blank < length && text[blank] != '\0' &&
           strchr(" \t\r\n", text[blank]) != NULL) {
        blank++;
    }
    if (blank == length || text[blank] != '{') {
        return not_safetensors(st, size, ": the header is not JSON");
    }
    return wsr__st_parse_json(st, text, (size_t)length);
}

// All checks of a file; what passes can be used without any.
static wsr_status read_file(wsr__st *st)
{
    wsr_status status = WSR_OK;
    uint64_t length = 0;
    WSR_TRY(read_header(st, st->size));
    memcpy(&length, st->bytes, sizeof(length));
    const unsigned char *const data = st->bytes + LENGTH_SIZE + length;
    const size_t data_size = st->size - LENGTH_SIZE - (size_t)length;
    WSR_TRY(read_entries(st, data, data_size));
    if (st->n > 1) {
        qsort(st->tensors, st->n, sizeof(*st->tensors), by_place);
    }
    WSR_TRY(check_coverage(st, data, data_size));
out:
    return status;
}

// Tensors are written one by one, so memory never holds the whole file.
static wsr_status write_file(wsr__st_builder *builder, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__str header = {0};
    WSR_TRY(wsr__st_header(&header, builder));
    WSR_TRY(wsr__st_put(builder, &header, path, false));
out:
    wsr__str_free(&header);
    return status;
}

static const char *const endings[] = {".safetensors", NULL};

// What other readers call by no other name either: files without an ending of
// theirs are read and written so.
const wsr__format_class wsr__format_safetensors = {
    .super = {.name = "safetensors",
              .summary = "Hugging Face's format; what every file of this "
                         "library is",
              .reference = "https://github.com/huggingface/safetensors"},
    .endings = endings,
    .read = read_file,
    .write = write_file,
};
