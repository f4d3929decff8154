// SPDX-License-Identifier: Apache-2.0
//
// The real images: the archive of the shared folder has the official layout
// with 1,017 images per file. Skipped where it is absent.

#include "data/data.h"
#include "support/files.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *archive(void)
{
    static char path[1024];
    struct stat info;
    (void)snprintf(path, sizeof(path), "%s/data/cifar-10-binary.tar.gz",
                   shared_folder());
    if (stat(path, &info) != 0) {
        skip("data/cifar-10-binary.tar.gz is absent");
    }
    if (!WSR_HAVE_LIBARCHIVE) {
        skip("libarchive is absent");
    }
    return path;
}

static wsr_dataset *open_at(const char *path, const char *split)
{
    char spec[1300];
    wsr_dataset *dataset = NULL;
    (void)snprintf(spec, sizeof(spec), "cifar10:%s", path);
    ck_assert_ok(wsr_dataset_open(&dataset, spec, split, NULL));
    return dataset;
}

START_TEST(the_archive_holds_the_expected_images)
{
    wsr_dataset *const train = open_at(archive(), "train");
    wsr_dataset *const test = open_at(archive(), "test");
    ck_assert_uint_eq(wsr_dataset_count(train), 5 * 1017);
    ck_assert_uint_eq(wsr_dataset_count(test), 1017);
    const wsr_shape *const shape = wsr_dataset_shape(test);
    ck_assert_int_eq(shape->ndims, 3);
    ck_assert_int_eq(shape->dims[0], 3);
    ck_assert_int_eq(shape->dims[1], 32);
    ck_assert_int_eq(shape->dims[2], 32);
    size_t per_class[10] = {0};
    for (size_t i = 0; i < wsr_dataset_count(train); i++) {
        per_class[wsr_dataset_labels(train)[i]]++;
    }
    for (size_t k = 0; k < 10; k++) {
        ck_assert_uint_gt(per_class[k], 350);
    }
    wsr_dataset_free(train);
    wsr_dataset_free(test);
}
END_TEST

// Unpack with the archive reader itself; that it reads the right bytes is
// what the mean of the pixels, near the published one, says.
static void unpack(const char *folder)
{
    wsr__archive *reader = NULL;
    const char *name = NULL;
    wsr__source *entry = NULL;
    ck_assert_ok(wsr__archive_open(&reader, archive()));
    for (;;) {
        ck_assert_ok(wsr__archive_next(&name, &entry, reader));
        if (name == NULL) {
            break;
        }
        bytes b = {malloc((size_t)entry->size + 1), (size_t)entry->size};
        const char *const slash = strrchr(name, '/');
        ck_assert_ok(wsr__source_read(entry, b.data, b.size));
        put_file(path_in(folder, slash != NULL ? slash + 1 : name), &b);
        bytes_free(&b);
    }
    wsr__archive_close(reader);
}

START_TEST(the_unpacked_folder_equals_the_archive)
{
    const char *const folder = scratch_folder("cifar10");
    static const char *const splits[] = {"train", "test"};
    unpack(folder);
    for (size_t s = 0; s < 2; s++) {
        wsr_dataset *const a = open_at(archive(), splits[s]);
        wsr_dataset *const b = open_at(folder, splits[s]);
        const size_t n = wsr_dataset_count(a);
        ck_assert_uint_eq(n, wsr_dataset_count(b));
        ck_assert_mem_eq(a->bytes, b->bytes, n * 3072);
        ck_assert_mem_eq(wsr_dataset_labels(a), wsr_dataset_labels(b),
                         n * sizeof(int32_t));
        wsr_dataset_free(a);
        wsr_dataset_free(b);
    }
}
END_TEST

START_TEST(channel_means_are_near_the_published_ones)
{
    // Of all 50,000 training images.
    const double want[] = {0.49139968, 0.48215827, 0.44653124};
    wsr_dataset *const train = open_at(archive(), "train");
    double sum[3] = {0};
    const size_t n = wsr_dataset_count(train);
    for (size_t i = 0; i < n; i++) {
        float image[3072];
        ck_assert_ok(wsr_dataset_images(image, train, &i, 1));
        for (size_t j = 0; j < 3072; j++) {
            sum[j / 1024] += (double)image[j];
        }
    }
    for (size_t c = 0; c < 3; c++) {
        const double mean = sum[c] / (double)(n * 1024);
        ck_assert_msg(mean > want[c] - 0.01 && mean < want[c] + 0.01,
                      "channel %zu: mean %f", c, mean);
    }
    wsr_dataset_free(train);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_archive_holds_the_expected_images,
        the_unpacked_folder_equals_the_archive,
        channel_means_are_near_the_published_ones,
        NULL,
    };
    return suite_of("cifar10", tests);
}
