// SPDX-License-Identifier: Apache-2.0

#include "data/files.h"
#include "support/pictures.h"
#include "support/support.h"

#include <string.h>

static const char *folder;

static void put_text(const char *name, const char *text)
{
    bytes content = {NULL, 0};
    bytes_add(&content, text, strlen(text));
    put_file(path_in(folder, name), &content);
    bytes_free(&content);
}

// "list:" and three paths below the folder, "" for none.
static wsr_status open_lists(wsr_dataset **out, const char *train,
                             const char *root, const char *test,
                             const char *split)
{
    char spec[2048];
    int n = snprintf(spec, sizeof(spec), "list:%s/%s", folder, train);
    if (root[0] != '\0' || test[0] != '\0') {
        n += snprintf(spec + n, sizeof(spec) - (size_t)n, ",%s%s%s",
                      root[0] != '\0' ? folder : "", root[0] != '\0' ? "/" : "",
                      root);
    }
    if (test[0] != '\0') {
        (void)snprintf(spec + n, sizeof(spec) - (size_t)n, ",%s/%s", folder,
                       test);
    }
    return wsr_dataset_open(out, spec, split, "size=8");
}

static void make(const char *name)
{
    need_pictures();
    folder = scratch_folder(name);
    put_picture(folder, "images/one two.jpg", 20, 20, 1);
    put_picture(folder, "images/b.jpg", 20, 20, 2);
    put_picture(folder, "images/c.jpg", 20, 20, 3);
}

START_TEST(lines_are_paths_and_labels)
{
    wsr_dataset *dataset = NULL;
    float pixels[3 * 3 * 64];
    make("lines");
    put_text("train.txt", "images/one two.jpg 3\r\n\n  images/b.jpg\t0  \n"
                          "images/b.jpg 1");
    ck_assert_ok(open_lists(&dataset, "train.txt", "", "", NULL));
    ck_assert_uint_eq(wsr_dataset_count(dataset), 3);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 4);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[0], 3);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[1], 0);
    ck_assert_ptr_null(wsr_dataset_class_name(dataset, 0));
    ck_assert_ok(wsr_dataset_images(pixels, dataset, NULL, 3));
    ck_assert(same_bits(pixels + 192, pixels + 384, 192 * sizeof(float)));
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(the_test_split_has_a_list_and_both_share_classes)
{
    wsr_dataset *dataset = NULL;
    make("splits");
    put_text("lists-train.txt", "one two.jpg 0\nb.jpg 1\n");
    put_text("lists-test.txt", "c.jpg 4\n");
    ck_assert_ok(open_lists(&dataset, "lists-train.txt", "images",
                            "lists-test.txt", "train"));
    ck_assert_uint_eq(wsr_dataset_count(dataset), 2);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 5);
    wsr_dataset_free(dataset);
    ck_assert_ok(open_lists(&dataset, "lists-train.txt", "images",
                            "lists-test.txt", NULL));
    ck_assert_uint_eq(wsr_dataset_count(dataset), 1);
    ck_assert_int_eq(wsr_dataset_classes(dataset), 5);
    wsr_dataset_free(dataset);
    ck_assert_fails(
        open_lists(&dataset, "lists-train.txt", "images", "", "test"),
        WSR_NOTFOUND, "write list:FILE,ROOT,TEST");
}
END_TEST

START_TEST(lines_of_another_form_are_named)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"images/b.jpg 0\nimages/c.jpg\n", "bad.txt:2: 'images/c.jpg' is not"},
        {"images/b.jpg x\n", "bad.txt:1: 'images/b.jpg x' is not a path"},
        {"images/b.jpg -1\n", "bad.txt:1: label -1 is outside"},
        {"images/b.jpg 1.5\n", "bad.txt:1: "},
        {"7\n", "bad.txt:1: '7' is not a path and a label"},
        {"", "bad.txt: holds no images"},
    };
    make("wrong");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wsr_dataset *dataset = NULL;
        put_text("bad.txt", rows[i].text);
        ck_assert_fails(open_lists(&dataset, "bad.txt", "", "", NULL),
                        WSR_FORMAT, rows[i].words);
        ck_assert_ptr_null(dataset);
    }
}
END_TEST

START_TEST(a_file_that_is_missing_is_named_when_it_is_read)
{
    wsr_dataset *dataset = NULL;
    float pixels[3 * 64];
    make("missing");
    put_text("train.txt", "images/nothing.jpg 0\n");
    ck_assert_ok(open_lists(&dataset, "train.txt", "", "", NULL));
    ck_assert_fails(wsr_dataset_images(pixels, dataset, NULL, 1), WSR_NOTFOUND,
                    "images/nothing.jpg: does not exist");
    wsr_dataset_free(dataset);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        lines_are_paths_and_labels,
        the_test_split_has_a_list_and_both_share_classes,
        lines_of_another_form_are_named,
        a_file_that_is_missing_is_named_when_it_is_read,
        NULL,
    };
    return suite_of("list", tests);
}
