// SPDX-License-Identifier: Apache-2.0
//
// The centre of an image, as torchvision's CenterCrop, which however pads
// images that are smaller than the crop; here they are refused.

#include "augment/augment.h"

typedef struct params {
    wsr__ints size; // height and width once bound
} params;

static const wsr__option schema[] = {
    WSR__SIZE_OPTION(offsetof(params, size),
                     "side or [height, width], 0: the size of the data"),
    {0},
};

static void bind(void *options, const wsr__view *view)
{
    params *const p = options;
    wsr__size_bind(&p->size, view);
}

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    wsr__window window;
    WSR_TRY(wsr__size_check(&p->size, "center_crop"));
    *out = (wsr__image){in.c, p->size.v[0], p->size.v[1]};
    if (in.h > 0) {
        status = wsr__window_centre(&window, in, out->h, out->w);
    }
    if (status != WSR_OK) {
        status = wsr__fail_at(status, "center_crop.size");
    }
out:
    return status;
}

static wsr_status window(wsr__window *out, const void *options, wsr__image in,
                         wsr__rng *rng)
{
    const params *const p = options;
    (void)rng;
    return wsr__window_centre(out, in, p->size.v[0], p->size.v[1]);
}

// The window is the result.
static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    (void)image;
    (void)options;
    (void)rng;
    return WSR_OK;
}

const wsr__augment_class wsr__augment_center_crop = {
    .super = {.name = "center_crop",
              .summary = "cut the centre out",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
    .window = window,
    .bind = bind,
};
