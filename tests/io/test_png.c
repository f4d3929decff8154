// SPDX-License-Identifier: Apache-2.0
//
// Pictures are decoded again by hand: base64, chunks, checksums, rows.

#include "io/io.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>
#include <zlib.h>

enum { MOST = 4096 };

static const char start[] = "data:image/png;base64,";

static unsigned value_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *const at = strchr(digits, c);
    ck_assert_ptr_nonnull(at);
    return (unsigned)(at - digits);
}

static size_t decode(unsigned char *out, const char *text)
{
    size_t n = 0;
    ck_assert_uint_eq(strlen(text) % 4, 0);
    for (; *text != '\0'; text += 4) {
        const unsigned c = text[2] == '=' ? 0 : value_of(text[2]);
        const unsigned d = text[3] == '=' ? 0 : value_of(text[3]);
        const unsigned word = value_of(text[0]) << 18 |
                              value_of(text[1]) << 12 | c << 6 | d;
        out[n++] = (unsigned char)(word >> 16);
        out[n] = (unsigned char)(word >> 8 & 0xff);
        n += text[2] != '=';
        out[n] = (unsigned char)(word & 0xff);
        n += text[3] != '=' && text[2] != '=';
    }
    return n;
}

static size_t word_at(const unsigned char *b)
{
    return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
}

// The chunk at `*at`, whose type and checksum must be right.
static const unsigned char *chunk(size_t *size, const unsigned char *file,
                                  size_t *at, const char *type)
{
    const unsigned char *const c = file + *at;
    *size = word_at(c);
    ck_assert_mem_eq(c + 4, type, 4);
    ck_assert_uint_eq(word_at(c + 8 + *size), crc32(0, c + 4, (uInt)*size + 4));
    *at += *size + 12;
    return c + 8;
}

static void check(const wsr__picture *p, unsigned char colour_type)
{
    static unsigned char file[MOST];
    unsigned char rows[MOST];
    uLongf length = sizeof(rows);
    size_t size = 0;
    size_t at = 8;
    wsr__str text = {0};
    ck_assert_ok(wsr__png_uri(&text, p));
    ck_assert_mem_eq(text.s, start, strlen(start));
    const size_t n = decode(file, text.s + strlen(start));
    ck_assert_mem_eq(file, "\x89PNG\r\n\x1a\n", 8);
    const unsigned char *c = chunk(&size, file, &at, "IHDR");
    ck_assert_uint_eq(word_at(c), p->width);
    ck_assert_uint_eq(word_at(c + 4), p->height);
    ck_assert_uint_eq(c[8], 8);
    ck_assert_uint_eq(c[9], colour_type);
    c = chunk(&size, file, &at, "IDAT");
    ck_assert_int_eq(uncompress(rows, &length, c, (uLong)size), Z_OK);
    const size_t row = p->width * p->channels;
    ck_assert_uint_eq(length, p->height * (row + 1));
    for (size_t y = 0; y < p->height; y++) {
        ck_assert_uint_eq(rows[y * (row + 1)], 0);
        ck_assert_mem_eq(rows + y * (row + 1) + 1, p->bytes + y * row, row);
    }
    (void)chunk(&size, file, &at, "IEND");
    ck_assert_uint_eq(size, 0);
    ck_assert_uint_eq(at, n);
    wsr__str_free(&text);
}

START_TEST(a_decoder_finds_the_same_bytes)
{
    unsigned char bytes[5 * 7 * 3];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(i * 37 % 256);
    }
    for (size_t width = 1; width <= 5; width++) { // all ends of base64
        check(&(wsr__picture){bytes, width, 7, 1}, 0);
        check(&(wsr__picture){bytes, width, 7, 3}, 2);
    }
}
END_TEST

static wsr_status encode(void *ctx)
{
    wsr__str text = {0};
    const wsr_status status = wsr__png_uri(&text, ctx);
    wsr__str_free(&text);
    return status;
}

START_TEST(memory_that_runs_short_is_reported_and_returned)
{
    static unsigned char bytes[64];
    wsr__picture p = {bytes, 8, 8, 1};
    ck_assert_uint_gt(oom_sweep(encode, &p), 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_decoder_finds_the_same_bytes,
        memory_that_runs_short_is_reported_and_returned, NULL};
    return suite_of("png", tests);
}
