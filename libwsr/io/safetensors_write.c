// SPDX-License-Identifier: Apache-2.0
//
// Writes safetensors. A builder gathers tensors and metadata, sorts them and
// writes header and data in one pass. Tensors are laid out by element size,
// largest first, then by name, as other writers do, so that every tensor is
// aligned to its elements and the bytes do not depend on the order of
// additions; the header is padded with spaces so that the data begins at a
// cache line.

#include "io/format.h"

#include "config/config.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_SIZE = 8, ALIGN = 64 };

typedef struct entry {
    wsr__st_tensor t;
    char *name;
    void *data; // the copy, NULL where the data are borrowed
} entry;

// Metadata: both texts are owned.
typedef struct pair {
    char *key;
    char *value;
} pair;

// Both lists are sorted when the header is made.
struct wsr__st_builder {
    entry *entries;
    size_t n;
    size_t capacity;
    pair *metadata;
    size_t n_metadata;
    size_t metadata_capacity;
};

// An empty one is zeros.
wsr_status wsr__st_builder_new(wsr__st_builder **out)
{
    *out = wsr__alloc(1, sizeof(**out));
    return *out != NULL ? WSR_OK : WSR_NOMEM;
}

// Borrowed data have no copy: `data` of the entry is NULL.
void wsr__st_builder_free(wsr__st_builder *builder)
{
    if (builder == NULL) {
        return;
    }
    for (size_t i = 0; i < builder->n; i++) {
        wsr__free(builder->entries[i].name);
        wsr__free(builder->entries[i].data);
    }
    for (size_t i = 0; i < builder->n_metadata; i++) {
        wsr__free(builder->metadata[i].key);
        wsr__free(builder->metadata[i].value);
    }
    wsr__free(builder->entries);
    wsr__free(builder->metadata);
    wsr__free(builder);
}

// ---------------------------------------------------------------- gathering

// The mistakes of a caller, hence ARG and not FORMAT.
static wsr_status measure(wsr__st_tensor *t, const int64_t *dims, size_t ndims)
{
    if (ndims > WSR__ST_DIMS) {
        return WSR_FAIL(WSR_ARG, "%s: %zu dimensions are more than %d", t->name,
                        ndims, WSR__ST_DIMS);
    }
    t->ndims = ndims;
    for (size_t d = 0; d < ndims; d++) {
        t->dims[d] = dims[d];
    }
    return wsr__st_measure(t)
               ? WSR_OK
               : WSR_FAIL(WSR_ARG, "%s: a dimension is negative or too large",
                          t->name);
}

// A tensor whose data are the caller's, or a copy of them. Names that occur
// twice are found by wsr__st_check_names(), when all are there.
static wsr_status add(wsr__st_builder *builder, const char *name,
                      const wsr__st_tensor *tensor, bool copy)
{
    wsr_status status = WSR_OK;
    entry e = {.t = *tensor};
    void *array = builder->entries;
    WSR_TRY(wsr__reserve(&array, &builder->capacity, builder->n + 1,
                         sizeof(entry)));
    builder->entries = array;
    e.name = wsr__strdup(name);
    e.data = copy ? wsr__alloc_raw(e.t.bytes, 1) : NULL;
    if (e.name == NULL || (copy && e.data == NULL)) {
        status = WSR_NOMEM;
        goto out;
    }
    if (copy && e.t.bytes != 0) {
        memcpy(e.data, tensor->data, e.t.bytes);
    }
    e.t.name = e.name;
    e.t.data = copy ? e.data : tensor->data;
    builder->entries[builder->n++] = e;
    e = (entry){0};
out:
    wsr__free(e.name);
    wsr__free(e.data);
    return status;
}

// A copy, so the caller's array may change or go before the file is written.
wsr_status wsr__st_add(wsr__st_builder *builder, const char *name,
                       wsr__st_dtype dtype, const void *data,
                       const int64_t *dims, size_t ndims)
{
    wsr__st_tensor t = {.name = name, .dtype = dtype, .data = data};
    const wsr_status status = measure(&t, dims, ndims);
    return status == WSR_OK ? add(builder, name, &t, true) : status;
}

// The data must stay until the file is written: for tensors too large to copy.
wsr_status wsr__st_borrow(wsr__st_builder *builder, const char *name,
                          wsr__st_dtype dtype, const void *data,
                          const int64_t *dims, size_t ndims)
{
    wsr__st_tensor t = {.name = name, .dtype = dtype, .data = data};
    const wsr_status status = measure(&t, dims, ndims);
    return status == WSR_OK ? add(builder, name, &t, false) : status;
}

// These five write one dimension, as state and tests have it.
wsr_status wsr__st_add_f32(wsr__st_builder *builder, const char *name,
                           const float *data, size_t count)
{
    const int64_t n = (int64_t)count;
    return wsr__st_add(builder, name, WSR__ST_F32, data, &n, 1);
}

wsr_status wsr__st_add_f64(wsr__st_builder *builder, const char *name,
                           const double *data, size_t count)
{
    const int64_t n = (int64_t)count;
    return wsr__st_add(builder, name, WSR__ST_F64, data, &n, 1);
}

wsr_status wsr__st_add_i64(wsr__st_builder *builder, const char *name,
                           const int64_t *data, size_t count)
{
    const int64_t n = (int64_t)count;
    return wsr__st_add(builder, name, WSR__ST_I64, data, &n, 1);
}

// As I64 of the same bits: PyTorch cannot read U64.
wsr_status wsr__st_add_u64(wsr__st_builder *builder, const char *name,
                           const uint64_t *data, size_t count)
{
    const int64_t n = (int64_t)count;
    return wsr__st_add(builder, name, WSR__ST_I64, data, &n, 1);
}

wsr_status wsr__st_add_u8(wsr__st_builder *builder, const char *name,
                          const unsigned char *data, size_t count)
{
    const int64_t n = (int64_t)count;
    return wsr__st_add(builder, name, WSR__ST_U8, data, &n, 1);
}

// Few keys, so the search is linear.
wsr_status wsr__st_set(wsr__st_builder *builder, const char *key,
                       const char *value)
{
    wsr_status status = WSR_OK;
    void *array = builder->metadata;
    pair p = {.value = wsr__strdup(value)};
    WSR_TRY(p.value != NULL ? WSR_OK : WSR_NOMEM);
    for (size_t i = 0; i < builder->n_metadata; i++) {
        if (wsr__streq(builder->metadata[i].key, key)) {
            char *const before = builder->metadata[i].value;
            builder->metadata[i].value = p.value;
            p.value = before;
            goto out;
        }
    }
    WSR_TRY(wsr__reserve(&array, &builder->metadata_capacity,
                         builder->n_metadata + 1, sizeof(pair)));
    builder->metadata = array;
    p.key = wsr__strdup(key);
    WSR_TRY(p.key != NULL ? WSR_OK : WSR_NOMEM);
    builder->metadata[builder->n_metadata++] = p;
    p = (pair){0};
out:
    wsr__free(p.key);
    wsr__free(p.value);
    return status;
}

// Numbers in metadata have a decimal point whatever the locale says.
wsr_status wsr__st_setf(wsr__st_builder *builder, const char *key,
                        const char *format, ...)
{
    wsr_status status = WSR_OK;
    char text[1024];
    const wsr__locale locale = wsr__locale_enter();
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    wsr__locale_leave(locale);
    if (n < 0 || (size_t)n >= sizeof(text)) {
        return WSR_FAIL(WSR_ARG, "%s: text is longer than %zu bytes", key,
                        sizeof(text) - 1);
    }
    WSR_TRY(wsr__st_set(builder, key, text));
out:
    return status;
}

// ------------------------------------------------------------------ layout

// Names are unique (wsr__st_check_names), so the order is total.
static int by_layout(const void *a, const void *b)
{
    const entry *const x = a;
    const entry *const y = b;
    const size_t sx = wsr__st_dtype_size(x->t.dtype);
    const size_t sy = wsr__st_dtype_size(y->t.dtype);
    if (sx != sy) {
        return sx > sy ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

// Keys are unique (wsr__st_set replaces).
static int by_key(const void *a, const void *b)
{
    const pair *const x = a;
    const pair *const y = b;
    return strcmp(x->key, y->key);
}

// What is not UTF-8 (a path, say) becomes U+FFFD: a header that no reader
// accepts would cost the whole file.
static void add_json_string(wsr__str *out, const char *text)
{
    wsr__str_add(out, "\"");
    for (const char *s = text; *s != '\0';) {
        const size_t n = wsr__utf8_length(s);
        const unsigned char c = (unsigned char)*s;
        if (n == 0) {
            wsr__str_add(out, "\\ufffd");
        } else if (c == '"' || c == '\\') {
            wsr__str_addf(out, "\\%c", c);
        } else if (c < 0x20) {
            wsr__str_addf(out, "\\u%04x", c);
        } else {
            wsr__str_addn(out, s, n);
        }
        s += n != 0 ? n : 1;
    }
    wsr__str_add(out, "\"");
}

// In the order of the builder, which wsr__st_header() sorts.
void wsr__st_metadata_json(wsr__str *out, const wsr__st_builder *builder)
{
    wsr__str_add(out, "{");
    for (size_t i = 0; i < builder->n_metadata; i++) {
        wsr__str_add(out, i != 0 ? "," : "");
        add_json_string(out, builder->metadata[i].key);
        wsr__str_add(out, ":");
        add_json_string(out, builder->metadata[i].value);
    }
    wsr__str_add(out, "}");
}

// First in the header, where checkpoint.c expects the checksum.
static void add_metadata(wsr__str *out, const wsr__st_builder *builder)
{
    if (builder->n_metadata == 0) {
        return;
    }
    wsr__str_add(out, "\"__metadata__\":");
    wsr__st_metadata_json(out, builder);
    wsr__str_add(out, builder->n != 0 ? "," : "");
}

// Keys in the order in which other writers have them.
static void add_tensor(wsr__str *out, const wsr__st_tensor *t, size_t begin)
{
    add_json_string(out, t->name);
    wsr__str_addf(out, ":{\"dtype\":\"%s\",\"shape\":[",
                  wsr__st_dtype_name(t->dtype));
    for (size_t d = 0; d < t->ndims; d++) {
        wsr__str_addf(out, "%s%lld", d != 0 ? "," : "", (long long)t->dims[d]);
    }
    wsr__str_addf(out, "],\"data_offsets\":[%zu,%zu]}", begin,
                  begin + t->bytes);
}

// Of pointers to texts.
static int by_text(const void *a, const void *b)
{
    const char *const *const x = a;
    const char *const *const y = b;
    return strcmp(*x, *y);
}

// Names are compared here, all at once, since the layout sorts by element
// size first and leaves equal names apart.
wsr_status wsr__st_check_names(const wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    const char **names = wsr__alloc(builder->n, sizeof(*names));
    WSR_TRY(names != NULL ? WSR_OK : WSR_NOMEM);
    for (size_t i = 0; i < builder->n; i++) {
        names[i] = builder->entries[i].name;
    }
    qsort(names, builder->n, sizeof(*names), by_text);
    for (size_t i = 0; i < builder->n; i++) {
        const bool twice = i != 0 && wsr__streq(names[i - 1], names[i]);
        if (twice || names[i][0] == '\0' ||
            wsr__streq(names[i], "__metadata__")) {
            status = WSR_FAIL(WSR_ARG, "tensor '%s': name is %s", names[i],
                              twice ? "given twice" : "not permitted");
            goto out;
        }
    }
out:
    wsr__free(names);
    return status;
}

// Eight bytes are kept for the length, which is known at the end. It counts the
// padding.
wsr_status wsr__st_header(wsr__str *out, wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    size_t begin = 0;
    WSR_TRY(wsr__st_check_names(builder));
    if (builder->n > 1) {
        qsort(builder->entries, builder->n, sizeof(entry), by_layout);
    }
    if (builder->n_metadata > 1) {
        qsort(builder->metadata, builder->n_metadata, sizeof(pair), by_key);
    }
    wsr__str_addn(out, "\0\0\0\0\0\0\0\0", LENGTH_SIZE);
    wsr__str_add(out, "{");
    add_metadata(out, builder);
    for (size_t i = 0; i < builder->n; i++) {
        wsr__str_add(out, i != 0 ? "," : "");
        add_tensor(out, &builder->entries[i].t, begin);
        begin += builder->entries[i].t.bytes;
    }
    wsr__str_add(out, "}");
    while (!out->failed && out->len % ALIGN != 0) {
        wsr__str_add(out, " ");
    }
    WSR_TRY(wsr__str_status(out));
    const uint64_t length = out->len - LENGTH_SIZE;
    memcpy(out->s, &length, sizeof(length));
out:
    return status;
}

// ----------------------------------------------------------------- writing

// In the order of the file once wsr__st_header() has sorted the tensors.
const wsr__st_tensor *wsr__st_builder_at(const wsr__st_builder *builder,
                                         size_t i)
{
    return i < builder->n ? &builder->entries[i].t : NULL;
}

// The file in memory, for tests and for callers that store it elsewhere.
wsr_status wsr__st_serialize(unsigned char **out, size_t *size,
                             wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    *out = NULL;
    *size = 0;
    WSR_TRY(wsr__st_header(&text, builder));
    for (size_t i = 0; i < builder->n; i++) {
        const entry *const e = &builder->entries[i];
        wsr__str_addn(&text, e->t.data, e->t.bytes);
    }
    WSR_TRY(wsr__str_status(&text));
    *out = (unsigned char *)text.s;
    *size = text.len;
    text = (wsr__str){0};
out:
    wsr__str_free(&text);
    return status;
}

// Tensors are written one by one, so memory never holds the whole file.
wsr_status wsr__st_put(const wsr__st_builder *builder, const wsr__str *header,
                       const char *path, bool keep_previous)
{
    wsr_status status = WSR_OK;
    wsr__atomic_file file = {0};
    WSR_TRY(wsr__atomic_open(&file, path));
    WSR_TRY(wsr__atomic_write(&file, header->s, header->len));
    for (size_t i = 0; i < builder->n; i++) {
        const entry *const e = &builder->entries[i];
        WSR_TRY(wsr__atomic_write(&file, e->t.data, e->t.bytes));
    }
    WSR_TRY(wsr__atomic_commit(&file, keep_previous));
out:
    wsr__atomic_discard(&file);
    return status;
}
