// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/files.h"
#include "support/support.h"

#include <string.h>

// Train: 9 images of 5x4, 4 classes, plain. Test: 6 of 3x3, 6 classes, gzip.
static const char *make_files(void)
{
    const char *const folder = scratch_folder("idx");
    bytes b = make_idx_images(9, 5, 4, 1);
    put_file(path_in(folder, "i"), &b);
    bytes_free(&b);
    b = make_idx_labels(9, 4);
    put_file(path_in(folder, "l"), &b);
    bytes_free(&b);
    b = make_idx_images(6, 3, 3, 2);
    put_gzip(path_in(folder, "ti.gz"), &b);
    bytes_free(&b);
    b = make_idx_labels(6, 6);
    put_gzip(path_in(folder, "tl.gz"), &b);
    bytes_free(&b);
    return folder;
}

static wsr_status open_files(wsr_dataset **out, size_t n, const char *split,
                             const char *options)
{
    static const char *const names[] = {"i", "l", "ti.gz", "tl.gz"};
    const char *const folder = make_files();
    char spec[4096] = "idx:";
    for (size_t i = 0; i < n; i++) {
        const size_t used = strlen(spec);
        (void)snprintf(spec + used, sizeof(spec) - used, "%s%s",
                       i == 0 ? "" : ",", path_in(folder, names[i]));
    }
    return wsr_dataset_open(out, spec, split, options);
}

static void check(const wsr_dataset *dataset, size_t count, size_t pixels,
                  uint32_t seed)
{
    float image[20];
    ck_assert_uint_eq(wsr_dataset_count(dataset), count);
    ck_assert_int_eq(wsr_dataset_shape(dataset)->dims[0], 1);
    ck_assert_int_eq(wsr_dataset_shape(dataset)->dims[1] *
                         wsr_dataset_shape(dataset)->dims[2],
                     (int64_t)pixels);
    ck_assert_ptr_null(wsr_dataset_class_name(dataset, 0));
    for (size_t i = 0; i < count; i++) {
        ck_assert_ok(wsr_dataset_images(image, dataset, &i, 1));
        for (size_t j = 0; j < pixels; j++) {
            const float byte = pixel_of(seed, i * pixels + j);
            ck_assert(image[j] == byte / 255.0f);
        }
    }
}

START_TEST(one_pair_is_the_train_split)
{
    wsr_dataset *dataset = NULL;
    ck_assert_ok(open_files(&dataset, 2, "train", NULL));
    check(dataset, 9, 20, 1);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 4);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[1], 3);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(one_pair_has_no_test_split_unless_any_will_do)
{
    wsr_dataset *dataset = NULL;
    ck_assert_fails(open_files(&dataset, 2, "test", NULL), WSR_NOTFOUND,
                    "there is no test split");
    ck_assert_ok(open_files(&dataset, 2, NULL, NULL));
    check(dataset, 9, 20, 1);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(the_second_pair_is_the_test_split_and_classes_agree)
{
    wsr_dataset *dataset = NULL;
    ck_assert_ok(open_files(&dataset, 4, "train", NULL));
    check(dataset, 9, 20, 1);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 6);
    wsr_dataset_free(dataset);
    ck_assert_ok(open_files(&dataset, 4, "test", NULL));
    check(dataset, 6, 9, 2);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 6);
    wsr_dataset_free(dataset);
    ck_assert_ok(open_files(&dataset, 4, NULL, NULL));
    check(dataset, 6, 9, 2);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(the_limit_does_not_change_the_classes)
{
    wsr_dataset *dataset = NULL;
    ck_assert_ok(open_files(&dataset, 4, "test", "limit=1"));
    check(dataset, 1, 9, 2);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 6);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(a_wrong_number_of_paths_is_refused)
{
    wsr_dataset *dataset = NULL;
    ck_assert_fails(open_files(&dataset, 1, "train", NULL), WSR_CONFIG,
                    "labels is missing, write idx:images,labels");
    ck_assert_fails(open_files(&dataset, 3, "train", NULL), WSR_CONFIG,
                    "test_labels is missing");
    ck_assert_fails(wsr_dataset_open(&dataset, "idx:a,b,c,d,e", NULL, NULL),
                    WSR_CONFIG, "idx takes at most 4 paths");
    ck_assert_fails(wsr_dataset_open(&dataset, "idx", NULL, NULL), WSR_CONFIG,
                    "images is missing");
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(paths_may_hold_commas_quotes_and_backslashes)
{
    const char *const folder = scratch_folder("idx");
    bytes images = make_idx_images(3, 2, 2, 1);
    bytes labels = make_idx_labels(3, 3);
    static const char *const forms[] = {"idx:\"%s/a,b\",\"%s/c=[d\"",
                                        "idx:%s/a\\,b,%s/c=\\[d",
                                        "idx:%s/a\",\"b,%s/c=\"[\"d"};
    put_file(path_in(folder, "a,b"), &images);
    put_file(path_in(folder, "c=[d"), &labels);
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        wsr_dataset *dataset = NULL;
        wsr__str spec = {0};
        for (const char *f = forms[i]; *f != '\0'; f++) {
            const bool hole = f[0] == '%' && f[1] == 's';
            wsr__str_addn(&spec, hole ? folder : f, hole ? strlen(folder) : 1);
            f += hole;
        }
        ck_assert_ok(wsr_dataset_open(&dataset, spec.s, NULL, NULL));
        ck_assert_uint_eq(wsr_dataset_count(dataset), 3);
        wsr_dataset_free(dataset);
        wsr__str_free(&spec);
    }
    wsr_dataset *dataset = NULL;
    ck_assert_fails(wsr_dataset_open(&dataset, "idx:\"a,b", NULL, NULL),
                    WSR_CONFIG, "has a quote that is not closed");
    bytes_free(&images);
    bytes_free(&labels);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        one_pair_is_the_train_split,
        one_pair_has_no_test_split_unless_any_will_do,
        the_second_pair_is_the_test_split_and_classes_agree,
        the_limit_does_not_change_the_classes,
        a_wrong_number_of_paths_is_refused,
        paths_may_hold_commas_quotes_and_backslashes,
        NULL,
    };
    return suite_of("idx", tests);
}
