// SPDX-License-Identifier: Apache-2.0
//
// The inputs of a plan, made of noises, images and target norms: noises of unit
// norm, their norms, and for each target the neighbouring sources with their
// weights. No gradient flows through them.

#include "estimator/estimator.h"

#include <math.h>
#include <string.h>

// Four sums side by side, added up in a fixed order.
static float norm_of(const float *x, size_t n)
{
    double sums[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            sums[k] += (double)x[i + k] * (double)x[i + k];
        }
    }
    for (; i < n; i++) {
        sums[0] += (double)x[i] * (double)x[i];
    }
    return (float)sqrt((sums[0] + sums[2]) + (sums[1] + sums[3]));
}

// i with r[i] <= target < r[i + 1]; there is one when r[0] <= target <
// r[n - 1], whatever the order of r.
static size_t interval(const float *r, size_t n, float target)
{
    size_t i = 0;
    while (i + 2 < n && !(r[i] <= target && target < r[i + 1])) {
        i++;
    }
    return i;
}

// Weights fall off with the distance: the nearer source counts more. Below all
// sources, or above, the one neighbour is scaled by target / norm.
wsr__bracket wsr__bracket_find(const float *r, size_t n, float target,
                               bool released)
{
    wsr__bracket b = {.lower = n, .upper = n};
    const double tau = (double)target;
    if (target < r[0]) {
        b.upper = 0;
        // As released each of these two weights goes to the side without a
        // source.
        b.lower_weight = released ? tau / (double)r[0] : 0;
        b.upper_weight = released ? 0 : tau / (double)r[0];
    } else if (!(target < r[n - 1])) {
        b.lower = n - 1;
        b.lower_weight = released ? 0 : tau / (double)r[n - 1];
        b.upper_weight = released ? tau / (double)r[n - 1] : 0;
    } else {
        b.lower = interval(r, n, target);
        b.upper = b.lower + 1;
        const double below = fabs(tau - (double)r[b.lower]);
        const double above = fabs(tau - (double)r[b.upper]);
        const double sum = below + above;
        b.lower_weight = (released ? below : above) / sum;
        b.upper_weight = (released ? above : below) / sum;
    }
    return b;
}

typedef struct ports {
    float *image;
    float *noise[WSR_ESTIMATOR_SOURCES];
    float *norm[WSR_ESTIMATOR_SOURCES];
    struct target_ports {
        float *norm;
        float *lower;
        float *upper;
        float *is_lower;
        float *is_upper;
        float *label;
    } target[WSR_ESTIMATOR_TARGETS];
} ports;

// What all threads read; each writes samples of its own.
typedef struct work {
    const wsr_estimator *estimator;
    const wsr__estimator_sample *samples;
    size_t n;
    size_t t;
    bool sort;
    bool guard;
    bool released; // weights
    ports to;
} work;

static float *port_of(wsr_plan *plan, const char *name, size_t i)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%s%zu", name, i);
    return wsr_plan_src(plan, text);
}

// NULL where the graph does not use an input. Looked up once for a batch, by
// name.
static void find_ports(ports *to, wsr_plan *plan, const size_t counts[3])
{
    to->image = wsr_plan_src(plan, "image");
    for (size_t i = 0; i < counts[1]; i++) {
        to->noise[i] = port_of(plan, "noise", i);
        to->norm[i] = port_of(plan, "norm", i);
    }
    for (size_t i = 0; i < counts[2]; i++) {
        to->target[i].norm = port_of(plan, "target", i);
        to->target[i].lower = port_of(plan, "lower", i);
        to->target[i].upper = port_of(plan, "upper", i);
        to->target[i].is_lower = port_of(plan, "is_lower", i);
        to->target[i].is_upper = port_of(plan, "is_upper", i);
        to->target[i].label = port_of(plan, "label", i);
    }
}

// Stable, by insertion: there are few.
static void order_of(size_t *order, const float *norms, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        while (at > 0 && norms[order[at - 1]] > norms[i]) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

// A division, not a product with 1 / norm: the bits are those of PyTorch.
static void write_unit(float *restrict dst, const float *restrict src, size_t n,
                       float norm)
{
    for (size_t i = 0; i < n; i++) {
        dst[i] = src[i] / norm;
    }
}

// The sources of sample b; r (n) are their norms in the order they go in.
static void write_sources(float *r, const work *w, size_t b)
{
    const wsr__estimator_sample *const sample = &w->samples[b];
    const size_t pixels = w->estimator->pixels;
    float norms[WSR_ESTIMATOR_SOURCES];
    size_t order[WSR_ESTIMATOR_SOURCES];
    for (size_t i = 0; i < w->n; i++) {
        norms[i] = norm_of(sample->noise[i], pixels);
        order[i] = i;
    }
    if (w->sort) {
        order_of(order, norms, w->n);
    }
    for (size_t i = 0; i < w->n; i++) {
        const bool zero = w->guard && norms[order[i]] == 0.0f;
        r[i] = norms[order[i]];
        if (w->to.norm[i] != NULL) {
            w->to.norm[i][b] = r[i];
        }
        if (w->to.noise[i] != NULL) {
            write_unit(w->to.noise[i] + b * pixels, sample->noise[order[i]],
                       pixels, zero ? 1 : r[i]);
        }
    }
}

// Zeros but for `value` at `at`.
static void write_spike(float *row, size_t n, size_t at, double value)
{
    for (size_t i = 0; row != NULL && i < n; i++) {
        row[i] = i == at ? (float)value : 0;
    }
}

// NULL stays NULL: the graph does not use that input.
static float *row_of(float *base, size_t b, size_t n)
{
    return base == NULL ? NULL : base + b * n;
}

// Row b of every input of target t. A class may change the weights.
static void write_target(const work *w, size_t b, size_t t, const float *r)
{
    const wsr_estimator *const est = w->estimator;
    const struct target_ports *const to = &w->to.target[t];
    const float tau = w->samples[b].target[t];
    wsr__bracket bracket = wsr__bracket_find(r, w->n, tau, w->released);
    if (est->cls->weigh != NULL) {
        est->cls->weigh(&bracket, est->options, r, w->n, tau);
    }
    if (w->guard && !isfinite(bracket.lower_weight)) {
        bracket.lower_weight = 1; // above sources that are all zero
    }
    if (to->norm != NULL) {
        to->norm[b] = tau;
    }
    write_spike(row_of(to->lower, b, w->n), w->n, bracket.lower,
                bracket.lower_weight);
    write_spike(row_of(to->upper, b, w->n), w->n, bracket.upper,
                bracket.upper_weight);
    write_spike(row_of(to->is_lower, b, w->n), w->n, bracket.lower, 1);
    write_spike(row_of(to->is_upper, b, w->n), w->n, bracket.upper, 1);
    if (to->label != NULL) {
        memcpy(to->label + b * est->pixels,
               w->samples[b].label + t * est->pixels,
               est->pixels * sizeof(float));
    }
}

static void prepare_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const work *const w = ctx;
    const size_t pixels = w->estimator->pixels;
    for (int64_t i = begin; i < end; i++) {
        const size_t b = (size_t)i;
        float r[WSR_ESTIMATOR_SOURCES] = {0};
        write_sources(r, w, b);
        if (w->to.image != NULL) {
            memcpy(w->to.image + b * pixels, w->samples[b].image,
                   pixels * sizeof(float));
        }
        for (size_t t = 0; t < w->t; t++) {
            write_target(w, b, t, r);
        }
    }
}

// Samples are independent, so any thread may take any of them.
void wsr__estimator_prepare(wsr_plan *plan, const wsr_estimator *estimator,
                            const wsr__estimator_sample *samples,
                            const size_t counts[3])
{
    const wsr__estimator_options *const o = estimator->common;
    work w = {.estimator = estimator,
              .samples = samples,
              .n = counts[1],
              .t = counts[2],
              .sort = !wsr__is_released(&o->order, &o->fidelity),
              .guard = !wsr__is_released(&o->guard, &o->fidelity),
              .released = wsr__is_released(&o->weights, &o->fidelity)};
    find_ports(&w.to, plan, counts);
    wsr__parallel((int64_t)counts[0], prepare_share, &w);
}
