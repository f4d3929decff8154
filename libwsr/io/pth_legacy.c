// SPDX-License-Identifier: Apache-2.0
//
// PyTorch's files before torch 1.6: pickles of a magic number, a version, the
// system, the object and the list of its storages' keys, one after the other;
// then the storages in that order, each with its number of elements in front.
// All numbers are little-endian, whatever the system was.

#include "io/pth.h"

#include <stdlib.h>
#include <string.h>

// The pickle of the magic number 0x1950a86a20f9469cfc6c.
static const char magic[] = "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.";

// Where the elements of a storage are.
typedef struct place {
    const char *key;
    size_t n_key;
    size_t element;            // bytes
    const unsigned char *data; // NULL until they were found
    size_t size;
} place;

typedef struct legacy {
    wsr__st *st;
    place *places; // sorted by key
    size_t n;
} legacy;

bool wsr__pth_is_legacy(const unsigned char *bytes, size_t size)
{
    return size >= sizeof(magic) - 1 &&
           memcmp(bytes, magic, sizeof(magic) - 1) == 0;
}

static int by_key(const void *a, const void *b)
{
    const place *const x = a;
    const place *const y = b;
    const int order =
        memcmp(x->key, y->key, x->n_key < y->n_key ? x->n_key : y->n_key);
    return order != 0 || x->n_key == y->n_key ? order
           : x->n_key < y->n_key              ? -1
                                              : 1;
}

static place *find_place(const legacy *l, const char *key, size_t n)
{
    const place wanted = {.key = key, .n_key = n};
    return bsearch(&wanted, l->places, l->n, sizeof(*l->places), by_key);
}

// The type of a storage is known from what refers to it. Equal keys have equal
// sizes of elements, or the last of them is found by chance.
static wsr_status list_places(legacy *l, const wsr__pickle *p)
{
    size_t kept = 0;
    l->places = wsr__alloc(p->n_storages, sizeof(*l->places));
    if (l->places == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < p->n_storages; i++) {
        const wsr__torch_storage *const s = &p->storages[i];
        l->places[i] =
            (place){.key = s->key, .n_key = s->n_key, .element = s->type->size};
    }
    qsort(l->places, p->n_storages, sizeof(*l->places), by_key);
    for (size_t i = 0; i < p->n_storages; i++) {
        place *const last = kept > 0 ? &l->places[kept - 1] : NULL;
        if (last == NULL || by_key(last, &l->places[i]) != 0) {
            l->places[kept++] = l->places[i];
        } else if (last->element != l->places[i].element) {
            return wsr__pickle_corrupt(p, "a storage of two types");
        }
    }
    l->n = kept;
    return WSR_OK;
}

// One storage at `*at`, which moves behind it.
static wsr_status read_storage(size_t *at, const legacy *l, place *to)
{
    const wsr__st *const st = l->st;
    int64_t numel = 0;
    if (to != NULL && st->size - *at >= sizeof(numel)) {
        memcpy(&numel, st->bytes + *at, sizeof(numel));
        const size_t left = st->size - *at - sizeof(numel);
        if (numel >= 0 && (uint64_t)numel <= left / to->element) {
            to->data = st->bytes + *at + sizeof(numel);
            to->size = (size_t)numel * to->element;
            *at += sizeof(numel) + to->size;
            return WSR_OK;
        }
    }
    return WSR_FAIL(WSR_FORMAT,
                    "%s: is truncated or corrupt: a storage at byte %zu of %zu "
                    "is %s",
                    st->path, *at, st->size,
                    to == NULL ? "unknown" : "longer than the file");
}

static wsr_status read_storages(size_t at, legacy *l, const wsr__pickle *keys)
{
    wsr_status status = WSR_OK;
    const wsr__pickle_value *const list = wsr__pickle_at(keys, keys->root);
    const wsr__pickle_value *key = NULL;
    for (size_t i = 0; (key = wsr__pickle_item(keys, list, i)) != NULL; i++) {
        place *const to = key->kind == WSR__PICKLE_TEXT
                              ? find_place(l, key->as.text, key->n)
                              : NULL;
        WSR_TRY(read_storage(&at, l, to));
    }
out:
    return status;
}

static wsr_status find_storage(const unsigned char **data, size_t *size,
                               void *ctx, const wsr__torch_storage *s)
{
    const legacy *const l = ctx;
    const place *const at = find_place(l, s->key, s->n_key);
    if (at == NULL || at->data == NULL || s->view < 0 || s->numel < 0 ||
        (uint64_t)s->view > at->size / at->element) {
        return WSR_FAIL(WSR_FORMAT, "%s: the storage %.*s is missing",
                        l->st->path, (int)(s->n_key < 40 ? s->n_key : 40),
                        s->key);
    }
    *data = at->data + (size_t)s->view * at->element;
    *size = at->size - (size_t)s->view * at->element;
    return WSR_OK;
}

enum { MAGIC, VERSION, SYSTEM, OBJECT, KEYS, PICKLES };

wsr_status wsr__pth_read_legacy(wsr__st *st)
{
    wsr_status status = WSR_OK;
    wsr__pickle pickles[PICKLES] = {{0}};
    legacy l = {.st = st};
    const wsr__pth_source source = {find_storage, &l, false};
    size_t at = 0;
    for (size_t i = 0; i < PICKLES; i++) {
        WSR_TRY(wsr__pickle_read(&pickles[i], st->bytes + at, st->size - at,
                                 st->path));
        at += pickles[i].at;
    }
    WSR_TRY(list_places(&l, &pickles[OBJECT]));
    WSR_TRY(read_storages(at, &l, &pickles[KEYS]));
    WSR_TRY(wsr__pth_take(st, &pickles[OBJECT], &source));
out:
    for (size_t i = 0; i < PICKLES; i++) {
        wsr__pickle_free(&pickles[i]);
    }
    wsr__free(l.places);
    return status;
}
