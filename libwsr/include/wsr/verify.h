// SPDX-License-Identifier: Apache-2.0
//
// An independent check of saved adversarial images: whether each lies in its
// ball and in the pixel range, is finite, and is misclassified. It shares
// nothing with the attacks but the model.

#ifndef WSR_VERIFY_H
#define WSR_VERIFY_H

#include "wsr/base.h"
#include "wsr/config.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What was checked of one array of images. */
typedef struct wsr_verify_row {
    const char *name; /**< [borrowed] of the array in the file */
    const char *norm; /**< [borrowed] "linf", "l2" or "l1" */
    double eps;       /**< radius of the ball */
    size_t images;    /**< in the array */
    size_t claimed;   /**< that the file calls adversarial; without such flags
                           in the file, those that are misclassified */
    size_t misclassified; /**< by the model */
    size_t recognised;    /**< claimed, but the model recognises them */
    size_t outside_ball;  /**< change larger than eps */
    size_t outside_range; /**< a pixel outside [0, 1] */
    size_t not_finite;    /**< a pixel that is no finite number */
    double largest;       /**< norm of the largest change */
    const char *worst;    /**< [static] "not_finite", "range", "ball" or
                               "recognised"; NULL: nothing is violated */
    double worst_by;    /**< what "range" or "ball" is exceeded by, else NAN */
    size_t worst_image; /**< number of that image in the array */
} wsr_verify_row;

/** The outcome of a check. */
typedef struct wsr_verification wsr_verification;

/**
 * Check saved images.
 *
 * The configuration has the sections `net` and `data` of wsr_eval_run(),
 * `attack.eps` and the section `verify`:
 *
 *   verify.file     a file of wsr_eval_save_images(), or an .npz or safetensors
 *                   file of others: every array of four dimensions (n, c, h, w)
 *                   is checked, apart from the clean images, which are called
 *                   clean, x, x_orig or x_test. Labels are called labels or y
 *   verify.norm     linf, l2 or l1, where the file does not say
 *   verify.tol=1e-6 what a change may exceed eps by; for the L1 and L2 norms of
 *                   large images in single precision more is needed
 *
 * The strength is `attack.eps` where the file does not say. With `data.spec`
 * the clean images and labels are the first ones of the data set, and those in
 * the file must be equal to them; without it they must be in the file.
 *
 * @param out [out, owned] NULL on failure
 * @param config [borrowed] the configuration
 * @param dir [borrowed] a new folder, which gets `results.json` and
 *        `results.jsonl` (docs/json.md); NULL: none
 * @returns WSR_CONFIG, WSR_ARG, WSR_SHAPE, WSR_FORMAT, WSR_IO, WSR_NOMEM, each
 *          with one line of detail; violations are no failure
 */
WSR_API WSR_MUST_USE wsr_status wsr_verify_run(wsr_verification **out,
                                               const wsr_config *config,
                                               const char *dir);

/** Free a check; NULL is legal. */
WSR_API void wsr_verification_free(wsr_verification *verification);

/**
 * The arrays that were checked, in the order of the file.
 *
 * @param rows [out, borrowed]
 * @param verification a verification
 * @returns number of rows, at least 1
 */
WSR_API size_t wsr_verification_rows(const wsr_verify_row **rows,
                                     const wsr_verification *verification);

/**
 * Write the rows as JSON lines with the event "verify" (docs/json.md).
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param verification a verification
 * @returns WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status
wsr_verification_json(char **out, const wsr_verification *verification);

/** Number of violations in all rows; an image may have several. */
WSR_API size_t
wsr_verification_violations(const wsr_verification *verification);

#ifdef __cplusplus
}
#endif

#endif
