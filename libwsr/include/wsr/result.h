// SPDX-License-Identifier: Apache-2.0
//
// The result of a run, in memory: the network, its genotype and its evaluation.
// The files in the run's folder hold the same.

#ifndef WSR_RESULT_H
#define WSR_RESULT_H

#include "wsr/base.h"
#include "wsr/eval.h"
#include "wsr/genotype.h"
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
 * @returns [borrowed] from the result
 */
WSR_API const wsr_net *wsr_result_net(const wsr_result *result);

/**
 * Genotype of the network. For a search it is the genotype that was found.
 *
 * @param result a result
 * @returns [borrowed] from the result; NULL for a network without a genotype
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

#ifdef __cplusplus
}
#endif

#endif
