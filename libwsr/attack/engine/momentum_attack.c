// SPDX-License-Identifier: Apache-2.0
//
// Steps along the sign of a momentum of gradients, as the relatives of
// mifgsm share it:
//
//   m <- decay * m + g / mean |g|
//   x <- clip(x + alpha * sign(m))
//
// They differ in where and of what they take g.

#include "attack/engine/momentum_attack.h"

#include <string.h>

enum { MOMENTUM = WSR__MOMENTUM_SCRATCH };

static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    const wsr__momentum_attack *const c = ctx;
    float *const m = wsr__at(c->m, s->d, row);
    wsr__momentum(m, wsr__at_const(s->grad, s->d, row), c->momentum->decay,
                  s->d);
    wsr__gradient_step(s, row, m, c->alpha);
}

wsr_status wsr__momentum_attack_run(wsr__attack_batch *s, const void *params,
                                    wsr__momentum_gradient gradient)
{
    wsr_status status = WSR_OK;
    const wsr__momentum_params *const momentum = params;
    wsr__momentum_attack c = {
        .momentum = momentum,
        .params = params,
        .alpha = wsr__step_size(s, momentum->alpha, 1, momentum->steps),
        .m = wsr__attack_batch_scratch(s, MOMENTUM, s->d)};
    if (c.m == NULL) {
        return WSR_NOMEM;
    }
    memset(c.m, 0, s->capacity * (size_t)s->d * sizeof(*c.m));
    wsr__attack_batch_reset(s);
    for (; c.step < momentum->steps && s->n_active > 0; c.step++) {
        WSR_TRY(gradient(s, &c));
        wsr__attack_batch_each(s, step, &c);
    }
    WSR_TRY(wsr__attack_batch_finish(s));
out:
    return status;
}

wsr_status wsr__gradient_here(wsr__attack_batch *s,
                              const wsr__momentum_attack *c)
{
    return c->step == 0 ? wsr__attack_batch_clean_gradient(s, wsr__loss_ce)
                        : wsr__attack_batch_gradient(s, wsr__loss_ce);
}

typedef struct ahead_work {
    const wsr__momentum_attack *c;
    float *ahead;
} ahead_work;

// Nesterov: the point that the momentum alone would lead to.
static void look_ahead(wsr__attack_batch *s, size_t row, void *ctx)
{
    const ahead_work *const work = ctx;
    const float length = work->c->alpha * (float)work->c->momentum->decay;
    const float *const x = wsr__at_const(s->x, s->d, row);
    const float *const m = wsr__at_const(work->c->m, s->d, row);
    float *const ahead = wsr__at(work->ahead, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        ahead[i] = x[i] + length * m[i];
    }
}

void wsr__momentum_ahead(float *ahead, wsr__attack_batch *s,
                         const wsr__momentum_attack *c)
{
    ahead_work work = {c, ahead};
    wsr__attack_batch_each(s, look_ahead, &work);
}

wsr_status wsr__gradient_ahead(wsr__attack_batch *s,
                               const wsr__momentum_attack *c)
{
    float *const ahead =
        wsr__attack_batch_scratch(s, WSR__MOMENTUM_AHEAD, s->d);
    if (ahead == NULL) {
        return WSR_NOMEM;
    }
    if (c->step == 0) {
        return wsr__attack_batch_clean_gradient(s, wsr__loss_ce);
    }
    wsr__momentum_ahead(ahead, s, c);
    return wsr__attack_batch_gradient_at(s, ahead, wsr__loss_ce);
}
