// SPDX-License-Identifier: Apache-2.0

#include "fuzz/fuzz.h"

#include "fuzz/feed.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

fuzz_taker *fuzz_take;
bool fuzz_taken;

void fuzz_seed(const void *data, size_t size)
{
    if (fuzz_take != NULL) {
        fuzz_take(data, size);
    }
}

void fuzz_seed_text(const char *text)
{
    fuzz_seed(text, strlen(text));
}

void fuzz_seed_file(const char *path)
{
    bytes content = get_file(path);
    fuzz_seed(content.data, content.size);
    bytes_free(&content);
}

void fuzz_check(wsr_status status, bool made)
{
    const char *const detail = wsr_error_detail();
    fuzz_taken = status == WSR_OK;
    fuzz_demand(fuzz_taken == made);
    fuzz_demand(fuzz_taken ||
                (detail[0] != '\0' && strchr(detail, '\n') == NULL));
    fuzz_demand(status != WSR_INTERNAL);
}

const char *fuzz_folder(void)
{
    static char folder[1024];
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof(folder), "%s", scratch_folder("fuzz"));
    }
    return folder;
}

const char *fuzz_file(const char *name, const uint8_t *data, size_t size)
{
    const char *const path = path_in(fuzz_folder(), name);
    FILE *const stream = fopen(path, "wb");
    MUST_HOLD(stream != NULL);
    MUST_HOLD(size == 0 || fwrite(data, 1, size, stream) == size);
    MUST_HOLD(fclose(stream) == 0);
    return path;
}

const char *fuzz_text(const uint8_t *data, size_t size)
{
    static char texts[4][1 << 16];
    static size_t next;
    char *const text = texts[next++ % 4];
    if (size >= sizeof(texts[0])) {
        return NULL;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

// ----------------------------------------------------------------- checksums

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

// Entries of the directory, each with the place of its member. Members that are
// not stored keep their sums.
void fuzz_mend_zip(uint8_t *data, size_t size)
{
    enum { ENTRY = 46, MEMBER = 30 };
    for (size_t at = 0; at + ENTRY <= size; at++) {
        if (memcmp(data + at, "PK\1\2", 4) != 0) {
            continue;
        }
        const size_t member = get_u32(data + at + 42);
        const size_t length = get_u32(data + at + 20);
        if (member > size || size - member < MEMBER) {
            continue;
        }
        const uint8_t *const m = data + member;
        const size_t begin = member + MEMBER + (size_t)(m[26] | m[27] << 8) +
                             (size_t)(m[28] | m[29] << 8);
        if (data[at + 10] == 0 && begin <= size && length <= size - begin) {
            put_u32(data + at + 16, (uint32_t)crc32_z(0, data + begin, length));
        }
    }
}

// Chunks: length, name, content, sum; big-endian.
void fuzz_mend_png(uint8_t *data, size_t size)
{
    size_t at = 8;
    while (at <= size && size - at >= 12) {
        const size_t length = (size_t)data[at] << 24 |
                              (size_t)data[at + 1] << 16 |
                              (size_t)data[at + 2] << 8 | data[at + 3];
        if (length > size - at - 12) {
            return;
        }
        const uint32_t crc = (uint32_t)crc32_z(0, data + at + 4, length + 4);
        for (size_t i = 0; i < 4; i++) {
            data[at + 8 + length + i] = (uint8_t)(crc >> (24 - 8 * i));
        }
        at += 12 + length;
    }
}

static uint8_t *find(uint8_t *data, size_t size, const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i + n <= size; i++) {
        if (memcmp(data + i, text, n) == 0) {
            return data + i;
        }
    }
    return NULL;
}

// See io/checkpoint.c: the digits themselves count as zeros.
void fuzz_mend_checkpoint(uint8_t *data, size_t size)
{
    static const char field[] = "\"crc32\":\"";
    char text[9];
    uint8_t *const place = find(data, size, field);
    uint8_t *const digits = place == NULL ? NULL : place + sizeof(field) - 1;
    if (digits == NULL || size - (size_t)(digits - data) < 8) {
        return;
    }
    memcpy(digits, "00000000", 8);
    (void)snprintf(text, sizeof(text), "%08lx", crc32_z(0, data, size));
    memcpy(digits, text, 8);
}

// -------------------------------------------------------------------- values

// One of the numbers that arithmetic goes wrong with, in one of the types.
static size_t limit_number(uint8_t number[8], uint64_t dice)
{
    static const int64_t integers[] = {0,         1,         -1,
                                       2,         INT32_MAX, INT32_MIN,
                                       INT64_MAX, INT64_MIN, INT64_C(1) << 53,
                                       1000000};
    static const double reals[] = {
        0,     -0.0,   1,    -1,     (double)NAN, (double)INFINITY,
        1e300, -1e300, 1e38, 1e-320, 0.5,         -(double)INFINITY};
    const uint64_t which = dice / 4;
    const int64_t integer = integers[which % 10];
    const double real = reals[which % 12];
    const float single = (float)real;
    const int32_t half = (int32_t)(uint32_t)integer;
    switch (dice % 4) {
    case 0:
        memcpy(number, &integer, 8);
        return 8;
    case 1:
        memcpy(number, &real, 8);
        return 8;
    case 2:
        memcpy(number, &half, 4);
        return 4;
    default:
        memcpy(number, &single, 4);
        return 4;
    }
}

void fuzz_change_tensors(uint8_t *data, size_t size, uint64_t dice)
{
    uint8_t number[8];
    const size_t header = size < 8 ? 0 : (size_t)get_u32(data) + 8;
    if (header < 10 || header >= size) {
        return;
    }
    const uint64_t place = dice >> 8;
    const uint64_t what = dice & 0xff;
    if (what < 64) { // of the header, the next digit from some place on
        for (size_t i = 0; i < header; i++) {
            const size_t at = 8 + (size_t)(place + i) % (header - 8);
            if (data[at] >= '0' && data[at] <= '9') {
                data[at] = (uint8_t)('0' + what % 10);
                return;
            }
        }
        return;
    }
    const size_t n = limit_number(number, what);
    const size_t values = (size - header) / n;
    if (values > 0) {
        memcpy(data + header + (size_t)(place % values) * n, number, n);
    }
}
