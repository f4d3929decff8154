// SPDX-License-Identifier: Apache-2.0
//
// What the attacks inside trainers share: options, passes, and the perturbation
// of Free-AT.

#include "train/inner.h"

#include <math.h>
#include <string.h>

const char *const wsr__attack_modes[] = {"eval", "train", "train_moving", NULL};

unsigned wsr__attack_purpose(const wsr__text *mode)
{
    const unsigned seen = wsr__streq(mode->s, "eval") ? 0u
                                                      : (unsigned)WSR_TRAIN;
    const unsigned moved =
        wsr__streq(mode->s, "train_moving") ? (unsigned)WSR_MOVE_STATS : 0u;
    return WSR_GRAD_INPUT | seen | moved;
}

// The length with which Wsr-NAS trains: the ball can be crossed with room to
// spare.
float wsr__attack_alpha(double alpha, double eps, int64_t steps)
{
    return (float)(alpha > 0 ? alpha : 2.5 * eps / (double)steps);
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
        WSR_TRY(wsr__pgd_plan(step->x_adv, step->attack, step->x, step->labels,
                              &drawn));
        wsr__train_step_mix(step);
    }
    WSR_TRY(wsr__train_step_pass(&step->loss, &step->correct, step, step->x_adv,
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

wsr_status wsr__train_step_clean_logits(wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    const wsr_shape *const shape = wsr__plan_images(step->attack);
    memcpy(wsr_plan_src(step->attack, "x"), step->x,
           (size_t)wsr_shape_count(shape) * sizeof(*step->x));
    WSR_TRY(wsr_plan_forward(step->attack));
    memcpy(step->logits, wsr_plan_dst(step->attack, "logits"),
           step->n * step->classes * sizeof(*step->logits));
out:
    return status;
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
