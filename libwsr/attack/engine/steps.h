// SPDX-License-Identifier: Apache-2.0
//
// Starting points, gradient steps, and projected gradient descent.

#ifndef WSR_ATTACK_ENGINE_STEPS_H
#define WSR_ATTACK_ENGINE_STEPS_H

#include "attack/engine/batch.h"

/// Length of a step: alpha, or where that is 0, `rel_length` strengths over all
/// steps together.
float wsr__step_size(const wsr__attack_batch *s, double alpha,
                     double rel_length, int64_t steps);

/// x += uniform noise in the ball, or normal noise of deviation `sigma` pixel
/// ranges; then into ball and box.
void wsr__start_uniform(wsr__attack_batch *s, size_t row, uint32_t restart);
void wsr__start_gaussian(wsr__attack_batch *s, size_t row, uint32_t restart,
                         double sigma);

/// x += alpha * (linf: sign(g); l2: g / |g|); then into ball and box.
void wsr__gradient_step(wsr__attack_batch *s, size_t row, const float *g,
                        float alpha);

/// m = decay * m + g / mean |g|
void wsr__momentum(float *m, const float *g, double decay, int64_t d);

/// Steps along the gradient of a loss; every iterate is checked for success.
typedef struct wsr__gradient_steps {
    int64_t steps;
    wsr__loss loss;
    bool from_clean;    // x are the clean images at the beginning
    wsr__row_body step; // moves x by s->grad
    void *ctx;
} wsr__gradient_steps;

wsr_status wsr__gradient_steps_run(wsr__attack_batch *s,
                                   const wsr__gradient_steps *loop);

/// `single_step` and `passes` of classes with one gradient in each step, whose
/// params begin with the number of steps, an int64_t.
bool wsr__steps_single_step(const void *params);
uint64_t wsr__steps_passes(const wsr__attack_batch *s, const void *params);

/// Options of projected gradient descent, whatever its loss.
typedef struct wsr__descent {
    int64_t steps;
    double alpha;
    double rel_length;
    bool random_start;
    wsr__text noise;
    double sigma;
    int64_t restarts;
    wsr__text norm;
} wsr__descent;

extern const wsr__option wsr__descent_schema[];
wsr__lp wsr__descent_norm(const void *descent);

bool wsr__descent_single_step(const void *descent);

/// Whether its first steps begin at the clean images; and the `clean_loss` of
/// one along the cross entropy.
bool wsr__descent_from_clean(const void *descent);
wsr__loss wsr__descent_clean_ce(const void *descent);

/// Its forward passes at most.
uint64_t wsr__descent_passes(const wsr__attack_batch *s, const void *descent);

/// Projected gradient descent in the norm of the batch.
wsr_status wsr__descent_run(wsr__attack_batch *s, const wsr__descent *descent,
                            wsr__loss loss);

#endif
