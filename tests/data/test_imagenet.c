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

static void make_train(const char *name, const char *prefix)
{
    static const char *const files[] = {"n01440764/n01440764_1.JPEG",
                                        "n01440764/n01440764_2.JPEG",
                                        "n02084071/n02084071_7.JPEG"};
    need_pictures();
    folder = scratch_folder(name);
    for (uint32_t i = 0; i < 3; i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%strain/%s", prefix, files[i]);
        put_picture(folder, path, 30, 40, i);
    }
}

static void make_flat(const char *prefix)
{
    for (uint32_t i = 1; i <= 3; i++) {
        char path[128];
        (void)snprintf(path, sizeof(path),
                       "%sval/ILSVRC2012_val_0000000%u.JPEG", prefix, i);
        put_picture(folder, path, 30, 40, i);
    }
}

static wsr_status open_split(wsr_dataset **out, const char *split)
{
    char spec[512];
    (void)snprintf(spec, sizeof(spec), "imagenet:%s", folder);
    return wsr_dataset_open(out, spec, split, NULL);
}

static void check_labels(const char *split, const char *labels)
{
    wsr_dataset *dataset = NULL;
    ck_assert_ok(open_split(&dataset, split));
    ck_assert_uint_eq(wsr_dataset_count(dataset), strlen(labels));
    ck_assert_int_eq(wsr_dataset_classes(dataset), 2);
    ck_assert_str_eq(wsr_dataset_class_name(dataset, 0), "n01440764");
    ck_assert_int_eq(wsr_dataset_shape(dataset)->dims[1], 224);
    for (size_t i = 0; labels[i] != '\0'; i++) {
        ck_assert_int_eq(wsr_dataset_labels(dataset)[i], labels[i] - '0');
    }
    wsr_dataset_free(dataset);
}

static void check_refused(const char *split, wsr_status code, const char *words)
{
    wsr_dataset *dataset = NULL;
    ck_assert_fails(open_split(&dataset, split), code, words);
    ck_assert_ptr_null(dataset);
}

START_TEST(synsets_are_folders_in_both_splits)
{
    make_train("folders", "");
    put_picture(folder, "val/n01440764/x.JPEG", 30, 40, 1);
    put_picture(folder, "val/n02084071/a.JPEG", 30, 40, 1);
    check_labels("train", "001");
    check_labels("test", "01");
}
END_TEST

START_TEST(validation_images_in_one_folder_have_a_list)
{
    static const char *const lists[] = {
        "ILSVRC2012_val_00000002.JPEG 0\nILSVRC2012_val_00000001.JPEG 1\n"
        "ILSVRC2012_val_00000003.JPEG 1",
        "ILSVRC2012_val_00000001.JPEG n02084071\r\n"
        "ILSVRC2012_val_00000002.JPEG n01440764\r\n\r\n"
        "ILSVRC2012_val_00000003.JPEG n02084071\r\n"};
    make_train("flat", "");
    make_flat("");
    check_refused("test", WSR_NOTFOUND, "val.txt with the labels");
    for (size_t i = 0; i < 2; i++) {
        put_text("val.txt", lists[i]);
        check_labels("test", "101");
    }
    check_labels("train", "001");
}
END_TEST

START_TEST(the_folders_of_kaggle_are_found)
{
    make_train("kaggle", "ILSVRC/Data/CLS-LOC/");
    make_flat("ILSVRC/Data/CLS-LOC/");
    put_text("LOC_val_solution.csv",
             "ImageId,PredictionString\n"
             "ILSVRC2012_val_00000003,n01440764 85 1 499 272 \n"
             "ILSVRC2012_val_00000001,n01440764 85 1 499 272 n01440764 1 2 3\n"
             "ILSVRC2012_val_00000002,n02084071 131 0 499 254 \n");
    check_labels("test", "010");
    check_labels("train", "001");
}
END_TEST

START_TEST(lists_that_do_not_fit_are_refused)
{
    make_train("wrong", "");
    make_flat("");
    put_text("val.txt", "ILSVRC2012_val_00000001.JPEG 0\n"
                        "ILSVRC2012_val_00000002.JPEG 0\n");
    check_refused("test", WSR_FORMAT, "val.txt: has no label for ");
    put_text("val.txt", "ILSVRC2012_val_00000001.JPEG 0\n"
                        "ILSVRC2012_val_00000002.JPEG 0\n"
                        "ILSVRC2012_val_00000003.JPEG 0\n"
                        "ILSVRC2012_val_00000004.JPEG 0\n");
    check_refused("test", WSR_FORMAT, "val.txt: has 4 labels, ");
    put_text("val.txt", "ILSVRC2012_val_00000001.JPEG 2\n");
    check_refused("test", WSR_FORMAT,
                  "val.txt:1: '2' is no class and not in "
                  "[0, 1]");
    put_text("val.txt", "ILSVRC2012_val_00000001.JPEG\n");
    check_refused("test", WSR_FORMAT, "val.txt:1: names an image without");
}
END_TEST

START_TEST(other_folders_are_refused)
{
    make_train("other", "");
    put_picture(folder, "train/cats/1.jpg", 30, 40, 1);
    check_refused("train", WSR_FORMAT, "'cats' is no synset");
    folder = scratch_folder("nothing");
    check_refused("train", WSR_NOTFOUND, "train: does not exist");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        synsets_are_folders_in_both_splits,
        validation_images_in_one_folder_have_a_list,
        the_folders_of_kaggle_are_found,
        lists_that_do_not_fit_are_refused,
        other_folders_are_refused,
        NULL,
    };
    return suite_of("imagenet", tests);
}
