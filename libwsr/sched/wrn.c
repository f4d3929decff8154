// SPDX-License-Identifier: Apache-2.0
//
// The rate drops to a fifth at 0.3, 0.6 and 0.8 of the run. With e = 1 ...
// total counting epochs:
//
//   rate(e) = base * 0.2    for e >= 0.3 total
//             base * 0.04   for e >= 0.6 total
//             base * 0.008  for e >= 0.8 total
//
// As released the first rule hides the others and is applied again in every
// further epoch.

#include "base/fidelity.h"
#include "sched/sched.h"

#include <math.h>
#include <stddef.h>

typedef struct params {
    double lr_min;
    wsr__text fidelity;
} params;

static const wsr__option schema[] = {
    {"lr_min", WSR__FLOAT, offsetof(params, lr_min), "0", 0, 1e3, "",
     "smallest rate", NULL},
    WSR__FIDELITY(params),
    {0},
};

static double rate(const void *options, const wsr__sched_at *at)
{
    const params *const p = options;
    const double e = (double)at->step + 1;
    const double total = (double)at->total;
    double drops = 0;
    if (wsr__streq(p->fidelity.s, "released")) {
        const double first = ceil(0.3 * total);
        drops = e < first ? 0 : e - first + 1;
    } else {
        drops = (e >= 0.3 * total) + (e >= 0.6 * total) + (e >= 0.8 * total);
    }
    const double lr = at->base * pow(0.2, drops);
    return lr > p->lr_min ? lr : p->lr_min;
}

const wsr__sched_class wsr__sched_wrn = {
    .super = {.name = "wrn",
              .summary = "a fifth at 0.3, 0.6 and 0.8 of the run",
              .reference = "Zagoruyko and Komodakis 2016, arXiv:1605.07146",
              .schema = schema,
              .params_size = sizeof(params)},
    .rate = rate,
};
