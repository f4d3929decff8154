// SPDX-License-Identifier: Apache-2.0
//
// A linear rise to the base rate over `warmup` steps, then half a cosine down
// to zero at step `total`:
//
//   rate(t) = base (t + 1) / warmup                                t < warmup
//             base / 2 (1 + cos(pi (t - warmup) / (total - warmup)))
//
// As released the rise starts from t, so that the first step has rate zero
// and is lost.

#include "base/fidelity.h"
#include "sched/sched.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"warmup", WSR__INT, offsetof(wsr__warmup_cosine, warmup), "4000", 0,
     1 << 30, "steps", "length of the rise", NULL},
    {"total", WSR__INT, offsetof(wsr__warmup_cosine, total), "100000", 0,
     1 << 30, "steps", "where the curve ends; 0: with the run", NULL},
    WSR__FIDELITY(wsr__warmup_cosine),
    {0},
};

static double rate(const void *options, const wsr__sched_at *at)
{
    const wsr__warmup_cosine *const p = options;
    const int64_t total = p->total > 0 ? p->total : at->total;
    if (at->step < p->warmup) {
        const int64_t risen = at->step +
                              (wsr__streq(p->fidelity.s, "released") ? 0 : 1);
        return at->base * (double)risen / (double)p->warmup;
    }
    if (at->step >= total) {
        return 0;
    }
    return at->base * wsr__sched_half_cosine((double)(at->step - p->warmup) /
                                             (double)(total - p->warmup));
}

const wsr__sched_class wsr__sched_warmup_cosine = {
    .super = {.name = "warmup_cosine",
              .summary = "a linear rise, then half a cosine down to zero",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(wsr__warmup_cosine)},
    .rate = rate,
};
