// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/files.h"
#include "support/support.h"

#include <string.h>

static void fails(const char *spec, const char *split, const char *options,
                  wsr_status code, const char *words)
{
    wsr_dataset *dataset = NULL;
    ck_assert_fails(wsr_dataset_open(&dataset, spec, split, options), code,
                    words);
    ck_assert_ptr_null(dataset);
}

START_TEST(unknown_names_are_refused_with_a_suggestion)
{
    fails("cifar11:x", "train", NULL, WSR_NOTFOUND, "did you mean 'cifar10");
    fails("fashion_mnist", "train", NULL, WSR_NOTFOUND,
          "did you mean 'fashion-mnist'");
    fails("", "train", NULL, WSR_CONFIG, "does not start with a name");
    fails(":x", "train", NULL, WSR_CONFIG, "does not start with a name");
}
END_TEST

START_TEST(splits_and_options_are_checked)
{
    fails("synthetic", "validation", NULL, WSR_CONFIG,
          "data.split: 'validation' is not one of train, test");
    fails("synthetic", "", NULL, WSR_CONFIG, "data.split: ''");
    fails("synthetic", "train", "chanels=3", WSR_CONFIG,
          "did you mean 'data.channels'");
    fails("synthetic", "train", "limit=-1", WSR_CONFIG,
          "data.limit: -1 is outside [0, 2147483647]");
    fails("synthetic", "train", "limit=x", WSR_CONFIG, "data.limit: 'x'");
    fails("synthetic", "train", "size", WSR_CONFIG, "data.size");
    fails(NULL, "train", NULL, WSR_ARG, "spec is NULL");
}
END_TEST

START_TEST(a_view_must_fit_the_images)
{
    fails("synthetic", "train", "size=31", WSR_CONFIG,
          "data.size: 31 is outside [32, 4096] (images of 32x32)");
    fails("synthetic", "train", "size=5000", WSR_CONFIG,
          "data.size: 5000 is outside [0, 4096]");
    fails("synthetic", "train", "channels=1", WSR_CONFIG,
          "data.channels: 3 channels cannot become 1");
    fails("synthetic:channels=1", "train", "size=4096,channels=64", WSR_CONFIG,
          "too large");
}
END_TEST

START_TEST(a_view_centres_and_repeats)
{
    wsr_dataset *plain = NULL;
    wsr_dataset *view = NULL;
    wsr_dataset *subset = NULL;
    const char *const spec = "synthetic:size=9,channels=1,count=4";
    static float small[4 * 81];
    static float large[4 * 2 * 144];
    ck_assert_ok(wsr_dataset_open(&plain, spec, "train", NULL));
    ck_assert_ok(wsr_dataset_open(&view, spec, "train", "size=12,channels=2"));
    const wsr_shape want = {3, {2, 12, 12}};
    ck_assert(wsr_shape_equal(wsr_dataset_shape(view), &want));
    ck_assert_ok(wsr_dataset_images(small, plain, NULL, 4));
    ck_assert_ok(wsr_dataset_images(large, view, NULL, 4));
    for (size_t i = 0; i < 4 * 2 * 144; i++) {
        const size_t y = i / 12 % 12;
        const size_t x = i % 12;
        // (12 - 9) / 2 is 1: the odd pixel goes to the bottom and the right.
        const bool inside = y >= 1 && y < 10 && x >= 1 && x < 10;
        const float pixel = inside ? small[i / 288 * 81 + (y - 1) * 9 + x - 1]
                                   : 0.0f;
        ck_assert(large[i] == pixel);
    }
    ck_assert_ok(wsr_dataset_subset(&subset, view, 3, 1));
    ck_assert_ok(wsr_dataset_images(small, subset, NULL, 1));
    ck_assert_mem_eq(small, large + 3 * 288, 288 * sizeof(float));
    wsr_dataset_free(subset);
    wsr_dataset_free(plain);
    wsr_dataset_free(view);
}
END_TEST

START_TEST(a_view_of_the_stored_shape_changes_nothing)
{
    wsr_dataset *view = NULL;
    ck_assert_ok(wsr_dataset_open(&view, "synthetic", "train",
                                  "size=32,channels=3,limit=7"));
    ck_assert_uint_eq(wsr_dataset_count(view), 7);
    ck_assert_int_eq(wsr_shape_count(wsr_dataset_shape(view)), 3072);
    wsr_dataset_free(view);
}
END_TEST

// A folder with Fashion-MNIST's file names.
static void put_fashion(const char *folder, uint32_t classes, bool gzip)
{
    bytes images = make_idx_images(12, 28, 28, 4);
    bytes labels = make_idx_labels(12, classes);
    if (gzip) {
        put_gzip(path_in(folder, "t10k-images-idx3-ubyte.gz"), &images);
        put_gzip(path_in(folder, "t10k-labels-idx1-ubyte.gz"), &labels);
    } else {
        put_file(path_in(folder, "t10k-images-idx3-ubyte"), &images);
        put_file(path_in(folder, "t10k-labels-idx1-ubyte"), &labels);
    }
    bytes_free(&images);
    bytes_free(&labels);
}

START_TEST(fashion_mnist_takes_a_folder_packed_or_not)
{
    for (size_t gzip = 0; gzip < 2; gzip++) {
        char spec[1300];
        wsr_dataset *dataset = NULL;
        const char *const folder = scratch_folder("open");
        (void)snprintf(spec, sizeof(spec), "fashion-mnist:%s", folder);
        put_fashion(folder, 3, gzip != 0);
        ck_assert_ok(wsr_dataset_open(&dataset, spec, "test", NULL));
        ck_assert_uint_eq(wsr_dataset_count(dataset), 12);
        ck_assert_int_eq(wsr_dataset_classes(dataset), 10);
        ck_assert_str_eq(wsr_dataset_class_name(dataset, 1), "Trouser");
        wsr_dataset_free(dataset);
        fails(spec, "train", NULL, WSR_NOTFOUND,
              "train-images-idx3-ubyte.gz: does not exist; Debian's package "
              "dataset-fashion-mnist has it");
        put_fashion(folder, 11, gzip != 0);
        fails(spec, "test", NULL, WSR_FORMAT, "label 10 is outside [0, 9]");
    }
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
    char spec[5000] = "cifar10:";
    memset(spec + 8, 'x', sizeof(spec) - 9);
    fails(spec, "train", NULL, WSR_CONFIG, "cifar10.path: 4991 bytes");
}
END_TEST

START_TEST(every_family_member_documents_itself)
{
    for (size_t i = 0; wsr__datasets.classes[i] != NULL; i++) {
        const wsr__dataset_class *const cls =
            (const wsr__dataset_class *)(const void *)wsr__datasets.classes[i];
        ck_assert_str_ne(cls->super.summary, "");
        ck_assert_ptr_nonnull(cls->super.schema);
        for (size_t k = 0;
             cls->positional != NULL && cls->positional[k] != NULL; k++) {
            ck_assert_ptr_nonnull(
                wsr__schema_find(cls->super.schema, cls->positional[k]));
        }
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        unknown_names_are_refused_with_a_suggestion,
        splits_and_options_are_checked,
        a_view_must_fit_the_images,
        a_view_centres_and_repeats,
        a_view_of_the_stored_shape_changes_nothing,
        fashion_mnist_takes_a_folder_packed_or_not,
        a_path_that_is_too_long_is_refused,
        every_family_member_documents_itself,
        NULL,
    };
    return suite_of("open", tests);
}
