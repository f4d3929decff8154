// SPDX-License-Identifier: Apache-2.0
//
// Copies between images as the graph has them and blocks of 16 channels:
//
//   wide[n][c / 16][y][x][c % 16] = plain[n][c][y][x]
//                                 = blocked[n][c / 8][y][x][c % 8].
//
// With AVX-512 they halve the time of dense convolutions of many channels, of
// which they cost a few per cent; with fewer channels they do not pay.

#include "kernel/dnnl_wide.h"

#include <dnnl.h>
#include <string.h>

enum { WIDE = 16, LEAST_CHANNELS = 64, LEAST_TAPS = 9 };

static bool has_avx512(void)
{
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) ==
           dnnl_cpu_isa_avx512_core;
}

int64_t wsr__wide_channels(int64_t channels)
{
    return (channels + WIDE - 1) / WIDE * WIDE;
}

// Time in nanoseconds, from what two threads reached on one processor: 170
// multiply-adds a nanosecond in blocks of 16, 45 in matrix products of plain
// images, and 4 floats copied.
static bool is_faster_than_plain(const wsr__conv *s)
{
    const double src = (double)(s->h * s->w);
    const double dst = (double)(s->oh * s->ow);
    const double taps = (double)(s->kh * s->kw) * dst;
    const double ci = (double)wsr__wide_channels(s->ci);
    const double co = (double)wsr__wide_channels(s->co);
    const double wide = ci * co * taps / 170 + (ci * src + co * dst) / 4;
    const double plain = (double)(s->ci * s->co) * taps / 45;
    return wide < plain;
}

bool wsr__dnnl_is_wide(const wsr__conv *s)
{
    const bool full = s->ci % WSR__BLOCK == 0 && s->co % WSR__BLOCK == 0;
    const bool many = s->ci >= LEAST_CHANNELS && s->co >= LEAST_CHANNELS;
    if (s->groups != 1 || s->kh * s->kw < LEAST_TAPS || s->ci < WIDE ||
        s->co < WIDE || !has_avx512()) {
        return false;
    }
    return full ? many : is_faster_than_plain(s);
}

size_t wsr__wide_floats(const wsr__wide_image *image)
{
    return (size_t)(image->n * wsr__wide_channels(image->c) * image->pixels);
}

// A block of 16 channels, and where its channels are in the image.
typedef struct share {
    const wsr__wide_image *image;
    const float *from;
    float *to;
} share;

typedef struct place {
    int64_t wide;     // first float of the block
    int64_t narrow;   // of its first channel
    int64_t channels; // that the image has in it
} place;

static place place_of(const wsr__wide_image *image, int64_t i)
{
    const int64_t blocks = wsr__wide_channels(image->c) / WIDE;
    const int64_t first = i % blocks * WIDE;
    const int64_t stored = image->layout == WSR__PLAIN
                               ? image->c
                               : wsr__blocks(image->c) * WSR__BLOCK;
    const int64_t rest = stored - first;
    return (place){.wide = i * image->pixels * WIDE,
                   .narrow = (i / blocks * stored + first) * image->pixels,
                   .channels = rest < WIDE ? rest : WIDE};
}

static void widen_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const share *const s = ctx;
    const int64_t pixels = s->image->pixels;
    const bool plain = s->image->layout == WSR__PLAIN;
    (void)part;
    for (int64_t i = begin; i < end; i++) {
        const place at = place_of(s->image, i);
        const float *const from = s->from + at.narrow;
        float *const to = s->to + at.wide;
        if (at.channels < WIDE) {
            memset(to, 0, (size_t)(pixels * WIDE) * sizeof(*to));
        }
        for (int64_t k = 0; plain && k < at.channels; k++) {
            for (int64_t p = 0; p < pixels; p++) {
                to[p * WIDE + k] = from[k * pixels + p];
            }
        }
        for (int64_t k = 0; !plain && k < at.channels; k += WSR__BLOCK) {
            for (int64_t p = 0; p < pixels; p++) {
                memcpy(to + p * WIDE + k, from + k * pixels + p * WSR__BLOCK,
                       WSR__BLOCK * sizeof(*to));
            }
        }
    }
}

static void narrow_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const share *const s = ctx;
    const int64_t pixels = s->image->pixels;
    const bool plain = s->image->layout == WSR__PLAIN;
    (void)part;
    for (int64_t i = begin; i < end; i++) {
        const place at = place_of(s->image, i);
        const float *const from = s->from + at.wide;
        float *const to = s->to + at.narrow;
        for (int64_t k = 0; plain && k < at.channels; k++) {
            for (int64_t p = 0; p < pixels; p++) {
                to[k * pixels + p] = from[p * WIDE + k];
            }
        }
        for (int64_t k = 0; !plain && k < at.channels; k += WSR__BLOCK) {
            for (int64_t p = 0; p < pixels; p++) {
                memcpy(to + k * pixels + p * WSR__BLOCK, from + p * WIDE + k,
                       WSR__BLOCK * sizeof(*to));
            }
        }
    }
}

static void run(wsr__body body, float *to, const float *from,
                const wsr__wide_image *image)
{
    share s = {.image = image, .from = from, .to = to};
    wsr__parallel(image->n * wsr__wide_channels(image->c) / WIDE, body, &s);
}

void wsr__widen(float *to, const float *from, const wsr__wide_image *image)
{
    run(widen_share, to, from, image);
}

void wsr__narrow(float *to, const float *from, const wsr__wide_image *image)
{
    run(narrow_share, to, from, image);
}
