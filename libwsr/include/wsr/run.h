// SPDX-License-Identifier: Apache-2.0
//
// What all long runs share: the hook through which a caller watches and stops
// them.

#ifndef WSR_RUN_H
#define WSR_RUN_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Watch a long run.
 *
 * @param phase [borrowed] name of the work in hand: "train", "evaluation"
 * @param done steps of the phase that are done
 * @param total steps of the phase
 * @param note [borrowed] the numbers of the moment for a person, may be ""
 * @param user the pointer that was passed along with the hook
 * @returns false to stop after this step; the run then writes a checkpoint
 *          and returns WSR_CANCELED
 */
typedef bool (*wsr_progress_hook)(const char *phase, size_t done, size_t total,
                                  const char *note, void *user);

#ifdef __cplusplus
}
#endif

#endif
