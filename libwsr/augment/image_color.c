// SPDX-License-Identifier: Apache-2.0
//
// Operations on colours as Pillow computes them: luma, saturation as a blend
// with it, and a turn of the hue by way of HSV. Pillow keeps HSV in bytes, so
// even a turn by 0 changes an image; its conversions mix single and double
// precision and truncate one way and round the other, which is copied here.
// Grey images have neither hue nor saturation, and stay as they are.

#include "augment/image_ops.h"

#include <math.h>
#include <string.h>

// The three planes of an RGB image.
typedef struct planes {
    unsigned char *r;
    unsigned char *g;
    unsigned char *b;
    int64_t n; // pixels
} planes;

static planes planes_of(const wsr__bitmap *image)
{
    const int64_t n = image->shape.h * image->shape.w;
    unsigned char *const bytes = image->bytes;
    return (planes){bytes, bytes + n, bytes + 2 * n, n};
}

wsr_status wsr__image_grayscale(wsr__bitmap *image, double argument,
                                const wsr__border *border)
{
    (void)argument;
    (void)border;
    if (image->shape.c == 1) {
        return WSR_OK;
    }
    const planes p = planes_of(image);
    for (int64_t i = 0; i < p.n; i++) {
        p.r[i] = (unsigned char)wsr__image_luma(p.r[i], p.g[i], p.b[i]);
    }
    memcpy(p.g, p.r, (size_t)p.n);
    memcpy(p.b, p.r, (size_t)p.n);
    return WSR_OK;
}

wsr_status wsr__image_color(wsr__bitmap *image, double argument,
                            const wsr__border *border)
{
    const float factor = (float)argument;
    (void)border;
    if (image->shape.c == 1) {
        return WSR_OK;
    }
    const planes p = planes_of(image);
    for (int64_t i = 0; i < p.n; i++) {
        const int luma = wsr__image_luma(p.r[i], p.g[i], p.b[i]);
        p.r[i] = wsr__image_blend(luma, p.r[i], factor);
        p.g[i] = wsr__image_blend(luma, p.g[i], factor);
        p.b[i] = wsr__image_blend(luma, p.b[i], factor);
    }
    return WSR_OK;
}

// ----------------------------------------------------------------------- hue

// Hue of a colour whose largest and least components differ, in [0, 255].
static int hue_of(int r, int g, int b, int most, int range)
{
    const float cr = (float)range;
    const float rc = (float)(most - r) / cr;
    const float gc = (float)(most - g) / cr;
    const float bc = (float)(most - b) / cr;
    float h = bc - gc;
    if (r != most) {
        h = g == most ? (float)(2.0 + (double)rc - (double)bc)
                      : (float)(4.0 + (double)gc - (double)rc);
    }
    // The remainder of a number in [5/6, 11/6] after division by 1.
    const double turned = (double)h / 6.0 + 1.0;
    h = (float)(turned >= 1.0 ? turned - 1.0 : turned);
    const int level = (int)((double)h * 255.0);
    return level > 255 ? 255 : level;
}

// What depends on the turned hue alone: the sixth of the circle and the place
// in it.
typedef struct turn {
    int sixth;
    float place;
} turn;

static turn turn_of(int hue)
{
    const float h = (float)hue;
    const int sixth = (int)((double)h * 6.0 / 255.0);
    return (turn){sixth % 6, (float)((double)h * 6.0 / 255.0 - sixth)};
}

static unsigned char scaled(int value, double share)
{
    return (unsigned char)((double)value * share + 0.5);
}

// From hue, saturation in [1, 255] and value back to RGB.
static void set_colour(unsigned char *rgb[3], turn t, int saturation, int value)
{
    // Which of value, p, q and t a component is, for each sixth.
    static const unsigned char order[6][3] = {{0, 3, 1}, {2, 0, 1}, {1, 0, 3},
                                              {1, 2, 0}, {3, 1, 0}, {0, 1, 2}};
    const float s = (float)saturation / 255.0f;
    const unsigned char levels[4] = {
        (unsigned char)value, scaled(value, 1.0 - (double)s),
        scaled(value, 1.0 - (double)(s * t.place)),
        scaled(value, 1.0 - (double)s * (1.0 - (double)t.place))};
    for (size_t k = 0; k < 3; k++) {
        *rgb[k] = levels[order[t.sixth][k]];
    }
}

static int largest(int a, int b, int c)
{
    const int d = a > b ? a : b;
    return d > c ? d : c;
}

static int least(int a, int b, int c)
{
    const int d = a < b ? a : b;
    return d < c ? d : c;
}

// A colour without saturation, also one that rounds to none, becomes grey.
wsr_status wsr__image_hue(wsr__bitmap *image, double argument,
                          const wsr__border *border)
{
    const int shift = (int)(argument * 255.0);
    turn turns[256];
    (void)border;
    if (image->shape.c == 1) {
        return WSR_OK;
    }
    for (int h = 0; h < 256; h++) {
        turns[h] = turn_of((h + shift) & 255);
    }
    const planes p = planes_of(image);
    for (int64_t i = 0; i < p.n; i++) {
        const int r = p.r[i];
        const int g = p.g[i];
        const int b = p.b[i];
        const int most = largest(r, g, b);
        const int range = most - least(r, g, b);
        const float part = most > 0 ? (float)range / (float)most : 0;
        const int saturation = (int)((double)part * 255.0);
        unsigned char *rgb[3] = {p.r + i, p.g + i, p.b + i};
        if (saturation == 0) {
            *rgb[0] = *rgb[1] = *rgb[2] = (unsigned char)most;
        } else {
            set_colour(rgb, turns[hue_of(r, g, b, most, range)], saturation,
                       most);
        }
    }
    return WSR_OK;
}
