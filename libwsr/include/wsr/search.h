// SPDX-License-Identifier: Apache-2.0
//
// Neural architecture search for cells that stay accurate under adversarial
// noise of many strengths at once: Wsr-NAS (AAAI 2023,
// doi:10.1609/aaai.v37i1.25118). wsr_search_run() searches as a run in a
// folder. wsr_search_new(), wsr_search_step() and others let a program with its
// own search strategy search step by step.

#ifndef WSR_SEARCH_H
#define WSR_SEARCH_H

#include "wsr/config.h"
#include "wsr/data.h"
#include "wsr/net.h"
#include "wsr/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Search a genotype, train a network of it and evaluate its robustness.
 *
 * The run writes these files into its folder: config.yaml (the value of every
 * option), log.jsonl, genotype.yaml, checkpoint.safetensors, net.safetensors
 * and eval.safetensors (the evaluation with the outcome for each image). A run
 * that was stopped or killed at any instant can be resumed and ends with the
 * same bytes in genotype, checkpoint and network.
 *
 * With the option `compare`, a list of searchers, the run is a comparison. Each
 * searcher runs with the same settings in a folder of its name below `dir`, and
 * compare.md holds a table of them. search.budget gives all of them the same
 * number of passes. The result is then that of the searcher whose architecture
 * gains most over random ones (search.random_baseline), or of the first one.
 *
 * With the option `table.random` or `table.genotypes` the run searches nothing:
 * it trains a sample of architectures, each alone, for a table of their
 * accuracies, table.jsonl (docs/formats.md). The result then has neither
 * network nor evaluation. With `search.table` a search looks accuracies up in
 * such a table, or in a published one, and trains nothing; the parameters of
 * the result's network are then random.
 *
 * @param result [out, owned] genotype, network and evaluation, release with
 *        wsr_result_free(); NULL is legal. NULL on failure before the
 *        evaluation; a failure during the evaluation returns the result with
 *        the measurements made until then
 * @param config [borrowed] options, see wsr_search_help(). A resumed run uses
 *        the configuration in its folder; `config` is then NULL or must agree
 *        with that one
 * @param dir [borrowed] folder of the run; the run makes it if necessary. With
 *        NULL the function only checks the configuration, and returns WSR_ARG
 *        if that is valid
 * @param resume true continues the run in `dir`
 * @param hook progress hook, NULL for none
 * @param user [borrowed] the library passes it to the hook
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
 * Estimate what a search costs, without doing it. The function prepares the
 * run, times a few steps of each stage for some seconds, and writes no file.
 *
 * The forecast assumes the speed of these steps. The training of estimator and
 * predictor is not timed. The
 * evaluation counts as if every image were attacked to the end, so it takes
 * less time when attacks succeed early.
 *
 * @param cost [out]
 * @param config [borrowed] options as for wsr_search_run()
 * @param hook progress hook, which may stop the timing; NULL for none
 * @param user [borrowed] the library passes it to the hook
 * @returns as wsr_search_run(); WSR_NOMEM also when the run needs more memory
 * than the machine has
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_cost(wsr_cost *cost,
                                                const wsr_config *config,
                                                wsr_progress_hook hook,
                                                void *user);

/**
 * Write a help text about the options of a search and their defaults.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param topic [borrowed] as in wsr_train_help()
 * @returns as wsr_train_help()
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_help(char **out, const char *topic);

// ------------------------------------------------------------ step by step
//
// An architecture is a list of choices: the number of a candidate operation
// for each edge of the supernet, as in wsr_supernet_graph(). Each training step
// of the supernet samples an architecture, with probabilities softmax(alphas)
// per edge (the Gumbel trick), which are almost uniform at first. A program
// with its own strategy trains the supernet with wsr_search_step(), compares
// architectures with wsr_search_evaluate(), and may change the sampling with
// wsr_search_set_alphas().
//
// The searchers vanilla_adv, dilation_adv and std_const_adv search one cell,
// not two: the rows of the normal cell count in choices and alphas, and those
// of the reduction cell repeat them. They sample nothing: alphas are part of
// the network that they train.

/** A search. One thread at a time may use it. */
typedef struct wsr_search wsr_search;

/** Phases of a search, in this order; a phase with no epochs is skipped. */
typedef enum wsr_phase {
    WSR_PHASE_WARM_UP = 0,    /**< each epoch only trains the supernet */
    WSR_PHASE_POPULATION = 1, /**< it also evaluates sampled architectures and
                                 trains estimator and predictor on the results
                               */
    WSR_PHASE_SEARCH = 2,     /**< it also updates the alphas */
    WSR_PHASE_DONE = 3        /**< all epochs are done */
} wsr_phase;

/**
 * Make a search over a supernet with random parameters.
 *
 * The search splits the data set: the first images, the fraction
 * `search.train_fraction` of all, train the supernet; the others are held out
 * to evaluate architectures.
 *
 * @param out [out, owned] release with wsr_search_free(); NULL on failure
 * @param train must outlive the search
 * @param config [borrowed] options as for wsr_search_run(); NULL: the defaults.
 *        The sections `data`, `net`, `train` and `eval` are checked but have no
 *        effect here; `threads` is passed to wsr_set_threads()
 * @returns WSR_CONFIG, naming the key, for settings that are not permitted or
 *          do not fit the data; WSR_NOTFOUND for names in them; WSR_SHAPE for
 *          images too small for the supernet; WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_new(wsr_search **out,
                                               const wsr_dataset *train,
                                               const wsr_config *config);

/** Release a search and its supernet; NULL is legal. */
WSR_API void wsr_search_free(wsr_search *search);

/**
 * Set the progress hook of a search. The search calls it after every training
 * batch of the supernet and after every evaluation of an architecture.
 *
 * @param search a search
 * @param hook NULL removes the hook
 * @param user [borrowed] the search passes it to the hook
 */
WSR_API void wsr_search_set_hook(wsr_search *search, wsr_progress_hook hook,
                                 void *user);

/**
 * Do one epoch of a search. The epoch trains the supernet adversarially, on
 * sampled paths and on all of its training images (or on `search.train_batches`
 * batches of them). After the warm-up it also evaluates architectures and
 * updates the alphas; `searcher.name` chooses how. The results are those of
 * wsr_search_run() bit for bit, unless the program changes alphas or parameters
 * between the steps.
 *
 * @param search if it is done, the function does nothing
 * @returns WSR_OK; WSR_CANCELED when the hook returned false: during the
 *          training of the supernet the epoch stops after the current batch
 *          and the next call continues it; later the epoch is completed first;
 *          WSR_NUMERIC when a loss or a gradient is not finite; WSR_NOMEM,
 *          WSR_BACKEND. After the last three the state is undefined: free the
 *          search, or make it again with wsr_search_load()
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_step(wsr_search *search);

/** Phase of the next epoch. */
WSR_API wsr_phase wsr_search_phase(const wsr_search *search);

/** Number of the next epoch within its phase, from 0. */
WSR_API size_t wsr_search_epoch(const wsr_search *search);

/** Number of epochs of the current phase. @returns 0 when all are done */
WSR_API size_t wsr_search_epochs(const wsr_search *search);

/**
 * Mean loss of the supernet on the attacked training images of the last epoch.
 *
 * @returns cross entropy in nats; NaN before the first epoch
 */
WSR_API double wsr_search_train_loss(const wsr_search *search);

/**
 * Accuracy of the supernet on the attacked training images of the last epoch.
 *
 * @returns in [0, 1]; NaN before the first epoch
 */
WSR_API double wsr_search_train_accuracy(const wsr_search *search);

/**
 * The supernet of a search, an argument for wsr_supernet_graph() or
 * wsr_net_save(). Searchers over boost networks (vanilla_adv, ...) have one of
 * these instead, which has no graph of a path.
 *
 * @returns [borrowed] until the search is freed
 */
WSR_API wsr_net *wsr_search_net(const wsr_search *search);

/**
 * The architecture parameters (alphas) of a search.
 *
 * @returns [borrowed] (edges, candidates), see wsr_supernet_edges() and
 *          wsr_supernet_candidates(); every step may change them
 */
WSR_API const float *wsr_search_alphas(const wsr_search *search);

/**
 * Replace the architecture parameters. The optimizer that updates them keeps
 * its moments.
 *
 * @param search unchanged on failure
 * @param alphas [copied] (edges, candidates)
 * @returns WSR_OK, or WSR_NUMERIC for a value that is not finite
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_set_alphas(wsr_search *search,
                                                      const float *alphas);

/**
 * Sample an architecture as the training of the supernet does: each edge takes
 * the candidate with the largest sum of alpha and Gumbel noise.
 *
 * @param choices [out] (edges) number of a candidate for each edge
 * @param search a search
 * @param number number of the sample; the same number gives the same noise
 */
WSR_API void wsr_search_sample(unsigned char *choices, const wsr_search *search,
                               uint64_t number);

/**
 * Derive a genotype from the current alphas, as wsr_genotype_from_alphas()
 * does.
 *
 * @param out [out, owned] release with wsr_genotype_free()
 * @param search a search
 * @param name [borrowed] name of the genotype
 * @returns WSR_OK; WSR_ARG for a name that is too long; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_genotype(wsr_genotype **out,
                                                    const wsr_search *search,
                                                    const char *name);

/**
 * Number of losses that wsr_search_evaluate() measures: the clean loss and one
 * loss for each strength of `search.sources` and `search.targets`.
 *
 * @returns at least 2
 */
WSR_API size_t wsr_search_losses(const wsr_search *search);

/**
 * Strength of the attack behind loss `i`.
 *
 * @param search a search
 * @param i number of a loss
 * @returns radius in the L-infinity norm, for pixels in [0, 1]; 0 for loss 0,
 *          the clean loss, and beyond the end
 */
WSR_API double wsr_search_eps(const wsr_search *search, size_t i);

/**
 * Measure the losses of an architecture with the current parameters of the
 * supernet on the held-out images: on all of them, or on `search.val_batches`
 * batches, which stay the same until the next step. PGD attacks the images. A
 * searcher with an estimator (`searcher.name=wsr_nas`) estimates the noise at
 * the strengths `search.targets` instead. The function does not change the
 * search.
 *
 * @param losses [out] (wsr_search_losses()) mean cross entropies in nats;
 *        unchanged on failure
 * @param search a search
 * @param choices [borrowed] (edges) number of a candidate for each edge
 * @returns WSR_OK; WSR_ARG for a candidate that does not exist; WSR_NUMERIC
 *          when a loss is not finite; WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_evaluate(
    double *losses, wsr_search *search, const unsigned char *choices);

/**
 * The objective that a search minimises: the weighted sum of the losses of an
 * architecture, with the weights `search.clean_weight` and `search.weights`.
 *
 * @param search a search
 * @param losses [borrowed] (wsr_search_losses())
 * @returns the weighted sum
 */
WSR_API double wsr_search_objective(const wsr_search *search,
                                    const double *losses);

/**
 * Write a checkpoint of a search: its configuration and its whole state.
 *
 * @param search a search
 * @param path path of the file, which is replaced as a whole or not at all; the
 *        previous file is kept as "path.old"
 * @returns WSR_OK, WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_save(const wsr_search *search,
                                                const char *path);

/**
 * Make a search from a checkpoint of wsr_search_save(). Its further results are
 * those of the saved search, bit for bit.
 *
 * @param out [out, owned] release with wsr_search_free(); NULL on failure
 * @param path path of the file; if it is damaged, the function reads "path.old"
 * @param train the data set of the saved search; must outlive the new one
 * @returns WSR_OK; WSR_NOTFOUND when there is no such file; WSR_FORMAT for a
 *          file that holds no search; WSR_ARG when `train` has another number
 * of images or classes, or images of another shape; WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_load(wsr_search **out,
                                                const char *path,
                                                const wsr_dataset *train);

#ifdef __cplusplus
}
#endif

#endif
