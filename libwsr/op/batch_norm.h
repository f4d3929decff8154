// SPDX-License-Identifier: Apache-2.0
//
// Params of batch_norm, and functions that its implementations share.

#ifndef WSR_OP_BATCH_NORM_H
#define WSR_OP_BATCH_NORM_H

#include "op/op.h"

typedef struct wsr__batch_norm {
    double tol;
    double momentum;
} wsr__batch_norm;

/// Sources in order.
enum {
    WSR__BN_SRC,
    WSR__BN_MEAN,
    WSR__BN_VAR,
    WSR__BN_TRACKED,
    WSR__BN_WEIGHT,
    WSR__BN_BIAS
};

/// Data of weight or bias, NULL for a norm without.
const float *wsr__batch_norm_affine(const wsr__node *node, size_t i);

/// Gradient of weight or bias, NULL when it is not wanted.
float *wsr__batch_norm_diff(const wsr__node *node, size_t i);

/// Mean and biased variance of the images here become those of all parts of the
/// batch, where the norm is synchronised. Then let the running statistics
/// follow them, or become these, where the plan wants it.
wsr_status wsr__batch_norm_finish_stats(const wsr__node *node, float *mean,
                                        float *var);

/// Average the first 2 c numbers of sync->room + 1 over all parts of the batch,
/// weighted by their values per channel. `*count` [out, NULL is legal] is the
/// number of values per channel in all of them.
wsr_status wsr__batch_norm_average(double *count, const wsr__node *node);

uint32_t wsr__batch_norm_needs(const wsr__node *node);

extern const wsr__impl wsr__batch_norm_rows;
extern const wsr__impl wsr__batch_norm_native;
extern const wsr__impl wsr__batch_norm_deferred;
extern const wsr__impl wsr__batch_norm_folded;

#endif
