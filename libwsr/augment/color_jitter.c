// SPDX-License-Identifier: Apache-2.0
//
// Colour jitter changes brightness, contrast, saturation and hue by random
// amounts in a random order. As torchvision's ColorJitter on Pillow images: the
// result of each operation is rounded to bytes. A factor is drawn uniformly
// from [max(0, 1 - x), 1 + x], the hue from [-x, x] of a full turn. An
// operation whose option is 0 is left out. Grey images have neither saturation
// nor hue.

#include "augment/image_ops.h"

#include <math.h>

enum { OPS = 4 };

typedef struct params {
    double brightness;
    double contrast;
    double saturation;
    double hue;
    double p;
} params;

static const wsr__option schema[] = {
    {.key = "brightness",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, brightness),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "",
     .help = "largest change of the factor of brightness"},
    {.key = "contrast",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, contrast),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "",
     .help = "largest change of the factor of contrast"},
    {.key = "saturation",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, saturation),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "",
     .help = "largest change of the factor of saturation"},
    {.key = "hue",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, hue),
     .fallback = "0",
     .min = 0,
     .max = 0.5,
     .unit = "turns",
     .help = "largest turn of the hue"},
    {.key = "p",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, p),
     .fallback = "1",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "probability of any change"},
    {0},
};

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    (void)options;
    return wsr__image_infer(out, in, "color_jitter");
}

// All numbers are drawn whatever the options are: chance, order, arguments.
static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    static const wsr__image_op ops[OPS] = {wsr__image_brightness,
                                           wsr__image_contrast,
                                           wsr__image_color, wsr__image_hue};
    wsr_status status = WSR_OK;
    const params *const p = options;
    const double ranges[OPS] = {p->brightness, p->contrast, p->saturation,
                                p->hue};
    const bool chosen = (double)wsr__rng_uniform(rng) < p->p;
    uint32_t order[OPS];
    double arguments[OPS];
    wsr__rng_permutation(rng, order, OPS);
    for (size_t k = 0; k < OPS; k++) {
        const double none = k < OPS - 1 ? 1 : 0; // a factor or a turn
        const double low = fmax(none - ranges[k], none - 1);
        const double high = none + ranges[k];
        arguments[k] = low + (high - low) * (double)wsr__rng_uniform(rng);
    }
    for (size_t i = 0; chosen && i < OPS; i++) {
        const uint32_t k = order[i];
        if (ranges[k] > 0) {
            WSR_TRY(ops[k](image, arguments[k], NULL));
        }
    }
out:
    return status;
}

const wsr__augment_class wsr__augment_color_jitter = {
    .super = {.name = "color_jitter",
              .summary = "random brightness, contrast, saturation and hue",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
};
