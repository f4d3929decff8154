// SPDX-License-Identifier: Apache-2.0
//
// What a batch keeps to itself: for batch.c, batch_pass.c and batch_strength.c,
// and for part.c, which copies what lasts from one attack of a combination to
// the next.

#ifndef WSR_ATTACK_ENGINE_BATCH_OWN_H
#define WSR_ATTACK_ENGINE_BATCH_OWN_H

#include "attack/attack.h"
#include "attack/engine/loss.h"

#include <stdbool.h>

/// Scratch arrays that an attack can have, and their number.
enum { WSR__SCRATCH_ARRAYS = 16 };

/// How far a pass with gradients came with a row.
enum {
    WSR__ROW_LOGITS,   // has logits that are not finite
    WSR__ROW_FORWARD,  // has logits; no gradient was wanted
    WSR__ROW_BACKWARD, // has a gradient
    WSR__ROW_GRADIENT  // has a gradient that is not finite
};

typedef struct wsr__attack_batch_own {
    float *x;
    float *grad;
    float *logits;
    float *dlogits;
    double *loss;
    float *clean;
    float *found;
    double *best;
    wsr__loss_target *loss_targets;
    wsr__loss_target *targets;
    uint8_t *success;
    uint8_t *finished;       // rows that wsr__attack_batch_compact removes
    uint8_t *state;          // how far the last pass with gradients came
    uint8_t *known;          // rows of clean_grad
    uint8_t *attacked;       // clean images that are attacked
    uint8_t *nested_success; // those with a success at a smaller strength
    uint32_t *rows;
    uint32_t *queries;
    uint32_t *gradients;
    uint32_t *flat;
    uint32_t *begun;   // queries when the running attack began
    uint32_t *breaker; // member that found `found`, its stream
    uint32_t *step;    // forward passes of the attack up to then
    uint32_t member;   // of the whole attack that runs, from 0
    double member_seconds[WSR__MEMBERS]; // at this strength
    int *exponent;
    float *clean_grad;
    int *clean_exponent; // of clean_grad
    double *clean_loss;
    wsr__loss clean_of; // loss that these are of, NULL: of none
    uint32_t *held;     // rows that the running attack began with
    size_t held_n;
    void *object; // of the attack
    void (*release)(void *object);
    bool object_used; // in this batch
    float *spare[WSR__SCRATCH_ARRAYS];
    int64_t width[WSR__SCRATCH_ARRAYS];
} wsr__attack_batch_own;

#endif
