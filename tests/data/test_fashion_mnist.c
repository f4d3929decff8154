// SPDX-License-Identifier: Apache-2.0
//
// The real images, from the folder of Debian's package. Skipped where it is
// not installed; test_idx_file.c covers the format without it.

#include "data/data.h"
#include "support/files.h"
#include "support/support.h"

#include <string.h>
#include <sys/stat.h>

static wsr_dataset *open_split(const char *split, const char *options)
{
    struct stat info;
    wsr_dataset *dataset = NULL;
    if (stat("/usr/share/datasets/fashion-mnist", &info) != 0) {
        skip("the package dataset-fashion-mnist is not installed");
    }
    ck_assert_ok(wsr_dataset_open(&dataset, "fashion-mnist", split, options));
    return dataset;
}

static void check(const wsr_dataset *dataset, const int32_t *labels,
                  size_t per_class, int64_t first, int64_t last)
{
    const size_t ends[] = {0, wsr_dataset_count(dataset) - 1};
    float images[2 * 784];
    double sums[2] = {0};
    ck_assert_uint_eq(wsr_dataset_count(dataset), 10 * per_class);
    ck_assert_mem_eq(wsr_dataset_labels(dataset), labels, 10 * sizeof(*labels));
    size_t seen[10] = {0};
    for (size_t i = 0; i < wsr_dataset_count(dataset); i++) {
        seen[wsr_dataset_labels(dataset)[i]]++;
    }
    for (size_t k = 0; k < 10; k++) {
        ck_assert_uint_eq(seen[k], per_class);
    }
    ck_assert_ok(wsr_dataset_images(images, dataset, ends, 2));
    for (size_t i = 0; i < 2 * 784; i++) {
        sums[i / 784] += (double)images[i] * 255.0;
    }
    ck_assert_double_eq_tol(sums[0], (double)first, 0.1);
    ck_assert_double_eq_tol(sums[1], (double)last, 0.1);
}

START_TEST(the_training_images_are_those_published)
{
    static const int32_t labels[] = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5};
    wsr_dataset *const dataset = open_split("train", NULL);
    check(dataset, labels, 6000, 76247, 16684);
    ck_assert_str_eq(wsr_dataset_class_name(dataset, 9), "Ankle boot");
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(the_test_images_are_those_published)
{
    static const int32_t labels[] = {9, 2, 1, 1, 6, 1, 4, 6, 5, 7};
    wsr_dataset *const dataset = open_split("test", NULL);
    check(dataset, labels, 1000, 33456, 24390);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(the_view_pads_and_repeats_the_real_images)
{
    wsr_dataset *const plain = open_split("test", "limit=3");
    wsr_dataset *const view = open_split("test", "size=32,channels=3,limit=3");
    static float small[3 * 784];
    static float large[3 * 3072];
    ck_assert_uint_eq(wsr_dataset_count(view), 3);
    ck_assert_int_eq(wsr_dataset_shape(view)->dims[0], 3);
    ck_assert_int_eq(wsr_dataset_shape(view)->dims[2], 32);
    ck_assert_ok(wsr_dataset_images(small, plain, NULL, 3));
    ck_assert_ok(wsr_dataset_images(large, view, NULL, 3));
    for (size_t i = 0; i < 3 * 3072; i++) {
        const size_t y = i / 32 % 32;
        const size_t x = i % 32;
        const bool inside = y >= 2 && y < 30 && x >= 2 && x < 30;
        const float want = inside ? small[i / 3072 * 784 + (y - 2) * 28 + x - 2]
                                  : 0.0f;
        ck_assert(large[i] == want);
    }
    wsr_dataset_free(plain);
    wsr_dataset_free(view);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_training_images_are_those_published,
        the_test_images_are_those_published,
        the_view_pads_and_repeats_the_real_images,
        NULL,
    };
    return suite_of("fashion_mnist", tests);
}
