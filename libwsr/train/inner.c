// SPDX-License-Identifier: Apache-2.0
//
// What the attacks inside trainers share: options, passes, and the perturbation
// of Free-AT.

#include "train/inner.h"

#include <math.h>
#include <string.h>

const char *const wsr__attack_modes[] = {"eval", "frozen", "train",
                                         "train_moving", NULL};

unsigned wsr__attack_purpose(const wsr__text *mode)
{
    const bool moving = wsr__streq(mode->s, "train_moving");
    const bool batch = moving || wsr__streq(mode->s, "train");
    const bool frozen = wsr__streq(mode->s, "frozen");
    return WSR_GRAD_INPUT | (batch ? (unsigned)WSR_TRAIN : 0u) |
           (moving ? (unsigned)WSR_MOVE_STATS : 0u) |
           (frozen ? WSR__CLEAN_STATS : 0u);
}

// The length with which Wsr-NAS trains: the ball can be crossed with room to
// spare.
float wsr__attack_alpha(double alpha, double eps, int64_t steps)
{
    return (float)(alpha > 0 ? alpha : 2.5 * eps / (double)steps);
}

wsr_status wsr__train_step_pgd(wsr__train_step *step, const wsr__pgd *pgd)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__attack_plans_begin(step->attack, step->x));
    status = wsr__attack_plans_pgd(step->x_adv, step->attack, step->x,
                                   step->labels, pgd);
    wsr__attack_plans_end(step->attack);
out:
    return status;
}

wsr_status wsr__train_step_attacked(wsr__train_step *step, const wsr__pgd *pgd)
{
    wsr_status status = WSR_OK;
    wsr__pgd drawn = *pgd;
    drawn.seed = step->seed;
    drawn.id = step->id;
    drawn.start = step->start_noise;
    drawn.mixed = step->mixed;
    if (!step->reuse) {
        WSR_TRY(wsr__train_step_pgd(step, &drawn));
        wsr__train_step_mix(step);
    }
    WSR_TRY(wsr__train_step_last_pass(&step->loss, &step->correct, step,
                                      step->x_adv,
                                      (wsr__pass){1, step->auxiliary}));
out:
    return status;
}

// Batches are shuffled, so that the first images are any.
void wsr__train_step_mix(wsr__train_step *step)
{
    const size_t floats = (size_t)wsr_shape_count(wsr__plan_images(step->plan));
    const size_t clean = (size_t)(step->clean_share * (double)step->n + 0.5);
    memcpy(step->x_adv, step->x, clean * (floats / step->n) * sizeof(*step->x));
}

static wsr_status clean_logits(void *ctx, wsr_plan *plan, size_t first)
{
    wsr_status status = WSR_OK;
    const wsr__train_step *const step = ctx;
    const size_t rows = wsr_plan_batch(plan);
    const size_t floats = (size_t)wsr_shape_count(wsr__plan_images(plan));
    memcpy(wsr_plan_src(plan, "x"), step->x + first * (floats / rows),
           floats * sizeof(*step->x));
    WSR_TRY(wsr_plan_forward(plan));
    memcpy(step->logits + first * step->classes, wsr_plan_dst(plan, "logits"),
           rows * step->classes * sizeof(*step->logits));
out:
    return status;
}

wsr_status wsr__train_step_clean_logits(wsr__train_step *step)
{
    return wsr__attack_plans_rows(step->attack, clean_logits, step);
}

static float clip(float v, float lo, float hi)
{
    return fminf(fmaxf(v, lo), hi);
}

void wsr__kept_noise_use(float *out, const wsr__kept_noise *noise,
                         size_t floats)
{
    for (size_t i = 0; i < floats; i++) {
        const float v = noise->x[i] + noise->d[i];
        out[i] = noise->at_use ? clip(v, 0, 1) : v;
    }
}

// A pixel that was clipped has no gradient, but one on an end of [0, 1] has, as
// in PyTorch's clamp.
void wsr__kept_noise_move(const wsr__kept_noise *noise, const float *grad,
                          size_t floats)
{
    float *const d = noise->d;
    for (size_t i = 0; i < floats; i++) {
        const float at = noise->x[i] + d[i];
        const float g = grad[i];
        const bool clipped = noise->at_use && (at < 0 || at > 1);
        const float sign = clipped ? 0.0F : (float)(g > 0) - (float)(g < 0);
        d[i] = clip(d[i] + noise->alpha * sign, -noise->eps, noise->eps);
        if (!noise->at_use) {
            d[i] = clip(d[i], -noise->x[i], 1 - noise->x[i]);
        }
    }
}
