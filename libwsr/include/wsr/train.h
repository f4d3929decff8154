// SPDX-License-Identifier: Apache-2.0
//
// Training a network from scratch, naturally or adversarially, in a folder
// from which an interrupted run goes on bit for bit.

#ifndef WSR_TRAIN_H
#define WSR_TRAIN_H

#include "wsr/base.h"
#include "wsr/config.h"
#include "wsr/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Train a network and measure its accuracy over an evaluation of strengths.
 *
 * Written into the folder: `config.yaml`, every option that was in force;
 * `log.jsonl`, one JSON object a line; `checkpoint.safetensors` after each
 * epoch and when the run is stopped; `net.safetensors` and
 * `eval.safetensors`, the evaluation image by image, at the end. With the
 * same configuration, threads and machine the bytes of net and checkpoint are
 * the same, however often the run was interrupted.
 *
 * @param result [out, owned] what was made, release with wsr_result_free();
 *        NULL is legal. NULL on failure, unless it came when the evaluation had
 *        begun: the results before it are kept
 * @param config [borrowed] see wsr_train_help(); in a resumed run the stored
 *        one counts, and this one, which may be NULL, must not differ from it
 * @param dir [borrowed] folder of the run; without (NULL) a configuration that
 *        is right fails with WSR_ARG
 * @param resume whether the folder holds a run to go on with
 * @param hook NULL: nobody watches
 * @param user [borrowed] passed to the hook
 * @returns WSR_CONFIG for a key or value that is not permitted; WSR_ARG when a
 *          new run's folder holds a checkpoint; WSR_NOTFOUND when there is
 *          nothing to resume, and for data or genotypes that do not exist;
 *          WSR_CANCELED; WSR_NUMERIC when a loss or gradient is not finite;
 *          WSR_IO, WSR_FORMAT, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_train_run(wsr_result **result,
                                              const wsr_config *config,
                                              const char *dir, bool resume,
                                              wsr_progress_hook hook,
                                              void *user);

/**
 * Tell a person about the options of a training run and their defaults.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param topic [borrowed] "train": the options of a section; "train.epochs":
 *        one option; "attack": what values may name, here the attacks, a line
 *        each; "attack:pgd": the options of one of these; NULL or "all":
 *        everything; "": what topics there are
 * @returns WSR_NOTFOUND, with a suggestion, for another topic; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_train_help(char **out, const char *topic);

#ifdef __cplusplus
}
#endif

#endif
