// SPDX-License-Identifier: Apache-2.0
//
// PyTorch's files, from torch 1.6 on: a zip archive with the pickle
// NAME/data.pkl, the storages NAME/data/KEY and, from torch 2.1 on, their order
// of bytes, NAME/byteorder. Files of this library have their metadata beside
// them, NAME/metadata.json, which torch.load() does not read.

#include "io/pth.h"

#include <string.h>

static const char pickle_name[] = "data.pkl";

// Members of the archive, whose names begin with that of the file.
typedef struct archive {
    wsr__st *st;
    const char *prefix; // [borrowed] with n_prefix bytes: "archive/"
    size_t n_prefix;
} archive;

static bool is_pth(const unsigned char *bytes, size_t size)
{
    return wsr__pth_is_legacy(bytes, size) ||
           (wsr__zip_mentions(bytes, size, pickle_name) &&
            !wsr__zip_mentions(bytes, size, "constants.pkl"));
}

// A member by what follows the prefix, NULL when there is none.
static wsr_status find(const wsr__zip_member **out, const archive *a,
                       const char *folder, const char *name, size_t n_name)
{
    wsr_status status = WSR_OK;
    wsr__str path = {0};
    *out = NULL;
    wsr__str_addn(&path, a->prefix, a->n_prefix);
    wsr__str_add(&path, folder);
    wsr__str_addn(&path, name, n_name);
    WSR_TRY(wsr__str_status(&path));
    *out = wsr__zip_find(a->st->zip, path.s);
out:
    wsr__str_free(&path);
    return status;
}

static wsr_status find_storage(const unsigned char **data, size_t *size,
                               void *ctx, const wsr__torch_storage *s)
{
    wsr_status status = WSR_OK;
    const archive *const a = ctx;
    const wsr__zip_member *member = NULL;
    *data = NULL;
    *size = 0;
    WSR_TRY(find(&member, a, "data/", s->key, s->n_key));
    if (member == NULL || s->numel < 0 || s->view != 0 ||
        (uint64_t)s->numel > member->size / s->type->size) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: a storage of %lld elements is missing or too "
                        "short: data/%.*s",
                        a->st->path, (long long)s->numel,
                        (int)(s->n_key < 20 ? s->n_key : 20), s->key);
    }
    WSR_TRY(wsr__zip_read(data, a->st->zip, member));
    *size = member->size;
out:
    return status;
}

// The prefix is what stands in front of the first "data.pkl".
static const wsr__zip_member *find_pickle(archive *a)
{
    const wsr__zip_member *m = NULL;
    const size_t tail = sizeof(pickle_name) - 1;
    for (size_t i = 0; (m = wsr__zip_at(a->st->zip, i)) != NULL; i++) {
        const size_t n = strlen(m->name);
        if (n >= tail && wsr__streq(m->name + n - tail, pickle_name) &&
            (n == tail || m->name[n - tail - 1] == '/')) {
            a->prefix = m->name;
            a->n_prefix = n - tail;
            return m;
        }
    }
    return NULL;
}

static wsr_status read_order(bool *swapped, const archive *a)
{
    wsr_status status = WSR_OK;
    const wsr__zip_member *member = NULL;
    const unsigned char *text = NULL;
    *swapped = false;
    WSR_TRY(find(&member, a, "byteorder", "", 0));
    if (member == NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__zip_read(&text, a->st->zip, member));
    *swapped = member->size == 3 && memcmp(text, "big", 3) == 0;
    if (!*swapped && (member->size != 6 || memcmp(text, "little", 6) != 0)) {
        return WSR_FAIL(WSR_FORMAT, "%s: byteorder is neither little nor big",
                        a->st->path);
    }
out:
    return status;
}

static wsr_status read_metadata(const archive *a)
{
    wsr_status status = WSR_OK;
    const wsr__zip_member *member = NULL;
    WSR_TRY(find(&member, a, "metadata.json", "", 0));
    if (member != NULL) {
        WSR_TRY(wsr__st_unzip_metadata(a->st, member->name));
    }
out:
    return status;
}

static wsr_status read_zip(wsr__st *st)
{
    wsr_status status = WSR_OK;
    archive a = {.st = st};
    wsr__pth_source source = {find_storage, &a, false};
    wsr__pickle pickle = {0};
    const unsigned char *bytes = NULL;
    WSR_TRY(wsr__zip_open(&st->zip, st->bytes, st->size, st->path));
    const wsr__zip_member *const member = find_pickle(&a);
    if (member == NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: the archive has no data.pkl",
                        st->path);
    }
    WSR_TRY(wsr__zip_read(&bytes, st->zip, member));
    WSR_TRY(read_order(&source.swapped, &a));
    WSR_TRY(wsr__pickle_read(&pickle, bytes, member->size, st->path));
    WSR_TRY(wsr__pth_take(st, &pickle, &source));
    WSR_TRY(read_metadata(&a));
out:
    wsr__pickle_free(&pickle);
    return status;
}

static wsr_status read_file(wsr__st *st)
{
    return wsr__pth_is_legacy(st->bytes, st->size) ? wsr__pth_read_legacy(st)
                                                   : read_zip(st);
}

static const char *const endings[] = {".pth", ".pt", NULL};

const wsr__format_class wsr__format_pth = {
    .super = {.name = "pth",
              .summary = "state dicts of torch.save",
              .reference = "https://pytorch.org/docs/stable/notes/"
                           "serialization.html"},
    .endings = endings,
    .is = is_pth,
    .parts = true,
    .read = read_file,
    .write = wsr__pth_write,
};
