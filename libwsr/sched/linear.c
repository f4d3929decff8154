// SPDX-License-Identifier: Apache-2.0
//
// A straight line that bends down five epochs before the end, as DARTS'
// ImageNet training has it. With e = 1 ... T counting epochs:
//
//   rate(e) = base (T - 5 - e) / (T - 6)      for T - e > 5
//             base (T - e) / (5 (T - 5))      for the last five

#include "sched/sched.h"

#include <stddef.h>

typedef struct params {
    double lr_min;
} params;

static const wsr__option schema[] = {
    {"lr_min", WSR__FLOAT, offsetof(params, lr_min), "0", 0, 1e3, "",
     "smallest rate", NULL},
    {0},
};

static double rate(const void *options, const wsr__sched_at *at)
{
    const params *const p = options;
    const double total = (double)at->total;
    const double left = total - (double)at->step - 1;
    double lr = 0;
    if (left > 5) {
        lr = at->base * (left - 5) / (total - 6);
    } else if (total > 5) {
        lr = at->base * left / (5 * (total - 5));
    } else {
        lr = at->base * (left + 1) / total; // too short to bend
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
