// SPDX-License-Identifier: Apache-2.0
//
// Half a cosine from the base rate down to lr_min over the run:
//
//   rate(t) = lr_min + (base - lr_min) / 2 (1 + cos(pi t / epochs))
//
// Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts: beyond the
// last epoch the rate stays at lr_min. A floor bounds the rate from below
// without changing the curve above it.

#include "sched/sched.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"lr_min", WSR__FLOAT, offsetof(wsr__cosine, lr_min), "0", 0, 1e3, "",
     "rate at the end of the curve", NULL},
    {"epochs", WSR__INT, offsetof(wsr__cosine, epochs), "0", 0, 1 << 30,
     "epochs", "length of the curve; 0: the whole run", NULL},
    {"floor", WSR__FLOAT, offsetof(wsr__cosine, floor), "0", 0, 1e3, "",
     "smallest rate; what lies below is cut off", NULL},
    {0},
};

static double rate(const void *options, const wsr__sched_at *at)
{
    const wsr__cosine *const p = options;
    const int64_t total = p->epochs > 0 ? p->epochs : at->total;
    const double x = at->step < total ? (double)at->step / (double)total : 1;
    const double lr = p->lr_min +
                      (at->base - p->lr_min) * wsr__sched_half_cosine(x);
    return lr > p->floor ? lr : p->floor;
}

const wsr__sched_class wsr__sched_cosine = {
    .super = {.name = "cosine",
              .summary = "half a cosine down to lr_min",
              .reference = "Loshchilov and Hutter 2017, arXiv:1608.03983",
              .schema = schema,
              .params_size = sizeof(wsr__cosine)},
    .rate = rate,
};
