// SPDX-License-Identifier: Apache-2.0
//
// The same learning rate throughout.

#include "sched/sched.h"

static double rate(const void *options, const wsr__sched_at *at)
{
    (void)options;
    return at->base;
}

const wsr__sched_class wsr__sched_constant = {
    .super = {.name = "constant",
              .summary = "the same learning rate throughout",
              .reference = ""},
    .rate = rate,
};
