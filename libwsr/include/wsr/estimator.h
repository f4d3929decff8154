// SPDX-License-Identifier: Apache-2.0
//
// Estimators of adversarial noise. An attack has found noises for an image at a
// few strengths; an estimator is a network that computes from them the noise at
// any other Euclidean norm, in one forward pass.
//
//     wsr_estimator_new(&est, "an", &shape, seed);
//     for each round:
//         wsr_estimator_remember(est, noises, images, n, batch);
//         wsr_estimator_train(&loss, est, round);
//     wsr_estimator_run(dst, est, sources, images, targets, counts);

#ifndef WSR_ESTIMATOR_H
#define WSR_ESTIMATOR_H

#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Largest number of source noises of one call. */
#define WSR_ESTIMATOR_SOURCES 15
/** Largest number of target norms of one call. */
#define WSR_ESTIMATOR_TARGETS 32

/** An estimator. One thread at a time may use it. */
typedef struct wsr_estimator wsr_estimator;

/**
 * Make an estimator with random weights.
 *
 * @param out [out, owned]
 * @param spec "name" or "name:key=value,...", such as "an"; wsr_search_help()
 *        lists names and options
 * @param image [borrowed] shape (c, h, w) of one image
 * @param seed of the weights and of the order of training
 * @returns WSR_NOTFOUND for an unknown name, WSR_CONFIG for its options,
 *          WSR_SHAPE for images that it cannot work on, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimator_new(wsr_estimator **out,
                                                  const char *spec,
                                                  const wsr_shape *image,
                                                  uint64_t seed);

/** Free an estimator; NULL is legal. */
WSR_API void wsr_estimator_free(wsr_estimator *estimator);

/**
 * Write an estimator's weights to a safetensors file whose metadata describe
 * the estimator.
 *
 * @param estimator an estimator
 * @param path path of the file, which is replaced as a whole or not at all
 * @returns WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status
wsr_estimator_save(const wsr_estimator *estimator, const char *path);

/**
 * Make an estimator from a file.
 *
 * @param out [out, owned] NULL on failure
 * @param path path of a safetensors file that wsr_estimator_save() wrote, or
 *        whose tensors have the names of the PyTorch modules
 * @param image [borrowed] shape (c, h, w) of one image
 * @param spec as for wsr_estimator_new(); NULL takes it from the file
 * @returns WSR_IO; WSR_FORMAT; WSR_SHAPE when the file's estimator takes images
 *          of another shape; the statuses of wsr_estimator_new()
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimator_load(wsr_estimator **out,
                                                   const char *path,
                                                   const wsr_shape *image,
                                                   const char *spec);

/** Weights, named as the PyTorch modules name them. @returns [borrowed] */
WSR_API wsr_params *wsr_estimator_params(wsr_estimator *estimator);

/**
 * Estimate the noises of a batch of images at given norms. The first call with
 * new counts compiles a plan for them, which later calls use again.
 *
 * @param dst [out] for each target an array (batch, c, h, w): the estimated
 *        noises
 * @param estimator an estimator
 * @param sources [borrowed] for each source an array (batch, c, h, w): the
 * known noises, weakest first
 * @param images [borrowed] (batch, c, h, w) clean images
 * @param targets [borrowed] (batch, number of targets) Euclidean norms that the
 *        estimated noises get
 * @param counts [borrowed] batch size, number of sources, number of targets
 * @returns WSR_ARG for a count that is 0 or too large, WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimator_run(
    float *const *dst, wsr_estimator *estimator, const float *const *sources,
    const float *images, const float *targets, const size_t counts[3]);

/**
 * Add samples to the training memory. Each noise becomes the target of one
 * sample, whose sources are the other noises. A full memory drops its oldest
 * samples.
 *
 * @param estimator an estimator
 * @param noises [borrowed] `n` arrays (batch, c, h, w)
 * @param images [borrowed] (batch, c, h, w) clean images
 * @param n number of noises, from 2 to WSR_ESTIMATOR_SOURCES + 1, the same in
 *        every call
 * @param batch number of images
 * @returns WSR_ARG, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status
wsr_estimator_remember(wsr_estimator *estimator, const float *const *noises,
                       const float *images, size_t n, size_t batch);

/** Number of samples in the training memory. */
WSR_API size_t wsr_estimator_remembered(const wsr_estimator *estimator);

/**
 * Train an estimator on its memory. The option `passes` is the number of passes
 * over the memory. The order of the samples depends only on the seed, the round
 * and the pass.
 *
 * @param loss [out] mean squared error over the batches, NULL is legal; NaN
 *        when the memory holds fewer samples than a batch
 * @param estimator an estimator
 * @param round number of this training, which determines the order
 * @returns WSR_NUMERIC when a loss is not finite, WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimator_train(double *loss,
                                                    wsr_estimator *estimator,
                                                    uint64_t round);

#ifdef __cplusplus
}
#endif

#endif
