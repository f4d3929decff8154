// SPDX-License-Identifier: Apache-2.0
//
// NumPy's .npz: a zip archive of .npy files, as numpy.savez() and
// numpy.savez_compressed() write them. An array's name is that of its member
// without ".npy". Metadata, which NumPy has none of, are the member
// "metadata.json"; numpy.load() ignores it until it is asked for.

#include "io/npz.h"

#include <string.h>

static const char metadata_name[] = "metadata.json";
static const char npy_ending[] = ".npy";

// An archive without members is what numpy.savez() makes of no arrays.
static bool is_npz(const unsigned char *bytes, size_t size)
{
    return wsr__zip_mentions(bytes, size, npy_ending) ||
           (size >= 4 && memcmp(bytes, "PK\5\6", 4) == 0);
}

// Members that are no arrays are read over.
static wsr_status read_member(wsr__st *st, const wsr__zip_member *m)
{
    wsr_status status = WSR_OK;
    const unsigned char *bytes = NULL;
    char *name = NULL;
    const size_t n = strlen(m->name);
    const size_t tail = sizeof(npy_ending) - 1;
    if (n <= tail || !wsr__streq(m->name + n - tail, npy_ending)) {
        return WSR_OK;
    }
    WSR_TRY(wsr__st_keep_text(&name, st, m->name, n - tail));
    WSR_TRY(wsr__zip_read(&bytes, st->zip, m));
    WSR_TRY(wsr__npy_append(st, name, bytes, m->size));
out:
    return status;
}

static wsr_status read_file(wsr__st *st)
{
    wsr_status status = WSR_OK;
    const wsr__zip_member *m = NULL;
    WSR_TRY(wsr__zip_open(&st->zip, st->bytes, st->size, st->path));
    for (size_t i = 0; (m = wsr__zip_at(st->zip, i)) != NULL; i++) {
        WSR_TRY(read_member(st, m));
    }
    WSR_TRY(wsr__st_unzip_metadata(st, metadata_name));
out:
    return status;
}

static wsr_status add(wsr__zip_writer *writer, const wsr__st_tensor *t)
{
    wsr_status status = WSR_OK;
    wsr__str header = {0};
    wsr__str name = {0};
    wsr__str_addf(&name, "%s%s", t->name, npy_ending);
    WSR_TRY(wsr__str_status(&name));
    WSR_TRY(wsr__npy_header(&header, t));
    const wsr__zip_piece pieces[] = {{header.s, header.len},
                                     {t->data, t->bytes}};
    WSR_TRY(wsr__zip_writer_add(writer, name.s, pieces, 2));
out:
    wsr__str_free(&name);
    wsr__str_free(&header);
    return status;
}

static wsr_status write_file(wsr__st_builder *builder, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__zip_writer *writer = NULL;
    const wsr__st_tensor *t = NULL;
    WSR_TRY(wsr__zip_writer_open(&writer, path));
    for (size_t i = 0; (t = wsr__st_builder_at(builder, i)) != NULL; i++) {
        WSR_TRY(add(writer, t));
    }
    WSR_TRY(wsr__st_zip_metadata(writer, metadata_name, builder));
    WSR_TRY(wsr__zip_writer_commit(writer));
out:
    wsr__zip_writer_free(writer);
    return status;
}

static const char *const endings[] = {".npz", NULL};

const wsr__format_class wsr__format_npz = {
    .super = {.name = "npz",
              .summary = "several arrays of NumPy",
              .reference = "https://numpy.org/doc/stable/reference/generated/"
                           "numpy.savez.html"},
    .endings = endings,
    .is = is_npz,
    .read = read_file,
    .write = write_file,
};
