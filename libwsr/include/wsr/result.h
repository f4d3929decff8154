// SPDX-License-Identifier: Apache-2.0
//
// What a run made, in memory: the network, its genotype, its evaluation. The
// files in the run's folder hold the same.

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
 * Free a result and everything that was borrowed from it.
 *
 * @param result NULL is legal
 */
WSR_API void wsr_result_free(wsr_result *result);

/**
 * Network of a run: the trained one, or the one that was attacked.
 *
 * @param result a result
 * @returns [borrowed] from the result
 */
WSR_API const wsr_net *wsr_result_net(const wsr_result *result);

/**
 * Genotype of that network: of a search the one that was found.
 *
 * @param result a result
 * @returns [borrowed] from the result; NULL for a network without a genotype
 */
WSR_API const wsr_genotype *wsr_result_genotype(const wsr_result *result);

/**
 * Evaluation of that network: accuracies, intervals, means, worst cases,
 * warnings, with the accessors of wsr/eval.h.
 *
 * @param result a result
 * @returns [borrowed] from the result; NULL when the run had none to make, and
 *          for the measure of the research code
 */
WSR_API const wsr_eval *wsr_result_eval(const wsr_result *result);

/**
 * Accuracies as the research code measures them, of a wsr_eval_run() with
 * attack.fidelity=released.
 *
 * @param eps [out, borrowed] (n) strengths in their order, may be NULL
 * @param accuracy [out, borrowed] (n) in [0, 1], may be NULL
 * @param result a result
 * @returns n; 0 for every other run, with nothing written
 */
WSR_API size_t wsr_result_released(const float **eps, const double **accuracy,
                                   const wsr_result *result);

#ifdef __cplusplus
}
#endif

#endif
