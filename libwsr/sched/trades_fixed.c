// SPDX-License-Identifier: Apache-2.0
//
// The rate drops for the last quarter, the last tenth and the last epoch.
// With e = 1 ... total counting epochs:
//
//   rate(e) = base * 0.1    for e >= 0.75 total
//             base * 0.01   for e >= 0.9 total
//             base * 0.001  for e >= total
//
// As released the first rule hides the others and is applied again in every
// further epoch, which makes it the schedule `trades`.

#include "sched/released.h"

static double rate(const void *options, const wsr__sched_at *at)
{
    const wsr__sched_released *const p = options;
    if (wsr__streq(p->fidelity.s, "released")) {
        wsr__text released = {"released"};
        const wsr__sched_released same = {p->lr_min, released};
        return wsr__sched_trades.rate(&same, at);
    }
    const double e = (double)at->step + 1;
    const double total = (double)at->total;
    double lr = at->base;
    if (e >= total) {
        lr *= 0.001;
    } else if (e >= 0.9 * total) {
        lr *= 0.01;
    } else if (e >= 0.75 * total) {
        lr *= 0.1;
    }
    return lr > p->lr_min ? lr : p->lr_min;
}

const wsr__sched_class wsr__sched_trades_fixed = {
    .super = {.name = "trades_fixed",
              .summary = "drops at 0.75, 0.9 and 1 of the run",
              .reference = "Zhang et al. 2019, arXiv:1901.08573",
              .schema = wsr__sched_released_schema,
              .params_size = sizeof(wsr__sched_released)},
    .rate = rate,
};
