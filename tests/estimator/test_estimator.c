// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"
#include "support/oom.h"

START_TEST(unknown_estimators_and_options_are_named)
{
    const wsr_shape image = wsr__shape3(C, H, W);
    wsr_estimator *est = NULL;
    ck_assert_fails(wsr_estimator_new(&est, "am", &image, 1), WSR_NOTFOUND,
                    "estimator: there is no 'am'");
    ck_assert_ptr_null(est);
    ck_assert_fails(wsr_estimator_new(&est, "an:batch=0", &image, 1),
                    WSR_CONFIG, "an.batch: 0 is outside [1, 65536]");
    ck_assert_fails(wsr_estimator_new(&est, "an:fidelity=paper", &image, 1),
                    WSR_CONFIG, "an.fidelity");
}
END_TEST

START_TEST(images_it_cannot_work_on_are_refused)
{
    wsr_estimator *est = NULL;
    const wsr_shape small = wsr__shape3(3, 3, 32);
    const wsr_shape flat = wsr__shape2(32, 32);
    ck_assert_fails(wsr_estimator_new(&est, "an", &small, 1), WSR_SHAPE,
                    "not (3, 3, 32)");
    ck_assert_fails(wsr_estimator_new(&est, "an", &flat, 1), WSR_SHAPE,
                    "not (32, 32)");
}
END_TEST

// The strides of its convolutions grow with the image.
START_TEST(large_images_are_estimated)
{
    enum { LONG = 600, SHORT = 4, SIZE = LONG * SHORT };
    static float x[SIZE];
    static float y[SIZE];
    wsr_estimator *est = NULL;
    const float *const sources[1] = {x};
    float *const dst[1] = {y};
    const float norm = 3;
    double square = 0;
    const wsr_shape image = wsr__shape3(1, LONG, SHORT);
    for (size_t i = 0; i < SIZE; i++) {
        x[i] = (float)(i % 7) - 3;
    }
    ck_assert_ok(wsr_estimator_new(&est, "an:memory=2", &image, 1));
    ck_assert_ok(wsr_estimator_run(dst, est, sources, x, &norm,
                                   (const size_t[3]){1, 1, 1}));
    for (size_t i = 0; i < SIZE; i++) {
        square += (double)y[i] * (double)y[i];
    }
    ck_assert_double_eq_tol(square, 9, 1e-4);
    wsr_estimator_free(est);
}
END_TEST

START_TEST(counts_are_checked)
{
    static float x[PIXELS];
    const float *const sources[1] = {x};
    float *const dst[1] = {x};
    wsr_estimator *const est = estimator_new("an");
    ck_assert_fails(
        wsr_estimator_run(dst, est, sources, x, x, (const size_t[3]){0, 1, 1}),
        WSR_ARG, "batch: 0 is outside [1,");
    ck_assert_fails(
        wsr_estimator_run(dst, est, sources, x, x, (const size_t[3]){1, 16, 1}),
        WSR_ARG, "sources: 16 is outside [1, 15]");
    ck_assert_fails(
        wsr_estimator_run(dst, est, sources, x, x, (const size_t[3]){1, 1, 33}),
        WSR_ARG, "targets: 33 is outside [1, 32]");
    wsr_estimator_free(est);
}
END_TEST

// Estimate the first `n` images alone, from the first `sources` noises.
static void run_some(float *out, batch *b, wsr_estimator *est, size_t n,
                     size_t sources)
{
    const float *const noises[N] = {b->noises[0], b->noises[1], b->noises[2]};
    float targets[B];
    float *const dst[1] = {out};
    const size_t counts[3] = {n, sources, 1};
    for (size_t i = 0; i < n; i++) {
        targets[i] = b->targets[i * T + 1];
    }
    ck_assert_ok(
        wsr_estimator_run(dst, est, noises, b->images, targets, counts));
}

START_TEST(plans_come_and_go_without_a_trace)
{
    static float first[B * PIXELS];
    static float again[B * PIXELS];
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new("an");
    run_some(first, b, est, B, N);
    for (size_t round = 0; round < 2; round++) {
        for (size_t n = 1; n <= B; n++) { // more than are kept
            for (size_t sources = 1; sources <= N; sources++) {
                run_some(again, b, est, n, sources);
                run(b, est);
            }
        }
    }
    run_some(again, b, est, B, N);
    ck_assert_mem_eq(first, again, sizeof(first));
    run_some(again, b, est, 1, N);
    ck_assert(largest_difference(first, again, PIXELS) < 1e-5);
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_weights)
{
    wsr_estimator *const a = estimator_new("an");
    wsr_estimator *const b = estimator_new("an");
    for (size_t i = 0; i < wsr_params_count(a->params); i++) {
        ck_assert_mem_eq(wsr_params_data(a->params, i),
                         wsr_params_data(b->params, i), sizeof(float));
    }
    wsr_estimator_free(a);
    wsr_estimator_free(b);
}
END_TEST

static wsr_status make_and_run(void *ctx)
{
    batch *const b = ctx;
    const wsr_shape image = wsr__shape3(C, H, W);
    const float *const noises[N + 1] = {b->noises[0], b->noises[1],
                                        b->noises[2], b->noises[3]};
    float *const dst[1] = {b->dst[0]};
    const size_t counts[3] = {B, N, 1};
    wsr_estimator *est = NULL;
    wsr_status status =
        wsr_estimator_new(&est, "an:memory=8,batch=8,passes=1", &image, 1);
    if (status == WSR_OK) {
        status =
            wsr_estimator_run(dst, est, noises, b->images, b->targets, counts);
    }
    if (status == WSR_OK) {
        status = wsr_estimator_remember(est, noises, b->images, N + 1, B);
    }
    if (status == WSR_OK) {
        status = wsr_estimator_train(NULL, est, 0);
    }
    wsr_estimator_free(est);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    batch *const b = batch_new(1);
    ck_assert_ok(make_and_run(b)); // fills caches that outlive it
    ck_assert_uint_gt(oom_sweep(make_and_run, b), 100);
    wsr__free(b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        unknown_estimators_and_options_are_named,
        images_it_cannot_work_on_are_refused,
        large_images_are_estimated,
        counts_are_checked,
        plans_come_and_go_without_a_trace,
        the_same_seed_gives_the_same_weights,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("estimator", tests);
}
