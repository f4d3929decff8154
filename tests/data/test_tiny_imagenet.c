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

static void make(const char *name)
{
    need_pictures();
    folder = scratch_folder(name);
    put_picture(folder, "train/n02/images/n02_0.JPEG", 64, 64, 1);
    put_picture(folder, "train/n02/images/n02_1.JPEG", 64, 64, 2);
    put_picture(folder, "train/n01/images/n01_0.JPEG", 64, 64, 3);
    put_text("train/n01/n01_boxes.txt", "n01_0.JPEG\t0\t10\t63\t58\n");
    put_text("wnids.txt", "n02\nn01\n");
}

static void make_val(void)
{
    put_picture(folder, "val/images/val_0.JPEG", 64, 64, 4);
    put_picture(folder, "val/images/val_1.JPEG", 64, 64, 5);
    put_picture(folder, "val/images/val_10.JPEG", 64, 64, 6);
    put_text("val/val_annotations.txt",
             "val_0.JPEG\tn02\t0\t32\t44\t62\nval_1.JPEG\tn01\t52\t55\t57\t59\n"
             "val_10.JPEG\tn02\t4\t0\t60\t55\n");
}

static wsr_status open_split(wsr_dataset **out, const char *split,
                             const char *options)
{
    char spec[512];
    (void)snprintf(spec, sizeof(spec), "tiny-imagenet:%s", folder);
    return wsr_dataset_open(out, spec, split, options);
}

// Labels follow the names, not the order of wnids.txt.
START_TEST(both_layouts_of_the_splits_are_read)
{
    wsr_dataset *dataset = NULL;
    make("layout");
    make_val();
    ck_assert_ok(open_split(&dataset, "train", NULL));
    ck_assert_uint_eq(wsr_dataset_count(dataset), 3);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[0], 0);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[1], 1);
    ck_assert_str_eq(wsr_dataset_class_name(dataset, 0), "n01");
    wsr_dataset_free(dataset);
    ck_assert_ok(open_split(&dataset, "test", NULL));
    ck_assert_uint_eq(wsr_dataset_count(dataset), 3);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[0], 1);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[1], 0);
    ck_assert_int_eq(wsr_dataset_labels(dataset)[2], 1);
    wsr_dataset_free(dataset);
}
END_TEST

// At their own size images are shown as they are.
START_TEST(images_are_shown_whole)
{
    wsr_dataset *dataset = NULL;
    static float shown[3 * 64 * 64];
    wsr__image_file file = {0};
    wsr__bitmap image = {0};
    const wsr__window whole = {0, 0, 64, 64};
    make("whole");
    make_val();
    ck_assert_ok(open_split(&dataset, "test", NULL));
    ck_assert_ok(wsr_dataset_images(shown, dataset, NULL, 1));
    ck_assert_ok(
        wsr__image_open(&file, path_in(folder, "val/images/val_0.JPEG")));
    ck_assert_ok(file.super.decode(&image, &file.super, &whole));
    for (size_t i = 0; i < 3 * 64 * 64; i++) {
        ck_assert(shown[i] == (float)image.bytes[i] / 255.0f);
    }
    wsr_dataset_free(dataset);
    ck_assert_ok(open_split(&dataset, "test", "size=32"));
    ck_assert_int_eq(wsr_dataset_shape(dataset)->dims[1], 32);
    wsr_dataset_free(dataset);
    wsr__bitmap_free(&image);
    wsr__image_close(&file);
}
END_TEST

START_TEST(a_rearranged_validation_split_is_read)
{
    wsr_dataset *dataset = NULL;
    make("rearranged");
    put_picture(folder, "val/n01/val_3.JPEG", 64, 64, 1);
    put_picture(folder, "val/n02/images/val_9.JPEG", 64, 64, 1);
    ck_assert_ok(open_split(&dataset, "test", NULL));
    ck_assert_int_eq(wsr_dataset_labels(dataset)[1], 1);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(what_does_not_fit_is_named)
{
    wsr_dataset *dataset = NULL;
    make("wrong");
    make_val();
    put_text("val/val_annotations.txt", "val_0.JPEG\tn02\t0\t32\t44\t62\n");
    ck_assert_fails(open_split(&dataset, "test", NULL), WSR_FORMAT,
                    "val_annotations.txt: has no label for ");
    put_text("wnids.txt", "n02\nn01\nn03\n");
    ck_assert_fails(open_split(&dataset, "train", NULL), WSR_FORMAT,
                    "train: lacks the class 'n03' of wnids.txt");
    folder = scratch_folder("absent");
    ck_assert_fails(open_split(&dataset, "train", NULL), WSR_IO, "wnids.txt");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        both_layouts_of_the_splits_are_read,
        images_are_shown_whole,
        a_rearranged_validation_split_is_read,
        what_does_not_fit_is_named,
        NULL,
    };
    return suite_of("tiny_imagenet", tests);
}
