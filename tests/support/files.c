// SPDX-License-Identifier: Apache-2.0

#include "support/files.h"

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void must_hold(bool held, const char *what)
{
    if (!held) {
        (void)fprintf(stderr, "test files: not so: %s\n", what);
        abort();
    }
}

void bytes_add(bytes *b, const void *data, size_t size)
{
    unsigned char *const grown = realloc(b->data, b->size + size + 1);
    MUST_HOLD(grown != NULL);
    if (size > 0) {
        memcpy(grown + b->size, data, size);
    }
    b->data = grown;
    b->size += size;
}

void bytes_free(bytes *b)
{
    free(b->data);
    *b = (bytes){0};
}

const char *path_in(const char *folder, const char *name)
{
    static char paths[8][1200];
    static size_t next;
    char *const path = paths[next++ % 8];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

void put_file(const char *path, const bytes *content)
{
    // Some file systems write to the disk at once what replaces the content
    // of an existing file; a new file can wait.
    (void)remove(path);
    FILE *const stream = fopen(path, "wb");
    MUST_HOLD(stream != NULL);
    MUST_HOLD(content->size == 0 ||
              fwrite(content->data, 1, content->size, stream) == content->size);
    MUST_HOLD(fclose(stream) == 0);
}

void bytes_gzip(bytes *b, const bytes *content)
{
    z_stream z = {0};
    MUST_HOLD(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) ==
              Z_OK);
    const size_t room = deflateBound(&z, (uLong)content->size) + 64;
    unsigned char *const packed = malloc(room);
    MUST_HOLD(packed != NULL);
    z.next_in = content->data;
    z.avail_in = (uInt)content->size;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    MUST_HOLD(deflate(&z, Z_FINISH) == Z_STREAM_END);
    bytes_add(b, packed, z.total_out);
    (void)deflateEnd(&z);
    free(packed);
}

void put_gzip(const char *path, const bytes *content)
{
    bytes packed = {0};
    bytes_gzip(&packed, content);
    put_file(path, &packed);
    bytes_free(&packed);
}

bytes get_file(const char *path)
{
    bytes content = {0};
    unsigned char chunk[4096];
    size_t got = 0;
    FILE *const stream = fopen(path, "rb");
    MUST_HOLD(stream != NULL);
    while ((got = fread(chunk, 1, sizeof(chunk), stream)) > 0) {
        bytes_add(&content, chunk, got);
    }
    (void)fclose(stream);
    return content;
}

void bytes_tar(bytes *b, const char *name, const bytes *content)
{
    static const unsigned char zeros[512];
    char header[513] = {0};
    unsigned sum = 0;
    (void)snprintf(header, 100, "%s", name);
    (void)snprintf(header + 100, 8, "0000644");
    (void)snprintf(header + 108, 8, "0000000");
    (void)snprintf(header + 116, 8, "0000000");
    (void)snprintf(header + 124, 12, "%011zo", content->size);
    (void)snprintf(header + 136, 12, "%011o", 0u);
    memset(header + 148, ' ', 8);
    header[156] = '0';
    (void)snprintf(header + 257, 6, "ustar");
    memset(header + 263, '0', 2); // the version, without a NUL
    for (size_t i = 0; i < 512; i++) {
        sum += (unsigned char)header[i];
    }
    (void)snprintf(header + 148, 8, "%06o", sum);
    bytes_add(b, header, 512);
    bytes_add(b, content->data, content->size);
    bytes_add(b, zeros, (512 - content->size % 512) % 512);
}

void bytes_tar_end(bytes *b)
{
    static const unsigned char zeros[1024];
    bytes_add(b, zeros, sizeof(zeros));
}

unsigned char pixel_of(uint32_t seed, size_t i)
{
    uint32_t v = seed * 2654435761u + (uint32_t)i * 2246822519u;
    v ^= v >> 15;
    v *= 3266489917u;
    return (unsigned char)(v >> 24);
}

static void add_u32(bytes *b, uint32_t value)
{
    const unsigned char digits[4] = {
        (unsigned char)(value >> 24), (unsigned char)(value >> 16),
        (unsigned char)(value >> 8), (unsigned char)value};
    bytes_add(b, digits, 4);
}

static void add_pixels(bytes *b, size_t first, size_t n, uint32_t seed)
{
    unsigned char row[3072];
    for (size_t done = 0; done < n;) {
        const size_t take = n - done < sizeof(row) ? n - done : sizeof(row);
        for (size_t i = 0; i < take; i++) {
            row[i] = pixel_of(seed, first + done + i);
        }
        bytes_add(b, row, take);
        done += take;
    }
}

bytes make_idx_images(uint32_t n, uint32_t h, uint32_t w, uint32_t seed)
{
    bytes b = {0};
    add_u32(&b, 0x803);
    add_u32(&b, n);
    add_u32(&b, h);
    add_u32(&b, w);
    add_pixels(&b, 0, (size_t)n * h * w, seed);
    return b;
}

bytes make_idx_labels(uint32_t n, uint32_t classes)
{
    bytes b = {0};
    add_u32(&b, 0x801);
    add_u32(&b, n);
    for (uint32_t i = 0; i < n; i++) {
        const unsigned char label = (unsigned char)(i * 7 % classes);
        bytes_add(&b, &label, 1);
    }
    return b;
}

bytes make_cifar(size_t n, size_t label_bytes, uint32_t classes, uint32_t seed)
{
    bytes b = {0};
    for (size_t i = 0; i < n; i++) {
        const unsigned char coarse = (unsigned char)((seed + i) % 20);
        const unsigned char label = (unsigned char)((seed + i) % classes);
        if (label_bytes > 1) {
            bytes_add(&b, &coarse, 1);
        }
        bytes_add(&b, &label, 1);
        add_pixels(&b, i * 3072, 3072, seed);
    }
    return b;
}
