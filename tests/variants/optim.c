// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: p = p - lr g.

#include "optim/optim.h"

static void update(const wsr__update *u, const void *options)
{
    (void)options;
    for (int64_t i = 0; i < u->n; i++) {
        u->data[i] -= (float)u->lr * u->grad[i];
    }
}

const wsr__optim_class wsr__optim_dummy = {
    .super = {"dummy", "no momentum, no decay", "", NULL, 0},
    .update = update,
};
