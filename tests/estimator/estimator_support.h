// SPDX-License-Identifier: Apache-2.0
//
// What the tests of estimators share: a small batch of images, noises of
// ascending norm and targets around their norms.

#ifndef WSR_TESTS_ESTIMATOR_SUPPORT_H
#define WSR_TESTS_ESTIMATOR_SUPPORT_H

#include "estimator/estimator.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { B = 3, N = 3, T = 4, C = 2, H = 12, W = 10, PIXELS = C * H * W };

typedef struct batch {
    float noises[N + 1][B * PIXELS];
    float images[B * PIXELS];
    float targets[B * T];
    float dst[T][B * PIXELS];
} batch;

static inline double norm_of_row(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sqrt(sum);
}

/// Noise n has norms of about 0.3 (n + 1) sqrt(PIXELS / 3); the four targets
/// lie below, between (twice) and above the first three.
static inline batch *batch_new(uint64_t seed)
{
    batch *const b = wsr__alloc(1, sizeof(*b));
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < (size_t)B * PIXELS; i++) {
        b->images[i] = wsr__rng_uniform(&rng);
        for (size_t n = 0; n < N + 1; n++) {
            b->noises[n][i] = 0.3F * (float)(n + 1) *
                              (2 * wsr__rng_uniform(&rng) - 1);
        }
    }
    for (size_t i = 0; i < B; i++) {
        for (size_t t = 0; t < T; t++) {
            static const float at[T] = {0.5F, 1.4F, 2.2F, 4.0F};
            b->targets[i * T + t] = 0.3F * at[t] * sqrtf(PIXELS / 3.0F);
        }
    }
    return b;
}

static inline wsr_estimator *estimator_new(const char *spec)
{
    const wsr_shape image = wsr__shape3(C, H, W);
    wsr_estimator *estimator = NULL;
    ck_assert_ok(wsr_estimator_new(&estimator, spec, &image, 7));
    return estimator;
}

/// Estimate all targets from the noises in the order given.
static inline void run_in_order(batch *b, wsr_estimator *estimator,
                                const size_t order[N])
{
    const float *sources[N];
    float *dst[T];
    const size_t counts[3] = {B, N, T};
    for (size_t n = 0; n < N; n++) {
        sources[n] = b->noises[order[n]];
    }
    for (size_t t = 0; t < T; t++) {
        dst[t] = b->dst[t];
    }
    ck_assert_ok(wsr_estimator_run(dst, estimator, sources, b->images,
                                   b->targets, counts));
}

static inline void run(batch *b, wsr_estimator *estimator)
{
    run_in_order(b, estimator, (const size_t[N]){0, 1, 2});
}

/// Every estimate must have the norm that was asked for.
static inline void check_norms(const batch *b)
{
    for (size_t t = 0; t < T; t++) {
        for (size_t i = 0; i < B; i++) {
            const double norm = norm_of_row(b->dst[t] + i * PIXELS, PIXELS);
            ck_assert_double_eq_tol(norm, (double)b->targets[i * T + t], 1e-4);
        }
    }
}

static inline double largest_difference(const float *a, const float *b,
                                        size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        most = d > most || isnan(d) ? d : most;
    }
    return most;
}

/// Estimating one target alone must give what it gives among others; `equal`
/// false: must not.
static inline void check_alone(batch *b, wsr_estimator *estimator, bool equal)
{
    const float *const sources[N] = {b->noises[0], b->noises[1], b->noises[2]};
    static float alone[B * PIXELS];
    float *const dst[1] = {alone};
    const size_t counts[3] = {B, N, 1};
    double most = 0;
    run(b, estimator);
    for (size_t t = 0; t < T; t++) {
        float targets[B];
        for (size_t i = 0; i < B; i++) {
            targets[i] = b->targets[i * T + t];
        }
        ck_assert_ok(wsr_estimator_run(dst, estimator, sources, b->images,
                                       targets, counts));
        const double d =
            largest_difference(alone, b->dst[t], (size_t)B * PIXELS);
        most = d > most ? d : most;
    }
    ck_assert_msg(equal == (most < 1e-4), "largest difference is %g", most);
}

static inline void scale_weights(wsr_estimator *estimator, float factor)
{
    wsr_params *const params = wsr_estimator_params(estimator);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        float *const data = wsr_params_edit(params, i);
        const int64_t n = wsr_params_trainable(params, i)
                              ? wsr__params_at(params, i)->count
                              : 0;
        for (int64_t k = 0; k < n; k++) {
            data[k] *= factor;
        }
    }
}

/// Largest difference of the estimates with `spec` and with `other`, on the
/// same weights, times `factor`, and on noises in the given order.
static inline double difference_of(const char *spec, const char *other,
                                   const size_t order[N], float factor)
{
    batch *const a = batch_new(3);
    batch *const b = batch_new(3);
    wsr_estimator *const first = estimator_new(spec);
    wsr_estimator *const second = estimator_new(other);
    scale_weights(first, factor);
    scale_weights(second, factor);
    run_in_order(a, first, order);
    run_in_order(b, second, order);
    const double most =
        largest_difference(a->dst[0], b->dst[0], (size_t)T * B * PIXELS);
    wsr_estimator_free(first);
    wsr_estimator_free(second);
    wsr__free(a);
    wsr__free(b);
    return most;
}

/// Estimates with `spec` must differ from those with `other`. Small weights
/// make attention uniform, large ones make it choose: one of the two shows a
/// difference.
static inline void check_differs(const char *spec, const char *other,
                                 const size_t order[N])
{
    const double small = difference_of(spec, other, order, 1);
    const double large = difference_of(spec, other, order, 2);
    ck_assert_msg(small > 1e-5 || large > 1e-5,
                  "%s and %s estimate the same: %g, %g", spec, other, small,
                  large);
}

/// Gradient of the training loss against its slope along the gradient.
static inline void check_slope(const char *spec)
{
    const double h = 1e-4;
    batch *const b = batch_new(5);
    wsr_estimator *const est = estimator_new(spec);
    wsr_params *const params = wsr_estimator_params(est);
    wsr__estimator_sample samples[B] = {{0}};
    const size_t counts[3] = {B, N, 1};
    double loss[3];
    double square = 0;
    for (size_t i = 0; i < B; i++) {
        samples[i].image = b->images + i * PIXELS;
        samples[i].target = b->targets + i * T + 1;
        samples[i].label = b->noises[N] + i * PIXELS;
        for (size_t n = 0; n < N; n++) {
            samples[i].noise[n] = b->noises[n] + i * PIXELS;
        }
    }
    ck_assert_ok(wsr__estimator_gradient(&loss[0], est, samples, counts));
    float *slopes[256];
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        slopes[i] = NULL;
        if (p->has_grad) {
            slopes[i] = wsr__alloc((size_t)p->count, sizeof(float));
            memcpy(slopes[i], p->grad, (size_t)p->count * sizeof(float));
            square += norm_of_row(p->grad, (size_t)p->count) *
                      norm_of_row(p->grad, (size_t)p->count);
        }
    }
    for (size_t k = 1; k < 3; k++) {
        const double move = (k == 1 ? h : -2 * h) / sqrt(square);
        for (size_t i = 0; i < wsr_params_count(params); i++) {
            const int64_t n =
                slopes[i] == NULL ? 0 : wsr__params_at(params, i)->count;
            float *const data = wsr_params_edit(params, i);
            for (int64_t j = 0; j < n; j++) {
                data[j] += (float)(move * (double)slopes[i][j]);
            }
        }
        ck_assert_ok(wsr__estimator_gradient(&loss[k], est, samples, counts));
    }
    const double slope = (loss[1] - loss[2]) / (2 * h);
    ck_assert_msg(fabs(slope - sqrt(square)) < 0.03 * sqrt(square),
                  "%s: slope %g, gradient %g", spec, slope, sqrt(square));
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__free(slopes[i]);
    }
    wsr_estimator_free(est);
    wsr__free(b);
}

#endif
