// SPDX-License-Identifier: Apache-2.0
//
// Cross entropy of logits, for the op, for training and for attacks.

#ifndef WSR_KERNEL_SOFTMAX_CROSS_ENTROPY_H
#define WSR_KERNEL_SOFTMAX_CROSS_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// log sum_c exp z_c of `classes` (at least 1) logits z, in double. The largest
/// logit is taken out first, so nothing overflows.
double wsr__log_sum_exp(const float *z, size_t classes);

/// What the logits of one sample are compared with, and what is done with the
/// gradient.
typedef struct wsr__ce_target {
    size_t label;     // less than the number of classes
    double smoothing; // share of the target spread over all classes, 0 to 1
    double scale;     // factor of the gradient
    bool accumulate;  // add to dz instead of overwriting it
    size_t other;     // second label, of a sample that is mixed of two
    double share;     // of the second label, 0 to 1; 0: there is none
} wsr__ce_target;

/// The loss of one sample of `classes` logits z. dz, NULL where no gradient is
/// wanted, receives scale times the gradient.
double wsr__softmax_cross_entropy(float *dz, const float *z, size_t classes,
                                  const wsr__ce_target *target);

/// Second labels of samples that are mixed of two, and their shares, both (n).
/// NULL: samples have one label.
typedef struct wsr__mixed {
    const int32_t *others;
    const double *shares;
} wsr__mixed;

/// What the mean cross entropy of a batch is of.
typedef struct wsr__ce_batch {
    const int32_t *labels; // (n)
    size_t n;
    size_t classes;
    double smoothing; // of labels
    double weight;    // factor of the gradient
    wsr__mixed mixed;
} wsr__ce_batch;

/// Mean cross entropy of logits (n, classes), and its gradient unless diff is
/// NULL.
double wsr__mean_cross_entropy(float *diff, const float *logits,
                               const wsr__ce_batch *batch);

#endif
