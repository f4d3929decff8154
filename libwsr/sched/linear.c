// SPDX-License-Identifier: Apache-2.0
//
// A straight line that bends down five epochs before the end, as DARTS'
// ImageNet training has it. With e = f, f + 1, ... counting T epochs:
//
//   rate(e) = base (T - 5 - e) / (T - 5 - f)  for T - e > 5
//             base (T - e) / (5 (T - 5))      for the last five
//
// f is 1 in the schedules of Wsr-NAS, whose last epoch learns nothing; in the
// code of DARTS it is 0.

#include "sched/sched.h"

#include <stddef.h>

typedef struct params {
    double lr_min;
    int64_t first;
} params;

static const wsr__option schema[] = {
    {"lr_min", WSR__FLOAT, offsetof(params, lr_min), "0", 0, 1e3, "",
     "smallest rate", NULL},
    {"first", WSR__INT, offsetof(params, first), "1", 0, 1, "",
     "number of the first epoch in the formula, 0 as in the code of DARTS",
     NULL},
    {0},
};

static double rate(const void *options, const wsr__sched_at *at)
{
    const params *const p = options;
    const double total = (double)at->total;
    const double first = (double)p->first;
    const double left = total - (double)at->step - first;
    double lr = 0;
    if (left > 5) {
        lr = at->base * (left - 5) / (total - 5 - first);
    } else if (total > 5) {
        lr = at->base * left / (5 * (total - 5));
    } else {
        lr = at->base * (left + first) / total; // too short to bend
    }
    return lr > p->lr_min ? lr : p->lr_min;
}

const wsr__sched_class wsr__sched_linear = {
    .super = {.name = "linear",
              .summary = "a straight line with five epochs of tail",
              .reference = "Liu et al. 2019, arXiv:1806.09055",
              .schema = schema,
              .params_size = sizeof(params)},
    .rate = rate,
};
