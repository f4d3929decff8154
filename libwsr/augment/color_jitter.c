// SPDX-License-Identifier: Apache-2.0
//
// Colour jitter changes brightness, contrast, saturation and hue by random
// amounts in a random order. As torchvision's ColorJitter on Pillow images: the
// result of each operation is rounded to bytes. Grey images have neither
// saturation nor hue.

#include "augment/image_ops.h"
#include "augment/jitter.h"

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    (void)options;
    return wsr__image_infer(out, in, "color_jitter");
}

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    static const wsr__image_op ops[WSR__JITTER_OPS] = {
        wsr__image_brightness, wsr__image_contrast, wsr__image_color,
        wsr__image_hue};
    wsr_status status = WSR_OK;
    const wsr__jitter_draw drawn = wsr__jitter_drawn(options, rng);
    for (size_t i = 0; i < drawn.n; i++) {
        WSR_TRY(ops[drawn.op[i]](image, drawn.argument[i], NULL));
    }
out:
    return status;
}

const wsr__augment_class wsr__augment_color_jitter = {
    .super = {.name = "color_jitter",
              .summary = "random brightness, contrast, saturation and hue",
              .reference = "",
              .schema = wsr__jitter_schema,
              .params_size = sizeof(wsr__jitter)},
    .infer = infer,
    .apply_bytes = apply_bytes,
};
