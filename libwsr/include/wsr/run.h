// SPDX-License-Identifier: Apache-2.0
//
// What all long runs share: the hook through which a caller watches and stops
// them, their result, their folder.

#ifndef WSR_RUN_H
#define WSR_RUN_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How far a run is. Pointers are valid during the call only. */
typedef struct wsr_progress {
    const char *phase; /**< [borrowed] the work in hand: "train", "eval" */
    size_t step;       /**< steps of the phase that are done */
    size_t steps;      /**< of the phase */
    double done;       /**< part of the phase that is done, 0 to 1; also within
                            a step, where that is long */
    double part;      /**< of the whole run that is done, 0 to 1, never falling:
                           see wsr_progress_hook */
    const char *note; /**< [borrowed] the numbers of the moment for a person,
                           may be "" */
    const char *line; /**< [borrowed] NULL, or a line that the log has just
                           got, a JSON object without line feed
                           (docs/json.md); the other fields say nothing then.
                           A run that is taken up hands out the lines that its
                           log holds first */
} wsr_progress;

/**
 * Watch a long run. The hook is called after every step, and inside steps that
 * attack a model before every pass through it: then `step` is that of the last
 * call, or 0 in the first step of a phase.
 *
 * `part` covers all phases. It is an estimate made before the first step: of
 * the passes of images through networks that each phase needs, weighted by the
 * layers and the square of the channels of the network where a search and a
 * training differ in these. Passes that early stopping saves, and what is no
 * pass (the training of estimator and predictor), are not foreseen. The time
 * that is left is best told from the speed at which `part` grows.
 *
 * @param progress [borrowed]
 * @param user the pointer that was passed along with the hook
 * @returns false to stop as soon as possible; the run then writes a checkpoint
 *          and returns WSR_CANCELED
 */
typedef bool (*wsr_progress_hook)(const wsr_progress *progress, void *user);

/**
 * What a run made: a network, a genotype, an evaluation; see wsr/result.h. It
 * stays what it is when files of the run's folder change or go.
 */
typedef struct wsr_result wsr_result;

/**
 * The folder of a run. One process at a time holds it; the lock goes when the
 * process ends, however it ends. A folder with config.yaml can be resumed.
 */
typedef struct wsr_folder wsr_folder;

/**
 * Open a folder. A resumed one is locked. A fresh one is only looked at: it is
 * made by wsr_folder_make(), when everything else is known to work.
 *
 * @param out [out, owned] NULL on failure
 * @param dir [copied] path of the folder
 * @param resume whether it holds a run to go on with
 * @returns WSR_NOTFOUND when there is nothing to resume; WSR_BUSY, naming the
 *          process, when another one holds it; WSR_ARG when a fresh one is not
 *          empty; WSR_IO when it could not be made; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_folder_open(wsr_folder **out,
                                                const char *dir, bool resume);

/**
 * Make and lock a fresh folder, parents included.
 *
 * @param folder one that was opened fresh
 * @returns WSR_BUSY, WSR_ARG as wsr_folder_open(), WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_folder_make(wsr_folder *folder);

/**
 * Path of a file in the folder.
 *
 * @param path [out, owned] release with wsr_text_free()
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_folder_path(char **path,
                                                const wsr_folder *folder,
                                                const char *name);

/**
 * Write a text file in the folder as a whole or not at all.
 *
 * @param folder one that is held
 * @param name [borrowed] of the file
 * @param text [borrowed] its content
 * @returns WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_folder_write(const wsr_folder *folder,
                                                 const char *name,
                                                 const char *text);

/** Release a folder; NULL is legal. One that was made and is empty goes. */
WSR_API void wsr_folder_close(wsr_folder *folder);

#ifdef __cplusplus
}
#endif

#endif
