// SPDX-License-Identifier: Apache-2.0
//
// The binary search for the constant c of Carlini and Wagner, which cw and ead
// share.

#ifndef WSR_ATTACK_ENGINE_CONSTANT_SEARCH_H
#define WSR_ATTACK_ENGINE_CONSTANT_SEARCH_H

#include "attack/engine/batch.h"

/// A search, per image, for the constant c, the weight of the misclassification
/// beside the size of the change: ten times as much after a failure without a
/// success before, else the middle between the last failure and the last
/// success. Where that is far from what the first gradient lets expect, the
/// expectation comes next. Sizes are in pixel ranges, so that constants fit
/// every range.
typedef struct wsr__constant_search {
    double c; // first constant
    int64_t binary_search_steps;
    double kappa; // by how much the image must be wrong
    int64_t steps;
    /// Sets x and what the attack keeps beside it.
    void (*begin)(wsr__attack_batch *s, size_t row, void *ctx);
    bool gradient; // `step` needs the loss and the gradient of the margin at x
    /// Moves x. For step 0, s->loss and s->grad are those of the margin at x
    /// anyway.
    wsr_status (*step)(wsr__attack_batch *s, void *ctx, int64_t step);
    double least; // what constant times gradient must exceed to move a pixel
    /// Of the change of a row.
    double (*size)(const wsr__attack_batch *s, size_t row, const void *ctx);
    void *ctx;
} wsr__constant_search;

/// Offers every image that is wrong enough; a tenth of the steps without a
/// decrease of size + c * shortage ends a try. The scratch array
/// WSR__CONSTANT_SCRATCH is its own.
wsr_status wsr__constant_search_run(wsr__attack_batch *s,
                                    const wsr__constant_search *search);

/// Its forward passes at most, apart from those of `step`.
static inline uint64_t wsr__constant_search_passes(int64_t binary_search_steps,
                                                   int64_t steps)
{
    return (uint64_t)(binary_search_steps * (steps + 1));
}

enum { WSR__CONSTANT_SCRATCH = WSR__SCRATCH_ARRAYS - 1 };

/// The constant of a row in the running try.
double wsr__constant(wsr__attack_batch *s, size_t row);

#endif
