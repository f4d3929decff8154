// SPDX-License-Identifier: Apache-2.0
//
// The result of a run, in memory: the network, its genotype and its evaluation.
// The files in the run's folder hold the same.

#ifndef WSR_RESULT_H
#define WSR_RESULT_H

#include "wsr/base.h"
#include "wsr/corrupt.h"
#include "wsr/eval.h"
#include "wsr/genotype.h"
#include "wsr/hessian.h"
#include "wsr/net.h"
#include "wsr/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Free a result. All pointers that were borrowed from it become invalid.
 *
 * @param result NULL is legal
 */
WSR_API void wsr_result_free(wsr_result *result);

/**
 * Network of a run: the network that it trained, or that it attacked.
 *
 * @param result a result
 * @returns [borrowed] from the result; NULL for a wsr_estimate_run(), which has
 *          several
 */
WSR_API const wsr_net *wsr_result_net(const wsr_result *result);

/**
 * Genotype of the network. For a search it is the genotype that was found.
 *
 * @param result a result
 * @returns [borrowed] from the result; NULL for a network without a genotype
 *          and without a network
 */
WSR_API const wsr_genotype *wsr_result_genotype(const wsr_result *result);

/**
 * Evaluation of the network. The functions of wsr/eval.h read accuracies,
 * intervals, means, worst cases and warnings from it.
 *
 * @param result a result
 * @returns [borrowed] from the result; NULL when the run made no evaluation,
 * and with attack.fidelity=released, see wsr_result_released()
 */
WSR_API const wsr_eval *wsr_result_eval(const wsr_result *result);

/**
 * Accuracies of a wsr_eval_run() with attack.fidelity=released, which measures
 * as the research code does: see wsr_eval_released().
 *
 * @param eps [out, borrowed] (n) strengths, may be NULL
 * @param accuracy [out, borrowed] (n) in [0, 1], may be NULL
 * @param result a result
 * @returns n; 0 for any other run, and then the arguments are not written
 */
WSR_API size_t wsr_result_released(const float **eps, const double **accuracy,
                                   const wsr_result *result);

/**
 * Accuracy on corrupted images, of a wsr_eval_run() with `corruption.list`.
 *
 * @returns [borrowed] NULL when it was not asked for
 */
WSR_API const wsr_corruption_eval *wsr_result_corruptions(
    const wsr_result *result);

/**
 * Hessian of the loss, of a wsr_eval_run() with `hessian.of`.
 *
 * @returns [borrowed] NULL when it was not asked for
 */
WSR_API const wsr_hessian *wsr_result_hessian(const wsr_result *result);

/**
 * What a wsr_estimate_run() measured on one network, of one variant of
 * estimators, at one strength. Accuracies and the ends of their 95 % intervals
 * are in [0, 1]; all numbers are means over the same test images.
 */
typedef struct wsr_estimate_row {
    const char *net;       /**< [borrowed] name of the network */
    const char *variant;   /**< [borrowed] name of the variant */
    bool seen;             /**< whether the network's noises train estimators */
    size_t count;          /**< images */
    double eps;            /**< strength of PGD, on pixels from 0 to 1 */
    double norm;           /**< Euclidean norm of both noises */
    double clean_accuracy; /**< without a noise */
    double pgd_accuracy;   /**< under PGD's noise */
    double pgd_low;        /**< its 95 % interval: lower end */
    double pgd_high;       /**< upper end */
    double accuracy;       /**< under the estimated noise */
    double low;            /**< its 95 % interval: lower end */
    double high;           /**< upper end */
    double cosine;         /**< of the two noises */
    double mse;            /**< mean squared difference of their pixels */
    double pgd_seconds;    /**< per image and strength, as the next one; not a
                                number when the run ended before it measured it */
    double seconds;        /**< of an estimate, its sources apart */
} wsr_estimate_row;

/**
 * Rows of a wsr_estimate_run(), network by network, variant by variant,
 * strengths ascending.
 *
 * @param rows [out, borrowed] (n), may be NULL
 * @param result a result
 * @returns n; 0 for any other run
 */
WSR_API size_t wsr_result_estimates(const wsr_estimate_row **rows,
                                    const wsr_result *result);

#ifdef __cplusplus
}
#endif

#endif
