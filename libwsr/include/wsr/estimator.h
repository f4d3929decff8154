// SPDX-License-Identifier: Apache-2.0
//
// Estimating adversarial noise. From the noises that an attack found for an
// image at a few strengths, an estimator makes the noise at any other
// Euclidean norm in one forward pass.
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

/** Most source noises and most targets of one call. */
#define WSR_ESTIMATOR_SOURCES 15
#define WSR_ESTIMATOR_TARGETS 32

/** An estimator. Belongs to one thread at a time. */
typedef struct wsr_estimator wsr_estimator;

/**
 * Make an estimator with random weights.
 *
 * @param out [out, owned]
 * @param spec "name" or "name:key=value,...", such as "an"; names and options
 *        are in wsr_search_help()
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
 * Write an estimator's weights to a safetensors file that describes itself.
 *
 * @param path of the file, replaced as a whole or not at all
 * @returns WSR_IO, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status
wsr_estimator_save(const wsr_estimator *estimator, const char *path);

/**
 * Make an estimator of a file.
 *
 * @param out [out, owned] NULL on failure
 * @param path of a file that wsr_estimator_save() wrote, or with the names of
 *        the PyTorch modules
 * @param image [borrowed] shape (c, h, w) of one image
 * @param spec as wsr_estimator_new() takes it, NULL: as the file says
 * @returns WSR_IO, WSR_FORMAT, WSR_SHAPE for an estimator of other images, and
 *          as wsr_estimator_new()
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimator_load(wsr_estimator **out,
                                                   const char *path,
                                                   const wsr_shape *image,
                                                   const char *spec);

/** Weights, named as the PyTorch modules name them. @returns [borrowed] */
WSR_API wsr_params *wsr_estimator_params(wsr_estimator *estimator);

/**
 * Estimate the noises of a batch of images at given norms. What it needs for
 * these counts is prepared in the first call with them and kept.
 *
 * @param dst [out] an array (batch, c, h, w) per target: the noises
 * @param estimator an estimator
 * @param sources [borrowed] an array (batch, c, h, w) per source: the noises
 *        that are known, weakest first
 * @param images [borrowed] (batch, c, h, w)
 * @param targets [borrowed] (batch, number of targets): Euclidean norms
 * @param counts [borrowed] batch, number of sources, number of targets
 * @returns WSR_ARG for a count that is 0 or too large, WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimator_run(
    float *const *dst, wsr_estimator *estimator, const float *const *sources,
    const float *images, const float *targets, const size_t counts[3]);

/**
 * Put samples into the training memory: each noise in turn becomes the one to
 * estimate from the others. When the memory is full the oldest samples go.
 *
 * @param estimator an estimator
 * @param noises [borrowed] `n` arrays (batch, c, h, w)
 * @param images [borrowed] (batch, c, h, w)
 * @param n noises, 2 ... WSR_ESTIMATOR_SOURCES + 1, the same in every call
 * @param batch images
 * @returns WSR_ARG, WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status
wsr_estimator_remember(wsr_estimator *estimator, const float *const *noises,
                       const float *images, size_t n, size_t batch);

/** Samples in the training memory. */
WSR_API size_t wsr_estimator_remembered(const wsr_estimator *estimator);

/**
 * Train on what is remembered: the option `passes` times, in an order that
 * depends on the seed, the round and the pass alone.
 *
 * @param loss [out] mean squared error over the batches, NULL is legal; NaN
 *        when the memory holds too little for a batch
 * @param estimator an estimator
 * @param round number of the call, for the order
 * @returns WSR_NUMERIC when a loss is not finite, WSR_NOMEM, WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status wsr_estimator_train(double *loss,
                                                    wsr_estimator *estimator,
                                                    uint64_t round);

#ifdef __cplusplus
}
#endif

#endif
