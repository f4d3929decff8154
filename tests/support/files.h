// SPDX-License-Identifier: Apache-2.0
//
// Small data files that tests make: IDX, CIFAR records, gzip, tar.

#ifndef WSR_TESTS_FILES_H
#define WSR_TESTS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// End the program, in a test or outside of one, where something does not hold.
#define MUST_HOLD(condition) must_hold((condition), #condition)
void must_hold(bool held, const char *what);

/// Bytes that grow. Free with bytes_free.
typedef struct bytes {
    unsigned char *data;
    size_t size;
} bytes;

void bytes_add(bytes *b, const void *data, size_t size);
void bytes_free(bytes *b);

/// "folder/name" in one of several static buffers that are used in turn.
const char *path_in(const char *folder, const char *name);

/// Write a file as it is, or as gzip.
void put_file(const char *path, const bytes *content);
void put_gzip(const char *path, const bytes *content);

/// Whole content of a file.
bytes get_file(const char *path);

/// Append gzip of some bytes, one member.
void bytes_gzip(bytes *b, const bytes *content);

/// Append an entry, or the end, of a tar file.
void bytes_tar(bytes *b, const char *name, const bytes *content);
void bytes_tar_end(bytes *b);

/// Byte `i` of the pixels that the makers below draw for a seed.
unsigned char pixel_of(uint32_t seed, size_t i);

/// IDX files: images with pixel_of(seed, ...), labels i * 7 % classes.
bytes make_idx_images(uint32_t n, uint32_t h, uint32_t w, uint32_t seed);
bytes make_idx_labels(uint32_t n, uint32_t classes);

/// CIFAR records with pixel_of(seed, ...) and labels (seed + i) % classes;
/// the first of two label bytes is (seed + i) % 20.
bytes make_cifar(size_t n, size_t label_bytes, uint32_t classes, uint32_t seed);

#endif
