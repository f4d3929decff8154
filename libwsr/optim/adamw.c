// SPDX-License-Identifier: Apache-2.0
//
// Adam with decoupled weight decay, Loshchilov and Hutter 2019,
// arXiv:1711.05101: first p = (1 - lr w) p, then Adam's step without decay.

#include "optim/optim.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"beta1", WSR__FLOAT, offsetof(wsr__adam, beta1), "0.9", 0, 0.999999, "",
     "share of the mean gradient that is kept", NULL},
    {"beta2", WSR__FLOAT, offsetof(wsr__adam, beta2), "0.999", 0, 0.999999, "",
     "share of the mean squared gradient that is kept", NULL},
    {"tol", WSR__FLOAT, offsetof(wsr__adam, tol), "1e-8", 0, 1, "",
     "added to the denominator", NULL},
    {"weight_decay", WSR__FLOAT, offsetof(wsr__adam, weight_decay), "0.01", 0,
     1e3, "", "share of a parameter that is lost per unit of rate", NULL},
    {0},
};

// Decay 0: Adam's own would add the weights to the gradient.
static void update(const wsr__update *u, const void *options)
{
    const wsr__adam *const p = options;
    const float keep = (float)(1 - u->lr * p->weight_decay);
    for (int64_t i = 0; i < u->n; i++) {
        u->data[i] *= keep;
    }
    wsr__adam_update(u, p, 0);
}

const wsr__optim_class wsr__optim_adamw = {
    .super = {.name = "adamw",
              .summary = "Adam with decoupled weight decay",
              .reference = "Loshchilov and Hutter 2019, arXiv:1711.05101",
              .schema = schema,
              .params_size = sizeof(wsr__adam)},
    .state_names = {"exp_avg", "exp_avg_sq"},
    .update = update,
};
