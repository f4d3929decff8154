// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: half the rate.

#include "sched/sched.h"

static double rate(const void *options, const wsr__sched_at *at)
{
    (void)options;
    return at->base / 2;
}

const wsr__sched_class wsr__sched_dummy = {
    .super = {"dummy", "half the rate", "", NULL, 0},
    .rate = rate,
};
