// SPDX-License-Identifier: Apache-2.0
//
// The test bench of estimators (wsr/estimator.h): how near estimated noises
// come to those that PGD finds, for several networks and variants of
// estimators at once. wsr_result_estimates() has what it measured.

#ifndef WSR_ESTIMATE_H
#define WSR_ESTIMATE_H

#include "wsr/config.h"
#include "wsr/result.h"
#include "wsr/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Train estimators on the noises of networks and compare them with PGD.
 *
 * Networks come from files or are trained first. The estimators learn to
 * compute each noise of an image from the others; after each epoch every
 * network is measured under the true noises and under the estimated ones. In
 * the end PGD attacks the test images at strengths that no estimator knows, and
 * every variant estimates noises of the same norms.
 *
 * The run writes these files into its folder: config.yaml (the value of every
 * option), log.jsonl, checkpoint.safetensors, network-NAME.safetensors of every
 * network, genotype-NAME.yaml of those that it trains,
 * estimator-NAME.safetensors of every variant, and results.csv. A run that was
 * stopped or killed at any instant can be resumed and ends with the same bytes
 * in all of them but the log, which has times.
 *
 * @param result [out, owned] rows of wsr_result_estimates(), without network
 * and evaluation; release with wsr_result_free(); NULL is legal. NULL on
 *        failure before the comparison with PGD; a failure in it returns what
 *        was measured until then
 * @param config [borrowed] options, see wsr_estimate_help(). A resumed run uses
 *        the configuration in its folder; `config` is then NULL or must agree
 *        with that one
 * @param dir [borrowed] folder of the run; the run makes it if necessary. With
 *        NULL the function returns WSR_ARG, or WSR_CONFIG for an option that is
 *        not permitted
 * @param resume true continues the run in `dir`
 * @param hook progress hook, NULL for none
 * @param user [borrowed] the library passes it to the hook
 * @returns WSR_CONFIG, naming the key, also for an unknown variant; WSR_ARG for
 *          a network with other classes than the data, and for a folder that
 *          holds a run already; WSR_SHAPE for one that takes other images;
 *          WSR_NOTFOUND, WSR_FORMAT for files; WSR_IO; WSR_NUMERIC, naming
 *          network or variant, when training breaks down; WSR_CANCELED when the
 *          hook returned false, after a checkpoint; WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimate_run(wsr_result **result,
                                                 const wsr_config *config,
                                                 const char *dir, bool resume,
                                                 wsr_progress_hook hook,
                                                 void *user);

/**
 * Estimate what a test bench costs, without doing it.
 *
 * @param cost [out]
 * @param config [borrowed] options as for wsr_estimate_run()
 * @param hook progress hook, which may stop the timing; NULL for none
 * @param user [borrowed] the library passes it to the hook
 * @returns as wsr_train_cost()
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimate_cost(wsr_cost *cost,
                                                  const wsr_config *config,
                                                  wsr_progress_hook hook,
                                                  void *user);

/**
 * Write a help text about the options of a test bench and their defaults.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param topic [borrowed] as in wsr_train_help()
 * @returns as wsr_train_help()
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimate_help(char **out,
                                                  const char *topic);

#ifdef __cplusplus
}
#endif

#endif
