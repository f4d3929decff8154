// SPDX-License-Identifier: Apache-2.0
//
// Stochastic gradient descent with momentum m and L2 weight decay w:
//
//   d = g + w p
//   v = d in the first step of a parameter, then m v + d
//   p = p - lr v

#include "optim/optim.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"momentum", WSR__FLOAT, offsetof(wsr__sgd, momentum), "0", 0, 1, "",
     "share of the last step that goes on", NULL},
    {"weight_decay", WSR__FLOAT, offsetof(wsr__sgd, weight_decay), "0", 0, 1e3,
     "", "added to the gradient, times the parameter", NULL},
    {0},
};

static void update(const wsr__update *u, const void *options)
{
    const wsr__sgd *const p = options;
    // In the first step the kept share is 0, whatever the state holds.
    const float momentum = u->step > 1 ? (float)p->momentum : 0;
    const float decay = (float)p->weight_decay;
    const float lr = (float)u->lr;
    float *const restrict velocity = u->state[0];
    for (int64_t i = 0; i < u->n; i++) {
        const float d = u->grad[i] + decay * u->data[i];
        velocity[i] = momentum * velocity[i] + d;
        u->data[i] -= lr * velocity[i];
    }
}

const wsr__optim_class wsr__optim_sgd = {
    .super = {.name = "sgd",
              .summary = "gradient descent with momentum",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(wsr__sgd)},
    .state_names = {"momentum_buffer"},
    .update = update,
};
