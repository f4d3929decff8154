// SPDX-License-Identifier: Apache-2.0
//
// The rate drops to a tenth for the last quarter of the run. With e = 1 ...
// total counting epochs:
//
//   rate(e) = base * 0.1   for e >= 0.75 total
//
// As released the factor is applied again in every further epoch.

#include "sched/released.h"

#include <math.h>

static double rate(const void *options, const wsr__sched_at *at)
{
    const wsr__sched_released *const p = options;
    const int64_t e = at->step + 1;
    const int64_t first = (int64_t)ceil(0.75 * (double)at->total);
    if (wsr__streq(p->fidelity.s, "released")) {
        return e < first ? at->base
                         : at->base * pow(0.1, (double)(e - first + 1));
    }
    const double lr = e < first ? at->base : 0.1 * at->base;
    return lr > p->lr_min ? lr : p->lr_min;
}

const wsr__sched_class wsr__sched_trades = {
    .super = {.name = "trades",
              .summary = "a tenth for the last quarter",
              .reference = "Zhang et al. 2019, arXiv:1901.08573",
              .schema = wsr__sched_released_schema,
              .params_size = sizeof(wsr__sched_released)},
    .rate = rate,
};
