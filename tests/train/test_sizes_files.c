// SPDX-License-Identifier: Apache-2.0
//
// Growing images of a data set of files, which are decoded when they are read:
// phases cut and resize them to their sizes, whatever the number of threads and
// wherever the training is loaded.

#include "data/data.h"
#include "support/pictures.h"
#include "train/trainer_bench.h"

#include <string.h>

static const char *const augments[] = {
    "[random_resized_crop,flip]", // cut from the whole image
    "[flip]",                     // from the view
};

// Three images in each of two classes.
static void make_folder(char spec[600])
{
    static const char *const files[] = {
        "train/a/1.jpg", "train/a/2.jpg", "train/a/3.jpg", "train/b/1.jpg",
        "train/b/2.jpg", "train/b/3.jpg", "val/a/1.jpg",   "val/b/1.jpg"};
    const char *const folder = scratch_folder("growing");
    need_pictures();
    for (uint32_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        put_picture(folder, files[i], 60 + (int)i, 50, i);
    }
    (void)snprintf(spec, 600, "imagefolder:%s", folder);
}

static bench open_files(const char *spec, const char *augment, int workers)
{
    bench b = {0};
    char options[256];
    wsr_set_threads(1);
    (void)snprintf(options, sizeof(options),
                   "trainer=\"fast:eps=0.05\",epochs=3,eval_every=0,lr=0.02,"
                   "sizes=[1:16:4,2:24:2,3:32:3],workers=%d,augment=%s",
                   workers, augment);
    ck_assert_ok(wsr_dataset_open(&b.train, spec, "train", "size=32"));
    ck_assert_ok(wsr_net_new(&b.net, NULL,
                             "genotype=cna_r,channels=4,layers=3,classes=2,"
                             "image_size=32",
                             1));
    ck_assert_ok(wsr_trainer_new(&b.trainer, b.net, b.train, NULL, options, 1));
    return b;
}

START_TEST(images_of_files_grow_and_a_loaded_training_ends_with_the_same_bytes)
{
    // 2, 3 and 2 steps: within the phases and between them.
    static const size_t stops[] = {1, 2, 4, 5, 6};
    char spec[600];
    char path[600];
    make_folder(spec);
    bench whole = open_files(spec, augments[_i], 0);
    finish(&whole);
    for (size_t k = 0; k < sizeof(stops) / sizeof(stops[0]); k++) {
        bench parts = open_files(spec, augments[_i], 2);
        for (size_t i = 0; i < stops[k]; i++) {
            ck_assert_ok(wsr_trainer_step(parts.trainer));
        }
        (void)snprintf(path, sizeof(path), "%s/c", scratch_folder("grown"));
        ck_assert_ok(wsr_trainer_save(parts.trainer, path));
        close_bench(&parts);
        parts = open_files(spec, augments[_i], k % 2 == 0 ? 2 : 0);
        ck_assert_ok(wsr_trainer_load(parts.trainer, path));
        finish(&parts);
        ck_assert(same_nets(whole.net, parts.net));
        close_bench(&parts);
    }
    close_bench(&whole);
}
END_TEST

// A view of the phase's size is that of a data set of this size.
START_TEST(a_phase_is_a_training_with_that_size)
{
    char spec[600];
    make_folder(spec);
    wsr_loader *loaders[2] = {NULL, NULL};
    wsr_dataset *whole = NULL;
    wsr_dataset *sized = NULL;
    wsr_dataset *own = NULL;
    const wsr_batch *batches[2];
    ck_assert_ok(wsr_dataset_open(&whole, spec, "train", "size=32"));
    ck_assert_ok(wsr_dataset_open(&own, spec, "train", "size=24"));
    ck_assert_ok(wsr__dataset_at_size(&sized, whole, 24));
    ck_assert_ok(wsr_loader_new(&loaders[0], own, "batch=6"));
    ck_assert_ok(wsr_loader_new(&loaders[1], sized, "batch=6"));
    ck_assert_ok(wsr_loader_next(&batches[0], loaders[0]));
    ck_assert_ok(wsr_loader_next(&batches[1], loaders[1]));
    ck_assert(same_bits(wsr_batch_images(batches[0]),
                        wsr_batch_images(batches[1]),
                        6 * 3 * 24 * 24 * sizeof(float)));
    wsr_loader_free(loaders[0]);
    wsr_loader_free(loaders[1]);
    wsr_dataset_free(sized);
    wsr_dataset_free(own);
    wsr_dataset_free(whole);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {a_phase_is_a_training_with_that_size, NULL};
    Suite *const s = suite_of("sizes of files", tests);
    TCase *const loop = tcase_create("augmentations");
    tcase_set_timeout(loop, 60);
    tcase_add_loop_test(
        loop,
        images_of_files_grow_and_a_loaded_training_ends_with_the_same_bytes, 0,
        2);
    suite_add_tcase(s, loop);
    return s;
}
