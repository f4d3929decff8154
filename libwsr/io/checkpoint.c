// SPDX-License-Identifier: Apache-2.0
//
// Checkpoints: safetensors with a CRC-32 of the whole file, length and header
// included, in the metadata "crc32"; the eight hexadecimal digits themselves
// count as zeros. A checkpoint that a crash, a full disk or a bad sector
// spoiled is noticed, and the one before it is taken.

#include "io/io.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

// CRC-32 as eight hexadecimal digits.
enum { DIGITS = 8, LENGTH_SIZE = 8 };

static const char zeros[] = "00000000";
static const char field[] = "\"crc32\":\"";

// The digits inside a header. Metadata comes first and quotes inside texts are
// escaped, so that the first occurrence is the field itself.
static char *find_digits(char *header, size_t size)
{
    const size_t n = sizeof(field) - 1;
    for (size_t i = 0; i + n + DIGITS <= size; i++) {
        if (memcmp(header + i, field, n) == 0) {
            return header + i + n;
        }
    }
    return NULL;
}

// The checksum is computed over header and tensors as they will be written, so
// the file is never read back.
wsr_status wsr__checkpoint_save(wsr__st_builder *builder, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__str header = {0};
    char text[DIGITS + 1];
    WSR_TRY(wsr__st_set(builder, "crc32", zeros));
    WSR_TRY(wsr__st_header(&header, builder));
    uLong crc = crc32_z(0, (const Bytef *)header.s, header.len);
    const wsr__st_tensor *t = NULL;
    for (size_t i = 0; (t = wsr__st_builder_at(builder, i)) != NULL; i++) {
        crc = crc32_z(crc, t->data, t->bytes);
    }
    char *const digits = find_digits(header.s, header.len);
    if (digits == NULL) {
        status = WSR_FAIL(WSR_INTERNAL, "%s: checksum has no place", path);
        goto out;
    }
    (void)snprintf(text, sizeof(text), "%08lx", crc & 0xffffffffUL);
    memcpy(digits, text, DIGITS);
    WSR_TRY(wsr__st_put(builder, &header, path, true));
out:
    wsr__str_free(&header);
    return status;
}

// The digits are put back afterwards: the bytes are the caller's.
static wsr_status check_crc(unsigned char *bytes, size_t size, const char *path)
{
    char stored[DIGITS + 1] = "";
    char computed[DIGITS + 1];
    char *const digits = find_digits((char *)bytes, size);
    if (digits == NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: no checkpoint: it has no checksum",
                        path);
    }
    memcpy(stored, digits, DIGITS);
    memcpy(digits, zeros, DIGITS);
    (void)snprintf(computed, sizeof(computed), "%08lx",
                   crc32_z(0, bytes, size) & 0xffffffffUL);
    memcpy(digits, stored, DIGITS);
    if (memcmp(stored, computed, DIGITS) != 0) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: is damaged: checksum %s, content has %s", path,
                        stored, computed);
    }
    return WSR_OK;
}

// Checked before it is parsed: a damaged header would give another message.
static wsr_status load_one(wsr__st **out, const char *path)
{
    wsr_status status = WSR_OK;
    unsigned char *bytes = NULL;
    size_t size = 0;
    *out = NULL;
    if (!wsr__file_exists(path)) {
        status = WSR_FAIL(WSR_NOTFOUND, "%s: there is no checkpoint", path);
        goto out;
    }
    WSR_TRY(wsr__file_read(&bytes, &size, path, SIZE_MAX / 2));
    WSR_TRY(check_crc(bytes, size, path));
    WSR_TRY(wsr__st_open_owned(out, bytes, size, path));
    bytes = NULL;
out:
    wsr__free(bytes);
    return status;
}

wsr_status wsr__checkpoint_load(wsr__st **out, const char *path)
{
    wsr_status status = load_one(out, path);
    const bool corrupt = status == WSR_FORMAT;
    wsr__str old = {0};
    char reason[512];
    if (status == WSR_OK || status == WSR_NOMEM) {
        return status;
    }
    (void)snprintf(reason, sizeof(reason), "%s", wsr_error_detail());
    wsr__str_addf(&old, "%s.old", path);
    if (old.failed) {
        status = WSR_NOMEM;
        goto out;
    }
    if (load_one(out, old.s) != WSR_OK) {
        status = WSR_FAIL(status, "%s", reason);
        goto out;
    }
    status = WSR_OK;
    wsr__log(WSR_LOG_WARNING, "%s; its predecessor %s is taken", reason, old.s);
    if (corrupt) { // else the next save would keep it as the predecessor
        (void)rename(old.s, path);
    }
out:
    wsr__str_free(&old);
    return status;
}

// Counters from a file index memory, so they are checked where they are read.
wsr_status wsr__checkpoint_ring(const wsr__st *st, const char *what,
                                const int64_t ring[2], int64_t places)
{
    const bool oldest = ring[0] >= 0 && ring[0] < places;
    if (oldest && ring[1] >= 0 && ring[1] <= places) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_FORMAT, "%s: %s of %lld places holds %lld from %lld on",
                    wsr__st_path(st), what, (long long)places,
                    (long long)ring[1], (long long)ring[0]);
}
