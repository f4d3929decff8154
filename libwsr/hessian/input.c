// SPDX-License-Identifier: Apache-2.0
//
// The Hessian of an image's loss by its pixels, without differences. Networks
// of relu, convolutions, pools and norms in eval mode are piecewise linear in
// the input, so that the second derivatives of the logits vanish but at kinks,
// and with the Jacobian J of the logits and their softmax p
//
//   H = J' A J,  A = diag(p) - p p' = D P P D,  D = diag(sqrt p),
//   P = I - s s' with s = sqrt p, |s| = 1 and P P = P.
//
// H and the small matrix P D J J' D P have the same eigenvalues but for zeros.
// PyTorch's double backward computes the same H. It takes as many backward
// passes as there are classes.

#include "hessian/hessian.h"

#include <math.h>
#include <string.h>

enum { JACOBIAN_FLOATS = 1 << 26, ROUNDS = 10000 };

static size_t pixels_of(const wsr_hessian *h)
{
    return (size_t)wsr_shape_count(wsr_dataset_shape(h->dataset));
}

// Logits depend on the input by piecewise linear ops alone.
static wsr_status check_linear(const wsr_graph *graph)
{
    wsr_status status = WSR_OK;
    bool *const depends = wsr__alloc(graph->count, sizeof(*depends));
    if (depends == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < graph->count; i++) {
        const wsr__vertex *const v = &graph->list[i];
        depends[i] = v->role == WSR__INPUT;
        for (size_t k = 0; v->role == WSR__OP && k < v->n; k++) {
            const bool through = depends[v->srcs[k]];
            const uint32_t bit = k < 31 ? UINT32_C(1) << k : UINT32_C(1) << 31;
            depends[i] = depends[i] || through;
            if (through && (v->cls->piecewise_linear & bit) == 0) {
                status = WSR_FAIL(WSR_UNSUPPORTED,
                                  "hessian.of: by the input: the network is "
                                  "not piecewise linear, its op %s is not",
                                  v->cls->super.name);
                goto out;
            }
        }
    }
out:
    wsr__free(depends);
    return status;
}

wsr_status wsr__hessian_open_input(wsr_hessian *hessian, const wsr_graph *graph)
{
    wsr_status status = WSR_OK;
    wsr_hessian *const h = hessian;
    const size_t classes = h->classes;
    const size_t row = classes * pixels_of(h);
    const size_t most = JACOBIAN_FLOATS / row;
    h->pictures = most < 1 ? 1 : most < h->batch ? most : h->batch;
    WSR_TRY(check_linear(graph));
    WSR_TRY(wsr_plan_new(&h->input, graph, h->pictures, WSR_GRAD_INPUT));
    h->jacobian = wsr__alloc(h->pictures * row, sizeof(*h->jacobian));
    h->gram = wsr__alloc(classes * classes, sizeof(*h->gram));
    h->chance = wsr__alloc(classes, sizeof(*h->chance));
    h->direction = wsr__alloc(2 * classes, sizeof(*h->direction));
    h->tops = wsr__alloc(h->count, sizeof(*h->tops));
    h->traces = wsr__alloc(h->count, sizeof(*h->traces));
    if (h->jacobian == NULL || h->gram == NULL || h->chance == NULL ||
        h->direction == NULL || h->tops == NULL || h->traces == NULL) {
        status = WSR_NOMEM;
    }
out:
    return status;
}

// Row k of the Jacobian of every image of the batch.
static wsr_status jacobian_row(wsr_hessian *h, size_t k)
{
    wsr_status status = WSR_OK;
    const size_t classes = h->classes;
    const size_t floats = h->pictures * pixels_of(h);
    float *const dz = wsr_plan_diff_dst(h->input, "logits");
    WSR_TRY(wsr__hessian_ask(h));
    memset(dz, 0, h->pictures * classes * sizeof(*dz));
    for (size_t i = 0; i < h->pictures; i++) {
        dz[i * classes + k] = 1;
    }
    WSR_TRY(wsr_plan_forward(h->input));
    WSR_TRY(wsr_plan_backward(h->input));
    memcpy(h->jacobian + k * floats, wsr_plan_diff_src(h->input, "x"),
           floats * sizeof(*h->jacobian));
out:
    return status;
}

static wsr_status take_softmax(wsr_hessian *h, size_t image)
{
    const size_t classes = h->classes;
    const float *const z = wsr_plan_dst(h->input, "logits") + image * classes;
    double most = -HUGE_VAL;
    double sum = 0;
    for (size_t k = 0; k < classes; k++) {
        if (!isfinite(z[k])) {
            return WSR_FAIL(WSR_NUMERIC,
                            "hessian: logit %zu of image %zu is %g, not finite",
                            k, h->seen + image, (double)z[k]);
        }
        most = fmax(most, (double)z[k]);
    }
    for (size_t k = 0; k < classes; k++) {
        h->chance[k] = exp((double)z[k] - most);
        sum += h->chance[k];
    }
    for (size_t k = 0; k < classes; k++) {
        h->chance[k] /= sum;
    }
    return WSR_OK;
}

// P D J J' D P, entry by entry: D J J' D first, then P from both sides.
static void make_small(wsr_hessian *h, size_t image)
{
    const size_t n = h->classes;
    const size_t d = pixels_of(h);
    double *const g = h->gram;
    double *const means = h->direction; // s' (D J J' D)
    double total = 0;
    for (size_t a = 0; a < n; a++) {
        const float *const ja = h->jacobian + (a * h->pictures + image) * d;
        for (size_t b = 0; b <= a; b++) {
            const float *const jb = h->jacobian + (b * h->pictures + image) * d;
            const double s = sqrt(h->chance[a] * h->chance[b]);
            g[a * n + b] = g[b * n + a] = s * wsr__dot(ja, jb, (int64_t)d);
        }
    }
    for (size_t a = 0; a < n; a++) {
        means[a] = 0;
        for (size_t b = 0; b < n; b++) {
            means[a] += sqrt(h->chance[b]) * g[a * n + b];
        }
        total += sqrt(h->chance[a]) * means[a];
    }
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            const double sa = sqrt(h->chance[a]);
            const double sb = sqrt(h->chance[b]);
            g[a * n + b] += sa * sb * total - sa * means[b] - sb * means[a];
        }
    }
}

// Largest eigenvalue of the small matrix, whose eigenvalues are not negative.
static double small_top(wsr_hessian *h, size_t image)
{
    const size_t n = h->classes;
    double *const u = h->direction;
    double *const w = u + n;
    double top = 0;
    wsr__rng rng = wsr__rng_at((uint64_t)h->params.seed, WSR__RNG_HESSIAN, 2,
                               (uint32_t)(h->seen + image));
    for (size_t a = 0; a < n; a++) {
        u[a] = wsr__rng_normal(&rng);
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        const double before = top;
        double squares = 0;
        double length = 0;
        top = 0;
        for (size_t a = 0; a < n; a++) {
            w[a] = 0;
            for (size_t b = 0; b < n; b++) {
                w[a] += h->gram[a * n + b] * u[b];
            }
            top += u[a] * w[a];
            length += u[a] * u[a];
            squares += w[a] * w[a];
        }
        top = length > 0 ? top / length : 0;
        for (size_t a = 0; a < n && squares > 0; a++) {
            u[a] = w[a] / sqrt(squares);
        }
        if (!(squares > 0) || fabs(top - before) <= 1e-12 * top) {
            break;
        }
    }
    return fmax(top, 0);
}

wsr_status wsr__hessian_input_step(wsr_hessian *hessian)
{
    wsr_status status = WSR_OK;
    wsr_hessian *const h = hessian;
    const size_t classes = h->classes;
    size_t n = 0;
    WSR_TRY(wsr__hessian_load(&n, h, h->input, h->seen));
    for (size_t k = 0; k < classes; k++) {
        WSR_TRY(jacobian_row(h, k));
    }
    for (size_t i = 0; i < n; i++) {
        double trace = 0;
        WSR_TRY(take_softmax(h, i));
        make_small(h, i);
        for (size_t k = 0; k < classes; k++) {
            trace += h->gram[k * classes + k];
        }
        h->traces[h->seen + i] = trace;
        h->tops[h->seen + i] = small_top(h, i);
    }
    h->seen += n;
out:
    return status;
}
