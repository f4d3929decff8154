// SPDX-License-Identifier: Apache-2.0
//
// Adversarial weight perturbation, around the step of any trainer:
//
//   g = gradient of the loss of the (attacked) images by the weights w
//   v = gamma |w| g / |g|, for each tensor of two or more dimensions
//   the optimiser steps along the gradient of the loss at w + v; then w -= v
//
// Wu et al. 2020, arXiv:2004.05884. The images are attacked once, at w. The
// pass that yields g leaves the running statistics alone: the authors take it
// on a copy of the network.

#include "train/train.h"

#include <math.h>
#include <string.h>

bool wsr__training_perturbs(const wsr__training *t)
{
    return t->params.awp > 0 && t->epoch >= (size_t)t->params.awp_start;
}

static double norm_of(const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sqrt(sum);
}

// Norms and biases have one dimension.
static bool is_perturbed(const wsr__param *p)
{
    return p->trainable && p->has_grad && p->shape.ndims > 1;
}

// w += v. `before` and `moved` have the layout of all parameters: w, and v
// where a tensor moves.
static void perturb(wsr__training *t)
{
    const wsr_params *const params = wsr_net_params(t->of.net);
    size_t at = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        float *const v = t->awp.moved + at;
        const size_t bytes = (size_t)p->count * sizeof(*v);
        memset(v, 0, bytes);
        memcpy(t->awp.before + at, p->data, bytes);
        at += (size_t)p->count;
        if (!is_perturbed(p)) {
            continue;
        }
        const double scale = t->params.awp * norm_of(p->data, p->count) /
                             (norm_of(p->grad, p->count) + 1e-20);
        for (int64_t k = 0; k < p->count; k++) {
            v[k] = (float)(scale * (double)p->grad[k]);
            p->data[k] += v[k];
        }
        wsr__param_touch(p);
    }
}

// After a step of the optimiser w -= v; without one w is what it was, in all
// its bits.
static void restore(wsr__training *t, bool stepped)
{
    const wsr_params *const params = wsr_net_params(t->of.net);
    size_t at = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        for (int64_t k = 0; p->trainable && k < p->count; k++) {
            p->data[k] = stepped ? p->data[k] - t->awp.moved[at + (size_t)k]
                                 : t->awp.before[at + (size_t)k];
        }
        at += (size_t)p->count;
        wsr__param_touch(p);
    }
}

wsr_status wsr__training_perturbed(wsr__training *t, wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    bool moved = false;
    bool stepped = false;
    wsr_params *const params = wsr_net_params(t->of.net);
    step->stats = t->awp.stats;
    status = wsr__training_gradients(t, step);
    step->stats = NULL;
    WSR_TRY(status);
    if (step->skip) {
        goto out;
    }
    perturb(t);
    moved = true;
    wsr_params_zero_grad(params, true);
    step->reuse = true;
    WSR_TRY(wsr__training_gradients(t, step));
    if (!step->skip) {
        WSR_TRY(wsr__training_descend(t));
        stepped = true;
    }
out:
    step->reuse = false;
    if (moved) {
        restore(t, stepped);
    }
    return status;
}
