// SPDX-License-Identifier: Apache-2.0
//
// FGSM in steps whose gradients are those of the image in another size and at
// another place, so that they carry over to other models better:
//
//   m <- decay * m + g / mean |g|         g = grad CE(f(shrunk(x)), y)
//   x <- clip(x + alpha * sign(m))
//
// Xie et al., "Improving transferability of adversarial examples with input
// diversity", arXiv:1803.06978; with decay=1 it is their M-DI2-FGSM. Only the
// last image is judged.

#include "attack/attack.h"

typedef struct params {
    wsr__ascent ascent;
    wsr__diversity diversity;
} params;

static const wsr__option schema[] = {
    WSR__ASCENT_OPTIONS(params, ascent, "0"),
    WSR__DIVERSITY_OPTIONS(params, diversity),
    {0},
};

static wsr_status slope(wsr__siege *s, const wsr__climber *c)
{
    const params *const p = c->params;
    return wsr__diversity_gradient(s, &p->diversity, (uint32_t)c->step,
                                   wsr__loss_ce);
}

static wsr_status run(wsr__siege *s, const void *options)
{
    const params *const p = options;
    return wsr__ascent_run(s, &p->ascent, slope, p);
}

const wsr__attack_class wsr__attack_difgsm = {
    .super = {.name = "difgsm",
              .summary = "steps on the image in other sizes and places",
              .reference = "Xie et al. 2019, arXiv:1803.06978",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .targets = true,
    .run = run,
};
