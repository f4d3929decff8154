// SPDX-License-Identifier: Apache-2.0
//
// Adam, Kingma and Ba 2015, arXiv:1412.6980. In step t of a parameter:
//
//   g = g + w p                     (L2 decay)
//   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2
//   p = p - lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + tol)

#include "optim/optim.h"

#include <math.h>
#include <stddef.h>

static const wsr__option schema[] = {
    {"beta1", WSR__FLOAT, offsetof(wsr__adam, beta1), "0.9", 0, 0.999999, "",
     "share of the mean gradient that is kept", NULL},
    {"beta2", WSR__FLOAT, offsetof(wsr__adam, beta2), "0.999", 0, 0.999999, "",
     "share of the mean squared gradient that is kept", NULL},
    {"tol", WSR__FLOAT, offsetof(wsr__adam, tol), "1e-8", 0, 1, "",
     "added to the denominator", NULL},
    {"weight_decay", WSR__FLOAT, offsetof(wsr__adam, weight_decay), "0", 0, 1e3,
     "", "added to the gradient, times the parameter", NULL},
    {0},
};

void wsr__adam_update(const wsr__update *u, const wsr__adam *p, float decay)
{
    const float b1 = (float)p->beta1;
    const float b2 = (float)p->beta2;
    const float c1 = (float)(1 - p->beta1);
    const float c2 = (float)(1 - p->beta2);
    const double t = (double)u->step;
    const float rate = (float)(u->lr / (1 - pow(p->beta1, t)));
    const float root = (float)sqrt(1 - pow(p->beta2, t));
    const float tol = (float)p->tol;
    float *const restrict m = u->state[0];
    float *const restrict v = u->state[1];
    for (int64_t i = 0; i < u->n; i++) {
        const float g = u->grad[i] + decay * u->data[i];
        m[i] = b1 * m[i] + c1 * g;
        v[i] = b2 * v[i] + c2 * g * g;
        u->data[i] -= rate * m[i] / (sqrtf(v[i]) / root + tol);
    }
}

static void update(const wsr__update *u, const void *options)
{
    const wsr__adam *const p = options;
    wsr__adam_update(u, p, (float)p->weight_decay);
}

const wsr__optim_class wsr__optim_adam = {
    .super = {.name = "adam",
              .summary = "steps scaled by moments of the gradient",
              .reference = "Kingma and Ba 2015, arXiv:1412.6980",
              .schema = schema,
              .params_size = sizeof(wsr__adam)},
    .state_names = {"exp_avg", "exp_avg_sq"},
    .update = update,
};
