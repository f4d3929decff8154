// SPDX-License-Identifier: Apache-2.0
//
// Small valid files, cut and changed at random: reading them either works or
// fails with one line and a code for bad files; it never crashes, and never
// asks for more memory than the file can justify. Run under the sanitizers,
// this is the data readers' fuzzer that needs no fuzzer.

#include "data/data.h"
#include "support/files.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 500 };

// Cut, flip bits, overwrite with extreme bytes, or repeat a piece.
static void damage(bytes *b, wsr__rng *rng)
{
    const uint32_t times = 1 + wsr__rng_below(rng, 4);
    for (uint32_t k = 0; k < times && b->size > 0; k++) {
        const size_t at = wsr__rng_below(rng, (uint32_t)b->size);
        // Headers are where the interesting bytes are.
        const size_t near = at % (wsr__rng_below(rng, 2) == 0 ? 40 : b->size);
        switch (wsr__rng_below(rng, 5)) {
        case 0:
            b->size = at;
            break;
        case 1:
            b->data[near % b->size] ^=
                (unsigned char)(1u << wsr__rng_below(rng, 8));
            break;
        case 2:
            b->data[near % b->size] = 0xff;
            break;
        case 3:
            b->data[near % b->size] = (unsigned char)wsr__rng_below(rng, 256);
            break;
        default: {
            const size_t n = 1 + at % 600;
            memmove(b->data + near % b->size / 2, b->data + at,
                    at + n < b->size ? n : b->size - at);
            break;
        }
        }
    }
}

// Remember the largest block that was asked for.
static void *allocate(void *user, size_t size, size_t align)
{
    void *ptr = NULL;
    size_t *const largest = user;
    *largest = size > *largest ? size : *largest;
    return posix_memalign(&ptr, align, size) == 0 ? ptr : NULL;
}

static void release(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

static void try_spec(const char *spec)
{
    size_t largest = 0;
    wsr_dataset *dataset = NULL;
    const wsr_allocator counting = {allocate, release, &largest};
    wsr_set_allocator(&counting);
    const wsr_status status =
        wsr_dataset_open(&dataset, spec, "test", "size=64,limit=1000000");
    if (status == WSR_OK) {
        ck_assert_uint_ge(wsr_dataset_count(dataset), 1);
    } else {
        ck_assert_msg(status == WSR_FORMAT || status == WSR_NOTFOUND ||
                          status == WSR_CONFIG,
                      "%s: %s", wsr_status_string(status), wsr_error_detail());
        ck_assert_ptr_null(dataset);
        ck_assert_uint_gt(strlen(wsr_error_detail()), 10);
    }
    wsr_dataset_free(dataset);
    wsr_set_allocator(NULL);
    // Each file is below 16 KB; packed, it may hold 1032 times as much.
    ck_assert_msg(largest < 16000u * 1100u, "%zu bytes were asked for",
                  largest);
}

static void try_file(const char *path, const char *spec, const bytes *valid,
                     bool gzip_after, uint32_t stream)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        wsr__rng rng = wsr__rng_at(stream, WSR__RNG_TEST, 0, round);
        bytes b = {0};
        bytes_add(&b, valid->data, valid->size);
        damage(&b, &rng);
        if (gzip_after) {
            put_gzip(path, &b);
        } else {
            put_file(path, &b);
        }
        try_spec(spec);
        bytes_free(&b);
    }
}

START_TEST(damaged_idx_files_never_crash)
{
    const char *const folder = scratch_folder("damage");
    char spec[5000];
    char images_path[1200];
    char labels_path[1200];
    bytes images = make_idx_images(6, 9, 7, 1);
    bytes labels = make_idx_labels(6, 5);
    bytes packed = {0};
    bytes_gzip(&packed, &images);
    (void)snprintf(images_path, sizeof(images_path), "%s/i", folder);
    (void)snprintf(labels_path, sizeof(labels_path), "%s/l", folder);
    (void)snprintf(spec, sizeof(spec), "idx:%s,%s,%s,%s", images_path,
                   labels_path, images_path, labels_path);
    put_file(labels_path, &labels);
    try_file(images_path, spec, &images, false, 1);
    try_file(images_path, spec, &images, true, 2);
    try_file(images_path, spec, &packed, false, 3);
    put_file(images_path, &images);
    try_file(labels_path, spec, &labels, false, 4);
    try_file(labels_path, spec, &labels, true, 5);
    bytes_free(&images);
    bytes_free(&labels);
    bytes_free(&packed);
}
END_TEST

START_TEST(damaged_cifar_files_never_crash)
{
    const char *const folder = scratch_folder("damage");
    char spec[1300];
    char path[1200];
    bytes records = make_cifar(3, 1, 10, 1);
    (void)snprintf(path, sizeof(path), "%s/test_batch.bin", folder);
    (void)snprintf(spec, sizeof(spec), "cifar10:%s", folder);
    try_file(path, spec, &records, false, 6);
    bytes_free(&records);
}
END_TEST

#if WSR_HAVE_LIBARCHIVE
START_TEST(damaged_archives_never_crash)
{
    const char *const folder = scratch_folder("damage");
    char spec[1300];
    char path[1200];
    bytes records = make_cifar(2, 1, 10, 1);
    bytes tar = {0};
    bytes packed = {0};
    bytes_tar(&tar, "a/test_batch.bin", &records);
    bytes_tar_end(&tar);
    bytes_gzip(&packed, &tar);
    (void)snprintf(path, sizeof(path), "%s/c.tar.gz", folder);
    (void)snprintf(spec, sizeof(spec), "cifar10:%s", path);
    try_file(path, spec, &tar, false, 7);
    try_file(path, spec, &tar, true, 8);
    try_file(path, spec, &packed, false, 9);
    bytes_free(&records);
    bytes_free(&tar);
    bytes_free(&packed);
}
END_TEST
#endif

Suite *suite(void)
{
    const TTest *const tests[] = {
        damaged_idx_files_never_crash,
        damaged_cifar_files_never_crash,
#if WSR_HAVE_LIBARCHIVE
        damaged_archives_never_crash,
#endif
        NULL,
    };
    return suite_of("damage", tests);
}
