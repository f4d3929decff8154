// SPDX-License-Identifier: Apache-2.0
//
// Learning-rate schedules: pure functions of the step, so that checkpoints
// hold nothing of them. A step is an epoch or an optimiser step, whichever the
// caller counts.

#ifndef WSR_SCHED_SCHED_H
#define WSR_SCHED_SCHED_H

#include "base/registry.h"
#include "wsr/optim.h"

/// What a schedule is asked for.
typedef struct wsr__sched_at {
    double base;   // learning rate that the schedule scales
    int64_t step;  // from 0
    int64_t total; // steps of the whole run, at least 1
} wsr__sched_at;

typedef struct wsr__sched_class {
    wsr__class super;
    /// Whether options fit each other; NULL: always. CONFIG.
    wsr_status (*check)(const void *params);
    double (*rate)(const void *params, const wsr__sched_at *at);
} wsr__sched_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "sched/scheds.def"
#undef WSR_REG

extern const wsr__family wsr__scheds;

/// Params of cosine.
typedef struct wsr__cosine {
    double lr_min;
    int64_t epochs;
    double floor;
} wsr__cosine;

/// Params of warmup_cosine.
typedef struct wsr__warmup_cosine {
    int64_t warmup;
    int64_t total;
    wsr__text fidelity;
} wsr__warmup_cosine;

/// Make a schedule of a class and its params [copied]; NULL: its defaults.
/// [out, owned]
wsr_status wsr__sched_make(wsr_sched **out, const wsr__sched_class *cls,
                           const void *params);

/// Half a cosine from 1 at x = 0 to 0 at x = 1.
double wsr__sched_half_cosine(double x);

#endif
