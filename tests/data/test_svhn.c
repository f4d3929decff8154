// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

#if WSR_HAVE_LIBMATIO

#include <matio.h>

enum { N = 7, PIXELS = 3 * 32 * 32 };

static const char *folder;

static unsigned char pixel(size_t n, size_t c, size_t y, size_t x)
{
    return (unsigned char)(n * 31 + c * 101 + y * 7 + x * 3);
}

static enum matio_compression compression = MAT_COMPRESSION_ZLIB;

static void add_variable(mat_t *file, const char *name, bool doubles, int rank,
                         size_t *dims, void *data)
{
    matvar_t *const v = Mat_VarCreate(
        name, doubles ? MAT_C_DOUBLE : MAT_C_UINT8,
        doubles ? MAT_T_DOUBLE : MAT_T_UINT8, rank, dims, data, 0);
    ck_assert_ptr_nonnull(v);
    ck_assert_int_eq(Mat_VarWrite(file, v, compression), 0);
    Mat_VarFree(v);
}

// Labels 1, 2, ..., 10, 1, ...: of sample i it is (i + first) % 10 + 1.
static void put(const char *name, size_t labels, unsigned first, bool doubles)
{
    static unsigned char x[N * PIXELS];
    unsigned char bytes_of[N + 2];
    double numbers[N + 2];
    size_t x_dims[] = {32, 32, 3, N};
    size_t y_dims[] = {labels, 1};
    for (size_t i = 0; i < N * PIXELS; i++) { // the first dimension is fastest
        x[i] = pixel(i / PIXELS, i / 1024 % 3, i % 32, i / 32 % 32);
    }
    for (size_t i = 0; i < labels; i++) {
        bytes_of[i] = (unsigned char)((i + first) % 10 + 1);
        numbers[i] = bytes_of[i];
    }
    mat_t *const file = Mat_CreateVer(path_in(folder, name), NULL, MAT_FT_MAT5);
    ck_assert_ptr_nonnull(file);
    add_variable(file, "X", false, 4, x_dims, x);
    add_variable(file, "y", doubles, 2, y_dims,
                 doubles ? (void *)numbers : (void *)bytes_of);
    ck_assert_int_eq(Mat_Close(file), 0);
}

static wsr_status open_split(wsr_dataset **out, const char *split,
                             const char *options)
{
    char spec[512];
    (void)snprintf(spec, sizeof(spec), "svhn:%s", folder);
    return wsr_dataset_open(out, spec, split, options);
}

START_TEST(images_are_turned_and_ten_is_zero)
{
    for (int doubles = 0; doubles < 2; doubles++) {
        wsr_dataset *dataset = NULL;
        folder = scratch_folder("svhn");
        put("train_32x32.mat", N, 5, doubles == 1);
        put("test_32x32.mat", N, 0, doubles == 1);
        ck_assert_ok(open_split(&dataset, "train", NULL));
        ck_assert_uint_eq(wsr_dataset_count(dataset), N);
        ck_assert_int_eq(wsr_dataset_classes(dataset), 10);
        ck_assert_str_eq(wsr_dataset_class_name(dataset, 0), "0");
        for (size_t i = 0; i < N * PIXELS; i++) {
            ck_assert_uint_eq(dataset->bytes[i], pixel(i / PIXELS, i / 1024 % 3,
                                                       i / 32 % 32, i % 32));
        }
        for (size_t i = 0; i < N; i++) {
            ck_assert_int_eq(wsr_dataset_labels(dataset)[i],
                             (int)((i + 6) % 10));
        }
        wsr_dataset_free(dataset);
        ck_assert_ok(open_split(&dataset, NULL, "limit=3"));
        ck_assert_uint_eq(wsr_dataset_count(dataset), 3);
        ck_assert_int_eq(wsr_dataset_labels(dataset)[0], 1);
        ck_assert_uint_eq(dataset->bytes[2 * PIXELS + 5], pixel(2, 0, 0, 5));
        wsr_dataset_free(dataset);
    }
}
END_TEST

START_TEST(files_that_are_none_of_svhn_are_named)
{
    wsr_dataset *dataset = NULL;
    bytes text = {NULL, 0};
    folder = scratch_folder("wrong");
    ck_assert_fails(open_split(&dataset, "train", NULL), WSR_NOTFOUND,
                    "train_32x32.mat: does not exist");
    bytes_add(&text, "no Matlab file", 14);
    put_file(path_in(folder, "train_32x32.mat"), &text);
    ck_assert_fails(
        open_split(&dataset, "train", NULL), WSR_FORMAT,
        "train_32x32.mat: is truncated or corrupt, or no Matlab file");
    put("test_32x32.mat", N - 1, 0, false);
    ck_assert_fails(open_split(&dataset, "test", NULL), WSR_FORMAT,
                    "y has 6 labels for 7 images");
    bytes_free(&text);
}
END_TEST

START_TEST(a_file_that_was_cut_off_is_refused)
{
    wsr_dataset *dataset = NULL;
    folder = scratch_folder("cut");
    put("test_32x32.mat", N, 0, false);
    const char *const path = path_in(folder, "test_32x32.mat");
    bytes content = get_file(path);
    const size_t size = content.size;
    for (size_t n = 0; n < size; n += size / 23) {
        content.size = n;
        put_file(path, &content);
        ck_assert_int_ne(open_split(&dataset, "test", NULL), WSR_OK);
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "test_32x32.mat: "));
        ck_assert_ptr_null(dataset);
    }
    bytes_free(&content);
}
END_TEST

START_TEST(corrupt_pixels_are_refused)
{
    wsr_dataset *dataset = NULL;
    folder = scratch_folder("corrupt");
    put("test_32x32.mat", N, 0, false);
    const char *const path = path_in(folder, "test_32x32.mat");
    bytes content = get_file(path);
    for (size_t at = 300; at < 330; at += 3) {
        content.data[at] ^= 0x55;
    }
    put_file(path, &content);
    ck_assert_fails(open_split(&dataset, "test", NULL), WSR_FORMAT,
                    "test_32x32.mat: ");
    bytes_free(&content);
}
END_TEST

// One byte of the description of X in a file without compression.
static void with_byte(size_t at, unsigned char byte, const char *words)
{
    wsr_dataset *dataset = NULL;
    folder = scratch_folder("plain");
    compression = MAT_COMPRESSION_NONE;
    put("test_32x32.mat", N, 0, false);
    compression = MAT_COMPRESSION_ZLIB;
    const char *const path = path_in(folder, "test_32x32.mat");
    bytes content = get_file(path);
    ck_assert_ok(open_split(&dataset, "test", NULL));
    wsr_dataset_free(dataset);
    content.data[at] = byte;
    put_file(path, &content);
    ck_assert_fails(open_split(&dataset, "test", NULL), WSR_FORMAT, words);
    bytes_free(&content);
}

// matio would ask for as much memory as these say.
START_TEST(what_is_no_array_of_the_files_size_is_refused)
{
    with_byte(0x90, 1, "holds a variable that is no array of numbers"); // cells
    with_byte(0x90, 5, "holds a variable that is no array"); // sparse
    with_byte(0x91, 8, "holds a variable that is no array"); // complex
    with_byte(0xa3, 0x7f, "is truncated or corrupt");        // height
    with_byte(0xac, N + 1, "is truncated or corrupt");
    with_byte(0x9c, 0x40, "is truncated or corrupt");     // number of sizes
    with_byte(0xb8 + 4, 0xff, "is truncated or corrupt"); // length of pixels
    with_byte(0x80, 1, "is truncated or corrupt");        // no matrix
    with_byte(0x7c, 2, "is truncated or corrupt");        // version
}
END_TEST

static wsr_status open_once(void *ctx)
{
    wsr_dataset *dataset = NULL;
    (void)ctx;
    const wsr_status status = open_split(&dataset, "test", NULL);
    wsr_dataset_free(dataset);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    folder = scratch_folder("memory");
    put("test_32x32.mat", N, 0, false);
    ck_assert_uint_ge(oom_sweep(open_once, NULL), 4);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        images_are_turned_and_ten_is_zero,
        files_that_are_none_of_svhn_are_named,
        a_file_that_was_cut_off_is_refused,
        corrupt_pixels_are_refused,
        what_is_no_array_of_the_files_size_is_refused,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("svhn", tests);
}

#else

START_TEST(without_matio_one_line_says_so)
{
    wsr_dataset *dataset = NULL;
    ck_assert_fails(wsr_dataset_open(&dataset, "svhn:.", NULL, NULL),
                    WSR_UNSUPPORTED, "needs matio");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {without_matio_one_line_says_so, NULL};
    return suite_of("svhn", tests);
}

#endif
