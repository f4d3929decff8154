// SPDX-License-Identifier: Apache-2.0
//
// Writes pictures as PNG (ISO/IEC 15948; one IDAT chunk, no filter): as files,
// or as text in base64 (RFC 4648) that can be embedded in a page.

#include "io/io.h"

#include <string.h>
#include <zlib.h>

enum { WORD = 4, CHUNK_OVERHEAD = 3 * WORD, HEADER_SIZE = 13 };

// Big-endian, as all numbers of PNG.
static void put_word(unsigned char *to, size_t value)
{
    for (size_t i = 0; i < WORD; i++) {
        to[i] = (unsigned char)(value >> (8 * (WORD - 1 - i)) & 0xff);
    }
}

// Length, type, data, checksum of type and data; returns the bytes written.
static size_t put_chunk(unsigned char *to, const char *type,
                        const unsigned char *data, size_t size)
{
    put_word(to, size);
    memcpy(to + WORD, type, WORD);
    memcpy(to + 2 * WORD, data, size);
    put_word(to + 2 * WORD + size, crc32(0, to + WORD, (uInt)(WORD + size)));
    return size + CHUNK_OVERHEAD;
}

// Rows with their kind of filter, none, before them, deflated. [out, owned]
static wsr_status deflate_rows(unsigned char **out, uLongf *size,
                               const wsr__picture *p)
{
    const size_t row = p->width * p->channels;
    const size_t bytes = p->height * (row + 1);
    unsigned char *const rows = wsr__alloc(bytes, 1);
    *size = compressBound((uLong)bytes);
    *out = wsr__alloc(*size, 1);
    wsr_status status = rows == NULL || *out == NULL ? WSR_NOMEM : WSR_OK;
    for (size_t y = 0; status == WSR_OK && y < p->height; y++) {
        memcpy(rows + y * (row + 1) + 1, p->bytes + y * row, row);
    }
    if (status == WSR_OK &&
        compress2(*out, size, rows, (uLong)bytes, Z_BEST_COMPRESSION) != Z_OK) {
        status = WSR_FAIL(WSR_NOMEM,
                          "out of memory: no picture could be compressed");
    }
    wsr__free(rows);
    return status;
}

// The least that a PNG needs: three chunks, eight bits a channel.
static size_t put_file(unsigned char *to, const wsr__picture *p,
                       const unsigned char *data, size_t size)
{
    static const unsigned char signature[] = {0x89, 'P',  'N',  'G',
                                              '\r', '\n', 0x1a, '\n'};
    unsigned char header[HEADER_SIZE] = {0};
    size_t at = sizeof(signature);
    put_word(header, p->width);
    put_word(header + WORD, p->height);
    header[8] = 8;                        // bits
    header[9] = p->channels == 3 ? 2 : 0; // true colour or grey
    memcpy(to, signature, sizeof(signature));
    at += put_chunk(to + at, "IHDR", header, HEADER_SIZE);
    at += put_chunk(to + at, "IDAT", data, size);
    at += put_chunk(to + at, "IEND", header, 0);
    return at;
}

void wsr__add_base64(wsr__str *out, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const unsigned b = i + 1 < n ? bytes[i + 1] : 0;
        const unsigned c = i + 2 < n ? bytes[i + 2] : 0;
        const unsigned word = (unsigned)bytes[i] << 16 | b << 8 | c;
        char four[4] = {digits[word >> 18], digits[word >> 12 & 63],
                        digits[word >> 6 & 63], digits[word & 63]};
        four[2] = i + 1 < n ? four[2] : '=';
        four[3] = i + 2 < n ? four[3] : '=';
        wsr__str_addn(out, four, sizeof(four));
    }
}

// The picture as the bytes of a PNG file. [out, owned]
static wsr_status encode(unsigned char **file, size_t *size,
                         const wsr__picture *picture)
{
    enum { AROUND = 128 }; // more than signature, header and chunk ends
    wsr_status status = WSR_OK;
    unsigned char *data = NULL;
    uLongf deflated = 0;
    *file = NULL;
    WSR_TRY(deflate_rows(&data, &deflated, picture));
    *file = wsr__alloc(deflated + AROUND, 1);
    if (*file == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    *size = put_file(*file, picture, data, deflated);
out:
    wsr__free(data);
    return status;
}

wsr_status wsr__png_uri(wsr__str *out, const wsr__picture *picture)
{
    wsr_status status = WSR_OK;
    unsigned char *file = NULL;
    size_t size = 0;
    WSR_TRY(encode(&file, &size, picture));
    wsr__str_add(out, "data:image/png;base64,");
    wsr__add_base64(out, file, size);
    WSR_TRY(wsr__str_status(out));
out:
    wsr__free(file);
    return status;
}

wsr_status wsr__png_write(const char *path, const wsr__picture *picture)
{
    wsr_status status = WSR_OK;
    unsigned char *file = NULL;
    size_t size = 0;
    WSR_TRY(encode(&file, &size, picture));
    WSR_TRY(wsr__file_write(path, file, size));
out:
    wsr__free(file);
    return status;
}
