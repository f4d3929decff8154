// SPDX-License-Identifier: Apache-2.0
//
// An evaluation of a linear model, whose margins and smallest changes follow
// from a formula.

#ifndef WSR_TESTS_LINEAR_SUPPORT_H
#define WSR_TESTS_LINEAR_SUPPORT_H

#include "eval/eval.h"
#include "support/oom.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { N = 12, D = 4 };

// Logits (s, -s) of the sum s of the pixels less 2: the margin of class 0 is
// 2 s, and a change of |s| / 4 in every pixel reaches the boundary.
static inline wsr_status logits_of(float *logits, const float *x, size_t n,
                                   void *user)
{
    (void)user;
    for (size_t i = 0; i < n; i++) {
        float sum = -2;
        for (size_t k = 0; k < D; k++) {
            sum += x[i * D + k];
        }
        logits[2 * i] = sum;
        logits[2 * i + 1] = -sum;
    }
    return WSR_OK;
}

static inline wsr_status backward_of(float *dx, const float *dlogits, size_t n,
                                     void *user)
{
    (void)user;
    for (size_t i = 0; i < n * D; i++) {
        dx[i] = dlogits[2 * (i / D)] - dlogits[2 * (i / D) + 1];
    }
    return WSR_OK;
}

// Pixel value of image i; class 0 is at 128 and above. The last image has the
// wrong label.
static inline int pixel(size_t i)
{
    return 100 + (int)i * 5;
}

static inline int32_t label_of(size_t i)
{
    const int32_t class = pixel(i) < 128;
    return i == N - 1 ? 1 - class : class;
}

static inline double smallest_of(size_t i)
{
    return fabs((double)pixel(i) / 255 - 0.5);
}

typedef struct world {
    wsr_model *model;
    wsr_dataset *dataset;
    wsr_eval *eval;
} world;

// Of images of `n` strengths; options as wsr_eval_new().
static inline world begin_with(const char *attacks, const char *options,
                               const float *eps, size_t n)
{
    world w = {0};
    uint8_t pixels[N * D];
    int32_t labels[N];
    const wsr_shape shape = wsr__shape4(N, 1, 2, 2);
    const wsr_shape image = wsr__shape4(1, 1, 2, 2);
    for (size_t i = 0; i < N; i++) {
        memset(pixels + i * D, pixel(i), D);
        labels[i] = label_of(i);
    }
    ck_assert_ok(wsr_dataset_new(&w.dataset, pixels, labels, &shape, 2));
    ck_assert_ok(
        wsr_model_new(&w.model, &image, 2, logits_of, backward_of, NULL));
    ck_assert_ok(wsr_eval_new(&w.eval, attacks, options));
    ck_assert_ok(wsr_eval_set_strengths(w.eval, eps, n));
    ck_assert_ok(wsr_eval_open(w.eval, w.model, w.dataset));
    return w;
}

static inline void end(world *w)
{
    wsr_eval_free(w->eval);
    wsr_dataset_free(w->dataset);
    wsr_model_free(w->model);
}

#endif
