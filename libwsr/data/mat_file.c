// SPDX-License-Identifier: Apache-2.0
//
// Whether a Matlab file of version 5 is whole. matio takes a file that was cut
// off for a complete one and ignores the checksums of compressed data, so both
// are checked beforehand. Behind a header of 128 bytes such a file is a row of
// elements, each of which begins with its type and its length; compressed ones
// hold a stream of zlib.

#include "data/data.h"

#define ZLIB_CONST

#include <errno.h>
#include <zlib.h>

enum { HEADER = 128, TAG = 8, COMPRESSED = 15, CHUNK = 1 << 15 };

typedef struct mat {
    const char *path;
    FILE *stream;
    bool big_endian;
    unsigned char *in;  // CHUNK
    unsigned char *out; // CHUNK
} mat;

static wsr_status broken(const mat *m)
{
    return WSR_FAIL(WSR_FORMAT,
                    "%s: is truncated or corrupt, or no Matlab file of "
                    "version 5",
                    m->path);
}

// Four bytes in the file's order.
static uint32_t word(const unsigned char *p, bool big_endian)
{
    uint32_t out = 0;
    for (int i = 0; i < 4; i++) {
        out = out << 8 | p[big_endian ? i : 3 - i];
    }
    return out;
}

// Inflate `length` bytes and drop what comes out; zlib checks the checksum.
static wsr_status inflate_all(const mat *m, z_stream *z, uint32_t length)
{
    int code = Z_OK;
    while (code == Z_OK && (z->avail_in > 0 || length > 0)) {
        if (z->avail_in == 0) {
            const size_t n = length < CHUNK ? length : CHUNK;
            if (fread(m->in, 1, n, m->stream) < n) {
                return broken(m);
            }
            length -= (uint32_t)n;
            z->next_in = m->in;
            z->avail_in = (uInt)n;
        }
        z->next_out = m->out;
        z->avail_out = CHUNK;
        code = inflate(z, Z_NO_FLUSH);
    }
    return code == Z_STREAM_END ? WSR_OK : broken(m);
}

static wsr_status check_compressed(const mat *m, uint32_t length)
{
    z_stream z = {0};
    if (inflateInit(&z) != Z_OK) {
        return WSR_FAIL(WSR_NOMEM, "%s: zlib has no memory", m->path);
    }
    const wsr_status status = inflate_all(m, &z, length);
    (void)inflateEnd(&z);
    return status;
}

static wsr_status check_elements(mat *m)
{
    wsr_status status = WSR_OK;
    unsigned char head[HEADER];
    unsigned char tag[TAG];
    off_t at = HEADER;
    off_t size = 0;
    if (fread(head, 1, HEADER, m->stream) < HEADER ||
        fseeko(m->stream, 0, SEEK_END) != 0) {
        return broken(m);
    }
    size = ftello(m->stream);
    m->big_endian = head[HEADER - 2] == 'M'; // "MI", else "IM"
    while (at < size) {
        if (fseeko(m->stream, at, SEEK_SET) != 0 ||
            fread(tag, 1, TAG, m->stream) < TAG) {
            return broken(m);
        }
        const uint32_t length = word(tag + 4, m->big_endian);
        at += TAG + (off_t)length;
        if (at > size) {
            return broken(m);
        }
        if (word(tag, m->big_endian) == COMPRESSED) {
            WSR_TRY(check_compressed(m, length));
        }
    }
out:
    return status;
}

wsr_status wsr__mat_check(const char *path)
{
    wsr_status status = WSR_OK;
    mat m = {.path = path};
    m.in = wsr__alloc_raw(CHUNK, 1);
    m.out = wsr__alloc_raw(CHUNK, 1);
    if (m.in == NULL || m.out == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    m.stream = fopen(path, "rb");
    if (m.stream == NULL) {
        status = wsr__fail_open(path, errno);
        goto out;
    }
    WSR_TRY(check_elements(&m));
out:
    if (m.stream != NULL) {
        (void)fclose(m.stream);
    }
    wsr__free(m.in);
    wsr__free(m.out);
    return status;
}
