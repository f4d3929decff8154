// SPDX-License-Identifier: Apache-2.0
//
// The PGD step of training and search, without the engine around it.

#ifndef WSR_ATTACK_ENGINE_PGD_PLAN_H
#define WSR_ATTACK_ENGINE_PGD_PLAN_H

#include "attack/engine/loss.h"
#include "attack/engine/project.h"
#include "kernel/softmax_cross_entropy.h"
#include "wsr/graph.h"

#include <stdbool.h>

/// A step of one image of `ball->d` pixels along a gradient; `row` is its
/// number in the batch.
typedef void (*wsr__pgd_move)(float *x, const float *grad,
                              const wsr__ball *ball, uint64_t row, void *ctx);

typedef struct wsr__pgd {
    float eps;
    float alpha;
    size_t steps;
    float uniform;  // start: x + uniform noise of this size, 0: none
    float gaussian; // start: x + normal noise of this deviation, 0: none
    uint64_t seed;
    uint64_t id;        // number of the first image, for the noise
    uint64_t first;     // its row in the batch, for `move`
    wsr__loss loss;     // NULL: cross entropy
    const float *clean; // logits for wsr__loss_kl, (n, classes)
    double smoothing;   // of the labels of the cross entropy
    wsr__mixed mixed;   // second labels of the cross entropy
    const float *start; // the start minus x, instead of noise that is drawn
    bool start_outside; // the start may lie outside of ball and pixel range
    bool box_at_use;    // the perturbation may leave the pixel range, what the
                        // plan gets and what comes out may not
    wsr__pgd_move move; // NULL: along the sign of the gradient
    void *ctx;          // for `move`
} wsr__pgd;

/// out = images after `steps` steps of
///   out <- clip to [x - eps, x + eps] and [0, 1] of out + alpha sign(grad),
/// all of the plan's batch at once, in the plan's mode. The plan has the input
/// "x", the output "logits" and WSR_GRAD_INPUT. `dlogits` of the plan hold the
/// last loss gradient afterwards, divided by a power of two. Allocates nothing.
wsr_status wsr__pgd_plan(float *out, wsr_plan *plan, const float *x,
                         const int32_t *labels, const wsr__pgd *pgd);

/// Write the start of wsr__pgd_plan() to `out`.
void wsr__pgd_start(float *out, const wsr_plan *plan, const float *x,
                    const wsr__pgd *pgd);

/// One forward and backward pass: *grad, in the plan, are the gradients of the
/// loss of the images `at`, apart from positive factors. Without
/// pgd->box_at_use `at` goes into the plan as it is.
wsr_status wsr__pgd_gradient(const float **grad, wsr_plan *plan,
                             const float *at, const int32_t *labels,
                             const wsr__pgd *pgd);

#endif
