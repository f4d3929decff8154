// SPDX-License-Identifier: Apache-2.0
//
// Training a network, naturally or adversarially: as a run, in a folder from
// which an interrupted one goes on bit for bit, or step by step.

#ifndef WSR_TRAIN_H
#define WSR_TRAIN_H

#include "wsr/base.h"
#include "wsr/config.h"
#include "wsr/data.h"
#include "wsr/loss.h"
#include "wsr/net.h"
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

// --------------------------------------------------------------- step by step

/**
 * Training in the hands of the caller: a network on its way over batches and
 * epochs, with an optimiser, a schedule, an attack where the method has one,
 * and a validation between epochs.
 *
 *     wsr_trainer_new(&trainer, net, train, test, "trainer=natural", 1);
 *     while (!wsr_trainer_done(trainer)) {
 *         wsr_trainer_epoch(trainer);
 *         wsr_trainer_save(trainer, "checkpoint.safetensors");
 *     }
 *
 * Belongs to one thread at a time.
 */
typedef struct wsr_trainer wsr_trainer;

/**
 * Make a trainer, which stands before the first batch of the first epoch, and
 * the plans that it needs.
 *
 * @param out [out, owned] NULL on failure
 * @param net [borrowed] no supernet; must outlive the trainer, which changes
 *        its parameters and running statistics
 * @param train [borrowed] images to learn from; must outlive the trainer
 * @param test [borrowed] images of the validation, likewise; NULL: none
 * @param options [borrowed] "key=value,..." of the section "train" of a run
 *        (see wsr_train_help()) but for log_every, save_every and init:
 * trainer, epochs, batch, optimizer, lr, schedule, grad_clip, ...; NULL: the
 *        defaults
 * @param seed of all random numbers
 * @returns WSR_CONFIG or WSR_NOTFOUND for options; WSR_SHAPE or WSR_ARG when
 *          data and network do not fit, or for a supernet; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_trainer_new(wsr_trainer **out, wsr_net *net,
                                                const wsr_dataset *train,
                                                const wsr_dataset *test,
                                                const char *options,
                                                uint64_t seed);

/** Free a trainer; NULL is legal. The network keeps what it learned. */
WSR_API void wsr_trainer_free(wsr_trainer *trainer);

/**
 * Replace the cross entropy by a loss of one's own, of the logits of the images
 * that are learned from: those of the network, and those of its second
 * classifier where it has one, weighted by auxiliary_weight. label_smoothing is
 * without effect then. Attacks of a trainer keep their own loss.
 *
 * @param loss NULL: cross entropy, as in the beginning
 * @param user [borrowed] passed to the function
 */
WSR_API void wsr_trainer_set_loss(wsr_trainer *trainer, wsr_loss_fn loss,
                                  void *user);

/**
 * Watch a trainer and stop it, after each step (phase "train") and each batch
 * of the validation ("validate"). Where the hook returns false, the call in
 * hand returns WSR_CANCELED; what was done stays done, and a further call goes
 * on from there.
 *
 * @param hook NULL: nobody watches
 * @param user [borrowed] passed to the hook
 */
WSR_API void wsr_trainer_set_hook(wsr_trainer *trainer, wsr_progress_hook hook,
                                  void *user);

/**
 * Train on one batch. After the last one of an epoch the validation follows,
 * where it is due, and the next epoch begins.
 *
 * @param trainer stands before the same batch when the loss or a gradient is
 *        not finite, or the loss function fails; the parameters are not changed
 *        then, running statistics may be
 * @returns WSR_ARG when all epochs are done; WSR_NUMERIC, naming epoch, step
 * and tensor; WSR_CANCELED; what the loss function returned; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_trainer_step(wsr_trainer *trainer);

/** Train to the end of the epoch. @returns as wsr_trainer_step() */
WSR_API WSR_MUST_USE wsr_status wsr_trainer_epoch(wsr_trainer *trainer);

/** Whether all epochs are done. */
WSR_API bool wsr_trainer_done(const wsr_trainer *trainer);

/** Number of epochs that are done. */
WSR_API size_t wsr_trainer_epochs(const wsr_trainer *trainer);

/** Number of batches of the current epoch that are done. */
WSR_API size_t wsr_trainer_steps(const wsr_trainer *trainer);

/** Number of batches of every epoch. @returns at least 1 */
WSR_API size_t wsr_trainer_epoch_steps(const wsr_trainer *trainer);

/** A number of an epoch, see wsr_trainer_get(). */
typedef enum wsr_train_curve {
    WSR_TRAIN_LR = 0,             /**< learning rate */
    WSR_TRAIN_LOSS = 1,           /**< mean loss of what was learned from */
    WSR_TRAIN_ACCURACY = 2,       /**< accuracy on what was learned from */
    WSR_TRAIN_CLEAN_ACCURACY = 3, /**< accuracy on the clean training images */
    WSR_TRAIN_TEST_CLEAN = 4,     /**< validation: accuracy on clean images */
    WSR_TRAIN_TEST_ROBUST = 5     /**< validation: accuracy under attack */
} wsr_train_curve;

/**
 * A point of a curve.
 *
 * @param epoch from 0; wsr_trainer_epochs(): the current one so far
 * @param curve which number
 * @returns it; not a number (NAN) where there is none: an epoch that has not
 *          begun, no validation, clean images that the method does not look at
 */
WSR_API double wsr_trainer_get(const wsr_trainer *trainer, size_t epoch,
                               wsr_train_curve curve);

/**
 * Give the network the parameters of the epoch with the best validation, where
 * the option `keep` asks for it and there was one; otherwise nothing happens.
 * For the end: the optimiser does not follow.
 */
WSR_API void wsr_trainer_keep_best(wsr_trainer *trainer);

/**
 * Write everything that is needed to go on bit for bit, in the middle of an
 * epoch too: parameters and running statistics, the state of the optimiser,
 * the position, the curves. The file carries a checksum and replaces what was
 * there as a whole; its predecessor stays as "PATH.old".
 *
 * @param path [borrowed] of the file
 * @returns WSR_IO when it cannot be written; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_trainer_save(const wsr_trainer *trainer,
                                                 const char *path);

/**
 * Go on where wsr_trainer_save() was called. A file that is damaged or missing
 * is replaced by its predecessor "PATH.old", where there is one, with a line in
 * the log (wsr_set_log_hook()).
 *
 * @param trainer made with the same network, data, options and seed; unchanged
 *        on failure. Rates, schedule and a larger number of epochs may differ:
 *        what follows differs then too
 * @param path [borrowed] of the file
 * @returns WSR_NOTFOUND when there is none; WSR_FORMAT for a file that is
 *          damaged or of another training; WSR_IO; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_trainer_load(wsr_trainer *trainer,
                                                 const char *path);

#ifdef __cplusplus
}
#endif

#endif
