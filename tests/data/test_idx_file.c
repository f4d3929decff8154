// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

// Write a pair of files, and try to read it.
static wsr_status load_pair(const bytes *images, const bytes *labels)
{
    const char *const folder = scratch_folder("idx_file");
    wsr_dataset *const dataset = wsr__alloc(1, sizeof(*dataset));
    put_file(path_in(folder, "images"), images);
    put_file(path_in(folder, "labels"), labels);
    const wsr_status status = wsr__idx_load(dataset, path_in(folder, "images"),
                                            path_in(folder, "labels"),
                                            SIZE_MAX);
    wsr_dataset_free(dataset);
    return status;
}

START_TEST(a_valid_pair_is_read)
{
    bytes images = make_idx_images(5, 3, 4, 1);
    bytes labels = make_idx_labels(5, 3);
    ck_assert_ok(load_pair(&images, &labels));
    bytes_free(&images);
    bytes_free(&labels);
}
END_TEST

// One byte of a valid pair replaced.
static void fails_with(bool in_images, size_t offset, unsigned char value,
                       const char *words)
{
    bytes images = make_idx_images(5, 3, 4, 1);
    bytes labels = make_idx_labels(5, 3);
    (in_images ? images : labels).data[offset] = value;
    ck_assert_fails(load_pair(&images, &labels), WSR_FORMAT, words);
    bytes_free(&images);
    bytes_free(&labels);
}

START_TEST(a_wrong_magic_is_named)
{
    fails_with(true, 3, 1,
               "images: magic 0x00000801 is not the 0x00000803 of IDX images");
    fails_with(true, 2, 0x0d, "images: magic 0x00000d03 is not");
    fails_with(false, 3, 3,
               "labels: magic 0x00000803 is not the 0x00000801 of IDX labels");
}
END_TEST

START_TEST(counts_that_differ_are_named)
{
    fails_with(true, 7, 4, "images: 4 images do not go with 5 labels");
    fails_with(false, 7, 4, "labels: is longer than it declares");
    fails_with(false, 7, 6, "labels: is truncated");
}
END_TEST

START_TEST(zero_and_absurd_dimensions_are_refused)
{
    fails_with(true, 7, 0, "images: count 0 is outside [1, 2147483647]");
    fails_with(true, 4, 0xff,
               "images: count 4278190085 is outside [1, 2147483647]");
    fails_with(true, 11, 0, "images: height 0 is outside [1, 4096]");
    fails_with(true, 14, 0x20, "images: width 8196 is outside [1, 4096]");
    fails_with(false, 7, 0, "labels: count 0 is outside [1, 2147483647]");
}
END_TEST

START_TEST(what_is_declared_must_fit_into_the_file)
{
    bytes images = make_idx_images(5, 3, 4, 1);
    bytes labels = make_idx_labels(5, 3);
    images.data[4] = 0x70;
    labels.data[4] = 0x70;
    ck_assert_fails(load_pair(&images, &labels), WSR_FORMAT,
                    "labels: is too short for the 1879048197 bytes");
    bytes_free(&images);
    bytes_free(&labels);
    fails_with(true, 10, 0x0f, "images: is too short for the 76860 bytes");
    fails_with(true, 11, 4, "images: is too short for the 80 bytes");
}
END_TEST

START_TEST(a_file_of_another_length_is_refused)
{
    bytes images = make_idx_images(5, 3, 4, 1);
    bytes labels = make_idx_labels(5, 3);
    images.size--;
    ck_assert_fails(load_pair(&images, &labels), WSR_FORMAT, "images: ");
    images.size = 11;
    ck_assert_fails(load_pair(&images, &labels), WSR_FORMAT,
                    "images: is truncated");
    images.size = 16 + 60;
    bytes_add(&images, "z", 1);
    ck_assert_fails(load_pair(&images, &labels), WSR_FORMAT,
                    "images: is longer than it declares");
    labels.size = 0;
    ck_assert_fails(load_pair(&images, &labels), WSR_FORMAT,
                    "labels: is truncated");
    bytes_free(&images);
    bytes_free(&labels);
}
END_TEST

START_TEST(missing_files_are_named)
{
    const char *const folder = scratch_folder("idx_file");
    wsr_dataset dataset = {0};
    unsigned char *labels = NULL;
    size_t n = 0;
    ck_assert_fails(wsr__idx_load(&dataset, path_in(folder, "i"),
                                  path_in(folder, "l"), SIZE_MAX),
                    WSR_NOTFOUND, "l: does not exist");
    ck_assert_fails(wsr__idx_labels(&labels, &n, path_in(folder, "l")),
                    WSR_NOTFOUND, "l: does not exist");
    ck_assert_ptr_null(labels);
}
END_TEST

// Images of four dimensions, each number of 4 bytes below 256.
static bytes colour_idx(const unsigned char d[4])
{
    bytes b = {0};
    const unsigned char head[] = {0, 0,    8, 4, 0, 0,    0, d[0], 0, 0,
                                  0, d[1], 0, 0, 0, d[2], 0, 0,    0, d[3]};
    const size_t n = (size_t)d[0] * d[1] * d[2] * d[3];
    bytes_add(&b, head, sizeof(head));
    for (size_t i = 0; i < n; i++) {
        const unsigned char value = (unsigned char)(i * 37 % 251);
        bytes_add(&b, &value, 1);
    }
    return b;
}

START_TEST(colour_images_have_their_channels_first_or_last)
{
    static const struct {
        unsigned char d[4];
        unsigned char c, h, w;
        bool last;
    } rows[] = {
        {{2, 3, 5, 6}, 3, 5, 6, false}, {{2, 5, 6, 3}, 3, 5, 6, true},
        {{2, 1, 5, 6}, 1, 5, 6, false}, {{2, 5, 6, 4}, 4, 5, 6, true},
        {{2, 4, 3, 6}, 4, 3, 6, false}, {{2, 5, 3, 1}, 1, 5, 3, true},
    };
    const char *const folder = scratch_folder("idx_file");
    bytes labels = make_idx_labels(2, 2);
    put_file(path_in(folder, "l"), &labels);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const size_t c_n = rows[i].c;
        const size_t pixels = (size_t)rows[i].h * rows[i].w;
        bytes images = colour_idx(rows[i].d);
        wsr_dataset *const dataset = wsr__alloc(1, sizeof(*dataset));
        ck_assert_ptr_nonnull(dataset);
        put_file(path_in(folder, "i"), &images);
        ck_assert_ok(wsr__idx_load(dataset, path_in(folder, "i"),
                                   path_in(folder, "l"), SIZE_MAX));
        ck_assert_int_eq(dataset->stored.c, rows[i].c);
        ck_assert_int_eq(dataset->stored.h, rows[i].h);
        ck_assert_int_eq(dataset->stored.w, rows[i].w);
        for (size_t k = 0; k < 2 * c_n * pixels; k++) {
            const size_t n = k / (c_n * pixels);
            const size_t c = k / pixels % c_n;
            const size_t p = k % pixels;
            const size_t at = rows[i].last ? (n * pixels + p) * c_n + c : k;
            ck_assert_uint_eq(dataset->bytes[k], at * 37 % 251);
        }
        wsr_dataset_free(dataset);
        bytes_free(&images);
    }
    bytes_free(&labels);
}
END_TEST

START_TEST(colour_images_that_can_be_read_two_ways_are_refused)
{
    static const unsigned char shapes[][4] = {
        {2, 3, 5, 3}, {2, 1, 5, 4}, {2, 5, 5, 5}, {2, 2, 3, 6}};
    bytes labels = make_idx_labels(2, 2);
    for (size_t i = 0; i < 4; i++) {
        bytes images = colour_idx(shapes[i]);
        ck_assert_fails(load_pair(&images, &labels), WSR_FORMAT,
                        i < 2 ? "each of the first and the last is 1, 3 or 4"
                              : "none of the first and the last is 1, 3 or 4");
        bytes_free(&images);
    }
    bytes_free(&labels);
}
END_TEST

typedef struct paths {
    char images[1200];
    char labels[1200];
} paths;

static wsr_status load_paths(void *ctx)
{
    const paths *const p = ctx;
    wsr_dataset *const dataset = wsr__alloc(1, sizeof(*dataset));
    const wsr_status status =
        dataset == NULL
            ? WSR_NOMEM
            : wsr__idx_load(dataset, p->images, p->labels, SIZE_MAX);
    wsr_dataset_free(dataset);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    const char *const folder = scratch_folder("idx_file");
    bytes images = make_idx_images(50, 9, 9, 1);
    bytes labels = make_idx_labels(50, 3);
    paths p;
    (void)snprintf(p.images, sizeof(p.images), "%s/i.gz", folder);
    (void)snprintf(p.labels, sizeof(p.labels), "%s/l.gz", folder);
    put_gzip(p.images, &images);
    put_gzip(p.labels, &labels);
    ck_assert_uint_ge(oom_sweep(load_paths, &p), 8);
    bytes_free(&images);
    bytes_free(&labels);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_valid_pair_is_read,
        a_wrong_magic_is_named,
        counts_that_differ_are_named,
        zero_and_absurd_dimensions_are_refused,
        what_is_declared_must_fit_into_the_file,
        a_file_of_another_length_is_refused,
        missing_files_are_named,
        colour_images_have_their_channels_first_or_last,
        colour_images_that_can_be_read_two_ways_are_refused,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("idx_file", tests);
}
