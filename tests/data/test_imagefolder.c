// SPDX-License-Identifier: Apache-2.0

#include "data/files.h"
#include "support/oom.h"
#include "support/pictures.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

// "imagefolder:FOLDER" in one of two buffers.
static const char *spec_of(const char *folder)
{
    static char specs[2][512];
    static int next;
    char *const spec = specs[next++ % 2];
    (void)snprintf(spec, sizeof(specs[0]), "imagefolder:%s", folder);
    return spec;
}

// Two classes of two images in each split; the images of a class differ.
static const char *make_folder(const char *name)
{
    static const char *const files[] = {"train/cat/1.jpg", "train/cat/2.jpeg",
                                        "train/dog/1.JPG", "train/dog/2.jpg",
                                        "val/cat/9.jpg",   "val/dog/8.jpg"};
    const char *const folder = scratch_folder(name);
    need_pictures();
    for (uint32_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        put_picture(folder, files[i], 50 + (int)i, 60, i);
    }
    return folder;
}

static void put_text(const char *folder, const char *name, const char *text)
{
    bytes content = {NULL, 0};
    bytes_add(&content, text, strlen(text));
    put_file(path_in(folder, name), &content);
    bytes_free(&content);
}

static wsr_dataset *open_split(const char *folder, const char *split,
                               const char *options)
{
    wsr_dataset *dataset = NULL;
    ck_assert_ok(wsr_dataset_open(&dataset, spec_of(folder), split, options));
    return dataset;
}

// The end of the path of each file, in order, must be that of the list.
static void check_files(const wsr_dataset *dataset, const char *const *ends)
{
    size_t i = 0;
    for (; ends[i] != NULL; i++) {
        size_t at = i;
        ck_assert_uint_lt(i, wsr_dataset_count(dataset));
        const wsr__files *const files = wsr__files_of(dataset, &at);
        const char *const path = wsr__files_path(files, at);
        const size_t n = strlen(ends[i]);
        ck_assert_uint_gt(strlen(path), n);
        ck_assert_str_eq(path + strlen(path) - n, ends[i]);
    }
    ck_assert_uint_eq(i, wsr_dataset_count(dataset));
}

START_TEST(splits_have_classes_labels_and_a_view)
{
    const char *const folder = make_folder("splits");
    wsr_dataset *train = open_split(folder, "train", "size=32");
    wsr_dataset *test = open_split(folder, NULL, "size=32");
    ck_assert_uint_eq(wsr_dataset_count(train), 4);
    ck_assert_uint_eq(wsr_dataset_count(test), 2);
    ck_assert_int_eq(wsr_dataset_classes(train), 2);
    ck_assert_str_eq(wsr_dataset_class_name(test, 1), "dog");
    ck_assert_ptr_null(wsr_dataset_class_name(test, 2));
    ck_assert_int_eq(wsr_dataset_labels(train)[1], 0);
    ck_assert_int_eq(wsr_dataset_labels(train)[2], 1);
    const wsr_shape *const shape = wsr_dataset_shape(train);
    ck_assert_int_eq(shape->dims[0], 3);
    ck_assert_int_eq(shape->dims[1], 32);
    wsr_dataset_free(train);
    wsr_dataset_free(test);
    test = open_split(folder, "test", NULL);
    ck_assert_int_eq(wsr_dataset_shape(test)->dims[2], 224);
    wsr_dataset_free(test);
}
END_TEST

// Upper case before lower case, "é" behind both; a folder's own images before
// its subfolders'; other files do not count.
START_TEST(the_order_is_that_of_code_points)
{
    static const char *const want[] = {
        "Z/a.jpg",       "Z/b.png.JPG",    "Z/sub/a.jpg",
        "Z/sub-2/a.jpg", "Z/sub/x/1.jpg",  "a/10.jpg",
        "a/2.jpg",       "\xc3\xa9/1.jpg", NULL};
    static const char *const sorted[] = {"Z/a.jpg",       "Z/b.png.JPG",
                                         "Z/sub/a.jpg",   "Z/sub-2/a.jpg",
                                         "Z/sub/x/1.jpg", NULL};
    const char *const folder = scratch_folder("order");
    need_pictures();
    for (size_t i = 0; want[i] != NULL; i++) {
        put_picture(folder, want[i], 8, 8, 1);
    }
    put_text(folder, "Z/notes.txt", "no image");
    put_text(folder, "Z/jpg", "no image");
    wsr_dataset *dataset = open_split(folder, "train", "size=8,limit=5");
    (void)sorted;
    check_files(dataset, sorted);
    wsr_dataset_free(dataset);
    dataset = open_split(folder, NULL, "size=8");
    check_files(dataset, want);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[7], 2);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(images_subsets_and_indices_agree)
{
    const char *const folder = make_folder("images");
    wsr_dataset *const all = open_split(folder, "train", "size=24,resize=28");
    wsr_dataset *part = NULL;
    wsr_dataset *inner = NULL;
    enum { FLOATS = 3 * 24 * 24 };
    static float want[4 * FLOATS];
    static float have[4 * FLOATS];
    const size_t indices[] = {3, 0, 3, 2};
    ck_assert_ok(wsr_dataset_images(want, all, NULL, 4));
    ck_assert_ok(wsr_dataset_images(have, all, indices, 4));
    for (size_t i = 0; i < 4; i++) {
        ck_assert(same_bits(have + i * FLOATS, want + indices[i] * FLOATS,
                            FLOATS * sizeof(float)));
    }
    ck_assert(!same_bits(want, want + FLOATS, FLOATS * sizeof(float)));
    ck_assert_ok(wsr_dataset_subset(&part, all, 1, 3));
    ck_assert_ok(wsr_dataset_subset(&inner, part, 1, 2));
    ck_assert_ok(wsr_dataset_images(have, inner, NULL, 2));
    ck_assert(same_bits(have, want + 2 * FLOATS, 2 * FLOATS * sizeof(float)));
    ck_assert_int_eq(wsr_dataset_labels(inner)[0], 1);
    ck_assert_fails(wsr_dataset_images(have, inner, indices, 1), WSR_ARG,
                    "3 is outside [0, 1]");
    wsr_dataset_free(inner);
    wsr_dataset_free(part);
    wsr_dataset_free(all);
}
END_TEST

// What phases of another size train on.
START_TEST(images_at_another_size_are_those_of_opening_them_so)
{
    const char *const folder = make_folder("sizes");
    wsr_dataset *const large = open_split(folder, "train", "size=28,resize=32");
    wsr_dataset *const small = open_split(folder, "train", "size=14,resize=16");
    wsr_dataset *shown = NULL;
    enum { FLOATS = 4 * 3 * 14 * 14 };
    static float want[FLOATS];
    static float have[FLOATS];
    ck_assert_ok(wsr__dataset_at_size(&shown, large, 14));
    ck_assert_ok(wsr_dataset_images(want, small, NULL, 4));
    ck_assert_ok(wsr_dataset_images(have, shown, NULL, 4));
    ck_assert(same_bits(have, want, sizeof(want)));
    wsr_dataset_free(shown);
    wsr_dataset_free(large);
    wsr_dataset_free(small);
}
END_TEST

static void check_refused(const char *folder, const char *split,
                          const char *options, wsr_status code,
                          const char *words)
{
    wsr_dataset *dataset = NULL;
    ck_assert_fails(wsr_dataset_open(&dataset, spec_of(folder), split, options),
                    code, words);
    ck_assert_ptr_null(dataset);
}

START_TEST(what_is_missing_is_named)
{
    const char *folder = make_folder("missing");
    check_refused(path_in(folder, "nowhere"), NULL, NULL, WSR_NOTFOUND,
                  "nowhere: is no folder");
    check_refused(path_in(folder, "train"), "test", NULL, WSR_NOTFOUND,
                  "train/val: does not exist");
    check_refused(path_in(folder, "train/cat"), NULL, NULL, WSR_FORMAT,
                  "cat: holds no folders of classes");
    ck_assert_ok(wsr__make_directory(path_in(folder, "train/empty")));
    ck_assert_ok(wsr__make_directory(path_in(folder, "val/empty")));
    check_refused(folder, "train", NULL, WSR_FORMAT,
                  "train/empty: a class without images");
}
END_TEST

START_TEST(splits_of_different_classes_are_refused_with_one_of_them)
{
    const char *const folder = make_folder("different");
    put_picture(folder, "val/emu/1.jpg", 9, 9, 1);
    check_refused(folder, "train", NULL, WSR_FORMAT,
                  "train: lacks the class 'emu' of ");
    check_refused(folder, "test", NULL, WSR_FORMAT,
                  "train: lacks the class 'emu' of ");
}
END_TEST

START_TEST(views_that_make_no_sense_are_refused)
{
    const char *const folder = make_folder("views");
    check_refused(folder, NULL, "size=64,resize=60", WSR_CONFIG,
                  "data.resize: 60 is less than data.size, 64");
    check_refused(folder, NULL, "channels=1", WSR_CONFIG, "data.channels");
    check_refused(folder, NULL, "broken=ignore", WSR_CONFIG, "refuse, skip");
}
END_TEST

// ------------------------------------------------------------- broken images

enum { LINES = 16 };

static char lines[LINES][256];
static int n_lines;

static void keep_line(wsr_log_level level, const char *message, void *user)
{
    (void)user;
    if (level == WSR_LOG_WARNING && n_lines < LINES) {
        (void)snprintf(lines[n_lines++], sizeof(lines[0]), "%s", message);
    }
}

static const char *make_broken(const char *name)
{
    const char *const folder = make_folder(name);
    bytes content = get_file(path_in(folder, "train/cat/2.jpeg"));
    content.size /= 2;
    put_file(path_in(folder, "train/cat/2.jpeg"), &content);
    bytes_free(&content);
    put_text(folder, "train/dog/2.jpg", "no image at all");
    return folder;
}

START_TEST(a_broken_image_is_refused_when_it_is_read)
{
    const char *const folder = make_broken("refuse");
    wsr_dataset *const dataset = open_split(folder, "train", "size=8");
    static float pixels[4 * 3 * 64];
    const size_t good[] = {0, 2};
    ck_assert_uint_eq(wsr_dataset_count(dataset), 4);
    ck_assert_ok(wsr_dataset_images(pixels, dataset, good, 2));
    ck_assert_fails(wsr_dataset_images(pixels, dataset, NULL, 4), WSR_FORMAT,
                    "train/cat/2.jpeg: JPEG image is truncated");
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(broken_images_are_left_out_and_counted_on_request)
{
    static const char *const want[] = {"cat/1.jpg", "dog/1.JPG", NULL};
    const char *const folder = make_broken("skip");
    n_lines = 0;
    wsr_set_log_hook(keep_line, NULL);
    wsr_dataset *const dataset =
        open_split(folder, "train", "size=8,broken=skip");
    wsr_set_log_hook(NULL, NULL);
    check_files(dataset, want);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[1], 1);
    ck_assert_int_eq(n_lines, 3);
    ck_assert_ptr_nonnull(strstr(lines[0], "cat/2.jpeg: JPEG image is trunc"));
    ck_assert_ptr_nonnull(strstr(lines[1], "dog/2.jpg: is of an unknown"));
    ck_assert_ptr_nonnull(strstr(lines[2], "left out 2 of 4 images"));
    wsr_dataset_free(dataset);
}
END_TEST

static wsr_status open_and_read(void *ctx)
{
    wsr_status status = WSR_OK;
    wsr_dataset *dataset = NULL;
    static float pixels[4 * 3 * 64];
    WSR_TRY(wsr_dataset_open(&dataset, ctx, "train", "size=8,broken=skip"));
    WSR_TRY(wsr_dataset_images(pixels, dataset, NULL, 4));
out:
    wsr_dataset_free(dataset);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    char spec[512];
    (void)snprintf(spec, sizeof(spec), "%s", spec_of(make_folder("memory")));
    wsr_set_threads(1);
    ck_assert_uint_gt(oom_sweep(open_and_read, spec), 40);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        splits_have_classes_labels_and_a_view,
        the_order_is_that_of_code_points,
        images_subsets_and_indices_agree,
        images_at_another_size_are_those_of_opening_them_so,
        what_is_missing_is_named,
        splits_of_different_classes_are_refused_with_one_of_them,
        views_that_make_no_sense_are_refused,
        a_broken_image_is_refused_when_it_is_read,
        broken_images_are_left_out_and_counted_on_request,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("imagefolder", tests);
}
