// SPDX-License-Identifier: Apache-2.0
//
// Training of a network, natural or adversarial. wsr_train_run() trains as a
// run in a folder, which can be interrupted and resumed with the same result
// bit for bit. wsr_trainer_*() let a program train step by step.

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
 * Train a network, then evaluate its robustness.
 *
 * The run writes these files into its folder: `config.yaml` (the value of every
 * option), `log.jsonl` (one JSON object a line), `checkpoint.safetensors`
 * (after each epoch and when the run is stopped) and, at the end,
 * `net.safetensors` (the network) and `eval.safetensors` (the evaluation with
 * the outcome for each image). With the same configuration, number of threads
 * and machine, network and checkpoint have the same bytes, however often the
 * run was interrupted.
 *
 * @param result [out, owned] network and evaluation, release with
 *        wsr_result_free(); NULL is legal. NULL on failure before the
 *        evaluation; a failure during the evaluation returns the result with
 *        the measurements made until then
 * @param config [borrowed] options, see wsr_train_help(). A resumed run uses
 *        the configuration in its folder; `config` is then NULL or must agree
 *        with that one
 * @param dir [borrowed] folder of the run. With NULL the function only checks
 *        the configuration, and returns WSR_ARG if that is valid
 * @param resume true continues the run in `dir`
 * @param hook progress hook, NULL for none
 * @param user [borrowed] the library passes it to the hook
 * @returns WSR_CONFIG for a key or value that is not permitted; WSR_ARG when a
 *          new run's folder holds a checkpoint; WSR_NOTFOUND when `dir` holds
 *          no run to resume, and for data or genotypes that do not exist;
 *          WSR_CANCELED; WSR_NUMERIC when a loss or gradient is not finite;
 *          WSR_IO, WSR_FORMAT, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_train_run(wsr_result **result,
                                              const wsr_config *config,
                                              const char *dir, bool resume,
                                              wsr_progress_hook hook,
                                              void *user);

/**
 * Estimate what a training costs, without doing it. The function prepares the
 * run, times a few steps of each stage for some seconds, and writes no file.
 *
 * The forecast assumes the speed of these steps. The
 * evaluation counts as if every image were attacked to the end, so it takes
 * less time when attacks succeed early.
 *
 * @param cost [out]
 * @param config [borrowed] options as for wsr_train_run()
 * @param hook progress hook, which may stop the timing; NULL for none
 * @param user [borrowed] the library passes it to the hook
 * @returns as wsr_train_run(); WSR_NOMEM also when the run needs more memory
 * than the machine has
 */
WSR_API WSR_MUST_USE wsr_status wsr_train_cost(wsr_cost *cost,
                                               const wsr_config *config,
                                               wsr_progress_hook hook,
                                               void *user);

/**
 * Write a help text about the options of a training run and their defaults.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param topic [borrowed] "train" describes the options of a section;
 *        "train.epochs" one option; "attack" lists the members of a family,
 *        one a line; "attack:pgd" describes the options of one member; NULL or
 *        "all" describes everything; "" lists the topics
 * @returns WSR_NOTFOUND, with a suggestion, for another topic; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_train_help(char **out, const char *topic);

// --------------------------------------------------------------- step by step

/**
 * The state of a training: a network, its position in epochs and batches, an
 * optimiser, a learning-rate schedule, an attack if the training method has
 * one, and a validation between epochs.
 *
 *     wsr_trainer_new(&trainer, net, train, test, "trainer=natural", 1);
 *     while (!wsr_trainer_done(trainer)) {
 *         wsr_trainer_epoch(trainer);
 *         wsr_trainer_save(trainer, "checkpoint.safetensors");
 *     }
 *
 * One thread at a time may use a trainer.
 */
typedef struct wsr_trainer wsr_trainer;

/**
 * Make a trainer positioned before the first batch of the first epoch, and
 * compile the plans that it needs.
 *
 * @param out [out, owned] NULL on failure
 * @param net [borrowed] a network, not a supernet; must outlive the trainer,
 *        which changes its parameters and running statistics
 * @param train [borrowed] training set; must outlive the trainer
 * @param test [borrowed] validation set; must outlive the trainer; NULL: no
 *        validation
 * @param options [borrowed] "key=value,..." of the options of the section
 *        "train" of a run (trainer, epochs, batch, optimizer, lr, schedule,
 *        grad_clip, ..., see wsr_train_help()), except log_every, save_every
 *        and init; NULL: the defaults
 * @param seed of all random numbers
 * @returns WSR_CONFIG or WSR_NOTFOUND for options; WSR_SHAPE or WSR_ARG when
 *          data and network do not fit, or for a supernet; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_trainer_new(wsr_trainer **out, wsr_net *net,
                                                const wsr_dataset *train,
                                                const wsr_dataset *test,
                                                const char *options,
                                                uint64_t seed);

/** Free a trainer; NULL is legal. The network keeps its trained parameters. */
WSR_API void wsr_trainer_free(wsr_trainer *trainer);

/**
 * Replace the cross entropy by a loss function of the caller. The trainer calls
 * it with the logits of the training images (of the attacked ones, if the
 * method attacks; of the clean ones, if the method is TRADES). If the network
 * has an auxiliary classifier, the trainer also calls it with the logits of
 * that one and weighs the result by the option auxiliary_weight. The option
 * label_smoothing then has no effect. With the option `teacher` the function
 * takes the share that the teacher leaves to the labels. With `mixup` or
 * `cutmix` a step fails with WSR_CONFIG, since images have two labels. The
 * attack of a trainer keeps its own loss.
 *
 * @param trainer a trainer
 * @param loss NULL restores cross entropy, the loss of a new trainer
 * @param user [borrowed] the trainer passes it to the function
 */
WSR_API void wsr_trainer_set_loss(wsr_trainer *trainer, wsr_loss_fn loss,
                                  void *user);

/**
 * Set the progress hook of a trainer. The trainer calls it after each step
 * (phase "train") and each batch of the validation (phase "validate"). When the
 * hook returns false, the running call returns WSR_CANCELED; the steps that are
 * done remain done, and the next call continues after them.
 *
 * @param trainer a trainer
 * @param hook NULL removes the hook
 * @param user [borrowed] passed to the hook
 */
WSR_API void wsr_trainer_set_hook(wsr_trainer *trainer, wsr_progress_hook hook,
                                  void *user);

/**
 * Train on the next batch. After the last batch of an epoch the trainer also
 * does the validation, if the option eval_every asks for one, and goes to the
 * next epoch.
 *
 * @param trainer stays before the same batch when the loss or a gradient is not
 *        finite, or when the loss function fails; the parameters do not change
 *        then, but the running statistics may, and with the trainer `free`
 *        updates of the same batch that were done before stay done
 * @returns WSR_ARG when all epochs are done; WSR_NUMERIC, naming epoch, step
 *          and tensor; WSR_CANCELED; the status of the loss function; WSR_NOMEM
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
    WSR_TRAIN_LOSS = 1,           /**< mean loss of the training images, the
                                       attacked ones if the method attacks */
    WSR_TRAIN_ACCURACY = 2,       /**< accuracy on the same images */
    WSR_TRAIN_CLEAN_ACCURACY = 3, /**< accuracy on the clean training images */
    WSR_TRAIN_TEST_CLEAN = 4,     /**< validation: accuracy on clean images */
    WSR_TRAIN_TEST_ROBUST = 5     /**< validation: accuracy under attack */
} wsr_train_curve;

/**
 * A number of an epoch, a point of a training curve.
 *
 * @param trainer a trainer
 * @param epoch from 0; wsr_trainer_epochs() gives the number of the current
 *        epoch over its batches so far
 * @param curve which number
 * @returns the number; NAN where it does not exist: the epoch has not begun,
 *          had no validation, or the method does not evaluate clean images
 */
WSR_API double wsr_trainer_get(const wsr_trainer *trainer, size_t epoch,
                               wsr_train_curve curve);

/**
 * Give the network the parameters of the epoch with the best validation, if the
 * option `keep` asks for that and there was a validation; otherwise the average
 * of the options `ema` and `swa`, if one of them asks for it. Otherwise the
 * function does nothing. Call it after the last step: it does not restore the
 * state of the optimiser. Until then the network has the parameters that are
 * trained, while validations measure the average.
 */
WSR_API void wsr_trainer_keep_best(wsr_trainer *trainer);

/**
 * Write a checkpoint, also in the middle of an epoch: parameters, running
 * statistics, the state of the optimiser, the position and the curves. The file
 * carries a checksum and is replaced as a whole or not at all; the previous
 * file is kept as "PATH.old".
 *
 * @param trainer a trainer
 * @param path [borrowed] path of the file
 * @returns WSR_IO when it cannot be written; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_trainer_save(const wsr_trainer *trainer,
                                                 const char *path);

/**
 * Continue the training of a checkpoint. The next steps are bit for bit those
 * of the trainer that called wsr_trainer_save(). If the file is damaged or
 * missing, the function reads "PATH.old" and reports that to the log hook
 * (wsr_set_log_hook()).
 *
 * @param trainer made with the same network, data, options and seed; unchanged
 *        on failure. Learning rate and schedule may differ, and the number of
 *        epochs may be larger; the next steps then follow the new values
 * @param path [borrowed] path of the file
 * @returns WSR_NOTFOUND when there is no file; WSR_FORMAT for a file that is
 *          damaged or of another training; WSR_IO; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_trainer_load(wsr_trainer *trainer,
                                                 const char *path);

#ifdef __cplusplus
}
#endif

#endif
