// SPDX-License-Identifier: Apache-2.0
//
// A momentum whose gradients are corrected by how those around the last point
// differed from that point's, as vmifgsm and vnifgsm share it:
//
//   m <- decay * m + (g + v) / mean |g + v|
//   v <- 1/n sum over k of grad CE(f(x + u_k), y) - g    u_k uniform, |u_k| <=
//   x <- clip(x + alpha * sign(m))                         beta eps
//
// Wang and He, "Enhancing the transferability of adversarial attacks through
// variance tuning", arXiv:2103.15571.

#include "attack/engine/momentum_attack.h"

#include <string.h>

enum { RAW, VARIANCE, NEAR, EXPONENT };

const wsr__option wsr__variance_schema[] = {
    WSR__MOMENTUM_OPTIONS("1"),
    {"samples", WSR__INT, offsetof(wsr__variance, samples), "5", 1, 10000, "",
     "points around each", NULL},
    {"beta", WSR__FLOAT, offsetof(wsr__variance, beta), "1.5", 0, 1000,
     "strengths", "how far away they are at most", NULL},
    {0},
};

typedef struct tuning_work {
    const wsr__variance *variance;
    float *raw; // gradient of the point itself
    float *v;
    int *exponent; // of v, one per image
    float *near;   // points around it
    uint32_t draw;
} tuning_work;

static void begin(wsr__attack_batch *s, size_t row, void *ctx)
{
    const tuning_work *const work = ctx;
    memset(wsr__at(work->v, s->d, row), 0, (size_t)s->d * sizeof(float));
    work->exponent[row] = WSR__EXPONENT_NONE;
}

static void come_near(wsr__attack_batch *s, size_t row, void *ctx)
{
    const tuning_work *const work = ctx;
    wsr__rng rng = wsr__attack_batch_rng(s, row, work->draw);
    const float most = s->eps * (float)work->variance->beta;
    const float *const x = wsr__at_const(s->x, s->d, row);
    float *const near = wsr__at(work->near, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        near[i] = x[i] + most * (2 * wsr__rng_uniform(&rng) - 1);
    }
}

// grad = g + v, and v = -g
static void correct(wsr__attack_batch *s, size_t row, void *ctx)
{
    const tuning_work *const work = ctx;
    float *const g = wsr__at(s->grad, s->d, row);
    float *const raw = wsr__at(work->raw, s->d, row);
    float *const v = wsr__at(work->v, s->d, row);
    const float factor =
        wsr__gradient_align(v, &work->exponent[row], s->exponent[row], s->d);
    for (int64_t i = 0; i < s->d; i++) {
        const float own = factor * g[i];
        raw[i] = own + v[i];
        v[i] = -own;
    }
}

static void add(wsr__attack_batch *s, size_t row, void *ctx)
{
    const tuning_work *const work = ctx;
    const float *const g = wsr__at_const(s->grad, s->d, row);
    float *const v = wsr__at(work->v, s->d, row);
    const float factor =
        wsr__gradient_align(v, &work->exponent[row], s->exponent[row], s->d);
    const float part = factor / (float)work->variance->samples;
    for (int64_t i = 0; i < s->d; i++) {
        v[i] += part * g[i];
    }
}

static void take(wsr__attack_batch *s, size_t row, void *ctx)
{
    const tuning_work *const work = ctx;
    memcpy(wsr__at(s->grad, s->d, row), wsr__at(work->raw, s->d, row),
           (size_t)s->d * sizeof(*s->grad));
}

// The points around the last point of all are of no use any more.
static wsr_status tune(wsr__attack_batch *s, const wsr__momentum_attack *c,
                       wsr__momentum_gradient at)
{
    wsr_status status = WSR_OK;
    const wsr__variance *const variance = c->params;
    tuning_work work = {
        .variance = variance,
        .raw = wsr__attack_batch_scratch(s, RAW, s->d),
        .v = wsr__attack_batch_scratch(s, VARIANCE, s->d),
        .exponent = (void *)wsr__attack_batch_scratch(s, EXPONENT, 1),
        .near = wsr__attack_batch_scratch(s, NEAR, s->d)};
    if (work.raw == NULL || work.v == NULL || work.exponent == NULL ||
        work.near == NULL) {
        return WSR_NOMEM;
    }
    if (c->step == 0) {
        wsr__attack_batch_each(s, begin, &work);
    }
    WSR_TRY(at(s, c));
    wsr__attack_batch_each(s, correct, &work);
    const bool last = c->step + 1 == c->momentum->steps;
    for (int64_t k = 0; !last && k < variance->samples; k++) {
        work.draw = (uint32_t)(c->step * variance->samples + k);
        wsr__attack_batch_each(s, come_near, &work);
        WSR_TRY(wsr__attack_batch_gradient_at(s, work.near, wsr__loss_ce));
        wsr__attack_batch_each(s, add, &work);
    }
    wsr__attack_batch_each(s, take, &work);
out:
    return status;
}

uint64_t wsr__variance_passes(const wsr__attack_batch *s, const void *params)
{
    (void)s;
    const wsr__variance *const p = params;
    return (uint64_t)(p->momentum.steps * (p->samples + 1) + 1);
}

wsr_status wsr__gradient_tuned(wsr__attack_batch *s,
                               const wsr__momentum_attack *c)
{
    return tune(s, c, wsr__gradient_here);
}

wsr_status wsr__gradient_tuned_ahead(wsr__attack_batch *s,
                                     const wsr__momentum_attack *c)
{
    return tune(s, c, wsr__gradient_ahead);
}
