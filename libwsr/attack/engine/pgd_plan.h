// SPDX-License-Identifier: Apache-2.0
//
// The PGD step of training and search, without the engine around it.

#ifndef WSR_ATTACK_ENGINE_PGD_PLAN_H
#define WSR_ATTACK_ENGINE_PGD_PLAN_H

#include "attack/engine/loss.h"
#include "wsr/graph.h"

typedef struct wsr__pgd {
    float eps;
    float alpha;
    size_t steps;
    float uniform;  // start: x + uniform noise of this size, 0: none
    float gaussian; // start: x + normal noise of this deviation, 0: none
    uint64_t seed;
    uint64_t id;        // number of the first image, for the noise
    wsr__loss loss;     // NULL: cross entropy
    const float *clean; // logits for wsr__loss_kl, (n, classes)
} wsr__pgd;

/// out = images after `steps` steps of
///   out <- clip to [x - eps, x + eps] and [0, 1] of out + alpha sign(grad),
/// all of the plan's batch at once, in the plan's mode. The plan has the input
/// "x", the output "logits" and WSR_GRAD_INPUT. `dlogits` of the plan hold the
/// last loss gradient afterwards, divided by a power of two. Allocates nothing.
wsr_status wsr__pgd_plan(float *out, wsr_plan *plan, const float *x,
                         const int32_t *labels, const wsr__pgd *pgd);

#endif
