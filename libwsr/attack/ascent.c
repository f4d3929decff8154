// SPDX-License-Identifier: Apache-2.0
//
// Ascent along the sign of a momentum of gradients, as the relatives of
// mifgsm share it:
//
//   m <- decay * m + g / mean |g|
//   x <- clip(x + alpha * sign(m))
//
// They differ in where and of what they take g.

#include "attack/attack.h"

#include <string.h>

enum { MOMENTUM = WSR__ASCENT_SPARES };

static void step(wsr__siege *s, size_t row, void *ctx)
{
    const wsr__climber *const c = ctx;
    float *const m = wsr__at(c->m, s->d, row);
    wsr__momentum(m, wsr__at_const(s->grad, s->d, row), c->ascent->decay, s->d);
    wsr__gradient_step(s, row, m, c->alpha);
}

wsr_status wsr__ascent_run(wsr__siege *s, const void *params, wsr__slope slope)
{
    wsr_status status = WSR_OK;
    const wsr__ascent *const ascent = params;
    wsr__climber c = {
        .ascent = ascent,
        .params = params,
        .alpha = wsr__step_size(s, ascent->alpha, 1, ascent->steps),
        .m = wsr__siege_spare(s, MOMENTUM, s->d)};
    if (c.m == NULL) {
        return WSR_NOMEM;
    }
    memset(c.m, 0, s->capacity * (size_t)s->d * sizeof(*c.m));
    wsr__siege_reset(s);
    for (; c.step < ascent->steps && s->m > 0; c.step++) {
        WSR_TRY(slope(s, &c));
        wsr__siege_each(s, step, &c);
    }
    WSR_TRY(wsr__siege_finish(s));
out:
    return status;
}

wsr_status wsr__slope_here(wsr__siege *s, const wsr__climber *c)
{
    return c->step == 0 ? wsr__siege_clean_gradient(s, wsr__loss_ce)
                        : wsr__siege_gradient(s, wsr__loss_ce);
}

typedef struct ahead_work {
    const wsr__climber *c;
    float *ahead;
} ahead_work;

static void look_ahead(wsr__siege *s, size_t row, void *ctx)
{
    const ahead_work *const work = ctx;
    const float length = work->c->alpha * (float)work->c->ascent->decay;
    const float *const x = wsr__at_const(s->x, s->d, row);
    const float *const m = wsr__at_const(work->c->m, s->d, row);
    float *const ahead = wsr__at(work->ahead, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        ahead[i] = x[i] + length * m[i];
    }
}

void wsr__ascent_ahead(float *ahead, wsr__siege *s, const wsr__climber *c)
{
    ahead_work work = {c, ahead};
    wsr__siege_each(s, look_ahead, &work);
}

wsr_status wsr__slope_ahead(wsr__siege *s, const wsr__climber *c)
{
    float *const ahead = wsr__siege_spare(s, WSR__ASCENT_AHEAD, s->d);
    if (ahead == NULL) {
        return WSR_NOMEM;
    }
    if (c->step == 0) {
        return wsr__siege_clean_gradient(s, wsr__loss_ce);
    }
    wsr__ascent_ahead(ahead, s, c);
    return wsr__siege_gradient_at(s, ahead, wsr__loss_ce);
}
