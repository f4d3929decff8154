// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>
#include <sys/stat.h>

// Part k has 3 + k records.
static bytes part(size_t k)
{
    return make_cifar(3 + k, 1, 10, (uint32_t)k);
}

static const char *part_name(size_t k)
{
    static const char *const names[] = {"data_batch_1.bin", "data_batch_2.bin",
                                        "data_batch_3.bin", "data_batch_4.bin",
                                        "data_batch_5.bin", "test_batch.bin"};
    return names[k];
}

static void make_folder(const char *folder)
{
    for (size_t k = 0; k < 6; k++) {
        bytes b = part(k);
        put_file(path_in(folder, part_name(k)), &b);
        bytes_free(&b);
    }
}

static wsr_status open_at(wsr_dataset **out, const char *path,
                          const char *split, const char *options)
{
    char spec[1300];
    (void)snprintf(spec, sizeof(spec), "cifar10:%s", path);
    return wsr_dataset_open(out, spec, split, options);
}

static void check_sample(const wsr_dataset *dataset, size_t index, size_t k,
                         size_t i)
{
    ck_assert_int_eq(wsr_dataset_labels(dataset)[index],
                     (int32_t)((k + i) % 10));
    float image[3072];
    ck_assert_ok(wsr_dataset_images(image, dataset, &index, 1));
    for (size_t j = 0; j < 3072; j++) {
        const float byte = pixel_of((uint32_t)k, i * 3072 + j);
        ck_assert(image[j] == byte / 255.0f);
    }
}

static void check_train(const wsr_dataset *dataset, size_t count)
{
    size_t index = 0;
    ck_assert_uint_eq(wsr_dataset_count(dataset), count);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 10);
    for (size_t k = 0; k < 5 && index < count; k++) {
        for (size_t i = 0; i < 3 + k && index < count; i++) {
            check_sample(dataset, index++, k, i);
        }
    }
}

START_TEST(a_folder_yields_the_records_of_its_files_in_order)
{
    const char *const folder = scratch_folder("cifar");
    wsr_dataset *dataset = NULL;
    make_folder(folder);
    ck_assert_ok(open_at(&dataset, folder, "train", NULL));
    check_train(dataset, 3 + 4 + 5 + 6 + 7);
    ck_assert_str_eq(wsr_dataset_class_name(dataset, 0), "airplane");
    ck_assert_str_eq(wsr_dataset_class_name(dataset, 9), "truck");
    ck_assert_ptr_null(wsr_dataset_class_name(dataset, 10));
    ck_assert_ptr_null(wsr_dataset_class_name(dataset, -1));
    wsr_dataset_free(dataset);
    ck_assert_ok(open_at(&dataset, folder, "test", NULL));
    ck_assert_uint_eq(wsr_dataset_count(dataset), 8);
    check_sample(dataset, 7, 5, 7);
    wsr_dataset_free(dataset);
    ck_assert_ok(open_at(&dataset, folder, NULL, NULL));
    ck_assert_uint_eq(wsr_dataset_count(dataset), 8);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(the_folder_that_unpacking_makes_is_found)
{
    const char *const folder = scratch_folder("cifar");
    wsr_dataset *dataset = NULL;
    ck_assert_int_eq(mkdir(path_in(folder, "cifar-10-batches-bin"), 0777), 0);
    make_folder(path_in(folder, "cifar-10-batches-bin"));
    ck_assert_ok(open_at(&dataset, folder, "train", NULL));
    check_train(dataset, 25);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(the_limit_takes_the_first_samples)
{
    const char *const folder = scratch_folder("cifar");
    static const size_t limits[] = {1, 2, 3, 4, 12, 24, 25, 1000};
    make_folder(folder);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        char options[32];
        wsr_dataset *dataset = NULL;
        (void)snprintf(options, sizeof(options), "limit=%zu", limits[i]);
        ck_assert_ok(open_at(&dataset, folder, "train", options));
        check_train(dataset, limits[i] < 25 ? limits[i] : 25);
        wsr_dataset_free(dataset);
    }
}
END_TEST

START_TEST(files_beyond_the_limit_need_not_exist)
{
    const char *const folder = scratch_folder("cifar");
    wsr_dataset *dataset = NULL;
    bytes b = part(0);
    put_file(path_in(folder, part_name(0)), &b);
    ck_assert_ok(open_at(&dataset, folder, "train", "limit=3"));
    check_train(dataset, 3);
    wsr_dataset_free(dataset);
    ck_assert_fails(open_at(&dataset, folder, "train", "limit=4"), WSR_NOTFOUND,
                    "data_batch_2.bin: does not exist");
    bytes_free(&b);
}
END_TEST

static void fails_with(const bytes *file, wsr_status code, const char *words)
{
    const char *const folder = scratch_folder("cifar");
    wsr_dataset *dataset = NULL;
    put_file(path_in(folder, "test_batch.bin"), file);
    ck_assert_fails(open_at(&dataset, folder, "test", NULL), code, words);
    ck_assert_ptr_null(dataset);
}

START_TEST(records_beyond_the_limit_are_not_looked_at)
{
    const char *const folder = scratch_folder("cifar");
    wsr_dataset *dataset = NULL;
    bytes b = part(0);
    b.data[2 * 3073] = 99;
    put_file(path_in(folder, part_name(0)), &b);
    ck_assert_ok(open_at(&dataset, folder, "train", "limit=2"));
    check_train(dataset, 2);
    wsr_dataset_free(dataset);
    ck_assert_fails(open_at(&dataset, folder, "train", "limit=3"), WSR_FORMAT,
                    "label 99 is outside [0, 9] (sample 2)");
    bytes_free(&b);
}
END_TEST

START_TEST(a_file_that_is_no_number_of_records_is_refused)
{
    bytes b = part(0);
    b.size--;
    fails_with(&b, WSR_FORMAT,
               "test_batch.bin: 9218 bytes are not a number of records of "
               "3073");
    b.size = 0;
    fails_with(&b, WSR_FORMAT, "test_batch.bin: 0 bytes are not");
    bytes_free(&b);
}
END_TEST

START_TEST(a_label_out_of_range_is_named_with_its_sample)
{
    bytes b = part(0);
    b.data[3073] = 10;
    fails_with(&b, WSR_FORMAT,
               "test_batch.bin: label 10 is outside [0, 9] (sample 1)");
    bytes_free(&b);
}
END_TEST

START_TEST(a_packed_file_in_a_folder_is_refused)
{
    bytes b = part(0);
    bytes packed = {0};
    bytes_gzip(&packed, &b);
    fails_with(&packed, WSR_FORMAT, "test_batch.bin: is not a plain file");
    bytes_free(&b);
    bytes_free(&packed);
}
END_TEST

START_TEST(missing_paths_are_named)
{
    const char *const folder = scratch_folder("cifar");
    wsr_dataset *dataset = NULL;
    ck_assert_fails(open_at(&dataset, path_in(folder, "absent"), "train", NULL),
                    WSR_NOTFOUND, "absent: does not exist");
    ck_assert_fails(open_at(&dataset, folder, "train", NULL), WSR_NOTFOUND,
                    "data_batch_1.bin: does not exist");
    ck_assert_fails(wsr_dataset_open(&dataset, "cifar10", "train", NULL),
                    WSR_CONFIG, "path is missing, write cifar10:path");
    ck_assert_fails(wsr_dataset_open(&dataset, "cifar10:", "train", NULL),
                    WSR_CONFIG, "path is missing, write cifar10:path");
}
END_TEST

START_TEST(other_versions_in_a_folder_are_named)
{
    static const char *const files[][2] = {
        {"data_batch_1", "is the Python version of the data, the binary"},
        {"data_batch_1.mat", "is the Matlab version of the data, the binary"},
    };
    bytes b = part(0);
    for (size_t i = 0; i < 4; i++) {
        char folder[1024];
        wsr_dataset *dataset = NULL;
        (void)snprintf(folder, sizeof(folder), "%s", scratch_folder("cifar"));
        const char *inner = folder;
        if (i >= 2) {
            inner = path_in(folder, "cifar-10-batches-py");
            ck_assert_int_eq(mkdir(inner, 0777), 0);
        }
        put_file(path_in(inner, files[i % 2][0]), &b);
        ck_assert_fails(open_at(&dataset, folder, "train", NULL),
                        WSR_UNSUPPORTED, files[i % 2][1]);
    }
    bytes_free(&b);
}
END_TEST

START_TEST(a_file_alone_is_the_split_of_its_name)
{
    const char *const folder = scratch_folder("cifar");
    static const char *const splits[] = {"train", "test", NULL};
    static const struct {
        const char *name;
        bool opens[3];
    } rows[] = {
        {"data_batch_1.bin", {true, false, true}},
        {"test_batch.bin", {false, true, true}},
        {"mine.bin", {true, false, true}},
    };
    bytes b = part(0);
    for (size_t i = 0; i < 9; i++) {
        wsr_dataset *dataset = NULL;
        char path[1200];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, rows[i / 3].name);
        put_file(path, &b);
        if (!rows[i / 3].opens[i % 3]) {
            ck_assert_fails(open_at(&dataset, path, splits[i % 3], NULL),
                            WSR_NOTFOUND, "split by itself, name the folder");
            continue;
        }
        ck_assert_ok(open_at(&dataset, path, splits[i % 3], NULL));
        check_train(dataset, 3);
        wsr_dataset_free(dataset);
    }
    bytes_free(&b);
}
END_TEST

START_TEST(files_of_other_programs_are_named)
{
    static const struct {
        const char *name;
        const char *start;
        const char *words;
    } rows[] = {
        {"c.tar.bz2", "BZh91AY&SY", "c.tar.bz2: is bzip2 data: unpack it, or"},
        {"c.tar.xz",
         "\xfd"
         "7zXZ",
         "c.tar.xz: is xz data: unpack it, or pack"},
        {"c.zip", "PK\x03\x04", "c.zip: is a zip archive: unpack it, or pack"},
        {"c.tar.zst", "\x28\xb5\x2f\xfd", "c.tar.zst: is Zstandard data: "},
        {"data_batch_1", "\x80\x02}q",
         "data_batch_1: is a Python pickle: "
         "CIFAR's binary version is wanted"},
        {"a.parquet", "PAR1", "a.parquet: is a Parquet file: images are read"},
    };
    const char *const folder = scratch_folder("cifar");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_dataset *dataset = NULL;
        const char *const path = path_in(folder, rows[i].name);
        bytes b = {0};
        bytes_add(&b, rows[i].start, strlen(rows[i].start) + 1);
        bytes_add(&b, "more", 4);
        put_file(path, &b);
        ck_assert_fails(open_at(&dataset, path, "train", NULL), WSR_UNSUPPORTED,
                        rows[i].words);
        ck_assert_ptr_null(dataset);
        bytes_free(&b);
    }
}
END_TEST

#if WSR_HAVE_LIBARCHIVE

// An archive with the files in a given order, and others between them.
static bytes make_tar(const char *order)
{
    bytes tar = {0};
    bytes text = {0};
    bytes_add(&text, "airplane\n", 9);
    for (const char *p = order; *p != '\0'; p++) {
        char name[64];
        bytes b = part((size_t)(*p - '1'));
        (void)snprintf(name, sizeof(name), "cifar-10-batches-bin/%s",
                       part_name((size_t)(*p - '1')));
        bytes_tar(&tar, name, &b);
        bytes_tar(&tar, "cifar-10-batches-bin/batches.meta.txt", &text);
        bytes_free(&b);
    }
    bytes_tar_end(&tar);
    bytes_free(&text);
    return tar;
}

START_TEST(an_archive_in_any_order_equals_the_folder)
{
    static const char *const orders[] = {"123456", "654321", "164352"};
    const char *const folder = scratch_folder("cifar");
    for (size_t i = 0; i < 3; i++) {
        bytes tar = make_tar(orders[i]);
        wsr_dataset *dataset = NULL;
        const char *const path = path_in(folder, "c.tar.gz");
        put_gzip(path, &tar);
        ck_assert_ok(open_at(&dataset, path, "train", NULL));
        check_train(dataset, 25);
        wsr_dataset_free(dataset);
        ck_assert_ok(open_at(&dataset, path, "train", "limit=9"));
        check_train(dataset, 9);
        wsr_dataset_free(dataset);
        ck_assert_ok(open_at(&dataset, path, "test", NULL));
        ck_assert_uint_eq(wsr_dataset_count(dataset), 8);
        check_sample(dataset, 2, 5, 2);
        wsr_dataset_free(dataset);
        bytes_free(&tar);
    }
}
END_TEST

START_TEST(the_last_of_two_entries_of_one_name_counts)
{
    const char *const path = path_in(scratch_folder("cifar"), "c.tar");
    bytes tar = {0};
    wsr_dataset *dataset = NULL;
    // The second file first as the first one, which comes again at the end.
    for (size_t k = 0; k < 6; k++) {
        bytes b = part(k == 0 ? 1 : k == 5 ? 0 : k);
        bytes_tar(&tar, k == 5 ? part_name(0) : part_name(k), &b);
        bytes_free(&b);
    }
    bytes_tar_end(&tar);
    put_file(path, &tar);
    ck_assert_ok(open_at(&dataset, path, "train", "limit=3"));
    check_train(dataset, 3);
    wsr_dataset_free(dataset);
    ck_assert_ok(open_at(&dataset, path, "train", NULL));
    check_train(dataset, 25);
    wsr_dataset_free(dataset);
    bytes_free(&tar);
}
END_TEST

START_TEST(the_python_version_in_an_archive_is_named)
{
    const char *const path = path_in(scratch_folder("cifar"), "c.tar.gz");
    bytes tar = {0};
    bytes b = part(0);
    wsr_dataset *dataset = NULL;
    bytes_tar(&tar, "cifar-10-batches-py/data_batch_1", &b);
    bytes_tar(&tar, "cifar-10-batches-py/test_batch", &b);
    bytes_tar_end(&tar);
    put_gzip(path, &tar);
    ck_assert_fails(open_at(&dataset, path, "test", NULL), WSR_UNSUPPORTED,
                    "c.tar.gz: is the Python version of the data, the binary "
                    "version is wanted (cifar-10-binary.tar.gz)");
    bytes_free(&tar);
    bytes_free(&b);
}
END_TEST

START_TEST(an_archive_without_a_file_is_refused)
{
    const char *const path = path_in(scratch_folder("cifar"), "c.tar.gz");
    bytes tar = make_tar("12356");
    wsr_dataset *dataset = NULL;
    put_gzip(path, &tar);
    ck_assert_fails(open_at(&dataset, path, "train", NULL), WSR_NOTFOUND,
                    "c.tar.gz: holds no data_batch_4.bin");
    bytes_free(&tar);
}
END_TEST

START_TEST(a_record_cut_inside_an_archive_is_named)
{
    const char *const path = path_in(scratch_folder("cifar"), "c.tar.gz");
    bytes tar = {0};
    bytes b = part(0);
    wsr_dataset *dataset = NULL;
    b.size -= 5;
    bytes_tar(&tar, "a/test_batch.bin", &b);
    bytes_tar_end(&tar);
    put_gzip(path, &tar);
    ck_assert_fails(open_at(&dataset, path, "test", NULL), WSR_FORMAT,
                    "c.tar.gz:a/test_batch.bin: 9214 bytes are not a number");
    bytes_free(&tar);
    bytes_free(&b);
}
END_TEST

START_TEST(an_absurd_size_inside_an_archive_asks_for_no_memory)
{
    const char *const path = path_in(scratch_folder("cifar"), "c.tar.gz");
    bytes tar = {0};
    bytes b = part(0);
    wsr_dataset *dataset = NULL;
    unsigned sum = 0;
    bytes_tar(&tar, "test_batch.bin", &b);
    bytes_tar_end(&tar);
    // 3073 * 2^18 bytes, 768 MiB; the checksum of the header follows.
    memcpy(tar.data + 124, "06001000000", 12);
    memset(tar.data + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++) {
        sum += tar.data[i];
    }
    (void)snprintf((char *)tar.data + 148, 8, "%06o", sum);
    put_file(path, &tar);
    ck_assert_fails(open_at(&dataset, path, "test", NULL), WSR_FORMAT,
                    "test_batch.bin: 805568512 bytes are too many");
    bytes_free(&tar);
    bytes_free(&b);
}
END_TEST

static wsr_status open_archive(void *ctx)
{
    wsr_dataset *dataset = NULL;
    const wsr_status status = open_at(&dataset, ctx, "train", NULL);
    wsr_dataset_free(dataset);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    char path[1200];
    bytes tar = make_tar("132456");
    (void)snprintf(path, sizeof(path), "%s/c.tar.gz", scratch_folder("cifar"));
    put_gzip(path, &tar);
    ck_assert_uint_ge(oom_sweep(open_archive, path), 20);
    bytes_free(&tar);
}
END_TEST

#endif

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_folder_yields_the_records_of_its_files_in_order,
        the_folder_that_unpacking_makes_is_found,
        the_limit_takes_the_first_samples,
        files_beyond_the_limit_need_not_exist,
        records_beyond_the_limit_are_not_looked_at,
        a_file_that_is_no_number_of_records_is_refused,
        a_label_out_of_range_is_named_with_its_sample,
        a_packed_file_in_a_folder_is_refused,
        missing_paths_are_named,
        other_versions_in_a_folder_are_named,
        a_file_alone_is_the_split_of_its_name,
        files_of_other_programs_are_named,
#if WSR_HAVE_LIBARCHIVE
        an_archive_in_any_order_equals_the_folder,
        the_last_of_two_entries_of_one_name_counts,
        the_python_version_in_an_archive_is_named,
        an_archive_without_a_file_is_refused,
        a_record_cut_inside_an_archive_is_named,
        an_absurd_size_inside_an_archive_asks_for_no_memory,
        short_memory_leaves_nothing_behind,
#endif
        NULL,
    };
    return suite_of("cifar", tests);
}
