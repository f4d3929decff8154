// SPDX-License-Identifier: Apache-2.0
//
// The released noise estimator against tensors that PyTorch computed with the
// authors' module: estimates for targets below, between and above the norms
// of the sources, loss, and every gradient.

#include "estimator/estimator.h"
#include "golden_support.h"

#define OUTPUT_TOL 2e-5 // absolute
#define LOSS_TOL 1e-5   // absolute

enum { B = 4, N = 3, T = 4, PIXELS = 3 * 32 * 32 };

typedef struct world {
    wsr__st *st;
    wsr_estimator *est;
    float *sources; // (b, n, pixels)
    float *images;
    float *targets; // (b, t)
    float *labels;  // (b, t, pixels)
} world;

static void open_world(world *w)
{
    const wsr_shape image = wsr__shape3(3, 32, 32);
    w->st = golden_open("ane_search_AN_estimator");
    ck_assert_ok(wsr_estimator_new(&w->est, "an:fidelity=released", &image, 1));
    golden_load(wsr_estimator_params(w->est), w->st, "state.");
    w->sources = golden_read(w->st, "source_noises", B * N * PIXELS);
    w->images = golden_read(w->st, "input_image", B * PIXELS);
    w->targets = golden_read(w->st, "target_epsilons", B * T);
    w->labels = golden_read(w->st, "label", B * T * PIXELS);
}

static void close_world(world *w)
{
    wsr__free(w->sources);
    wsr__free(w->images);
    wsr__free(w->targets);
    wsr__free(w->labels);
    wsr_estimator_free(w->est);
    wsr__st_free(w->st);
}

// Estimates (b, t, pixels) of the first t targets.
static float *estimate(const world *w, size_t t)
{
    float *const all = wsr__alloc(B * T * PIXELS, sizeof(float));
    float *const each = wsr__alloc(B * T * PIXELS, sizeof(float));
    float *const by_source = wsr__alloc(B * N * PIXELS, sizeof(float));
    const float *sources[N];
    float *dst[T];
    float targets[B * T];
    const size_t counts[3] = {B, N, t};
    for (size_t b = 0; b < B; b++) {
        memcpy(targets + b * t, w->targets + b * T, t * sizeof(float));
        for (size_t n = 0; n < N; n++) {
            memcpy(by_source + (n * B + b) * PIXELS,
                   w->sources + (b * N + n) * PIXELS, PIXELS * sizeof(float));
        }
    }
    for (size_t n = 0; n < N; n++) {
        sources[n] = by_source + n * B * PIXELS;
    }
    for (size_t i = 0; i < t; i++) {
        dst[i] = each + i * B * PIXELS;
    }
    ck_assert_ok(
        wsr_estimator_run(dst, w->est, sources, w->images, targets, counts));
    for (size_t b = 0; b < B; b++) {
        for (size_t i = 0; i < t; i++) {
            memcpy(all + (b * t + i) * PIXELS, dst[i] + b * PIXELS,
                   PIXELS * sizeof(float));
        }
    }
    wsr__free(each);
    wsr__free(by_source);
    return all;
}

START_TEST(all_targets_at_once_give_the_same_noises)
{
    world w;
    open_world(&w);
    float *const dst = estimate(&w, T);
    golden_near(dst, w.st, "eval.output", B * T * PIXELS, OUTPUT_TOL);
    wsr__free(dst);
    close_world(&w);
}
END_TEST

START_TEST(one_target_gives_the_same_noise)
{
    world w;
    open_world(&w);
    float *const dst = estimate(&w, 1);
    golden_near(dst, w.st, "eval.output_first_target_only", B * PIXELS,
                OUTPUT_TOL);
    wsr__free(dst);
    close_world(&w);
}
END_TEST

START_TEST(loss_and_gradients_are_the_same)
{
    world w;
    wsr__estimator_sample samples[B] = {{0}};
    const size_t counts[3] = {B, N, T};
    double loss = 0;
    open_world(&w);
    for (size_t b = 0; b < B; b++) {
        samples[b].image = w.images + b * PIXELS;
        samples[b].target = w.targets + b * T;
        samples[b].label = w.labels + b * T * PIXELS;
        for (size_t n = 0; n < N; n++) {
            samples[b].noise[n] = w.sources + (b * N + n) * PIXELS;
        }
    }
    ck_assert_ok(wsr__estimator_gradient(&loss, w.est, samples, counts));
    const float as_float = (float)loss;
    golden_near(&as_float, w.st, "train.loss", 1, LOSS_TOL);
    ck_assert_uint_eq(
        golden_gradients(wsr_estimator_params(w.est), w.st, "grad."), 22);
    close_world(&w);
}
END_TEST

START_TEST(the_number_of_parameters_is_the_same)
{
    world w;
    open_world(&w);
    ck_assert_int_eq(wsr_params_scalars(wsr_estimator_params(w.est)), 76763);
    close_world(&w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_targets_at_once_give_the_same_noises,
        one_target_gives_the_same_noise,
        loss_and_gradients_are_the_same,
        the_number_of_parameters_is_the_same,
        NULL,
    };
    return suite_of("golden_estimator", tests);
}
