// SPDX-License-Identifier: Apache-2.0
//
// A random crop surrounds the image with `pad` zeros on each side and cuts a
// window of the original size at a uniformly drawn corner: a translation by up
// to `pad` pixels, as torchvision's RandomCrop(size, padding=pad). Pixels
// outside the image are cleared and the others copied; the padded image is
// never made.

#include "augment/augment.h"

#include <string.h>

typedef struct params {
    int64_t pad; // pixels
} params;

static const wsr__option schema[] = {
    {.key = "pad",
     .kind = WSR__INT,
     .offset = offsetof(params, pad),
     .fallback = "4",
     .min = 0,
     .max = 4096,
     .unit = "pixels",
     .help = "zeros on each side before a window is cut"},
    {0},
};

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    (void)options;
    *out = in;
    return WSR_OK;
}

// Overlap of a row of `n` pixels moved by `shift`: first target and length.
static int64_t overlap(int64_t *first, int64_t n, int64_t shift)
{
    const int64_t begin = shift > 0 ? shift : 0;
    const int64_t end = shift > 0 ? n : n + shift;
    *first = begin < n ? begin : 0;
    return end > begin ? end - begin : 0;
}

static void apply(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *options, wsr__rng *rng)
{
    const params *const p = options;
    const uint32_t range = (uint32_t)(2 * p->pad + 1);
    const int64_t down = p->pad - (int64_t)wsr__rng_below(rng, range);
    const int64_t right = p->pad - (int64_t)wsr__rng_below(rng, range);
    int64_t x0;
    const int64_t n = overlap(&x0, in.w, right);
    const size_t before = sizeof(float) * (size_t)x0;
    const size_t inside = sizeof(float) * (size_t)n;
    const size_t after = sizeof(float) * (size_t)(in.w - x0 - n);
    for (int64_t c = 0; c < in.c; c++) {
        for (int64_t y = 0; y < in.h; y++) {
            float *const to = dst + (c * in.h + y) * in.w;
            const int64_t from = y - down;
            if (n == 0 || from < 0 || from >= in.h) {
                memset(to, 0, sizeof(float) * (size_t)in.w);
                continue;
            }
            memset(to, 0, before);
            memcpy(to + x0, src + (c * in.h + from) * in.w + x0 - right,
                   inside);
            memset(to + x0 + n, 0, after);
        }
    }
}

const wsr__augment_class wsr__augment_random_crop = {
    .super = {.name = "random_crop",
              .summary = "translate by up to `pad` pixels, zeros move in",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply = apply,
};
