// SPDX-License-Identifier: Apache-2.0
//
// Whether a Matlab file of version 5 is whole and holds arrays of numbers
// alone. matio takes a file that was cut off for a complete one, ignores the
// checksums of compressed data, and asks for as much memory as the sizes in a
// file say, so all this is checked beforehand. Behind a header of 128 bytes
// such a file is a row of elements, each of which begins with its type and its
// length; compressed ones hold a stream of zlib with an element in it. A matrix
// consists of four elements: its class, its sizes, its name, its numbers.

#include "data/data.h"

#define ZLIB_CONST

#include <errno.h>
#include <zlib.h>

enum {
    HEADER = 128,
    TAG = 8,
    INT32 = 5,
    UINT32 = 6,
    MATRIX = 14,
    COMPRESSED = 15,
    CHUNK = 1 << 15,
    BEGIN = 256, // more than what stands before the numbers of a matrix
    NAME = 63,   // longest name in Matlab
    DIMS = 8
};

typedef struct mat {
    const char *path;
    FILE *stream;
    bool big_endian;
    unsigned char *in;  // CHUNK
    unsigned char *out; // CHUNK
    // A matrix without its tag: its first bytes and how many it has.
    unsigned char begin[BEGIN];
    size_t have;
    uint64_t size;
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

// An element inside a matrix; short ones have their bytes in the tag itself.
typedef struct part {
    uint32_t type;
    uint64_t length;
    size_t at;   // of its bytes
    size_t next; // of the tag behind it
} part;

static bool read_part(part *p, const mat *m, size_t at)
{
    if (at + TAG > m->have) {
        return false;
    }
    const uint32_t first = word(m->begin + at, m->big_endian);
    const bool within = first >> 16 != 0;
    p->type = first & 0xffff;
    p->length = within ? first >> 16 : word(m->begin + at + 4, m->big_endian);
    p->at = at + (within ? 4 : TAG);
    // Padded to eight bytes; what is beyond the begin has nothing behind it.
    p->next = within ? at + TAG : at + TAG + (size_t)((p->length + 7) / 8 * 8);
    return !within || p->length <= 4;
}

// Bytes of a number of a type, 0 for types that are no numbers.
static uint64_t bytes_of(uint32_t type)
{
    static const unsigned char sizes[] = {0, 1, 1, 2, 2, 4, 4,
                                          4, 0, 8, 0, 0, 8, 8};
    return type < sizeof(sizes) ? sizes[type] : 0;
}

// Product of the sizes, 0 when they are none or too many for the matrix.
static uint64_t count_of(const mat *m, const part *dims)
{
    uint64_t n = 1;
    if (dims->type != INT32 || dims->length % 4 != 0 || dims->length < 2 * 4 ||
        dims->length > DIMS * 4 || dims->at + dims->length > m->have) {
        return 0;
    }
    for (size_t i = 0; i < dims->length; i += 4) {
        const uint64_t dim = word(m->begin + dims->at + i, m->big_endian);
        if (dim == 0 || dim > m->size / n) {
            return 0;
        }
        n *= dim;
    }
    return n;
}

// Classes 6 (double) to 15 (uint64) are arrays of numbers; the flag 8 in the
// byte above says that they are complex.
static wsr_status check_matrix(const mat *m)
{
    part flags;
    part dims;
    part name;
    part data;
    if (!read_part(&flags, m, 0) || flags.type != UINT32 || flags.length != 8 ||
        !read_part(&dims, m, flags.next)) {
        return broken(m);
    }
    const uint32_t class = word(m->begin + flags.at, m->big_endian);
    const uint64_t n = count_of(m, &dims);
    if ((class & 0xff) < 6 || (class & 0xff) > 15 || (class & 0x800) != 0) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: holds a variable that is no array of numbers",
                        m->path);
    }
    if (n == 0 || !read_part(&name, m, dims.next) || name.length > NAME ||
        !read_part(&data, m, name.next) || bytes_of(data.type) == 0 ||
        data.length != n * bytes_of(data.type) ||
        data.at + data.length > m->size) {
        return broken(m);
    }
    return WSR_OK;
}

// Keep the first bytes of what was inflated, without its tag.
static void keep_begin(mat *m, uint64_t done, size_t n)
{
    for (size_t i = 0; i < n && done + i < BEGIN + TAG; i++) {
        if (done + i >= TAG) {
            m->begin[done + i - TAG] = m->out[i];
            m->have = (size_t)(done + i) - TAG + 1;
        }
    }
}

// Inflate `length` bytes and drop what comes out but its begin; zlib checks the
// checksum.
static wsr_status inflate_all(mat *m, z_stream *z, uint32_t length)
{
    int code = Z_OK;
    m->have = 0;
    m->size = 0;
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
        const size_t got = CHUNK - z->avail_out;
        keep_begin(m, m->size, got);
        m->size += got;
    }
    return code == Z_STREAM_END && m->size > TAG ? WSR_OK : broken(m);
}

static wsr_status check_compressed(mat *m, uint32_t length)
{
    z_stream z = {0};
    if (inflateInit(&z) != Z_OK) {
        return WSR_FAIL(WSR_NOMEM, "%s: zlib has no memory", m->path);
    }
    const wsr_status status = inflate_all(m, &z, length);
    (void)inflateEnd(&z);
    m->size -= status == WSR_OK ? TAG : 0;
    return status;
}

// One element, whose tag was read.
static wsr_status check_element(mat *m, uint32_t type, uint32_t length)
{
    wsr_status status = WSR_OK;
    if (type == COMPRESSED) {
        WSR_TRY(check_compressed(m, length));
    } else if (type == MATRIX) {
        m->size = length;
        m->have =
            fread(m->begin, 1, length < BEGIN ? length : BEGIN, m->stream);
    } else {
        status = broken(m);
        goto out;
    }
    WSR_TRY(check_matrix(m));
out:
    return status;
}

// The end of the header: version 1.0 and the letters "MI", in the file's order.
static bool read_order(mat *m, const unsigned char *end)
{
    m->big_endian = end[2] == 'M';
    return m->big_endian
               ? end[3] == 'I' && end[0] == 1 && end[1] == 0
               : end[2] == 'I' && end[3] == 'M' && end[0] == 0 && end[1] == 1;
}

static wsr_status check_elements(mat *m)
{
    wsr_status status = WSR_OK;
    unsigned char head[HEADER];
    unsigned char tag[TAG];
    off_t at = HEADER;
    off_t size = 0;
    if (fread(head, 1, HEADER, m->stream) < HEADER ||
        !read_order(m, head + HEADER - 4) ||
        fseeko(m->stream, 0, SEEK_END) != 0) {
        return broken(m);
    }
    size = ftello(m->stream);
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
        WSR_TRY(check_element(m, word(tag, m->big_endian), length));
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
