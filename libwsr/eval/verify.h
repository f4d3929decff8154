// SPDX-License-Identifier: Apache-2.0
//
// The inside of a check of saved images: verify_file.c finds the arrays in a
// file and their clean images, verify.c checks them.

#ifndef WSR_EVAL_VERIFY_H
#define WSR_EVAL_VERIFY_H

#include "eval/run_params.h"
#include "io/io.h"
#include "wsr/verify.h"

typedef struct wsr__verify_params {
    wsr__text file;
    wsr__text norm; // "": the file says
    double tol;
} wsr__verify_params;

/// What the images of a file are compared with.
typedef struct wsr__verify_clean {
    size_t n;
    size_t d;        // pixels
    float *images;   // (n, d)
    int32_t *labels; // (n)
} wsr__verify_clean;

/// Clean images and labels of a file, or of a data set (NULL: none); both must
/// agree where both have them. [out, owned] wsr__verify_clean_free()
wsr_status wsr__verify_clean_of(wsr__verify_clean *out, const wsr__st *st,
                                const wsr_shape *image,
                                const wsr_dataset *dataset);
void wsr__verify_clean_free(wsr__verify_clean *clean); // {0} afterwards

/// Whether a tensor is one of adversarial images.
bool wsr__verify_is_adversarial(const wsr__st_tensor *t);

/// Images of a tensor as floats, bytes as multiples of 1/255. SHAPE where they
/// are not of the model's shape or not so many. [out, owned]
wsr_status wsr__verify_images(float **out, const wsr__st *st,
                              const wsr__st_tensor *t, const wsr_shape *image,
                              size_t n);

/// What the file says of the array "A.E.images": the text "A.E.what" of its
/// metadata. [borrowed] NULL without it.
const char *wsr__verify_said(const wsr__st *st, const char *name,
                             const char *what);

/// Flags (n) "A.E.success" of "A.E.images". [out, owned] NULL without them
wsr_status wsr__verify_claims(uint8_t **out, const wsr__st *st,
                              const char *name, size_t n);

#endif
