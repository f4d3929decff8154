// SPDX-License-Identifier: Apache-2.0
//
// Gaussian blur of a random sigma with probability p, as the augmentation of
// SimCLR and DeiT: Pillow's GaussianBlur, which approximates by boxes. The
// class of this name in torchvision convolves with sampled kernels instead and
// gives other pixels.

#include "augment/image_ops.h"
#include "augment/range.h"

typedef struct params {
    wsr__floats sigma;
    double p;
} params;

static const wsr__option schema[] = {
    {.key = "sigma",
     .kind = WSR__FLOATS,
     .offset = offsetof(params, sigma),
     .fallback = "[0.1, 2]",
     .min = 0,
     .max = 1000,
     .unit = "pixels",
     .help = "range of the standard deviation, or one value"},
    {.key = "p",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, p),
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "probability of blurring"},
    {0},
};

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    WSR_TRY(wsr__image_infer(out, in, "gaussian_blur"));
    status = wsr__range_check(&p->sigma, "gaussian_blur.sigma");
out:
    return status;
}

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    const params *const p = options;
    const bool chosen = (double)wsr__rng_uniform(rng) < p->p;
    const double sigma = wsr__range_draw(&p->sigma, rng);
    return chosen ? wsr__image_blur(image, sigma, NULL) : WSR_OK;
}

const wsr__augment_class wsr__augment_gaussian_blur = {
    .super = {.name = "gaussian_blur",
              .summary = "blur with a random sigma",
              .reference = "Gwosdek et al. 2011, Theoretical foundations of "
                           "Gaussian convolution by extended box filtering",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
};
