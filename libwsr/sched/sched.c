// SPDX-License-Identifier: Apache-2.0
//
// The table of schedules, and the handle, which holds a class and its params.

#include "sched/sched.h"

#include <math.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "sched/scheds.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__scheds = {"sched", classes};

// Immutable: the rate is a function of the step alone, so nothing of a schedule
// is kept in checkpoints.
struct wsr_sched {
    const wsr__sched_class *cls;
    void *params;
};

// Params are copied, so the caller's may go.
wsr_status wsr__sched_make(wsr_sched **out, const wsr__sched_class *cls,
                           const void *params)
{
    wsr_status status = WSR_OK;
    wsr_sched *sched = wsr__alloc(1, sizeof(*sched));
    *out = NULL;
    if (sched == NULL) {
        return WSR_NOMEM;
    }
    sched->cls = cls;
    WSR_TRY(wsr__class_copy(&sched->params, &cls->super, params));
    WSR_TRY(cls->check != NULL ? cls->check(sched->params) : WSR_OK);
    *out = sched;
    sched = NULL;
out:
    wsr_sched_free(sched);
    return status;
}

// "name:options", such as "cosine:lr_min=0.001".
wsr_status wsr_sched_new(wsr_sched **out, const char *spec)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    void *params = NULL;
    *out = NULL;
    WSR_TRY(wsr__class_spec(&cls, &params, &wsr__scheds, spec));
    WSR_TRY(wsr__sched_make(out, (const wsr__sched_class *)(const void *)cls,
                            params));
out:
    wsr__free(params);
    return status;
}

void wsr_sched_free(wsr_sched *sched)
{
    if (sched != NULL) {
        wsr__free(sched->params);
        wsr__free(sched);
    }
}

// Steps count from 0. Negative steps and totals below 1 would divide by 0.
double wsr_sched_rate(const wsr_sched *sched, double base, int64_t step,
                      int64_t total)
{
    const wsr__sched_at at = {.base = base,
                              .step = step > 0 ? step : 0,
                              .total = total > 1 ? total : 1};
    return sched->cls->rate(sched->params, &at);
}

double wsr__sched_half_cosine(double x)
{
    static const double pi = 3.14159265358979323846;
    return 0.5 * (1 + cos(pi * x));
}
