// SPDX-License-Identifier: Apache-2.0
//
// Resizes an image so that its short side has `size` pixels and its shape
// stays, as torchvision's Resize(size) of a Pillow image; resample.c has the
// pixels.

#include "augment/augment.h"

typedef struct params {
    int64_t size; // pixels
    wsr__text interpolation;
} params;

static const wsr__option schema[] = {
    {.key = "size",
     .kind = WSR__INT,
     .offset = offsetof(params, size),
     .fallback = "0",
     .min = 0,
     .max = 4096,
     .unit = "pixels",
     .help = "short side, 0: as data.resize, or that of the data"},
    WSR__INTERPOLATION_OPTION(offsetof(params, interpolation)),
    {0},
};

static void bind(void *options, const wsr__view *view)
{
    params *const p = options;
    const wsr__image image = view->image;
    if (p->size == 0) {
        p->size = view->resize;
    }
    if (p->size == 0) {
        p->size = image.h < image.w ? image.h : image.w;
    }
}

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    const params *const p = options;
    *out = in;
    if (in.h > 0) {
        wsr__size_short(&out->h, &out->w, in, p->size);
    }
    return WSR_OK;
}

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    const params *const p = options;
    (void)rng;
    return wsr__bitmap_resize_short(image, p->size,
                                    wsr__filter_of(&p->interpolation));
}

const wsr__augment_class wsr__augment_resize = {
    .super = {.name = "resize",
              .summary = "give the short side `size` pixels",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
    .bind = bind,
};
