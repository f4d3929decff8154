// SPDX-License-Identifier: Apache-2.0
//
// Small models to attack: a smooth classifier of 3x6x6 images with known
// gradients, given through callbacks, and images that it gets right.

#ifndef WSR_TESTS_ATTACK_MODEL_SUPPORT_H
#define WSR_TESTS_ATTACK_MODEL_SUPPORT_H

#include "attack/attack.h"
#include "attack/engine/batch.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum {
    TOY_C = 3,
    TOY_SIDE = 6,
    TOY_D = TOY_C * TOY_SIDE * TOY_SIDE,
    TOY_CLASSES = 5,
    TOY_HIDDEN = 12,
    TOY_MOST = 128
};

/// logits = V tanh(W (x - 1/2)).
typedef struct toy {
    float w[TOY_HIDDEN * TOY_D];
    float v[TOY_CLASSES * TOY_HIDDEN];
    float h[TOY_MOST * TOY_HIDDEN]; // of the last call
    size_t calls;
    size_t most; // images of one call
} toy;

static inline wsr_status toy_logits(float *logits, const float *x, size_t n,
                                    void *user)
{
    toy *const t = user;
    t->calls++;
    t->most = n > t->most ? n : t->most;
    for (size_t i = 0; i < n; i++) {
        float *const h = t->h + i * TOY_HIDDEN;
        for (size_t j = 0; j < TOY_HIDDEN; j++) {
            float sum = 0;
            for (size_t p = 0; p < TOY_D; p++) {
                sum += t->w[j * TOY_D + p] * (x[i * TOY_D + p] - 0.5f);
            }
            h[j] = tanhf(sum);
        }
        for (size_t c = 0; c < TOY_CLASSES; c++) {
            float sum = 0;
            for (size_t j = 0; j < TOY_HIDDEN; j++) {
                sum += t->v[c * TOY_HIDDEN + j] * h[j];
            }
            logits[i * TOY_CLASSES + c] = sum;
        }
    }
    return WSR_OK;
}

static inline wsr_status toy_backward(float *dx, const float *dlogits, size_t n,
                                      void *user)
{
    const toy *const t = user;
    for (size_t i = 0; i < n; i++) {
        const float *const h = t->h + i * TOY_HIDDEN;
        memset(dx + i * TOY_D, 0, TOY_D * sizeof(*dx));
        for (size_t j = 0; j < TOY_HIDDEN; j++) {
            float dh = 0;
            for (size_t c = 0; c < TOY_CLASSES; c++) {
                dh += dlogits[i * TOY_CLASSES + c] * t->v[c * TOY_HIDDEN + j];
            }
            dh *= 1 - h[j] * h[j];
            for (size_t p = 0; p < TOY_D; p++) {
                dx[i * TOY_D + p] += dh * t->w[j * TOY_D + p];
            }
        }
    }
    return WSR_OK;
}

static inline void toy_fill(toy *t, uint64_t seed)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 0, 0);
    memset(t, 0, sizeof(*t));
    for (size_t i = 0; i < TOY_HIDDEN * TOY_D; i++) {
        t->w[i] = (float)(0.35 * wsr__rng_normal(&rng));
    }
    for (size_t i = 0; i < TOY_CLASSES * TOY_HIDDEN; i++) {
        t->v[i] = (float)wsr__rng_normal(&rng);
    }
}

/// A model of a toy; free it with wsr_model_free.
static inline wsr_model *toy_model(toy *t, bool gradients)
{
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    wsr_model *model = NULL;
    ck_assert_ok(wsr_model_new(&model, &shape, TOY_CLASSES, toy_logits,
                               gradients ? toy_backward : NULL, t));
    return model;
}

/// n images, some of their pixels exactly 0 or 1, labelled by the model; every
/// seventh label is wrong.
static inline void toy_images(float *x, int32_t *labels, size_t n, toy *t,
                              uint64_t seed)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 1, 0);
    for (size_t i = 0; i < n * TOY_D; i++) {
        const float v = 1.4f * wsr__rng_uniform(&rng) - 0.2f;
        x[i] = v < 0 ? 0 : v > 1 ? 1 : v;
    }
    for (size_t i = 0; i < n; i++) {
        float z[TOY_CLASSES];
        ck_assert_ok(toy_logits(z, x + i * TOY_D, 1, t));
        labels[i] = wsr__argmax(z, TOY_CLASSES);
        labels[i] = i % 7 == 6 ? (labels[i] + 1) % TOY_CLASSES : labels[i];
    }
}

/// What is attacked: n images through a model.
typedef struct toy_task {
    wsr_model *model;
    const float *x;
    const int32_t *labels;
    size_t n;
} toy_task;

/// Run an attack by its spec.
static inline wsr_attack_result *toy_attack(const char *spec,
                                            const char *options,
                                            const float *eps, size_t n_eps,
                                            const toy_task *t)
{
    wsr_attack *attack = NULL;
    wsr_attack_result *result = NULL;
    ck_assert_ok(wsr_attack_new(&attack, spec, options));
    ck_assert_ok(wsr_attack_set_strengths(attack, eps, n_eps));
    ck_assert_ok(
        wsr_attack_run(&result, attack, t->model, t->x, t->labels, t->n));
    wsr_attack_free(attack);
    return result;
}

enum { TOY_N = 21 };

/// A toy with images of its own.
typedef struct toy_world {
    toy of;
    float x[TOY_N * TOY_D];
    int32_t labels[TOY_N];
    wsr_model *model;
} toy_world;

static inline toy_world *toy_begin(uint64_t seed)
{
    static toy_world world;
    toy_fill(&world.of, seed);
    toy_images(world.x, world.labels, TOY_N, &world.of, seed);
    world.model = toy_model(&world.of, true);
    return &world;
}

static inline void toy_end(toy_world *w)
{
    wsr_model_free(w->model);
}

/// Result of an attack at one strength.
static inline wsr_attack_result *toy_run(toy_world *w, const char *spec,
                                         const char *options, float eps)
{
    return toy_attack(spec, options, &eps, 1,
                      &(toy_task){w->model, w->x, w->labels, TOY_N});
}

static inline size_t toy_robust(const wsr_attack_result *r)
{
    size_t n = 0;
    for (size_t i = 0; i < wsr_attack_result_count(r); i++) {
        n += wsr_attack_result_robust(r, 0)[i];
    }
    return n;
}

/// An attack fools a model that has no gradients more often than not.
static inline void toy_expect_black_box(toy_world *w, const char *spec)
{
    wsr_model *const black = toy_model(&w->of, false);
    const float eps = 0.05f;
    wsr_attack_result *const r = toy_attack(
        spec, NULL, &eps, 1, &(toy_task){black, w->x, w->labels, TOY_N});
    ck_assert_uint_lt(toy_robust(r), TOY_N / 2);
    wsr_attack_result_free(r);
    wsr_model_free(black);
}

/// Attack `a` leaves at most as many robust as `b`, over three strengths.
static inline void toy_expect_stronger(toy_world *w, const char *a,
                                       const char *b, const float eps[3])
{
    size_t left_a = 0;
    size_t left_b = 0;
    for (size_t e = 0; e < 3; e++) {
        wsr_attack_result *const ra = toy_run(w, a, NULL, eps[e]);
        wsr_attack_result *const rb = toy_run(w, b, NULL, eps[e]);
        left_a += toy_robust(ra);
        left_b += toy_robust(rb);
        wsr_attack_result_free(ra);
        wsr_attack_result_free(rb);
    }
    ck_assert_msg(left_a <= left_b, "%s leaves %zu, %s %zu", a, left_a, b,
                  left_b);
    ck_assert_uint_gt(left_a, 0);
}

/// Mean change in a norm of the images that fooled; all that are right must.
static inline double toy_mean_change(const wsr_attack_result *r, wsr__lp norm)
{
    double sum = 0;
    size_t fooled = 0;
    for (size_t i = 0; i < TOY_N; i++) {
        const float changes[3] = {wsr_attack_result_linf(r, 0)[i],
                                  wsr_attack_result_l2(r, 0)[i],
                                  wsr_attack_result_l1(r, 0)[i]};
        if (wsr_attack_result_success(r, 0)[i]) {
            sum += (double)changes[norm];
            fooled++;
        }
        ck_assert(!wsr_attack_result_robust(r, 0)[i]);
    }
    ck_assert_uint_gt(fooled, 0);
    return sum / (double)fooled;
}

/// Attack `a` makes smaller changes in a norm than `b`, without a bound.
static inline void toy_expect_smaller(toy_world *w, const char *a,
                                      const char *b, wsr__lp norm)
{
    wsr_attack_result *const ra = toy_run(w, a, NULL, INFINITY);
    wsr_attack_result *const rb = toy_run(w, b, NULL, INFINITY);
    ck_assert_double_lt(toy_mean_change(ra, norm), toy_mean_change(rb, norm));
    wsr_attack_result_free(ra);
    wsr_attack_result_free(rb);
}

/// Of three attacks, each for one norm, none makes smaller changes in that
/// norm than the one for it.
static inline void toy_expect_of_norms(toy_world *w, const char *const specs[3])
{
    wsr_attack_result *results[3];
    for (size_t k = 0; k < 3; k++) {
        results[k] = toy_run(w, specs[k], NULL, INFINITY);
    }
    for (int norm = 0; norm < 3; norm++) {
        const double own = toy_mean_change(results[norm], (wsr__lp)norm);
        for (size_t k = 0; k < 3; k++) {
            ck_assert_double_le(
                own, 1.001 * toy_mean_change(results[k], (wsr__lp)norm));
        }
    }
    for (size_t k = 0; k < 3; k++) {
        wsr_attack_result_free(results[k]);
    }
}

/// Two attacks that must find the same images, all steps taken.
static inline void toy_expect_same(toy_world *w, const char *a, const char *b,
                                   float eps)
{
    wsr_attack_result *const ra = toy_run(w, a, "stop=false", eps);
    wsr_attack_result *const rb = toy_run(w, b, "stop=false", eps);
    ck_assert_msg(same_bits(wsr_attack_result_images(ra, 0),
                            wsr_attack_result_images(rb, 0), sizeof(w->x)),
                  "%s and %s differ", a, b);
    wsr_attack_result_free(ra);
    wsr_attack_result_free(rb);
}

/// Two attacks lead to different images.
static inline void toy_expect_apart(toy_world *w, const char *a, const char *b,
                                    float eps)
{
    wsr_attack_result *const ra = toy_run(w, a, "stop=false", eps);
    wsr_attack_result *const rb = toy_run(w, b, "stop=false", eps);
    ck_assert_msg(!same_bits(wsr_attack_result_images(ra, 0),
                             wsr_attack_result_images(rb, 0), sizeof(w->x)),
                  "%s and %s are the same", a, b);
    wsr_attack_result_free(ra);
    wsr_attack_result_free(rb);
}

#endif
