// SPDX-License-Identifier: Apache-2.0
//
// What the readers of all formats fill a file with: tensors, metadata and
// blocks of memory that the file owns.

#include "io/format.h"

#include "base/magic.h"

#include <string.h>

enum {
    NAME_MOST = 1024, // bytes of a tensor's name
    GATHER_SLACK = 16 // times the file's size that copies may take
};

// ------------------------------------------------------------------- memory

wsr_status wsr__st_keep(wsr__st *st, void *block)
{
    wsr_status status = WSR_OK;
    void *array = st->blocks;
    WSR_TRY(block != NULL ? WSR_OK : WSR_NOMEM);
    WSR_TRY(wsr__reserve(&array, &st->blocks_capacity, st->n_blocks + 1,
                         sizeof(void *)));
    st->blocks = array;
    st->blocks[st->n_blocks++] = block;
    block = NULL;
out:
    wsr__free(block);
    return status;
}

wsr_status wsr__st_keep_text(char **out, wsr__st *st, const char *text,
                             size_t n)
{
    char *const copy = wsr__alloc_raw(n + 1, 1);
    *out = NULL;
    if (copy != NULL) {
        memcpy(copy, text, n);
        copy[n] = '\0';
    }
    const wsr_status status = wsr__st_keep(st, copy);
    if (status == WSR_OK) {
        *out = copy;
    }
    return status;
}

// ------------------------------------------------------------------ tensors

// Names appear in one-line messages and as keys of parameters.
wsr_status wsr__st_check_name(const wsr__st *st, const char *name)
{
    const size_t n = strlen(name);
    bool good = n > 0 && n <= NAME_MOST;
    for (size_t i = 0; i < n && good; i++) {
        good = (unsigned char)name[i] >= 0x20 && name[i] != 0x7f;
    }
    return good ? WSR_OK
                : WSR_FAIL(WSR_FORMAT,
                           "%s: a tensor's name is empty, longer than %d bytes "
                           "or holds control characters",
                           st->path, NAME_MOST);
}

wsr_status wsr__st_append(wsr__st *st, const wsr__st_tensor *tensor)
{
    wsr_status status = WSR_OK;
    wsr__st_tensor t = *tensor;
    void *array = st->tensors;
    WSR_TRY(wsr__st_check_name(st, t.name));
    if (!wsr__st_measure(&t)) {
        status = WSR_FAIL(WSR_FORMAT, "%s: tensor '%s' is too large", st->path,
                          t.name);
        goto out;
    }
    WSR_TRY(wsr__reserve(&array, &st->capacity, st->n + 1, sizeof(t)));
    st->tensors = array;
    st->tensors[st->n++] = t;
out:
    return status;
}

// One element, its bytes turned round where they are big-endian.
static void copy_element(unsigned char *dst, const unsigned char *src,
                         size_t size, bool swapped)
{
    for (size_t i = 0; i < size; i++) {
        dst[i] = src[swapped ? size - 1 - i : i];
    }
}

// Strides of 0 make many elements of few bytes: `t` may hold more than the
// file, within bounds.
wsr_status wsr__st_gather(wsr__st_tensor *t, wsr__st *st,
                          const wsr__strided *src)
{
    const size_t size = wsr__st_dtype_size(t->dtype);
    int64_t index[WSR__ST_DIMS] = {0};
    if (t->bytes / GATHER_SLACK > st->size - st->gathered / GATHER_SLACK) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: tensor '%s' repeats its elements: %zu bytes of a "
                        "file of %zu",
                        st->path, t->name, t->bytes, st->size);
    }
    st->gathered += t->bytes;
    unsigned char *const block = wsr__alloc_raw(t->bytes, 1);
    const wsr_status status = wsr__st_keep(st, block);
    if (status != WSR_OK) {
        return status;
    }
    int64_t at = 0; // of the element in the source
    for (size_t i = 0; i < t->count; i++) {
        copy_element(block + i * size, src->data + (size_t)at * size, size,
                     src->swapped);
        for (size_t d = t->ndims; d > 0; d--) {
            at += src->strides[d - 1];
            if (++index[d - 1] < t->dims[d - 1]) {
                break;
            }
            at -= index[d - 1] * src->strides[d - 1];
            index[d - 1] = 0;
        }
    }
    t->data = block;
    return WSR_OK;
}

// ----------------------------------------------------------------- metadata

// Values must be strings, by the definition of safetensors.
wsr_status wsr__st_take_metadata(wsr__st *st, json_t *info)
{
    const char *key = NULL;
    json_t *value = NULL;
    if (!json_is_object(info)) {
        return WSR_FAIL(WSR_FORMAT, "%s: __metadata__ is not an object",
                        st->path);
    }
    st->metadata = wsr__alloc(json_object_size(info), sizeof(wsr__st_pair));
    if (st->metadata == NULL) {
        return WSR_NOMEM;
    }
    json_object_foreach(info, key, value)
    {
        if (!json_is_string(value)) {
            return WSR_FAIL(WSR_FORMAT, "%s: metadata '%.80s' is not text",
                            st->path, key);
        }
        st->metadata[st->n_metadata++] =
            (wsr__st_pair){key, json_string_value(value)};
    }
    return WSR_OK;
}

wsr_status wsr__st_unzip_metadata(wsr__st *st, const char *name)
{
    wsr_status status = WSR_OK;
    const unsigned char *text = NULL;
    const wsr__zip_member *const member = wsr__zip_find(st->zip, name);
    if (member == NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__zip_read(&text, st->zip, member));
    WSR_TRY(wsr__st_parse_json(st, (const char *)text, member->size));
    WSR_TRY(wsr__st_take_metadata(st, st->header));
out:
    return status;
}

wsr_status wsr__st_zip_metadata(wsr__zip_writer *writer, const char *name,
                                const wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    wsr__st_metadata_json(&text, builder);
    WSR_TRY(wsr__str_status(&text));
    const wsr__zip_piece piece = {text.s, text.len};
    if (text.len > 2) { // more than {}
        WSR_TRY(wsr__zip_writer_add(writer, name, &piece, 1));
    }
out:
    wsr__str_free(&text);
    return status;
}

// --------------------------------------------------------------- recognition

bool wsr__zip_mentions(const unsigned char *bytes, size_t size,
                       const char *word)
{
    return size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0 &&
           wsr__magic_mentions(bytes, size, word);
}
