// SPDX-License-Identifier: Apache-2.0

#include "data/data.h"
#include "support/files.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const names[] = {
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

// Put the four files, 5 images for training and 3 for test, at places made of
// their names: "%s" is the name, "%d" one with a '.'. ".gz" packs.
static void put_four(const char *folder, const char *place, size_t first)
{
    for (size_t i = first; i < first + 2; i++) {
        const uint32_t n = i < 2 ? 5 : 3;
        bytes b = i % 2 == 0 ? make_idx_images(n, 4, 4, 1)
                             : make_idx_labels(n, i < 2 ? 2 : 3);
        wsr__str path = {0};
        wsr__str_addf(&path, "%s/", folder);
        for (const char *p = place; *p != '\0'; p++) {
            if (*p != '%') {
                wsr__str_addn(&path, p, 1);
                continue;
            }
            wsr__str_add(&path, names[i]);
            if (*++p == 'd') {
                *strstr(path.s + path.len - strlen(names[i]), "-idx") = '.';
            }
        }
        char *const slash = strrchr(path.s, '/');
        *slash = '\0';
        ck_assert_ok(wsr__make_directory(path.s));
        *slash = '/';
        (strstr(place, ".gz") != NULL ? put_gzip : put_file)(path.s, &b);
        wsr__str_free(&path);
        bytes_free(&b);
    }
}

static wsr_status open_folder(wsr_dataset **out, const char *set,
                              const char *folder, const char *split)
{
    char spec[1200];
    (void)snprintf(spec, sizeof(spec), "%s:%s", set, folder);
    return wsr_dataset_open(out, spec, split, NULL);
}

START_TEST(the_names_of_several_distributions_are_found)
{
    static const char *const places[] = {
        "%s",           "%s.gz",  "%d",
        "%d.gz",        "raw/%s", "FashionMNIST/raw/%s.gz",
        "MNIST/raw/%s", "%s/%s",  "%s/%d",
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        char folder[1024];
        (void)snprintf(folder, sizeof(folder), "%s",
                       scratch_folder("idx_folder"));
        put_four(folder, places[i], 0);
        put_four(folder, places[i], 2);
        for (int k = 0; k < 4; k++) {
            wsr_dataset *dataset = NULL;
            ck_assert_ok(open_folder(&dataset, k < 2 ? "fashion-mnist" : "idx",
                                     folder, k % 2 == 0 ? "train" : "test"));
            ck_assert_uint_eq(wsr_dataset_count(dataset), k % 2 == 0 ? 5 : 3);
            ck_assert_int_eq(wsr_dataset_classes(dataset), k < 2 ? 10 : 3);
            wsr_dataset_free(dataset);
        }
    }
}
END_TEST

START_TEST(what_is_missing_is_named)
{
    wsr_dataset *dataset = NULL;
    char folder[1024];
    (void)snprintf(folder, sizeof(folder), "%s", scratch_folder("idx_folder"));
    put_four(folder, "%s", 0);
    ck_assert_fails(open_folder(&dataset, "fashion-mnist", folder, "test"),
                    WSR_NOTFOUND,
                    "/t10k-images-idx3-ubyte.gz: does not exist; Debian's "
                    "package dataset-fashion-mnist has it, or write");
    ck_assert_fails(open_folder(&dataset, "idx", folder, "test"), WSR_NOTFOUND,
                    "/t10k-images-idx3-ubyte.gz: does not exist");
    ck_assert_ok(open_folder(&dataset, "idx", folder, NULL));
    ck_assert_uint_eq(wsr_dataset_count(dataset), 5);
    wsr_dataset_free(dataset);
    ck_assert_fails(open_folder(&dataset, "idx", "/no/such", "train"),
                    WSR_CONFIG, "labels is missing, write idx:images,labels");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_names_of_several_distributions_are_found,
                                  what_is_missing_is_named, NULL};
    return suite_of("idx_folder", tests);
}
