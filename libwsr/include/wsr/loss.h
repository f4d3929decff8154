// SPDX-License-Identifier: Apache-2.0
//
// Loss functions of logits and their gradients, computed outside of graphs.
// They are the losses of the library's training and attacks, for programs with
// their own training loop or attack.
//
//     wsr_plan_forward(plan);
//     wsr_cross_entropy(&loss, wsr_plan_diff_dst(plan, "logits"),
//                       wsr_plan_dst(plan, "logits"),
//                       wsr_plan_shape(plan, "logits"), labels, 0.1);
//     wsr_plan_backward(plan);
//
// A loss is the mean over the images, and a gradient is that of the mean. Sums
// are computed in double precision, so that the gradient of a confident
// classifier becomes 0 only where single precision cannot hold it. A function
// overwrites the gradients; they are undefined when it fails.

#ifndef WSR_LOSS_H
#define WSR_LOSS_H

#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Cross entropy of logits z and labels y over k classes, with label smoothing s
 * (Szegedy et al. 2016, arXiv:1512.00567), as PyTorch's:
 *
 *   log sum_c exp z_c - (1 - s) z_y - s / k sum_c z_c
 *
 * @param loss [out]
 * @param diff [out] (n, k) gradient by the logits; NULL: none is wanted
 * @param logits [borrowed] (n, k)
 * @param shape [borrowed] (n, k)
 * @param labels [borrowed] (n), each in [0, k)
 * @param smoothing s, in [0, 1]
 * @returns WSR_SHAPE for another number of dimensions; WSR_ARG for a label that
 *          is no class, or another smoothing; WSR_NUMERIC when the loss is not
 *          finite
 */
WSR_API WSR_MUST_USE wsr_status wsr_cross_entropy(double *loss, float *diff,
                                                  const float *logits,
                                                  const wsr_shape *shape,
                                                  const int32_t *labels,
                                                  double smoothing);

/**
 * Kullback-Leibler divergence of p = softmax(logits) from q = softmax(target),
 * sum_c q_c (log q_c - log p_c): the second term of TRADES (Zhang et al. 2019,
 * arXiv:1901.08573) with the logits of attacked images and of clean ones.
 *
 * @param loss [out]
 * @param diff [out] (n, k) gradient by `logits`; NULL: none is wanted
 * @param diff_target [out] (n, k) gradient by `target`; NULL: none is wanted
 * @param logits [borrowed] (n, k)
 * @param target [borrowed] (n, k)
 * @param shape [borrowed] (n, k)
 * @returns WSR_SHAPE for another number of dimensions; WSR_ARG for less than
 *          two classes; WSR_NUMERIC when the loss is not finite
 */
WSR_API WSR_MUST_USE wsr_status wsr_kl_divergence(double *loss, float *diff,
                                                  float *diff_target,
                                                  const float *logits,
                                                  const float *target,
                                                  const wsr_shape *shape);

/**
 * Mean squared difference of two tensors, over all elements.
 *
 * @param loss [out]
 * @param diff [out] gradient by `a`, minus that by `b`; NULL: none is wanted
 * @param a [borrowed] of the shape
 * @param b [borrowed] of the shape
 * @param shape [borrowed] any
 * @returns WSR_SHAPE for a shape that no tensor has; WSR_NUMERIC when the loss
 *          is not finite
 */
WSR_API WSR_MUST_USE wsr_status wsr_mse(double *loss, float *diff,
                                        const float *a, const float *b,
                                        const wsr_shape *shape);

/**
 * Margin loss, max over classes c other than y of z_c, minus z_y: above 0 where
 * an image is misclassified. Attacks ascend it.
 *
 * @param loss [out]
 * @param diff [out] (n, k) gradient by the logits; NULL: none is wanted
 * @param logits [borrowed] (n, k)
 * @param shape [borrowed] (n, k), k at least 2
 * @param labels [borrowed] (n), each in [0, k)
 * @returns WSR_SHAPE for another number of dimensions; WSR_ARG for a label that
 *          is no class, or too few classes; WSR_NUMERIC when the loss is not
 *          finite
 */
WSR_API WSR_MUST_USE wsr_status wsr_margin_loss(double *loss, float *diff,
                                                const float *logits,
                                                const wsr_shape *shape,
                                                const int32_t *labels);

/**
 * Difference of logits ratio, the margin loss over the largest minus the third
 * largest logit (Croce and Hein 2020, arXiv:2003.01690), so that the scale of
 * the logits does not matter. Attacks ascend it.
 *
 * @param loss [out]
 * @param diff [out] (n, k) gradient by the logits; NULL: none is wanted
 * @param logits [borrowed] (n, k)
 * @param shape [borrowed] (n, k), k at least 3
 * @param labels [borrowed] (n), each in [0, k)
 * @returns as wsr_margin_loss()
 */
WSR_API WSR_MUST_USE wsr_status wsr_dlr_loss(double *loss, float *diff,
                                             const float *logits,
                                             const wsr_shape *shape,
                                             const int32_t *labels);

/**
 * Count the images that are classified correctly: the largest logit, the first
 * of equal ones, is that of the label.
 *
 * @param logits [borrowed] (n, k)
 * @param shape [borrowed] (n, k)
 * @param labels [borrowed] (n)
 * @returns at most n; 0 for another number of dimensions
 */
WSR_API size_t wsr_count_correct(const float *logits, const wsr_shape *shape,
                                 const int32_t *labels);

/**
 * Loss function of the caller, see wsr_trainer_set_loss().
 *
 * @param loss [out] mean over the images
 * @param diff [out] (n, k) gradient of that mean by the logits; the function
 *        must write every element
 * @param logits [borrowed] (n, k)
 * @param shape [borrowed] (n, k)
 * @param labels [borrowed] (n)
 * @param user the pointer that was passed to wsr_trainer_set_loss()
 * @returns WSR_OK; any other status ends the training step, which returns it
 */
typedef wsr_status (*wsr_loss_fn)(double *loss, float *diff,
                                  const float *logits, const wsr_shape *shape,
                                  const int32_t *labels, void *user);

#ifdef __cplusplus
}
#endif

#endif
