// SPDX-License-Identifier: Apache-2.0
//
// Searching for cells that stay accurate under adversarial noise of many
// strengths at once: Wsr-NAS (AAAI 2023, doi:10.1609/aaai.v37i1.25118), as a
// run in a folder, or step by step in the hands of a program that has a
// strategy of its own.

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

// ------------------------------------------------------------ step by step
//
// An architecture is a candidate for each edge of the supernet, as in
// wsr_supernet_graph(). Candidates are sampled while the supernet is trained,
// with probabilities softmax(alphas / tau) per edge (Gumbel softmax), almost
// uniformly at first. A strategy of one's own trains the supernet by
// wsr_search_step(), compares architectures by wsr_search_evaluate(), and may
// steer the sampling by wsr_search_set_alphas().

/** A search. One thread at a time may use it. */
typedef struct wsr_search wsr_search;

/** Phases of a search, in this order; one without epochs is left out. */
typedef enum wsr_phase {
    WSR_PHASE_WARM_UP = 0,    /**< trains the supernet alone */
    WSR_PHASE_POPULATION = 1, /**< also evaluates sampled architectures, which
                                 estimator and predictor learn from */
    WSR_PHASE_SEARCH = 2,     /**< also updates the alphas */
    WSR_PHASE_DONE = 3        /**< no epochs are left */
} wsr_phase;

/**
 * Make a search, with a random supernet.
 *
 * The data set is split: its first images train the supernet, the share
 * `search.train_fraction` of all; the others are held out for evaluations.
 *
 * @param out [out, owned] release with wsr_search_free(); NULL on failure
 * @param train must outlive the search
 * @param config [borrowed] as for wsr_search_run(); NULL: the defaults. The
 *        sections `data`, `net`, `train` and `eval` are checked, and otherwise
 *        concern that function only; `threads` is wsr_set_threads()
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
 * Watch the steps of a search.
 *
 * @param search a search
 * @param hook called after every batch that trains the supernet and every
 *        architecture that is evaluated; NULL: nobody watches
 * @param user [borrowed] passed to the hook
 */
WSR_API void wsr_search_set_hook(wsr_search *search, wsr_progress_hook hook,
                                 void *user);

/**
 * Do an epoch: train the supernet on all of its images (or on
 * `search.train_batches` batches of them), adversarially, on sampled paths;
 * after the warm-up also evaluate architectures and update the alphas, as
 * `searcher.name` says. The results are those of wsr_search_run(), bit for
 * bit, unless alphas or parameters are changed in between.
 *
 * @param search when it is done, nothing happens
 * @returns WSR_OK; WSR_CANCELED when the hook returned false: while the
 *          supernet is trained, after the batch, and the next step goes on
 *          there; otherwise when the epoch is complete; WSR_NUMERIC when a
 *          loss or a gradient is not finite; WSR_NOMEM, WSR_BACKEND. After the
 *          last three the epoch is spoilt: free the search, or load it anew
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_step(wsr_search *search);

/** Phase of the next step. */
WSR_API wsr_phase wsr_search_phase(const wsr_search *search);

/** Number of the next step's epoch in its phase, from 0. */
WSR_API size_t wsr_search_epoch(const wsr_search *search);

/** Number of epochs of that phase. @returns 0 when the search is done */
WSR_API size_t wsr_search_epochs(const wsr_search *search);

/**
 * Mean adversarial loss of the supernet over the images of the last epoch that
 * trained it.
 *
 * @returns cross entropy in nats; NaN before the first epoch
 */
WSR_API double wsr_search_train_loss(const wsr_search *search);

/** Its accuracy on the same images. @returns in [0, 1], NaN as above */
WSR_API double wsr_search_train_accuracy(const wsr_search *search);

/**
 * The supernet, for wsr_supernet_graph(), wsr_net_save() and others.
 *
 * @returns [borrowed] until the search is freed
 */
WSR_API wsr_net *wsr_search_net(const wsr_search *search);

/**
 * The architecture parameters.
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
 * Sample an architecture as the training of the supernet does: of each edge
 * the candidate whose alpha / `search.tau` plus Gumbel noise is largest.
 *
 * @param choices [out] a candidate for each edge
 * @param search a search
 * @param number of the sample: the same number gives the same noise
 */
WSR_API void wsr_search_sample(unsigned char *choices, const wsr_search *search,
                               uint64_t number);

/**
 * The genotype of the present alphas, wsr_genotype_from_alphas().
 *
 * @param out [out, owned] release with wsr_genotype_free()
 * @param search a search
 * @param name [borrowed] of the genotype
 * @returns WSR_OK; WSR_ARG for a name that is too long; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_genotype(wsr_genotype **out,
                                                    const wsr_search *search,
                                                    const char *name);

/**
 * Number of losses that an architecture is evaluated by: the clean one, and
 * one for each strength of `search.sources` and `search.targets`.
 *
 * @returns at least 2
 */
WSR_API size_t wsr_search_losses(const wsr_search *search);

/**
 * Strength that a loss belongs to.
 *
 * @param search a search
 * @param i number of a loss
 * @returns in the L-infinity norm of images in [0, 1]; 0 for loss 0, the clean
 *          one, and beyond the end
 */
WSR_API double wsr_search_eps(const wsr_search *search, size_t i);

/**
 * Evaluate an architecture with the supernet's present parameters, on held-out
 * images (all, or those of `search.val_batches` batches, which are the same
 * until the next step). Images are attacked by PGD; with a searcher that
 * estimates (`searcher.name=wsr_nas`), the noise of the strengths
 * `search.targets` is estimated instead. The search is left as it was.
 *
 * @param losses [out] wsr_search_losses() of them: mean cross entropies in
 *        nats; unchanged on failure
 * @param search a search
 * @param choices [borrowed] a candidate for each edge
 * @returns WSR_OK; WSR_ARG for a candidate that does not exist; WSR_NUMERIC
 *          when a loss is not finite; WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_evaluate(
    double *losses, wsr_search *search, const unsigned char *choices);

/**
 * The weighted sum of losses that a search makes small:
 * `search.clean_weight` and `search.weights`.
 *
 * @param search a search
 * @param losses [borrowed] wsr_search_losses() of them
 */
WSR_API double wsr_search_objective(const wsr_search *search,
                                    const double *losses);

/**
 * Write everything that a search needs to go on, its configuration included.
 *
 * @param search a search
 * @param path of the file, replaced as a whole or not at all; what was there
 *        stays as "path.old"
 * @returns WSR_OK, WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_save(const wsr_search *search,
                                                const char *path);

/**
 * Make the search that wsr_search_save() wrote. It goes on with the same
 * results, bit for bit.
 *
 * @param out [out, owned] release with wsr_search_free(); NULL on failure
 * @param path of the file; where it is damaged, "path.old" is taken instead
 * @param train the data set that the search was made with; must outlive it
 * @returns WSR_OK; WSR_NOTFOUND when there is no such file; WSR_FORMAT for
 *          what is no search; WSR_ARG when `train` has another number of
 *          images or classes, or images of another shape; WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_search_load(wsr_search **out,
                                                const char *path,
                                                const wsr_dataset *train);

#ifdef __cplusplus
}
#endif

#endif
