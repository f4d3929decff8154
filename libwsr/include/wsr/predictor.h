// SPDX-License-Identifier: Apache-2.0
//
// Predictors. A predictor is a network that estimates the losses of an
// architecture, clean and at several strengths, from the architecture weights
// of its edges. A search minimises the predicted losses by gradient descent on
// these weights.

#ifndef WSR_PREDICTOR_H
#define WSR_PREDICTOR_H

#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A predictor with its training memory. One thread at a time may use it. */
typedef struct wsr_predictor wsr_predictor;

/**
 * Make a predictor with random weights and an empty memory.
 *
 * @param out [out, owned]
 * @param spec "name" or "name:key=value,...", such as "lstm"; wsr_search_help()
 *        lists names and options
 * @param table [borrowed] shape (rows, cols) of an architecture's weights: a
 * row for each edge, a column for each candidate
 * @param heads number of losses per architecture, from 1 to 65
 * @param seed of the weights, the order of training and its noise
 * @returns WSR_NOTFOUND for an unknown name, WSR_CONFIG for its options,
 *          WSR_ARG for a shape or number of heads, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_new(wsr_predictor **out,
                                                  const char *spec,
                                                  const wsr_shape *table,
                                                  size_t heads, uint64_t seed);

/** Free a predictor; NULL is legal. */
WSR_API void wsr_predictor_free(wsr_predictor *predictor);

/** Weights, named as the PyTorch module names them. @returns [borrowed] */
WSR_API wsr_params *wsr_predictor_params(wsr_predictor *predictor);

/**
 * Add an architecture and its measured losses to the training memory. A full
 * memory drops its oldest architecture.
 *
 * @param weights [borrowed] (rows, cols)
 * @param losses [borrowed] (heads)
 * @returns WSR_NUMERIC for a loss that is not finite
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_remember(wsr_predictor *predictor,
                                                       const float *weights,
                                                       const double *losses);

/** Number of architectures in the training memory. */
WSR_API size_t wsr_predictor_remembered(const wsr_predictor *predictor);

/**
 * Train a predictor on its memory.
 *
 * @param loss [out] mean loss of the last pass, over its batches and heads; 0
 *        when the memory is empty; NULL is legal
 * @param passes number of passes over the memory
 * @returns WSR_NUMERIC when a loss is not finite, WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_train(double *loss,
                                                    wsr_predictor *predictor,
                                                    size_t passes);

/**
 * Predict the losses of architectures.
 *
 * @param losses [out] (n, heads)
 * @param weights [borrowed] (n, rows, cols)
 * @returns WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_run(double *losses,
                                                  wsr_predictor *predictor,
                                                  const float *weights,
                                                  size_t n);

/**
 * Compute the predicted objective of a search and its gradient with respect to
 * the architecture weights.
 *
 * With outputs o and objective weights w the objective is sum w o^2 in the
 * released code. As the paper intends, it is sum w z, where z is the predicted
 * loss minus the memory's mean, divided by the memory's standard deviation: so
 * the scale of a loss does not change its influence.
 *
 * @param objective [out] mean over the architectures, NULL is legal
 * @param diff [out] (n, rows, cols) gradient of that mean
 * @param weights [borrowed] (n, rows, cols)
 * @param n number of architectures
 * @param objective_weights [borrowed] (heads) w
 * @returns WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_gradient(
    double *objective, float *diff, wsr_predictor *predictor,
    const float *weights, size_t n, const double *objective_weights);

/**
 * Rank correlation of two lists, Kendall's tau-b: a measure of how well
 * predicted losses rank architectures.
 *
 * @param a, b [borrowed] n numbers each
 * @returns in [-1, 1], 0 when a list is constant
 */
WSR_API double wsr_kendall_tau(const double *a, const double *b, size_t n);

#ifdef __cplusplus
}
#endif

#endif
