// SPDX-License-Identifier: Apache-2.0
//
// Straight lines between points (epoch, factor of the base rate), taken in the
// middle of each epoch:
//
//   rate(t) = base * line(t + 1/2)
//
// Before the first point and behind the last the line is level. The schedule of
// Fast-AT on ImageNet (Wong et al. 2020, arXiv:2001.03994) is such a line,
// which its code follows from batch to batch.

#include "sched/sched.h"

#include <stddef.h>

typedef struct params {
    wsr__floats epochs;
    wsr__floats factors;
} params;

static const wsr__option schema[] = {
    {"epochs", WSR__FLOATS, offsetof(params, epochs), "[0,1,6,12,15]", 0, 1e9,
     "epochs", "where the points are, ascending", NULL},
    {"factors", WSR__FLOATS, offsetof(params, factors), "[0,1,0.1,0.01,0.001]",
     0, 1e3, "", "of the base rate at each point", NULL},
    {0},
};

static wsr_status check(const void *options)
{
    const params *const p = options;
    if (p->epochs.n != p->factors.n || p->epochs.n == 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "piecewise: %zu epochs and %zu factors are no points",
                        p->epochs.n, p->factors.n);
    }
    for (size_t i = 1; i < p->epochs.n; i++) {
        if (p->epochs.v[i] <= p->epochs.v[i - 1]) {
            return WSR_FAIL(WSR_CONFIG,
                            "piecewise.epochs: %g does not come after %g",
                            (double)p->epochs.v[i], (double)p->epochs.v[i - 1]);
        }
    }
    return WSR_OK;
}

static double rate(const void *options, const wsr__sched_at *at)
{
    const params *const p = options;
    const double t = (double)at->step + 0.5;
    size_t i = 0;
    while (i < p->epochs.n && (double)p->epochs.v[i] <= t) {
        i++;
    }
    if (i == 0 || i == p->epochs.n) {
        return at->base * (double)p->factors.v[i == 0 ? 0 : i - 1];
    }
    const double from = (double)p->epochs.v[i - 1];
    const double share = (t - from) / ((double)p->epochs.v[i] - from);
    return at->base * ((1 - share) * (double)p->factors.v[i - 1] +
                       share * (double)p->factors.v[i]);
}

const wsr__sched_class wsr__sched_piecewise = {
    .super = {.name = "piecewise",
              .summary = "straight lines between points",
              .reference = "Wong et al. 2020, arXiv:2001.03994",
              .schema = schema,
              .params_size = sizeof(params)},
    .check = check,
    .rate = rate,
};
