// SPDX-License-Identifier: Apache-2.0
//
// Norm of each sample: (n, ...) to (n, 1).
//
//   p = 1     sum |x_i|         dx_i = dy * sign(x_i)
//   p = 2     sqrt(sum x_i^2)   dx_i = dy * x_i / norm, 0 where the norm is 0
//   p = inf   max |x_i|         dx_i = dy * sign(x_i) at the first maximum
//
// Sums are formed in double precision, so nothing overflows; a NaN in a
// sample makes its norm NaN.

#include "op/per_sample.h"

#include <math.h>
#include <stddef.h>

typedef struct vector_norm_params {
    wsr__text p;
} vector_norm_params;

static const char *const words[] = {"1", "2", "inf", NULL};

static const wsr__option schema[] = {
    {"p", WSR__WORD, offsetof(vector_norm_params, p), "2", 0, 0, "",
     "which norm: 1, 2 or inf", words},
    {0},
};

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    *dst = wsr__shape2(srcs[0].dims[0], 1);
    return WSR_OK;
}

static float norm_1(const float *x, int64_t k)
{
    double sum = 0;
    for (int64_t i = 0; i < k; i++) {
        sum += fabs((double)x[i]);
    }
    return (float)sum;
}

// In double: the square of a large float is no float.
static float norm_2(const float *x, int64_t k)
{
    double sum = 0;
    for (int64_t i = 0; i < k; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return (float)sqrt(sum);
}

static float norm_inf(const float *x, int64_t k)
{
    float most = 0;
    for (int64_t i = 0; i < k; i++) {
        const float a = fabsf(x[i]);
        most = a > most || isnan(a) ? a : most;
    }
    return most;
}

// 0 at 0 (a subgradient) and for a NaN.
static float sign(float x)
{
    return (float)((x > 0) - (x < 0));
}

static void grad_1(float *dx, const float *x, int64_t k, float dy)
{
    for (int64_t i = 0; i < k; i++) {
        dx[i] += dy * sign(x[i]);
    }
}

// factor is dy / norm, 0 at the origin, where the gradient is not defined.
static void grad_2(float *dx, const float *x, int64_t k, float factor)
{
    for (int64_t i = 0; i < k; i++) {
        dx[i] += factor * x[i];
    }
}

// The gradient goes to one element, the first maximum.
static void grad_inf(float *dx, const float *x, int64_t k, float dy)
{
    int64_t at = 0;
    for (int64_t i = 1; i < k; i++) {
        at = fabsf(x[i]) > fabsf(x[at]) ? i : at;
    }
    dx[at] += dy * sign(x[at]);
}

// Sources are plain. A sample's norm is computed by one thread, so its bits do
// not depend on their number.
static void forward(const wsr__node *node, int64_t begin, int64_t end)
{
    const vector_norm_params *const o = node->params;
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        const float *const x = node->src[0].data + r * k;
        float norm = 0;
        if (wsr__streq(o->p.s, "1")) {
            norm = norm_1(x, k);
        } else if (wsr__streq(o->p.s, "2")) {
            norm = norm_2(x, k);
        } else {
            norm = norm_inf(x, k);
        }
        node->dst.data[r] = norm;
    }
}

static void backward(const wsr__node *node, int64_t begin, int64_t end)
{
    const vector_norm_params *const o = node->params;
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        const float *const x = node->src[0].data + r * k;
        float *const dx = node->src[0].diff + r * k;
        const float norm = node->dst.data[r];
        const float dy = node->dst.diff[r];
        for (int64_t i = 0; !node->src[0].accumulate && i < k; i++) {
            dx[i] = 0;
        }
        if (wsr__streq(o->p.s, "1")) {
            grad_1(dx, x, k, dy);
        } else if (wsr__streq(o->p.s, "2")) {
            grad_2(dx, x, k, norm == 0 ? 0 : dy / norm);
        } else {
            grad_inf(dx, x, k, dy);
        }
    }
}

static const wsr__per_sample loops = {
    .forward = forward,
    .backward = backward,
    .reads = {1 | WSR__NEED_DST}, // the norm is not computed again
};

const wsr__op_class wsr__op_vector_norm = {
    .super = {"vector_norm", "norm of each sample", "", schema,
              sizeof(vector_norm_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "(n, 1)",
    .infer = infer,
    .impls = wsr__per_sample_impls,
    .per_sample = &loops,
};
