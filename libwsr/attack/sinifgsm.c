// SPDX-License-Identifier: Apache-2.0
//
// nifgsm on darker copies of the image too, since a network takes an image and
// its copies for the same thing:
//
//   g = 1/n sum over i < n of grad CE(f(p / 2^i), y)     p = x + alpha decay m
//   m <- decay * m + g / mean |g|
//   x <- clip(x + alpha * sign(m))
//
// where gradients are by p. Lin et al., "Nesterov accelerated gradient and
// scale invariance for adversarial attacks", arXiv:1908.06281.

#include "attack/attack.h"
#include "attack/engine/momentum_attack.h"

#include <math.h>
#include <string.h>

enum { COPY, SUM, EXPONENT };

typedef struct params {
    wsr__momentum_params momentum;
    int64_t scales;
} params;

static const wsr__option schema[] = {
    WSR__MOMENTUM_OPTIONS("1"),
    {"scales", WSR__INT, offsetof(params, scales), "5", 1, 30, "",
     "copies, each half as bright as the one before", NULL},
    {0},
};

typedef struct copies {
    const float *ahead;
    float *copy;
    float *sum;
    int *exponent; // of the sum, one per image
    int64_t n;
    int64_t at;
} copies;

static void darken(wsr__attack_batch *s, size_t row, void *ctx)
{
    const copies *const c = ctx;
    const float scale = ldexpf(1, (int)-c->at);
    const float *const ahead = wsr__at_const(c->ahead, s->d, row);
    float *const copy = wsr__at(c->copy, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        copy[i] = scale * ahead[i];
    }
}

static void add(wsr__attack_batch *s, size_t row, void *ctx)
{
    const copies *const c = ctx;
    const float *const g = wsr__at_const(s->grad, s->d, row);
    float *const sum = wsr__at(c->sum, s->d, row);
    if (c->at == 0) {
        memset(sum, 0, (size_t)s->d * sizeof(*sum));
        c->exponent[row] = WSR__EXPONENT_NONE;
    }
    const float factor =
        wsr__gradient_align(sum, &c->exponent[row], s->exponent[row], s->d);
    const float scale = factor * (ldexpf(1, (int)-c->at) / (float)c->n);
    for (int64_t i = 0; i < s->d; i++) {
        sum[i] = scale * g[i] + sum[i];
    }
}

static void take(wsr__attack_batch *s, size_t row, void *ctx)
{
    const copies *const c = ctx;
    memcpy(wsr__at(s->grad, s->d, row), wsr__at(c->sum, s->d, row),
           (size_t)s->d * sizeof(*s->grad));
}

static wsr_status gradient(wsr__attack_batch *s,
                           const wsr__momentum_attack *attack)
{
    wsr_status status = WSR_OK;
    const params *const p = attack->params;
    float *const ahead =
        wsr__attack_batch_scratch(s, WSR__MOMENTUM_AHEAD, s->d);
    copies c = {.ahead = ahead,
                .copy = wsr__attack_batch_scratch(s, COPY, s->d),
                .sum = wsr__attack_batch_scratch(s, SUM, s->d),
                .exponent = (void *)wsr__attack_batch_scratch(s, EXPONENT, 1),
                .n = p->scales};
    if (ahead == NULL || c.copy == NULL || c.sum == NULL ||
        c.exponent == NULL) {
        return WSR_NOMEM;
    }
    wsr__momentum_ahead(ahead, s, attack);
    for (; c.at < c.n; c.at++) {
        wsr__attack_batch_each(s, darken, &c);
        WSR_TRY(wsr__attack_batch_gradient_at(s, c.copy, wsr__loss_ce));
        wsr__attack_batch_each(s, add, &c);
    }
    wsr__attack_batch_each(s, take, &c);
out:
    return status;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__momentum_attack_run(s, options, gradient);
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    const params *const p = options;
    return (uint64_t)(p->momentum.steps * p->scales + 1);
}

const wsr__attack_class wsr__attack_sinifgsm = {
    .super = {.name = "sinifgsm",
              .summary = "nifgsm on darker copies of the image too",
              .reference = "Lin et al. 2020, arXiv:1908.06281",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .targets = true,
    .run = run,
    .passes = passes,
};
