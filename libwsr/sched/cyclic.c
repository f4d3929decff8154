// SPDX-License-Identifier: Apache-2.0
//
// Up and down once, in straight lines. With e = 1 ... total counting epochs
// and h = floor(total / 2):
//
//   rate(e) = base e / h                             for e <= h
//             base (total - e + 1) / (total - h)     beyond
//
// As released the second line divides by h, so that for an odd total the rate
// overshoots the base rate once.

#include "sched/released.h"

static double rate(const void *options, const wsr__sched_at *at)
{
    const wsr__sched_released *const p = options;
    const bool released = wsr__streq(p->fidelity.s, "released");
    const int64_t e = at->step + 1;
    const int64_t h = at->total / 2;
    const int64_t down = released && h > 0 ? h : at->total - h;
    const double lr = e <= h ? at->base * (double)e / (double)h
                             : at->base * (double)(at->total - e + 1) /
                                   (double)down;
    return released || lr > p->lr_min ? lr : p->lr_min;
}

const wsr__sched_class wsr__sched_cyclic = {
    .super = {.name = "cyclic",
              .summary = "up and down once in straight lines",
              .reference = "Smith 2017, arXiv:1506.01186",
              .schema = wsr__sched_released_schema,
              .params_size = sizeof(wsr__sched_released)},
    .rate = rate,
};
