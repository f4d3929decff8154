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
 * Whether a predictor takes the strength of the attack as an input and so
 * predicts at any strength, as "strength" does.
 */
WSR_API bool wsr_predictor_takes_strength(const wsr_predictor *predictor);

/**
 * Say at which strengths the losses are measured. A predictor that takes
 * strengths needs them before it remembers an architecture; others ignore them.
 *
 * @param predictor with an empty memory; unchanged on failure
 * @param strengths [copied] (heads) the strength of each loss, 0 for the clean
 *        one, in any order
 * @returns WSR_ARG for a strength that is negative or not finite, for two that
 *          are the same, or when architectures are remembered already
 */
WSR_API WSR_MUST_USE wsr_status
wsr_predictor_set_strengths(wsr_predictor *predictor, const double *strengths);

/**
 * Add an architecture and its measured losses to the training memory. A full
 * memory drops its oldest architecture.
 *
 * @param predictor a predictor
 * @param weights [borrowed] (rows, cols)
 * @param losses [borrowed] (heads)
 * @returns WSR_NUMERIC for a loss that is not finite; WSR_ARG without the
 *          strengths that the predictor takes; WSR_NOMEM, of a predictor of
 *          wsr_predictor_load() only, which takes the memory now
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_remember(wsr_predictor *predictor,
                                                       const float *weights,
                                                       const double *losses);

/** Number of architectures in the training memory. */
WSR_API size_t wsr_predictor_remembered(const wsr_predictor *predictor);

/**
 * Train a predictor on its memory. A predictor that learns from architectures
 * without losses too, such as "gae:pretrain=50", does so first, once.
 *
 * @param loss [out] mean loss of the last pass, over its batches and heads; 0
 *        when the memory is empty; NULL is legal. A loss of the predictor's
 *        own, such as the reconstruction of "gae", counts too
 * @param predictor a predictor
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
 * @param predictor a predictor
 * @param weights [borrowed] (n, rows, cols)
 * @param n number of architectures
 * @returns WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_run(double *losses,
                                                  wsr_predictor *predictor,
                                                  const float *weights,
                                                  size_t n);

/**
 * Predict the losses of architectures at any strengths.
 *
 * @param losses [out] (n, n_eps)
 * @param predictor one that takes strengths
 * @param weights [borrowed] (n, rows, cols)
 * @param n number of architectures
 * @param eps [borrowed] (n_eps) strengths
 * @param n_eps at least 1
 * @returns WSR_UNSUPPORTED for a predictor that does not take strengths;
 *          WSR_ARG for a strength that is negative or not finite; WSR_NOMEM,
 *          WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_run_at(
    double *losses, wsr_predictor *predictor, const float *weights, size_t n,
    const double *eps, size_t n_eps);

/**
 * Compute the predicted objective of a search and its gradient with respect to
 * the architecture weights.
 *
 * With outputs o and objective weights w the objective is sum w o^2 in the
 * released code. As the paper intends, it is sum w z, where z is the predicted
 * loss minus the memory's mean, divided by the memory's standard deviation: so
 * the scale of a loss does not change its influence.
 *
 * "strength:objective=integral" replaces the robust losses by their mean over a
 * range of strengths, which gets the sum of their weights.
 *
 * "gae" reads of each edge the greatest weight and which candidate has it. The
 * gradient is that of the greatest weights; it is 0 for all others, since which
 * candidate is greatest does not change by a small step.
 *
 * @param objective [out] mean over the architectures, NULL is legal
 * @param diff [out] (n, rows, cols) gradient of that mean
 * @param predictor a predictor
 * @param weights [borrowed] (n, rows, cols)
 * @param n number of architectures
 * @param objective_weights [borrowed] (heads) w
 * @returns WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_gradient(
    double *objective, float *diff, wsr_predictor *predictor,
    const float *weights, size_t n, const double *objective_weights);

/**
 * Write a predictor to a safetensors file: its parameters, the mean and
 * deviation of the losses that it was trained on, and the strengths. The
 * memory is not written.
 *
 * @param predictor a predictor
 * @param path of the file, which is replaced as a whole or not at all
 * @returns WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status
wsr_predictor_save(const wsr_predictor *predictor, const char *path);

/**
 * Make a predictor from a file of wsr_predictor_save(). Its predictions are
 * those of the saved one, bit for bit; its memory is empty.
 *
 * @param out [out, owned] NULL on failure
 * @param path of the file
 * @returns WSR_IO; WSR_FORMAT for a file that holds no predictor; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_predictor_load(wsr_predictor **out,
                                                   const char *path);

/**
 * Rank correlation of two lists, Kendall's tau-b: a measure of how well
 * predicted losses rank architectures.
 *
 * @param a, b [borrowed] n numbers each
 * @param n number of values
 * @returns in [-1, 1], 0 when a list is constant
 */
WSR_API double wsr_kendall_tau(const double *a, const double *b, size_t n);

/**
 * 95 % interval of wsr_kendall_tau(), by the percentile bootstrap: the
 * correlations of 1000 samples of the pairs, drawn with replacement.
 *
 * @param range [out] least and greatest correlation; -1 and 1 when there are
 *        fewer than 3 pairs
 * @param a, b [borrowed] n numbers each
 * @param n number of pairs
 * @param seed of the samples; the same seed gives the same interval
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_kendall_tau_interval(
    double range[2], const double *a, const double *b, size_t n, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
