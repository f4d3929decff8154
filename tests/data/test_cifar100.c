// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/files.h"
#include "support/support.h"

#include <string.h>

static wsr_status open_at(wsr_dataset **out, const char *path,
                          const char *split)
{
    char spec[1300];
    (void)snprintf(spec, sizeof(spec), "cifar100:%s", path);
    return wsr_dataset_open(out, spec, split, NULL);
}

static void check(const wsr_dataset *dataset, size_t count, uint32_t seed)
{
    float image[3072];
    const size_t last = count - 1;
    ck_assert_uint_eq(wsr_dataset_count(dataset), count);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 100);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[last],
                     (int32_t)((seed + last) % 100));
    ck_assert_ok(wsr_dataset_images(image, dataset, &last, 1));
    for (size_t j = 0; j < 3072; j++) {
        const float byte = pixel_of(seed, last * 3072 + j);
        ck_assert(image[j] == byte / 255.0f);
    }
}

START_TEST(the_second_label_is_the_class)
{
    const char *const folder = scratch_folder("cifar100");
    bytes train = make_cifar(7, 2, 100, 60);
    bytes test = make_cifar(4, 2, 100, 97);
    wsr_dataset *dataset = NULL;
    put_file(path_in(folder, "train.bin"), &train);
    put_file(path_in(folder, "test.bin"), &test);
    ck_assert_ok(open_at(&dataset, folder, "train"));
    check(dataset, 7, 60);
    ck_assert_str_eq(wsr_dataset_class_name(dataset, 99), "worm");
    wsr_dataset_free(dataset);
    ck_assert_ok(open_at(&dataset, folder, "test"));
    check(dataset, 4, 97);
    wsr_dataset_free(dataset);
    bytes_free(&train);
    bytes_free(&test);
}
END_TEST

START_TEST(both_labels_are_checked)
{
    const char *const folder = scratch_folder("cifar100");
    bytes test = make_cifar(2, 2, 100, 0);
    wsr_dataset *dataset = NULL;
    test.data[0] = 20;
    put_file(path_in(folder, "test.bin"), &test);
    ck_assert_fails(open_at(&dataset, folder, "test"), WSR_FORMAT,
                    "test.bin: label 20 is outside [0, 19] (sample 0)");
    test.data[0] = 19;
    test.data[3075] = 100;
    put_file(path_in(folder, "test.bin"), &test);
    ck_assert_fails(open_at(&dataset, folder, "test"), WSR_FORMAT,
                    "test.bin: label 100 is outside [0, 99] (sample 1)");
    bytes_free(&test);
}
END_TEST

#if WSR_HAVE_LIBARCHIVE
START_TEST(the_archive_is_read_in_place)
{
    const char *const path = path_in(scratch_folder("cifar100"), "c.tar.gz");
    bytes train = make_cifar(5, 2, 100, 8);
    bytes test = make_cifar(3, 2, 100, 9);
    bytes tar = {0};
    wsr_dataset *dataset = NULL;
    bytes_tar(&tar, "cifar-100-binary/test.bin", &test);
    bytes_tar(&tar, "cifar-100-binary/train.bin", &train);
    bytes_tar_end(&tar);
    put_gzip(path, &tar);
    ck_assert_ok(open_at(&dataset, path, "train"));
    check(dataset, 5, 8);
    wsr_dataset_free(dataset);
    ck_assert_ok(open_at(&dataset, path, "test"));
    check(dataset, 3, 9);
    wsr_dataset_free(dataset);
    bytes_free(&train);
    bytes_free(&test);
    bytes_free(&tar);
}
END_TEST
#endif

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_second_label_is_the_class,
        both_labels_are_checked,
#if WSR_HAVE_LIBARCHIVE
        the_archive_is_read_in_place,
#endif
        NULL,
    };
    return suite_of("cifar100", tests);
}
