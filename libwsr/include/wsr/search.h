// SPDX-License-Identifier: Apache-2.0
//
// Searching for cells that stay accurate under adversarial noise of many
// strengths at once: Wsr-NAS (AAAI 2023, doi:10.1609/aaai.v37i1.25118).

#ifndef WSR_SEARCH_H
#define WSR_SEARCH_H

#include "wsr/config.h"
#include "wsr/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Search, then train the found genotype and evaluate it.
 *
 * The folder receives config.yaml (every option in force), log.jsonl,
 * genotype.yaml, checkpoint.safetensors, net.safetensors and
 * eval.safetensors, the evaluation image by image. A run that was
 * stopped or killed at any instant goes on where it stood and ends with the
 * same bytes in genotype, checkpoint and network.
 *
 * @param result [out, owned] what was made, release with wsr_result_free();
 *        NULL is legal. NULL on failure, unless it came when the evaluation had
 *        begun: the results before it are kept
 * @param config [borrowed] see wsr_search_help(); in a resumed run the stored
 *        one counts, and this one, which may be NULL, must not differ from it
 * @param dir of the run; made when it does not exist; without (NULL) a
 *        configuration that is right fails with WSR_ARG
 * @param resume go on with the run in `dir`
 * @param hook called after every step, NULL for none
 * @param user [borrowed] for the hook
 * @returns WSR_CONFIG, naming the key and where it was set; WSR_NOTFOUND,
 *          WSR_FORMAT for data; WSR_ARG for a folder that holds a run already;
 *          WSR_IO; WSR_NUMERIC, naming step and tensor, when training breaks
 *          down; WSR_CANCELED when the hook returned false, after a
 *          checkpoint; WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_run(wsr_result **result,
                                               const wsr_config *config,
                                               const char *dir, bool resume,
                                               wsr_progress_hook hook,
                                               void *user);

/**
 * Tell a person about the options of a search and their defaults.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param topic [borrowed] as in wsr_train_help()
 * @returns as wsr_train_help()
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_help(char **out, const char *topic);

#ifdef __cplusplus
}
#endif

#endif
