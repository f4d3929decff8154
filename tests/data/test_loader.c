// SPDX-License-Identifier: Apache-2.0

#include "data/loader_support.h"
#include "support/oom.h"

#include <stdlib.h>
#include <string.h>

enum { N = 53, C = 3, SIDE = 8, FLOATS = C * SIDE * SIDE };

static wsr_dataset *make_data(void)
{
    static unsigned char images[N * FLOATS];
    int32_t labels[N];
    const wsr_shape shape = {4, {N, C, SIDE, SIDE}};
    wsr_dataset *dataset = NULL;
    for (size_t i = 0; i < N * FLOATS; i++) {
        images[i] = (unsigned char)(i % 251 + i / 4001);
    }
    for (size_t i = 0; i < N; i++) {
        labels[i] = (int32_t)(i % 7);
    }
    ck_assert_ok(wsr_dataset_new(&dataset, images, labels, &shape, 7));
    return dataset;
}

enum { EPOCHS = 3, BATCH = 8, BATCHES = (N + BATCH - 1) / BATCH };

#define AUGMENTED \
    "batch=8,seed=11,augment=[random_crop:pad=2,flip,cutout:length=3]"

// Sample i of a batch is what the data set holds.
static void check_sample(const wsr_dataset *dataset, const wsr_batch *batch,
                         size_t i)
{
    const size_t index = wsr_batch_indices(batch)[i];
    float want[FLOATS];
    ck_assert_uint_lt(index, N);
    ck_assert_int_eq(wsr_batch_labels(batch)[i], (int32_t)(index % 7));
    ck_assert_ok(wsr_dataset_images(want, dataset, &index, 1));
    ck_assert_mem_eq(wsr_batch_images(batch) + i * FLOATS, want, sizeof(want));
}

// Run through an epoch and note its order.
static void check_epoch(size_t order[N], const wsr_dataset *dataset,
                        wsr_loader *loader)
{
    bool seen[N] = {false};
    size_t n = 0;
    const wsr_batch *batch = NULL;
    for (size_t b = 0; b < BATCHES; b++) {
        ck_assert_uint_eq(wsr_loader_position(loader), b);
        ck_assert_ok(wsr_loader_next(&batch, loader));
        ck_assert_uint_eq(wsr_batch_count(batch),
                          b + 1 < BATCHES ? BATCH : N % BATCH);
        for (size_t i = 0; i < wsr_batch_count(batch); i++) {
            check_sample(dataset, batch, i);
            order[n] = wsr_batch_indices(batch)[i];
            ck_assert(!seen[order[n]]);
            seen[order[n++]] = true;
        }
    }
    ck_assert_uint_eq(n, N);
    ck_assert_ok(wsr_loader_next(&batch, loader));
    ck_assert_ptr_null(batch);
}

START_TEST(an_epoch_visits_every_sample_once_in_a_new_order)
{
    wsr_dataset *const dataset = make_data();
    wsr_loader *const loader = make_loader(dataset, "batch=8,seed=3");
    size_t order[EPOCHS][N];
    ck_assert_uint_eq(wsr_loader_batches(loader), BATCHES);
    for (size_t e = 0; e < EPOCHS; e++) {
        ck_assert_uint_eq(wsr_loader_epoch(loader), e);
        check_epoch(order[e], dataset, loader);
    }
    ck_assert_mem_ne(order[0], order[1], sizeof(order[0]));
    ck_assert_mem_ne(order[1], order[2], sizeof(order[0]));
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(without_shuffling_the_order_is_that_of_the_data)
{
    wsr_dataset *const dataset = make_data();
    wsr_loader *const loader = make_loader(dataset, "batch=10,shuffle=false");
    const wsr_batch *batch = NULL;
    size_t n = 0;
    for (;;) {
        ck_assert_ok(wsr_loader_next(&batch, loader));
        if (batch == NULL) {
            break;
        }
        for (size_t i = 0; i < wsr_batch_count(batch); i++) {
            ck_assert_uint_eq(wsr_batch_indices(batch)[i], n++);
        }
    }
    ck_assert_uint_eq(n, N);
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(prefetching_changes_nothing)
{
    static const char *const modes[] = {AUGMENTED ",prefetch=0", AUGMENTED,
                                        AUGMENTED ",prefetch=2",
                                        AUGMENTED ",prefetch=16"};
    wsr_dataset *const dataset = make_data();
    uint64_t want[EPOCHS * BATCHES];
    uint64_t got[EPOCHS * BATCHES];
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        wsr_loader *const loader = make_loader(dataset, modes[i]);
        sums_of(i == 0 ? want : got, loader, EPOCHS * BATCHES, FLOATS);
        if (i > 0) {
            ck_assert_mem_eq(got, want, sizeof(want));
        }
        wsr_loader_free(loader);
    }
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(any_start_yields_the_same_batches_from_there_on)
{
    wsr_dataset *const dataset = make_data();
    uint64_t want[EPOCHS * BATCHES];
    uint64_t got[EPOCHS * BATCHES];
    wsr_loader *loader = make_loader(dataset, AUGMENTED);
    sums_of(want, loader, EPOCHS * BATCHES, FLOATS);
    // In any order on one loader, and on a fresh one.
    for (size_t k = 0; k < EPOCHS * BATCHES; k++) {
        const size_t at = k * 5 % (EPOCHS * BATCHES);
        const size_t n = EPOCHS * BATCHES - at < 4 ? EPOCHS * BATCHES - at : 4;
        if (k % 4 == 0) {
            wsr_loader_free(loader);
            loader = make_loader(dataset, k % 8 == 0 ? AUGMENTED ",prefetch=0"
                                                     : AUGMENTED);
        }
        ck_assert_ok(wsr_loader_seek(loader, at / BATCHES, at % BATCHES));
        sums_of(got, loader, n, FLOATS);
        ck_assert_mem_eq(got, want + at, n * sizeof(*want));
    }
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(seeking_to_where_the_loader_stands_keeps_the_sequence)
{
    wsr_dataset *const dataset = make_data();
    uint64_t want[EPOCHS * BATCHES];
    uint64_t got[EPOCHS * BATCHES];
    wsr_loader *const plain = make_loader(dataset, AUGMENTED ",prefetch=0");
    wsr_loader *const loader = make_loader(dataset, AUGMENTED);
    sums_of(want, plain, EPOCHS * BATCHES, FLOATS);
    for (size_t e = 0; e < EPOCHS; e++) {
        ck_assert_ok(wsr_loader_seek(loader, e, 0));
        for (size_t b = 0; b < BATCHES; b++) {
            ck_assert_ok(wsr_loader_seek(loader, e, b));
            sums_of(&got[e * BATCHES + b], loader, 1, FLOATS);
        }
        if (e == 1) {
            const wsr_batch *batch = NULL;
            ck_assert_ok(wsr_loader_seek(loader, e, BATCHES));
            ck_assert_ok(wsr_loader_next(&batch, loader));
            ck_assert_ptr_null(batch);
        }
    }
    ck_assert_mem_eq(got, want, sizeof(want));
    wsr_loader_free(plain);
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

// Image of one sample in an epoch, whatever the batches.
static void find_image(float *dst, const wsr_dataset *dataset,
                       const char *options, uint64_t epoch, size_t index)
{
    wsr_loader *const loader = make_loader(dataset, options);
    const wsr_batch *batch = NULL;
    ck_assert_ok(wsr_loader_seek(loader, epoch, 0));
    for (;;) {
        ck_assert_ok(wsr_loader_next(&batch, loader));
        ck_assert_ptr_nonnull(batch);
        for (size_t i = 0; i < wsr_batch_count(batch); i++) {
            if (wsr_batch_indices(batch)[i] == index) {
                memcpy(dst, wsr_batch_images(batch) + i * FLOATS,
                       FLOATS * sizeof(float));
                wsr_loader_free(loader);
                return;
            }
        }
    }
}

static bool differ(const float *x, const float *y)
{
    size_t n = 0;
    for (size_t i = 0; i < FLOATS; i++) {
        n += x[i] != y[i];
    }
    return n > 0;
}

START_TEST(augmentation_depends_on_seed_epoch_and_sample_alone)
{
    const char *const a = "batch=8,seed=5,augment=[random_crop:pad=2,flip]";
    const char *const b =
        "batch=53,shuffle=false,seed=5,augment=[random_crop:pad=2,flip]";
    const char *const other = "batch=8,seed=6,augment=[random_crop:pad=2,flip]";
    wsr_dataset *const dataset = make_data();
    size_t changed_by_epoch = 0;
    size_t changed_by_seed = 0;
    for (size_t index = 0; index < 10; index++) {
        float x[FLOATS];
        float y[FLOATS];
        find_image(x, dataset, a, 4, index);
        find_image(y, dataset, b, 4, index);
        ck_assert_mem_eq(x, y, sizeof(x));
        find_image(y, dataset, a, 5, index);
        changed_by_epoch += differ(x, y);
        find_image(y, dataset, other, 4, index);
        changed_by_seed += differ(x, y);
    }
    ck_assert_uint_ge(changed_by_epoch, 7);
    ck_assert_uint_ge(changed_by_seed, 7);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(equal_images_are_augmented_each_in_its_own_way)
{
    static unsigned char images[N * FLOATS];
    static const int32_t labels[N];
    const wsr_shape shape = {4, {N, C, SIDE, SIDE}};
    wsr_dataset *dataset = NULL;
    const wsr_batch *batch = NULL;
    size_t others = 0;
    for (size_t i = 0; i < N * FLOATS; i++) {
        images[i] = (unsigned char)(i % FLOATS + 1);
    }
    ck_assert_ok(wsr_dataset_new(&dataset, images, labels, &shape, 1));
    wsr_loader *const loader =
        make_loader(dataset, "batch=53,augment=[random_crop:pad=2,flip]");
    ck_assert_ok(wsr_loader_next(&batch, loader));
    for (size_t i = 1; i < N; i++) {
        others += differ(wsr_batch_images(batch),
                         wsr_batch_images(batch) + i * FLOATS);
    }
    ck_assert_uint_ge(others, N / 2);
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(the_last_smaller_batch_can_be_dropped)
{
    wsr_dataset *const dataset = make_data();
    wsr_loader *loader = make_loader(dataset, "batch=8,drop_last=true");
    const wsr_batch *batch = NULL;
    ck_assert_uint_eq(wsr_loader_batches(loader), N / BATCH);
    for (size_t b = 0; b < N / BATCH; b++) {
        ck_assert_ok(wsr_loader_next(&batch, loader));
        ck_assert_uint_eq(wsr_batch_count(batch), BATCH);
    }
    ck_assert_ok(wsr_loader_next(&batch, loader));
    ck_assert_ptr_null(batch);
    wsr_loader_free(loader);
    ck_assert_fails(wsr_loader_new(&loader, dataset, "batch=54,drop_last=true"),
                    WSR_CONFIG, "loader.batch: 54 is outside [1, 53]");
    ck_assert_ptr_null(loader);
    loader = make_loader(dataset, "batch=1000");
    ck_assert_uint_eq(wsr_loader_batches(loader), 1);
    ck_assert_ok(wsr_loader_next(&batch, loader));
    ck_assert_uint_eq(wsr_batch_count(batch), N);
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(augmentation_may_change_the_shape)
{
    wsr_dataset *const dataset = make_data();
    wsr_loader *const loader =
        make_loader(dataset, "batch=4,augment=[pad:pixels=3,value=0.25]");
    const wsr_batch *batch = NULL;
    const size_t plane = (SIDE + 6) * (SIDE + 6);
    const wsr_shape want = {3, {C, SIDE + 6, SIDE + 6}};
    ck_assert(wsr_shape_equal(wsr_loader_shape(loader), &want));
    ck_assert_ok(wsr_loader_next(&batch, loader));
    for (size_t i = 0; i < 4; i++) {
        ck_assert(wsr_batch_images(batch)[i * plane] == 0.25f);
    }
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(a_batch_stays_until_the_next_call)
{
    wsr_dataset *const dataset = make_data();
    wsr_loader *const loader = make_loader(dataset, AUGMENTED ",prefetch=2");
    for (size_t i = 0; i < 40; i++) {
        const wsr_batch *batch = NULL;
        ck_assert_ok(wsr_loader_next(&batch, loader));
        if (batch == NULL) {
            continue;
        }
        const uint64_t sum = sum_of(batch, FLOATS);
        const double end = wsr__seconds() + 0.002;
        while (wsr__seconds() < end) {
            ck_assert(sum_of(batch, FLOATS) == sum);
        }
    }
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(a_loader_can_be_freed_at_any_moment)
{
    wsr_dataset *const dataset = make_data();
    for (size_t k = 0; k < 300; k++) {
        const wsr_batch *batch = NULL;
        wsr_loader *const loader = make_loader(
            dataset, k % 2 == 0 ? AUGMENTED : AUGMENTED ",prefetch=7");
        for (size_t i = 0; i < k % 11; i++) {
            ck_assert_ok(wsr_loader_next(&batch, loader));
        }
        if (k % 3 == 0) {
            ck_assert_ok(wsr_loader_seek(loader, k, k % 5));
        }
        wsr_loader_free(loader);
    }
    wsr_loader_free(NULL);
    wsr_dataset_free(dataset);
}
END_TEST

typedef struct faults {
    size_t index;
    bool active;
} faults;

static wsr_status read_faulty(float *dst, const wsr_dataset *dataset,
                              size_t index)
{
    const faults *const f = dataset->user;
    if (f->active && index == f->index) {
        return WSR_FAIL(WSR_IO, "sample %zu: is broken", index);
    }
    for (size_t i = 0; i < FLOATS; i++) {
        dst[i] = (float)index;
    }
    return WSR_OK;
}

START_TEST(a_failure_of_reading_arrives_with_its_detail_and_can_be_retried)
{
    static const char *const modes[] = {"batch=8,shuffle=false,prefetch=0",
                                        "batch=8,shuffle=false",
                                        "batch=8,shuffle=false,prefetch=9"};
    wsr_dataset *const dataset = make_data();
    faults f = {20, true};
    dataset->read = read_faulty;
    dataset->user = &f;
    for (size_t k = 0; k < 3; k++) {
        wsr_loader *const loader = make_loader(dataset, modes[k]);
        const wsr_batch *batch = NULL;
        f.active = true;
        ck_assert_ok(wsr_loader_next(&batch, loader));
        ck_assert_ok(wsr_loader_next(&batch, loader));
        for (size_t i = 0; i < 2; i++) {
            ck_assert_fails(wsr_loader_next(&batch, loader), WSR_IO,
                            "sample 20: is broken");
            ck_assert_ptr_null(batch);
            ck_assert_uint_eq(wsr_loader_position(loader), 2);
        }
        f.active = false;
        ck_assert_ok(wsr_loader_next(&batch, loader));
        ck_assert_uint_eq(wsr_batch_indices(batch)[4], 20);
        ck_assert(wsr_batch_images(batch)[4 * FLOATS] == 20.0f);
        wsr_loader_free(loader);
    }
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(bad_options_are_refused)
{
    wsr_dataset *const dataset = make_data();
    wsr_loader *loader = NULL;
    static const struct {
        const char *options;
        wsr_status code;
        const char *words;
    } bad[] = {
        {"batch=0", WSR_CONFIG, "loader.batch: 0 is outside [1, 65536]"},
        {"bacth=4", WSR_CONFIG, "did you mean 'loader.batch'"},
        {"prefetch=17", WSR_CONFIG, "loader.prefetch: 17 is outside [0, 16]"},
        {"shuffle=maybe", WSR_CONFIG, "loader.shuffle"},
        {"augment=[flop]", WSR_NOTFOUND, "did you mean 'flip'"},
        {"augment=[flip:p=2]", WSR_CONFIG, "flip.p: 2 is outside [0, 1]"},
        {"augment=[replicate:channels=4]", WSR_CONFIG, "replicate.channels"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_fails(wsr_loader_new(&loader, dataset, bad[i].options),
                        bad[i].code, bad[i].words);
        ck_assert_ptr_null(loader);
    }
    ck_assert_fails(wsr_loader_new(&loader, NULL, ""), WSR_ARG, "dataset");
    loader = make_loader(dataset, NULL);
    ck_assert_fails(wsr_loader_seek(loader, 0, 2), WSR_ARG,
                    "batch 2 is outside [0, 1]");
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

static wsr_status use(void *ctx)
{
    wsr_loader *loader = NULL;
    const wsr_batch *batch = NULL;
    wsr_status status = wsr_loader_new(&loader, ctx, AUGMENTED);
    for (size_t i = 0; i < 10 && status == WSR_OK; i++) {
        status = wsr_loader_next(&batch, loader);
    }
    wsr_loader_free(loader);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    wsr_dataset *const dataset = make_data();
    ck_assert_uint_ge(oom_sweep(use, dataset), 12);
    wsr_dataset_free(dataset);
}
END_TEST

START_TEST(nothing_is_allocated_while_batches_are_made)
{
    wsr_dataset *const dataset = make_data();
    wsr_loader *const loader = make_loader(dataset, AUGMENTED);
    const wsr_batch *batch = NULL;
    ck_assert_ok(wsr_loader_next(&batch, loader));
    oom_begin(1);
    for (size_t i = 0; i < 30; i++) {
        ck_assert_ok(wsr_loader_next(&batch, loader));
    }
    ck_assert_uint_eq(oom_requests(), 0);
    oom_end();
    wsr_loader_free(loader);
    wsr_dataset_free(dataset);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        an_epoch_visits_every_sample_once_in_a_new_order,
        without_shuffling_the_order_is_that_of_the_data,
        prefetching_changes_nothing,
        any_start_yields_the_same_batches_from_there_on,
        seeking_to_where_the_loader_stands_keeps_the_sequence,
        augmentation_depends_on_seed_epoch_and_sample_alone,
        equal_images_are_augmented_each_in_its_own_way,
        the_last_smaller_batch_can_be_dropped,
        augmentation_may_change_the_shape,
        a_batch_stays_until_the_next_call,
        a_loader_can_be_freed_at_any_moment,
        a_failure_of_reading_arrives_with_its_detail_and_can_be_retried,
        bad_options_are_refused,
        short_memory_leaves_nothing_behind,
        nothing_is_allocated_while_batches_are_made,
        NULL,
    };
    return suite_of("loader", tests);
}
