// SPDX-License-Identifier: Apache-2.0
//
// Types that all long runs share: the progress hook, by which a caller observes
// and stops a run, the run's result, and its folder.

#ifndef WSR_RUN_H
#define WSR_RUN_H

#include "wsr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Progress of a run. The pointers are valid during the call of the hook only.
 */
typedef struct wsr_progress {
    const char *phase; /**< [borrowed] current phase, such as "train", "eval" */
    size_t step;       /**< number of steps of the phase that are done */
    size_t steps;      /**< number of all steps of the phase */
    double done;       /**< finished fraction of the phase, from 0 to 1; it also
                            grows inside a long step */
    double part;       /**< finished fraction of the whole run, from 0 to 1; it
                            never decreases: see wsr_progress_hook */
    const char *note; /**< [borrowed] current numbers as text, such as the loss;
                           may be "" */
    const char *line; /**< [borrowed] NULL, or the line that was just added to
                           the log, a JSON object without line feed
                           (docs/json.md); the other fields are then undefined.
                           A resumed run first passes the lines that its log
                           already holds */
} wsr_progress;

/**
 * Function of the caller that observes a long run and may stop it. The run
 * calls it after every step and, in a step that attacks a model, before every
 * pass through the model; `step` then still counts the steps that are done.
 *
 * `part` covers all phases. The run estimates before its first step how many
 * passes of images through networks each phase needs. Passes through networks
 * of different size have weights, which are proportional to the layers and to
 * the square of the channels. The estimate does not include the passes that
 * early stopping saves, nor the training of estimator and predictor. A caller
 * can forecast the remaining time from the speed at which `part` grows.
 *
 * @param progress [borrowed] progress of the run
 * @param user the pointer that was passed to the run with the hook
 * @returns true to go on; after false the run stops as soon as possible, writes
 *          a checkpoint and returns WSR_CANCELED
 */
typedef bool (*wsr_progress_hook)(const wsr_progress *progress, void *user);

/**
 * The result of a run: a network, a genotype, an evaluation; see wsr/result.h.
 * It does not depend on the files of the run's folder.
 */
typedef struct wsr_result wsr_result;

enum { WSR_COST_STAGES = 8 }; /**< stages of a run at most */

/** What a run costs, see wsr_train_cost(). */
typedef struct wsr_cost {
    double seconds;      /**< of the whole run, without its preparation */
    double memory_bytes; /**< at the same time, for data and networks */
    double disk_bytes;   /**< of the files in its folder */
    size_t stages;       /**< number of stages */
    const char *stage[WSR_COST_STAGES]; /**< name of each: "search", "train" */
    double stage_seconds[WSR_COST_STAGES]; /**< and its part of `seconds` */
} wsr_cost;

/**
 * The folder of a run. One process at a time can lock it; the lock ends with
 * the process, also when that is killed. A run can be resumed if its folder
 * contains config.yaml.
 */
typedef struct wsr_folder wsr_folder;

/**
 * Open the folder of a run. The function locks a folder to resume. It only
 * checks that a new folder can be made; wsr_folder_make() makes it, after the
 * caller has checked its other arguments.
 *
 * @param out [out, owned] NULL on failure
 * @param dir [copied] path of the folder
 * @param resume true: the folder holds a run to resume; false: a new folder
 * @returns WSR_NOTFOUND when the folder holds no run to resume; WSR_BUSY,
 * naming the process, when another process has locked it; WSR_ARG when a new
 *          folder is not empty; WSR_IO when it cannot be made; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_folder_open(wsr_folder **out,
                                                const char *dir, bool resume);

/**
 * Make a new folder and its parents, and lock it.
 *
 * @param folder a folder that was opened with `resume` false
 * @returns WSR_BUSY, WSR_ARG as wsr_folder_open(), WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_folder_make(wsr_folder *folder);

/**
 * Path of a file in the folder.
 *
 * @param path [out, owned] release with wsr_text_free()
 * @param folder a folder
 * @param name [borrowed] of a file in the folder
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_folder_path(char **path,
                                                const wsr_folder *folder,
                                                const char *name);

/**
 * Write a text file in the folder as a whole or not at all.
 *
 * @param folder a locked folder
 * @param name [borrowed] name of the file
 * @param text [borrowed] content of the file
 * @returns WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_folder_write(const wsr_folder *folder,
                                                 const char *name,
                                                 const char *text);

/**
 * Unlock and release a folder; NULL is legal. The function removes the folder
 * from the disk if wsr_folder_make() made it and it is empty.
 */
WSR_API void wsr_folder_close(wsr_folder *folder);

#ifdef __cplusplus
}
#endif

#endif
