// SPDX-License-Identifier: Apache-2.0
//
// Predicting the losses of an architecture, clean and at several strengths,
// from its table of weights: the surrogate that a search descends.

#ifndef WSR_PREDICTOR_H
#define WSR_PREDICTOR_H

#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A predictor with its memory. Belongs to one thread at a time. */
typedef struct wsr_predictor wsr_predictor;

/**
 * Make a predictor with random weights and an empty memory.
 *
 * @param out [out, owned]
 * @param spec "name" or "name:key=value,...", such as "lstm"; names and options
 *        are in wsr_search_help()
 * @param table [borrowed] shape (rows, cols) of an architecture
 * @param heads losses per architecture, 1 ... 65
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
 * Put an architecture and its losses into the memory; when it is full the
 * oldest goes.
 *
 * @param weights [borrowed] (rows, cols)
 * @param losses [borrowed] one per head
 * @returns WSR_NUMERIC for a loss that is not finite
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_remember(wsr_predictor *predictor,
                                                       const float *weights,
                                                       const double *losses);

/** Architectures in the memory. */
WSR_API size_t wsr_predictor_remembered(const wsr_predictor *predictor);

/**
 * Train on what is remembered.
 *
 * @param loss [out] mean of the last pass over its batches and heads; NULL is
 *        legal; 0 without memory
 * @param passes over the memory
 * @returns WSR_NUMERIC when a loss is not finite, WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_train(double *loss,
                                                    wsr_predictor *predictor,
                                                    size_t passes);

/**
 * Predict losses.
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
 * The gradient of the search's objective with respect to an architecture.
 * With outputs o and weights w the objective is sum w o^2 as released. As
 * intended it is sum w z, z being the prediction in standard deviations of
 * the memory from its mean, so that each strength counts as w says.
 *
 * @param objective [out] mean over the architectures, NULL is legal
 * @param diff [out] (n, rows, cols), of the mean
 * @param weights [borrowed] (n, rows, cols)
 * @param n architectures
 * @param objective_weights [borrowed] one per head
 * @returns WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_gradient(
    double *objective, float *diff, wsr_predictor *predictor,
    const float *weights, size_t n, const double *objective_weights);

/**
 * Rank correlation of two lists: Kendall's tau-b, for judging predictions.
 *
 * @param a, b [borrowed] n numbers each
 * @returns in [-1, 1], 0 when a list is constant
 */
WSR_API double wsr_kendall_tau(const double *a, const double *b, size_t n);

#ifdef __cplusplus
}
#endif

#endif
