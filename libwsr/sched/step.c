// SPDX-License-Identifier: Apache-2.0
//
// The rate is multiplied by gamma at each milestone:
//
//   rate(t) = base * gamma^(number of milestones <= t)

#include "sched/sched.h"

#include <stddef.h>

typedef struct params {
    wsr__ints milestones;
    double gamma;
} params;

static const wsr__option schema[] = {
    {"milestones", WSR__INTS, offsetof(params, milestones), "[99,149]", 0,
     1 << 30, "epochs", "first epochs, from 0, with a new rate", NULL},
    {"gamma", WSR__FLOAT, offsetof(params, gamma), "0.1", 0, 1e3, "",
     "factor at each milestone", NULL},
    {0},
};

static double rate(const void *options, const wsr__sched_at *at)
{
    const params *const p = options;
    double lr = at->base;
    for (size_t i = 0; i < p->milestones.n; i++) {
        lr *= p->milestones.v[i] <= at->step ? p->gamma : 1;
    }
    return lr;
}

const wsr__sched_class wsr__sched_step = {
    .super = {.name = "step",
              .summary = "the rate drops at milestones",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .rate = rate,
};
