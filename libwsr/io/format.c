// SPDX-License-Identifier: Apache-2.0
//
// The table of formats. Opens files that hold tensors in any of them, finds
// tensors and metadata by name, and writes the format that the ending of the
// path says.

#include "io/format.h"

#include <stdlib.h>
#include <string.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "io/formats.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__formats = {"format", classes};

static const wsr__format_class *class_at(size_t i)
{
    return (const wsr__format_class *)(const void *)classes[i];
}

// What no format calls its own is safetensors, or nothing: their reader says
// what it is.
static const wsr__format_class *format_of(const wsr__st *st)
{
    for (size_t i = 0; classes[i] != NULL; i++) {
        const wsr__format_class *const cls = class_at(i);
        if (cls->is != NULL && cls->is(st->bytes, st->size)) {
            return cls;
        }
    }
    return &wsr__format_safetensors;
}

static int by_name(const void *a, const void *b)
{
    const wsr__st_named *const x = a;
    const wsr__st_named *const y = b;
    return strcmp(x->name, y->name);
}

static int by_key(const void *a, const void *b)
{
    const wsr__st_pair *const x = a;
    const wsr__st_pair *const y = b;
    return strcmp(x->key, y->key);
}

// Both lists are sorted for look-ups by bisection. qsort() may be given no
// element, but no NULL.
static wsr_status sort_names(wsr__st *st)
{
    st->names = wsr__alloc(st->n, sizeof(*st->names));
    if (st->names == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < st->n; i++) {
        st->names[i] = (wsr__st_named){st->tensors[i].name, &st->tensors[i]};
    }
    qsort(st->names, st->n, sizeof(*st->names), by_name);
    for (size_t i = 1; i < st->n; i++) {
        if (wsr__streq(st->names[i - 1].name, st->names[i].name)) {
            return WSR_FAIL(WSR_FORMAT, "%s: two tensors have the name '%.80s'",
                            st->path, st->names[i].name);
        }
    }
    if (st->n_metadata > 1) {
        qsort(st->metadata, st->n_metadata, sizeof(*st->metadata), by_key);
    }
    return WSR_OK;
}

// ----------------------------------------------------------------- opening

static wsr_status read_tensors(wsr__st *st)
{
    const wsr__format_class *const cls = format_of(st);
    if (st->part != NULL && !cls->parts) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: a file of this format has no parts, '#%.40s' "
                        "asks for one",
                        st->path, st->part);
    }
    return cls->read(st);
}

// The bytes become the file's only on success.
static wsr_status open_part(wsr__st **out, unsigned char *bytes, size_t size,
                            const char *name, const char *part)
{
    wsr_status status = WSR_OK;
    *out = NULL;
    wsr__st *st = wsr__alloc(1, sizeof(*st));
    if (st == NULL) {
        return WSR_NOMEM;
    }
    st->bytes = bytes;
    st->size = size;
    st->path = wsr__strdup(name);
    WSR_TRY(st->path != NULL ? WSR_OK : WSR_NOMEM);
    st->part = part;
    WSR_TRY(read_tensors(st));
    st->part = NULL; // it is the caller's
    WSR_TRY(sort_names(st));
    *out = st;
    st = NULL;
out:
    if (st != NULL) {
        st->bytes = NULL; // stay the caller's
    }
    wsr__st_free(st);
    return status;
}

wsr_status wsr__st_open_owned(wsr__st **out, unsigned char *bytes, size_t size,
                              const char *name)
{
    return open_part(out, bytes, size, name, NULL);
}

// "file.pth#ema" is the part "ema" of file.pth, unless a file has that name.
static wsr_status split_path(char **file, const char **part, const char *path)
{
    const char *const mark = strrchr(path, '#');
    wsr__str text = {0};
    *part = mark == NULL || wsr__file_exists(path) ? NULL : mark + 1;
    wsr__str_addn(&text, path,
                  *part == NULL ? strlen(path) : (size_t)(mark - path));
    return wsr__str_give(file, &text);
}

// The whole file in memory: networks of this library have a few MiB.
wsr_status wsr__st_open(wsr__st **out, const char *path)
{
    wsr_status status = WSR_OK;
    unsigned char *bytes = NULL;
    char *file = NULL;
    const char *part = NULL;
    size_t size = 0;
    *out = NULL;
    WSR_TRY(split_path(&file, &part, path));
    WSR_TRY(wsr__file_read(&bytes, &size, file, SIZE_MAX / 2));
    WSR_TRY(open_part(out, bytes, size, file, part));
    bytes = NULL;
out:
    wsr__free(file);
    wsr__free(bytes);
    return status;
}

// For tests and for files inside other files.
wsr_status wsr__st_open_memory(wsr__st **out, const void *data, size_t size,
                               const char *name)
{
    wsr_status status = WSR_OK;
    *out = NULL;
    unsigned char *bytes = wsr__alloc_raw(size, 1);
    WSR_TRY(bytes != NULL ? WSR_OK : WSR_NOMEM);
    if (size != 0) {
        memcpy(bytes, data, size);
    }
    WSR_TRY(wsr__st_open_owned(out, bytes, size, name));
    bytes = NULL;
out:
    wsr__free(bytes);
    return status;
}

// Legal for a file that was opened halfway.
void wsr__st_free(wsr__st *st)
{
    if (st == NULL) {
        return;
    }
    for (size_t i = 0; i < st->n_blocks; i++) {
        wsr__free(st->blocks[i]);
    }
    wsr__free(st->blocks);
    wsr__zip_free(st->zip);
    json_decref(st->header);
    wsr__free(st->path);
    wsr__free(st->bytes);
    wsr__free(st->tensors);
    wsr__free(st->names);
    wsr__free(st->metadata);
    wsr__free(st);
}

// ----------------------------------------------------------------- look-up

const char *wsr__st_path(const wsr__st *st)
{
    return st->path;
}

size_t wsr__st_count(const wsr__st *st)
{
    return st->n;
}

// In the order of the file. NULL behind the last.
const wsr__st_tensor *wsr__st_at(const wsr__st *st, size_t i)
{
    return i < st->n ? &st->tensors[i] : NULL;
}

// Names are sorted: networks have thousands of tensors.
const wsr__st_tensor *wsr__st_find(const wsr__st *st, const char *name)
{
    const wsr__st_named wanted = {.name = name};
    const wsr__st_named *const found =
        bsearch(&wanted, st->names, st->n, sizeof(*st->names), by_name);
    return found != NULL ? found->tensor : NULL;
}

// For tensors without which a file means nothing.
wsr_status wsr__st_need(const wsr__st_tensor **out, const wsr__st *st,
                        const char *name)
{
    *out = wsr__st_find(st, name);
    return *out != NULL ? WSR_OK
                        : WSR_FAIL(WSR_FORMAT, "%s: there is no tensor '%s'",
                                   st->path, name);
}

size_t wsr__st_metadata_count(const wsr__st *st)
{
    return st->n_metadata;
}

const char *wsr__st_metadata_key(const wsr__st *st, size_t i)
{
    return i < st->n_metadata ? st->metadata[i].key : NULL;
}

const char *wsr__st_metadata_value(const wsr__st *st, size_t i)
{
    return i < st->n_metadata ? st->metadata[i].value : NULL;
}

// NULL where there is none; the text is borrowed from the file.
const char *wsr__st_metadata(const wsr__st *st, const char *key)
{
    if (st->n_metadata == 0) {
        return NULL;
    }
    const wsr__st_pair wanted = {.key = key};
    const wsr__st_pair *const found = bsearch(
        &wanted, st->metadata, st->n_metadata, sizeof(*st->metadata), by_key);
    return found != NULL ? found->value : NULL;
}

// ----------------------------------------------------------------- writing

// Whether a path ends so, and has a name in front of it.
static bool ends(const char *path, const char *ending)
{
    const size_t n = strlen(path);
    const size_t tail = strlen(ending);
    return n > tail && wsr__streq(path + n - tail, ending);
}

const wsr__format_class *wsr__format_for(const char *path)
{
    for (size_t i = 0; classes[i] != NULL; i++) {
        const wsr__format_class *const cls = class_at(i);
        for (size_t k = 0; cls->endings[k] != NULL && cls->write != NULL; k++) {
            if (ends(path, cls->endings[k])) {
                return cls;
            }
        }
    }
    return &wsr__format_safetensors;
}

// Atomic: a reader sees the old file or the new one.
wsr_status wsr__st_write(wsr__st_builder *builder, const char *path)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__st_check_names(builder));
    WSR_TRY(wsr__format_for(path)->write(builder, path));
out:
    return status;
}
