// SPDX-License-Identifier: Apache-2.0
//
// Common corruptions of images (Hendrycks and Dietterich, "Benchmarking neural
// network robustness to common corruptions and perturbations", 2019,
// arXiv:1903.12261): noise, blur, weather and digital artefacts, each at five
// severities. wsr_corruption_apply() changes images.
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

#ifdef __cplusplus
}
#endif

#endif
