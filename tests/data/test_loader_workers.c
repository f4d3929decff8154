// SPDX-License-Identifier: Apache-2.0
//
// Loaders whose threads decode and augment: what they yield depends neither on
// the number of threads nor on where they start. And repeated augmentation.

#include "data/loader_support.h"
#include "support/oom.h"
#include "support/pictures.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE = 24, FLOATS = 3 * SIDE * SIDE, BATCHES = 6, EPOCHS = 2 };

#define LIST "augment=[random_resized_crop,flip,cutout:length=5]"

// `n` pictures of two classes, of sizes that differ.
static wsr_dataset *make_files(const char *name, uint32_t n)
{
    char spec[512];
    const char *const folder = scratch_folder(name);
    wsr_dataset *dataset = NULL;
    need_pictures();
    for (uint32_t i = 0; i < n; i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/%02u.jpg",
                       i % 2 == 0 ? "even" : "odd", i);
        put_picture(folder, path, 30 + (int)(i % 7) * 9, 40 + (int)(i % 5) * 11,
                    i);
    }
    (void)snprintf(spec, sizeof(spec), "imagefolder:%s", folder);
    ck_assert_ok(wsr_dataset_open(&dataset, spec, NULL, "size=24"));
    return dataset;
}

START_TEST(batches_do_not_depend_on_threads_or_on_the_start)
{
    static const char *const modes[] = {
        "prefetch=0", "prefetch=1",           "workers=1",
        "workers=2",  "workers=3,prefetch=4", "workers=16,prefetch=2"};
    wsr_dataset *const dataset = make_files("threads", 23);
    uint64_t want[EPOCHS * BATCHES];
    for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
        char options[256];
        uint64_t have[EPOCHS * BATCHES];
        (void)snprintf(options, sizeof(options), "batch=4,seed=5,%s,%s", LIST,
                       modes[m]);
        wsr_loader *const loader = make_loader(dataset, options);
        ck_assert_uint_eq(wsr_loader_batches(loader), BATCHES);
        sums_of(m == 0 ? want : have, loader, EPOCHS * BATCHES, FLOATS);
        if (m > 0) {
            ck_assert_mem_eq(have, want, sizeof(want));
        }
        ck_assert_ok(wsr_loader_seek(loader, 1, 3));
        sums_of(have, loader, 2, FLOATS);
        ck_assert_mem_eq(have, want + BATCHES + 3, 2 * sizeof(want[0]));
        wsr_loader_free(loader);
    }
    ck_assert_uint_ne(want[0], want[BATCHES]);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(without_augmentation_images_are_those_of_the_view)
{
    wsr_dataset *const dataset = make_files("view", 5);
    wsr_loader *const loader =
        make_loader(dataset, "batch=5,shuffle=false,workers=2");
    const wsr_batch *batch = NULL;
    static float want[5 * FLOATS];
    ck_assert_ok(wsr_dataset_images(want, dataset, NULL, 5));
    ck_assert_ok(wsr_loader_next(&batch, loader));
    ck_assert(same_bits(wsr_batch_images(batch), want, sizeof(want)));
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

// Of two broken images in a batch the first is named, whoever meets which when.
START_TEST(the_first_failure_of_a_batch_is_named_and_can_be_retried)
{
    static const char *const modes[] = {"prefetch=0", "workers=1", "workers=8",
                                        "workers=3,prefetch=3"};
    wsr_dataset *const dataset = make_files("failure", 16);
    const char *const folder = scratch_folder("unused");
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/../scratch-failure/even/06.jpg",
                   folder);
    bytes good = get_file(path);
    bytes bad = {good.data, good.size / 2};
    for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
        char options[128];
        const wsr_batch *batch = NULL;
        (void)snprintf(options, sizeof(options), "batch=4,shuffle=false,%s",
                       modes[m]);
        wsr_loader *const loader = make_loader(dataset, options);
        put_file(path, &bad);
        for (int i = 0; i < 2; i++) {
            ck_assert_fails(wsr_loader_next(&batch, loader), WSR_FORMAT,
                            "even/06.jpg: JPEG image is truncated");
            ck_assert_ptr_null(batch);
            ck_assert_uint_eq(wsr_loader_position(loader), 0);
        }
        put_file(path, &good);
        ck_assert_ok(wsr_loader_next(&batch, loader));
        ck_assert_uint_eq(wsr_batch_count(batch), 4);
        wsr_loader_free(loader);
    }
    bytes_free(&good);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(threads_without_batches_ahead_are_refused)
{
    wsr_dataset *const dataset = make_files("refused", 2);
    wsr_loader *loader = NULL;
    ck_assert_fails(wsr_loader_new(&loader, dataset, "workers=2,prefetch=0"),
                    WSR_CONFIG, "loader.workers: threads need loader.prefetch");
    ck_assert_ptr_null(loader);
    wsr_dataset_free(dataset);
}
END_TEST

// ------------------------------------------------------------------- repeats

enum { MANY = 600, SMALL = 3 * 8 * 8 };

// Images in memory whose first pixel is their number.
static wsr_dataset *make_many(size_t n)
{
    unsigned char *const pixels = wsr__alloc(n, SMALL);
    int32_t *const labels = wsr__alloc(n, sizeof(*labels));
    const wsr_shape shape = {4, {(int64_t)n, 3, 8, 8}};
    wsr_dataset *dataset = NULL;
    for (size_t i = 0; i < n * SMALL; i++) {
        pixels[i] = (unsigned char)(i * 31 % 251);
    }
    ck_assert_ok(wsr_dataset_new(&dataset, pixels, labels, &shape, 2));
    wsr__free(pixels);
    wsr__free(labels);
    return dataset;
}

// As the RASampler with one process: each image of the permutation three times
// in a row, and the first 512 of 600 samples.
START_TEST(images_are_repeated_in_a_row_and_augmented_anew)
{
    wsr_dataset *const dataset = make_many(MANY);
    wsr_loader *const once =
        make_loader(dataset, "batch=600,seed=4,augment=[random_crop:pad=3]");
    wsr_loader *const thrice = make_loader(
        dataset, "batch=600,seed=4,repeats=3,augment=[random_crop:pad=3]");
    const wsr_batch *a = NULL;
    const wsr_batch *b = NULL;
    size_t same = 0;
    ck_assert_ok(wsr_loader_next(&a, once));
    ck_assert_ok(wsr_loader_next(&b, thrice));
    ck_assert_uint_eq(wsr_batch_count(b), 512);
    ck_assert_uint_eq(wsr_loader_batches(thrice), 1);
    const float *const x = wsr_batch_images(a);
    const float *const y = wsr_batch_images(b);
    for (size_t i = 0; i < 512; i++) {
        ck_assert_uint_eq(wsr_batch_indices(b)[i], wsr_batch_indices(a)[i / 3]);
        if (i % 3 == 0) { // the first showing is that without repeats
            ck_assert(same_bits(y + i * SMALL, x + i / 3 * SMALL,
                                SMALL * sizeof(float)));
        } else {
            same += same_bits(y + i * SMALL, y + (i - 1) * SMALL,
                              SMALL * sizeof(float));
        }
    }
    ck_assert_uint_lt(same, 40); // of 49 places two are alike now and then
    wsr_loader_free(once);
    wsr_loader_free(thrice);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(few_images_are_not_cut_to_a_multiple)
{
    wsr_dataset *const dataset = make_many(10);
    wsr_loader *const loader = make_loader(dataset, "batch=4,repeats=2");
    ck_assert_uint_eq(wsr_loader_batches(loader), 3);
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

static wsr_status use(void *ctx)
{
    wsr_loader *loader = NULL;
    const wsr_batch *batch = NULL;
    wsr_status status = wsr_loader_new(&loader, ctx, "batch=3,workers=2," LIST);
    for (size_t i = 0; i < 4 && status == WSR_OK; i++) {
        status = wsr_loader_next(&batch, loader);
    }
    wsr_loader_free(loader);
    return status;
}

// With several threads the n-th request is another each time, so it is not
// known whether it fails what is wanted or what is prepared ahead.
START_TEST(short_memory_leaves_nothing_behind)
{
    wsr_dataset *const dataset = make_files("memory", 7);
    size_t failed = 0;
    for (size_t n = 1; n < 60; n++) {
        oom_begin(n);
        const wsr_status status = use(dataset);
        ck_assert(status == WSR_OK || status == WSR_NOMEM);
        failed += status == WSR_NOMEM;
        ck_assert_uint_eq(oom_live(), 0);
        oom_end();
    }
    ck_assert_uint_gt(failed, 10);
    wsr_dataset_free(dataset);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        batches_do_not_depend_on_threads_or_on_the_start,
        without_augmentation_images_are_those_of_the_view,
        the_first_failure_of_a_batch_is_named_and_can_be_retried,
        threads_without_batches_ahead_are_refused,
        images_are_repeated_in_a_row_and_augmented_anew,
        few_images_are_not_cut_to_a_multiple,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("loader_workers", tests);
}
