// SPDX-License-Identifier: Apache-2.0
//
// Common corruptions of images (Hendrycks and Dietterich, "Benchmarking neural
// network robustness to common corruptions and perturbations", 2019,
// arXiv:1903.12261): noise, blur, weather and digital artefacts, each at five
// severities. wsr_corruption_apply() changes images, a wsr_corruption_eval
// measures the accuracy of a model on changed images.
//
// The registry lists the corruptions in its family "corruption"
// (wsr/registry.h). docs/corruptions.md says where images equal those of
// CIFAR-10-C and where they are only alike.

#ifndef WSR_CORRUPT_H
#define WSR_CORRUPT_H

#include "wsr/attack.h"
#include "wsr/base.h"
#include "wsr/data.h"
#include "wsr/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

// ------------------------------------------------------------------ images

/** A corruption at one severity, for images of one shape. */
typedef struct wsr_corruption wsr_corruption;

/**
 * Make a corruption.
 *
 * Options, with defaults: `severity=3`, from 1 to 5; `seed=0`; `scale=auto`,
 * the set of constants: `cifar` are those of CIFAR-10-C, `imagenet` those of
 * ImageNet-C, `auto` takes the latter for images whose shorter side has 64
 * pixels or more.
 *
 * @param out [out, owned] NULL on failure
 * @param name [borrowed] such as "fog"
 * @param image [borrowed] shape (c, h, w) of an image, c is 1 or 3
 * @param options [borrowed] "key=value,..."; NULL: the defaults
 * @returns WSR_NOTFOUND for an unknown name, with similar names or all names;
 *          WSR_CONFIG for options; WSR_SHAPE; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_corruption_new(wsr_corruption **out,
                                                   const char *name,
                                                   const wsr_shape *image,
                                                   const char *options);

/** Free a corruption; NULL is legal. */
WSR_API void wsr_corruption_free(wsr_corruption *corruption);

/** Name of a corruption. @returns [borrowed, static] "fog" */
WSR_API const char *wsr_corruption_name(const wsr_corruption *corruption);

/**
 * Group of a corruption.
 *
 * @returns [borrowed, static] "noise", "blur", "weather" or "digital"
 */
WSR_API const char *wsr_corruption_group(const wsr_corruption *corruption);

/**
 * Corrupt images. The result for an image depends on its pixels, its number,
 * the corruption, the severity and the seed alone. The pixels are rounded to
 * bytes before, and are bytes / 255 after.
 *
 * @param dst [out] (n, c, h, w), in [0, 1]; may be `src`
 * @param corruption one thread at a time may use it
 * @param src [borrowed] (n, c, h, w), in [0, 1]
 * @param indices [borrowed] (n) numbers of the images in their data set, for
 *        the random numbers; NULL: 0, 1, 2, ...
 * @param n number of images
 */
WSR_API void wsr_corruption_apply(float *dst, wsr_corruption *corruption,
                                  const float *src, const size_t *indices,
                                  size_t n);

// -------------------------------------------------------------- evaluation

/**
 * Accuracy of a model on corrupted images. One thread at a time may use it.
 *
 *     wsr_corruption_eval *eval = NULL;
 *     wsr_corruption_eval_new(&eval, "all", "count=1000");
 *     wsr_corruption_eval_open(eval, model, dataset);
 *     wsr_corruption_eval_finish(eval);
 *     wsr_corruption_eval_mean(eval, 0); // over corruptions and severities
 */
typedef struct wsr_corruption_eval wsr_corruption_eval;

/**
 * Make an evaluation on corrupted images.
 *
 * Options, with defaults: `severities=[1,2,3,4,5]`, increasing; `count=0`,
 * number of first images to evaluate (0: all); `batch=0`, images at once at
 * most (0: as many as the model takes); `scale` and `seed` of
 * wsr_corruption_new().
 *
 * @param out [out, owned] NULL on failure
 * @param names [borrowed] "all", or names with commas between, "fog,snow"
 * @param options [borrowed] "key=value,..."; NULL: the defaults
 * @returns WSR_NOTFOUND for an unknown name; WSR_CONFIG for options, and for no
 *          name or the same name twice; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_corruption_eval_new(
    wsr_corruption_eval **out, const char *names, const char *options);

/** Free an evaluation; NULL is legal. */
WSR_API void wsr_corruption_eval_free(wsr_corruption_eval *eval);

/**
 * Set the model to evaluate and the data set to evaluate it on.
 *
 * @param eval an evaluation that has not been opened
 * @param model must outlive the evaluation
 * @param dataset must outlive the evaluation
 * @returns WSR_SHAPE when model and data set differ in the shape of an image,
 *          and for images with other than 1 or 3 channels; WSR_ARG when they
 *          differ in the number of classes, when the option `count` exceeds the
 *          number of images, and for an evaluation that was opened; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_corruption_eval_open(
    wsr_corruption_eval *eval, wsr_model *model, const wsr_dataset *dataset);

/** Number of steps of the whole evaluation; 0 before it is opened. */
WSR_API size_t wsr_corruption_eval_steps(const wsr_corruption_eval *eval);

/** Number of steps that are done. */
WSR_API size_t wsr_corruption_eval_position(const wsr_corruption_eval *eval);

/**
 * Do the next step: classify one batch of images without a corruption or under
 * one corruption at one severity. A step that fails is not counted as done.
 * In a job of several processes (wsr/comm.h) all of them call this; each
 * classifies a batch of its own, and the step counts as so many.
 *
 * @returns WSR_ARG before wsr_corruption_eval_open() and when all steps are
 *          done; WSR_NUMERIC for logits that are not finite; WSR_BACKEND
 */
WSR_API WSR_MUST_USE wsr_status
wsr_corruption_eval_step(wsr_corruption_eval *eval);

/** Do all steps that are left. @returns as wsr_corruption_eval_step() */
WSR_API WSR_MUST_USE wsr_status
wsr_corruption_eval_finish(wsr_corruption_eval *eval);

/** Number of corruptions. */
WSR_API size_t wsr_corruption_eval_size(const wsr_corruption_eval *eval);

/**
 * Name of corruption `i`.
 *
 * @param eval an evaluation
 * @param i number of the corruption, from 0
 * @returns [borrowed, static] NULL beyond the end
 */
WSR_API const char *wsr_corruption_eval_name(const wsr_corruption_eval *eval,
                                             size_t i);

/** Number of images. @returns 0 before the evaluation is opened */
WSR_API size_t wsr_corruption_eval_images(const wsr_corruption_eval *eval);

/**
 * Accuracy without a corruption.
 *
 * @param low, high [out] its 95 % interval (Wilson); NULL is legal
 * @param eval an evaluation
 * @returns the accuracy in [0, 1]; NAN unless all images are done
 */
WSR_API double wsr_corruption_eval_clean(double *low, double *high,
                                         const wsr_corruption_eval *eval);

/**
 * Accuracy under corruption `i` at one severity.
 *
 * @param low, high [out] its 95 % interval (Wilson); NULL is legal
 * @param eval an evaluation
 * @param i number of the corruption
 * @param severity from 1 to 5
 * @returns the accuracy in [0, 1]; NAN unless all images are done
 */
WSR_API double wsr_corruption_eval_accuracy(double *low, double *high,
                                            const wsr_corruption_eval *eval,
                                            size_t i, int severity);

/**
 * Mean accuracy over the corruptions.
 *
 * @param eval an evaluation
 * @param severity from 1 to 5; 0: over the severities as well
 * @returns the mean over what is complete; NAN when nothing is
 */
WSR_API double wsr_corruption_eval_mean(const wsr_corruption_eval *eval,
                                        int severity);

/**
 * Write the results as JSON lines: the events "corruption" and
 * "corruption_mean" of docs/json.md.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param eval an evaluation
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status
wsr_corruption_eval_json(char **out, const wsr_corruption_eval *eval);

#ifdef __cplusplus
}
#endif

#endif
