// SPDX-License-Identifier: Apache-2.0
//
// Reading golden tensors and comparing with them. Every comparison prints what
// it measured.

#ifndef WSR_TESTS_GOLDEN_SUPPORT_H
#define WSR_TESTS_GOLDEN_SUPPORT_H

#include "io/io.h"
#include "support/support.h"
#include "tensor/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GOLDEN_TENSORS = 256 };

static inline wsr__st *golden_open(const char *name)
{
    char path[1024];
    wsr__st *st = NULL;
    (void)snprintf(path, sizeof(path), "%s/golden/%s.safetensors",
                   shared_folder(), name);
    if (!wsr__file_exists(path)) {
        skip("the golden tensors are absent");
    }
    ck_assert_ok(wsr__st_open(&st, path));
    return st;
}

/// Numbers of a tensor, [owned]; the test ends when there are not `n`.
static inline float *golden_read(const wsr__st *st, const char *name, size_t n)
{
    float *const data = wsr__alloc(n, sizeof(*data));
    ck_assert_ok(wsr__st_read_f32(data, st, name, n));
    return data;
}

static inline float golden_scalar(const wsr__st *st, const char *name)
{
    float value = 0;
    ck_assert_ok(wsr__st_read_f32(&value, st, name, 1));
    return value;
}

static inline double golden_difference(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        most = d > most || isnan(d) ? d : most;
    }
    return most;
}

/// Fill every parameter from the tensor prefix + name.
static inline void golden_load(wsr_params *params, const wsr__st *st,
                               const char *prefix)
{
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        char name[256];
        const size_t n = (size_t)wsr_shape_count(wsr_params_shape(params, i));
        (void)snprintf(name, sizeof(name), "%s%s", prefix,
                       wsr_params_name(params, i));
        if (wsr__params_at(params, i)->integer) {
            continue; // counts of batches, on which nothing depends
        }
        ck_assert_ok(wsr__st_read_f32(wsr_params_edit(params, i), st, name, n));
    }
}

/// Largest absolute difference to a tensor must be at most `tol`.
static inline void golden_near(const float *actual, const wsr__st *st,
                               const char *name, size_t n, double tol)
{
    float *const expected = golden_read(st, name, n);
    const double d = golden_difference(actual, expected, n);
    printf("%-40s largest difference %.2g (tolerance %.2g)\n", name, d, tol);
    ck_assert_msg(d <= tol, "%s: differs by %g", name, d);
    wsr__free(expected);
}

/// ||a - b|| / ||b||, and ||a|| when b is zero.
static inline double golden_distance(const float *a, const float *b, size_t n)
{
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)a[i] - (double)b[i];
        difference += d * d;
        size += (double)b[i] * (double)b[i];
    }
    return sqrt(difference / (size > 0 ? size : 1));
}

static inline int golden_order(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/// Whether the file says of a gradient that it is zero but for rounding.
static inline bool golden_is_rounding(const wsr__st *st, const char *param)
{
    char quoted[256];
    const char *const list =
        wsr__st_metadata(st, "rounding_noise_gradient_parameters");
    (void)snprintf(quoted, sizeof(quoted), "\"%s\"", param);
    return list != NULL && strstr(list, quoted) != NULL;
}

/// How far gradients move when weights are disturbed by rounding; 0 where the
/// file does not say.
static inline double golden_stability(const wsr__st *st)
{
    const char *const text =
        wsr__st_metadata(st, "gradient_stability_rel_l2_max");
    return text != NULL ? strtod(text, NULL) : 0;
}

/// Gradients of all parameters against tensors prefix + name: relative L2
/// distance with median 2e-5, nine tenths 1e-3, most 3e-2; absolute where the
/// file says that a gradient is rounding, at most 1e-7. No limit is below what
/// the file says of its own stability. A parameter without a tensor must have
/// no gradient. Returns how many were compared.
static inline size_t golden_gradients(const wsr_params *params,
                                      const wsr__st *st, const char *prefix)
{
    double distances[GOLDEN_TENSORS];
    size_t n = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        char name[256];
        (void)snprintf(name, sizeof(name), "%s%s", prefix,
                       wsr_params_name(params, i));
        const wsr__st_tensor *const t = wsr__st_find(st, name);
        const float *const grad = wsr_params_grad(params, i);
        if (t == NULL) {
            ck_assert_msg(grad == NULL || !wsr_params_trainable(params, i),
                          "%s: has a gradient here alone", name);
            continue;
        }
        ck_assert_msg(grad != NULL, "%s: has no gradient here", name);
        float *const expected = golden_read(st, name, t->count);
        ck_assert_uint_lt(n, GOLDEN_TENSORS);
        distances[n++] = golden_distance(grad, expected, t->count);
        if (golden_is_rounding(st, wsr_params_name(params, i))) {
            const double d = golden_difference(grad, expected, t->count);
            ck_assert_msg(d <= 1e-7, "%s: differs by %g", name, d);
            distances[n - 1] = 0;
        }
        wsr__free(expected);
    }
    ck_assert_uint_gt(n, 0);
    qsort(distances, n, sizeof(distances[0]), golden_order);
    const double median = distances[n / 2];
    const double tenth = distances[n * 9 / 10];
    const double most = distances[n - 1];
    printf("%s* (%zu tensors): relative distance median %.2g, nine tenths "
           "%.2g, most %.2g\n",
           prefix, n, median, tenth, most);
    const double stable = golden_stability(st);
    ck_assert(median <= (stable > 2e-5 ? stable : 2e-5) &&
              tenth <= (stable > 1e-3 ? stable : 1e-3) && most <= 3e-2);
    return n;
}

#endif
