// SPDX-License-Identifier: Apache-2.0
//
// Colour jitter without rounding to bytes, as torchvision's ColorJitter on
// tensors of floats. With a factor f, an operation gives f image + (1 - f)
// other, clipped to [0, 1]: the other is black for brightness, the mean luma
// for contrast, the luma of each pixel for saturation. The hue is turned by way
// of HSV. The luma has the weights 0.2989, 0.587 and 0.114, which are not quite
// those of Pillow.

#include "augment/image_ops.h"
#include "augment/jitter.h"

#include <math.h>
#include <string.h>

// The planes of an image; one plane three times where it is grey.
typedef struct planes {
    float *r;
    float *g;
    float *b;
    int64_t n; // pixels
    bool grey;
} planes;

typedef void (*operation)(const planes *p, float argument);

static inline float clip(float value)
{
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

static inline float blend(float a, float other, float factor)
{
    return clip(factor * a + (1 - factor) * other);
}

static inline float luma(float r, float g, float b)
{
    return 0.2989f * r + 0.587f * g + 0.114f * b;
}

static void blend_with(const planes *p, float other, float factor)
{
    for (int64_t i = 0; i < (p->grey ? 1 : 3) * p->n; i++) {
        p->r[i] = blend(p->r[i], other, factor);
    }
}

static void brightness(const planes *p, float argument)
{
    blend_with(p, 0, argument);
}

static void contrast(const planes *p, float argument)
{
    double sum = 0;
    for (int64_t i = 0; i < p->n; i++) {
        sum += (double)(p->grey ? p->r[i] : luma(p->r[i], p->g[i], p->b[i]));
    }
    blend_with(p, (float)(sum / (double)p->n), argument);
}

static void saturation(const planes *p, float argument)
{
    for (int64_t i = 0; i < (p->grey ? 0 : p->n); i++) {
        const float grey = luma(p->r[i], p->g[i], p->b[i]);
        p->r[i] = blend(p->r[i], grey, argument);
        p->g[i] = blend(p->g[i], grey, argument);
        p->b[i] = blend(p->b[i], grey, argument);
    }
}

// Hue in [0, 1) of a colour whose components are not all equal.
static float hue_of(float r, float g, float b, float most, float range)
{
    const float rc = (most - r) / range;
    const float gc = (most - g) / range;
    const float bc = (most - b) / range;
    const float h = r == most ? bc - gc : g == most ? 2 + rc - bc : 4 + gc - rc;
    return fmodf(h / 6 + 1, 1);
}

// From hue in [0, 1), saturation and value back to RGB.
static void set_colour(float *rgb[3], float h, float s, float v)
{
    // Which of value, p, q and t a component is, for each sixth of the circle.
    static const unsigned char order[6][3] = {{0, 3, 1}, {2, 0, 1}, {1, 0, 3},
                                              {1, 2, 0}, {3, 1, 0}, {0, 1, 2}};
    const float sixth = floorf(h * 6);
    const float f = h * 6 - sixth;
    const float levels[4] = {v, clip(v * (1 - s)), clip(v * (1 - s * f)),
                             clip(v * (1 - s * (1 - f)))};
    for (size_t k = 0; k < 3; k++) {
        *rgb[k] = levels[order[(int)sixth % 6][k]];
    }
}

static void hue(const planes *p, float argument)
{
    for (int64_t i = 0; i < (p->grey ? 0 : p->n); i++) {
        float *rgb[3] = {p->r + i, p->g + i, p->b + i};
        const float most = fmaxf(fmaxf(p->r[i], p->g[i]), p->b[i]);
        const float range = most - fminf(fminf(p->r[i], p->g[i]), p->b[i]);
        if (range > 0) {
            const float turned =
                hue_of(p->r[i], p->g[i], p->b[i], most, range) + argument;
            set_colour(rgb, turned - floorf(turned), range / most, most);
        }
    }
}

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    (void)options;
    return wsr__image_infer(out, in, "color_jitter_float");
}

void wsr__jitter_floats(float *image, wsr__image shape,
                        const wsr__jitter_draw *drawn)
{
    static const operation operations[WSR__JITTER_OPS] = {brightness, contrast,
                                                          saturation, hue};
    const int64_t n = shape.h * shape.w;
    const int64_t next = shape.c == 1 ? 0 : n;
    const planes p = {image, image + next, image + 2 * next, n, shape.c == 1};
    for (size_t i = 0; i < drawn->n; i++) {
        operations[drawn->op[i]](&p, (float)drawn->argument[i]);
    }
}

static void apply(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *options, wsr__rng *rng)
{
    const wsr__jitter_draw drawn = wsr__jitter_drawn(options, rng);
    memcpy(dst, src, sizeof(*dst) * (size_t)wsr__image_floats(in));
    wsr__jitter_floats(dst, in, &drawn);
}

const wsr__augment_class wsr__augment_color_jitter_float = {
    .super = {.name = "color_jitter_float",
              .summary = "color_jitter without rounding to bytes",
              .reference = "",
              .schema = wsr__jitter_schema,
              .params_size = sizeof(wsr__jitter)},
    .infer = infer,
    .apply = apply,
};
