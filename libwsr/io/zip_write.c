// SPDX-License-Identifier: Apache-2.0
//
// Writes zip archives of stored members. Every size is written in the 64-bit
// extension, so archives of more than 4 GiB are no case of their own; PyTorch,
// NumPy and unzip read it. An extra field of zeros moves each member's data to
// a multiple of 64 bytes, where a program that maps the file wants them.

#include "io/zip.h"

#include <string.h>
#include <zlib.h>

enum {
    ALIGN = 64,
    LOCAL_SIZE = 30,
    NAME_MOST = 65535,
    VERSION = 45,     // the format's version that has 64-bit sizes
    UTF8 = 1 << 11,   // flag: names are UTF-8
    DATE = 1 << 5 | 1 // 1980-01-01
};

struct wsr__zip_writer {
    wsr__atomic_file file;
    uint64_t at; // bytes written
    uint64_t count;
    wsr__str directory;
};

// A number of some bytes, little-endian.
static void put(wsr__str *out, uint64_t value, size_t bytes)
{
    wsr__str_addn(out, (const char *)&value, bytes);
}

wsr_status wsr__zip_writer_open(wsr__zip_writer **out, const char *path)
{
    wsr_status status = WSR_OK;
    *out = NULL;
    wsr__zip_writer *writer = wsr__alloc(1, sizeof(*writer));
    if (writer == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__atomic_open(&writer->file, path));
    *out = writer;
    writer = NULL;
out:
    wsr__zip_writer_free(writer);
    return status;
}

void wsr__zip_writer_free(wsr__zip_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    wsr__atomic_discard(&writer->file);
    wsr__str_free(&writer->directory);
    wsr__free(writer);
}

static wsr_status write_bytes(wsr__zip_writer *writer, const void *data,
                              size_t size)
{
    const wsr_status status = wsr__atomic_write(&writer->file, data, size);
    writer->at += status == WSR_OK ? size : 0;
    return status;
}

// What local header and directory have in common: from the version that is
// needed to the length of the name.
static void put_common(wsr__str *out, uint32_t crc, size_t n_name)
{
    put(out, VERSION, 2);
    put(out, UTF8, 2);
    put(out, 0, 2); // stored
    put(out, 0, 2); // time
    put(out, DATE, 2);
    put(out, crc, 4);
    put(out, UINT32_MAX, 4); // both sizes are in the extra field
    put(out, UINT32_MAX, 4);
    put(out, n_name, 2);
}

static void put_local(wsr__str *out, const char *name, uint64_t at,
                      uint32_t crc, uint64_t size)
{
    const size_t n = strlen(name);
    const size_t fixed = LOCAL_SIZE + 20 + 4; // with both extra fields
    const size_t pad = (size_t)((ALIGN - (at + fixed + n) % ALIGN) % ALIGN);
    wsr__str_addn(out, "PK\3\4", 4);
    put_common(out, crc, n);
    put(out, 20 + 4 + pad, 2);
    wsr__str_addn(out, name, n);
    put(out, 1, 2); // 64-bit sizes
    put(out, 16, 2);
    put(out, size, 8);
    put(out, size, 8);
    wsr__str_addn(out, "FB", 2); // as PyTorch calls its padding
    put(out, pad, 2);
    for (size_t i = 0; i < pad; i++) {
        put(out, 0, 1);
    }
}

static void put_entry(wsr__str *out, const char *name, uint64_t at,
                      uint32_t crc, uint64_t size)
{
    const size_t n = strlen(name);
    wsr__str_addn(out, "PK\1\2", 4);
    put(out, VERSION, 2);
    put_common(out, crc, n);
    put(out, 28, 2);         // length of the extra field
    put(out, 0, 2);          // of the comment
    put(out, 0, 2);          // disk
    put(out, 0, 2);          // attributes
    put(out, 0, 4);          // and others
    put(out, UINT32_MAX, 4); // place
    wsr__str_addn(out, name, n);
    put(out, 1, 2);
    put(out, 24, 2);
    put(out, size, 8);
    put(out, size, 8);
    put(out, at, 8);
}

// The checksum stands in front of the data, so the pieces are gone through
// twice.
wsr_status wsr__zip_writer_add(wsr__zip_writer *writer, const char *name,
                               const wsr__zip_piece *pieces, size_t n)
{
    wsr_status status = WSR_OK;
    wsr__str header = {0};
    uLong crc = 0;
    uint64_t size = 0;
    if (name[0] == '\0' || strlen(name) > NAME_MOST) {
        return WSR_FAIL(WSR_ARG,
                        "%.80s...: the name of a zip archive's member is empty "
                        "or longer than %d bytes",
                        name, NAME_MOST);
    }
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].size != 0) { // zlib takes NULL for a fresh start
            crc = crc32_z(crc, pieces[i].data, pieces[i].size);
            size += pieces[i].size;
        }
    }
    put_entry(&writer->directory, name, writer->at, (uint32_t)crc, size);
    put_local(&header, name, writer->at, (uint32_t)crc, size);
    WSR_TRY(wsr__str_status(&writer->directory));
    WSR_TRY(wsr__str_status(&header));
    WSR_TRY(write_bytes(writer, header.s, header.len));
    for (size_t i = 0; i < n; i++) {
        WSR_TRY(write_bytes(writer, pieces[i].data, pieces[i].size));
    }
    writer->count++;
out:
    wsr__str_free(&header);
    return status;
}

wsr_status wsr__zip_writer_commit(wsr__zip_writer *writer)
{
    wsr_status status = WSR_OK;
    wsr__str *const out = &writer->directory;
    const uint64_t begin = writer->at;
    const uint64_t size = out->len;
    const uint64_t count = writer->count;
    wsr__str_addn(out, "PK\6\6", 4);
    put(out, 44, 8); // bytes that follow
    put(out, VERSION, 2);
    put(out, VERSION, 2);
    put(out, 0, 8); // disks
    put(out, count, 8);
    put(out, count, 8);
    put(out, size, 8);
    put(out, begin, 8);
    wsr__str_addn(out, "PK\6\7", 4);
    put(out, 0, 4);
    put(out, begin + size, 8);
    put(out, 1, 4); // disks
    wsr__str_addn(out, "PK\5\6", 4);
    put(out, 0, 4);
    put(out, UINT16_MAX, 2); // these are in the 64-bit record
    put(out, UINT16_MAX, 2);
    put(out, UINT32_MAX, 4);
    put(out, UINT32_MAX, 4);
    put(out, 0, 2); // comment
    WSR_TRY(wsr__str_status(out));
    WSR_TRY(write_bytes(writer, out->s, out->len));
    WSR_TRY(wsr__atomic_commit(&writer->file, false));
out:
    return status;
}
