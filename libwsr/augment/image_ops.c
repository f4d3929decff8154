// SPDX-License-Identifier: Apache-2.0
//
// Operations that map each value of a channel to another, as Pillow's ImageOps
// and ImageEnhance: a table of 256 bytes is made first, from the histogram
// where the operation asks for one, and then looked up. Brightness and contrast
// are such maps too, since what they blend with is one value.

#include "augment/image_ops.h"

enum { LEVELS = 256 };

typedef struct table {
    unsigned char to[LEVELS];
} table;

typedef struct histogram {
    int64_t n[LEVELS];
} histogram;

wsr_status wsr__image_infer(wsr__image *out, wsr__image in, const char *name)
{
    if (in.c != 1 && in.c != 3) {
        return WSR_FAIL(WSR_CONFIG,
                        "augment.%s: an image of %lld channels, only grey (1) "
                        "and RGB (3) are permitted",
                        name, (long long)in.c);
    }
    *out = in;
    return WSR_OK;
}

static int64_t pixels_of(const wsr__bitmap *image)
{
    return image->shape.h * image->shape.w;
}

static void look_up(unsigned char *bytes, int64_t n, const table *t)
{
    for (int64_t i = 0; i < n; i++) {
        bytes[i] = t->to[bytes[i]];
    }
}

// The same table for all channels.
static wsr_status map_all(wsr__bitmap *image, const table *t)
{
    look_up(image->bytes, wsr__image_floats(image->shape), t);
    return WSR_OK;
}

// Four counters take turns, since runs of one value would wait for each other.
static histogram count(const unsigned char *bytes, int64_t n)
{
    histogram h = {{0}};
    uint32_t part[4][LEVELS] = {{0}}; // n < 2^26, see WSR__IMAGE_FLOATS
    for (int64_t i = 0; i < n; i++) {
        part[i % 4][bytes[i]]++;
    }
    for (size_t v = 0; v < LEVELS; v++) {
        h.n[v] = (int64_t)part[0][v] + part[1][v] + part[2][v] + part[3][v];
    }
    return h;
}

// A table for each channel from its own histogram.
static wsr_status map_each(wsr__bitmap *image,
                           void (*make)(table *, const histogram *))
{
    const int64_t n = pixels_of(image);
    for (int64_t c = 0; c < image->shape.c; c++) {
        unsigned char *const plane = image->bytes + c * n;
        const histogram h = count(plane, n);
        table t;
        make(&t, &h);
        look_up(plane, n, &t);
    }
    return WSR_OK;
}

static void identity(table *t)
{
    for (int i = 0; i < LEVELS; i++) {
        t->to[i] = (unsigned char)i;
    }
}

// Values below 0 and above 255 are clipped.
static unsigned char clip(int64_t value)
{
    return (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
}

// ---------------------------------------------------------------- histograms

// The least value becomes 0 and the largest 255. Python's int() truncates.
static void stretch(table *t, const histogram *h)
{
    int low = 0;
    int high = LEVELS - 1;
    while (low < high && h->n[low] == 0) {
        low++;
    }
    while (high > low && h->n[high] == 0) {
        high--;
    }
    identity(t);
    if (high <= low) {
        return;
    }
    const double scale = 255.0 / (high - low);
    const double offset = -low * scale;
    for (int i = 0; i < LEVELS; i++) {
        t->to[i] = clip((int64_t)(i * scale + offset));
    }
}

wsr_status wsr__image_autocontrast(wsr__bitmap *image, double argument,
                                   const wsr__border *border)
{
    (void)argument;
    (void)border;
    return map_each(image, stretch);
}

// With step = (pixels - those of the largest value) / 255, a value becomes
// (step / 2 + pixels below it) / step, in whole numbers; nothing changes where
// that would divide by 0.
static void flatten(table *t, const histogram *h)
{
    int64_t total = 0;
    int64_t last = 0;
    for (size_t v = 0; v < LEVELS; v++) {
        total += h->n[v];
        last = h->n[v] != 0 ? h->n[v] : last;
    }
    const int64_t step = (total - last) / 255;
    identity(t);
    if (step == 0) {
        return;
    }
    int64_t below = step / 2;
    for (size_t v = 0; v < LEVELS; v++) {
        t->to[v] = clip(below / step);
        below += h->n[v];
    }
}

wsr_status wsr__image_equalize(wsr__bitmap *image, double argument,
                               const wsr__border *border)
{
    (void)argument;
    (void)border;
    return map_each(image, flatten);
}

// ------------------------------------------------------------- fixed tables

wsr_status wsr__image_invert(wsr__bitmap *image, double argument,
                             const wsr__border *border)
{
    (void)argument;
    return wsr__image_solarize(image, 0, border);
}

// 0 bits give a black image, 8 bits and more the image.
wsr_status wsr__image_posterize(wsr__bitmap *image, double argument,
                                const wsr__border *border)
{
    const int bits = argument < 0 ? 0 : argument > 8 ? 8 : (int)argument;
    const unsigned mask = 0xffu << (8 - bits);
    table t;
    (void)border;
    for (unsigned i = 0; i < LEVELS; i++) {
        t.to[i] = (unsigned char)(i & mask);
    }
    return map_all(image, &t);
}

wsr_status wsr__image_solarize(wsr__bitmap *image, double argument,
                               const wsr__border *border)
{
    table t;
    (void)border;
    for (int i = 0; i < LEVELS; i++) {
        t.to[i] = (unsigned char)(i < argument ? i : 255 - i);
    }
    return map_all(image, &t);
}

wsr_status wsr__image_solarize_add(wsr__bitmap *image, double argument,
                                   const wsr__border *border)
{
    const int64_t add = (int64_t)argument;
    table t;
    (void)border;
    for (int i = 0; i < LEVELS; i++) {
        t.to[i] = clip(i < 128 ? i + add : i);
    }
    return map_all(image, &t);
}

// --------------------------------------------------- blends with one value

static wsr_status blend_with(wsr__bitmap *image, int value, double factor)
{
    table t;
    for (int i = 0; i < LEVELS; i++) {
        t.to[i] = wsr__image_blend(value, i, (float)factor);
    }
    return map_all(image, &t);
}

wsr_status wsr__image_brightness(wsr__bitmap *image, double argument,
                                 const wsr__border *border)
{
    (void)border;
    return blend_with(image, 0, argument);
}

// The mean of the lumas, which are rounded before.
static int mean_luma(const wsr__bitmap *image)
{
    const int64_t n = pixels_of(image);
    const unsigned char *const r = image->bytes;
    const unsigned char *const g = image->shape.c == 3 ? r + n : r;
    const unsigned char *const b = image->shape.c == 3 ? r + 2 * n : r;
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += wsr__image_luma(r[i], g[i], b[i]);
    }
    return (int)((double)sum / (double)n + 0.5);
}

wsr_status wsr__image_contrast(wsr__bitmap *image, double argument,
                               const wsr__border *border)
{
    (void)border;
    return blend_with(image, mean_luma(image), argument);
}
