// SPDX-License-Identifier: Apache-2.0
//
// Winograd's convolutions: sizes, and weights transformed and packed. What the
// transforms are says native_winograd.c.

#include "kernel/native_layout.h"

#include <string.h>

enum {
    PAIR = 2 * WSR__BLOCK,
    LEAST_CHANNELS = 32, // below, the transforms cost what the product saves
    CHUNK = 64           // tiles that share the weights they read
};

// Tiles that hang over the edge compute pixels that nobody wants.
static bool pays(const wsr__conv *p)
{
    const int64_t tiles = (p->oh + WINO - 1) / WINO *
                          ((p->ow + WINO - 1) / WINO);
    const bool full = tiles * WINO * WINO * 2 <= p->oh * p->ow * 3;
    return full && p->ci >= LEAST_CHANNELS && p->co >= LEAST_CHANNELS;
}

bool wsr__winograd_supported(const wsr__conv *p)
{
    return p->groups == 1 && p->kh == 3 && p->kw == 3 && p->sh == 1 &&
           p->sw == 1 && p->dh == 1 && p->dw == 1 && pays(p);
}

wsr__winograd_layout wsr__winograd_layout_of(const wsr__dense *p, bool forward)
{
    const wsr__conv *const c = &p->conv;
    const int64_t oh = forward ? c->oh : c->h;
    const int64_t ow = forward ? c->ow : c->w;
    wsr__winograd_layout l = {.rows = wsr__dense_layout_of(p, forward),
                              .down = (oh + WINO - 1) / WINO,
                              .across = (ow + WINO - 1) / WINO};
    l.rows.columns = l.across * WINO + 2;
    l.rows.pitch = l.rows.columns * WSR__BLOCK;
    const int64_t tiles = l.down * l.across;
    l.images = max64(CHUNK / tiles, 1);
    l.chunk = min64(CHUNK, min64(l.images, c->n) * tiles);
    l.chunk = (l.chunk + WSR__BLOCK - 1) / WSR__BLOCK * WSR__BLOCK;
    // A chunk that begins within a row of tiles may touch one row more.
    const int64_t touched =
        min64((l.chunk + l.across - 1) / l.across + 1, l.down);
    l.padded = (touched * WINO + 2) * l.rows.pitch;
    l.inputs = WINO_TAPS * l.chunk * wsr__blocks(l.rows.ins) * WSR__BLOCK;
    l.products = WINO_TAPS * l.chunk * DENSE_PAIRS * PAIR;
    return l;
}

size_t wsr__winograd_thread_scratch(const wsr__dense *p)
{
    size_t most = 0;
    for (int forward = 0; forward < 2; forward++) {
        const wsr__winograd_layout l = wsr__winograd_layout_of(p, forward);
        const size_t floats = (size_t)(l.padded + l.inputs + l.products);
        most = floats > most ? floats : most;
    }
    return wsr__lines(most);
}

// ------------------------------------------------------------------ weights

static int64_t pairs(int64_t channels)
{
    return (wsr__blocks(channels) + 1) / 2;
}

static size_t packed_size(int64_t outs, int64_t ins)
{
    return (size_t)(WINO_TAPS * pairs(outs) * PAIR * wsr__blocks(ins) *
                    WSR__BLOCK);
}

size_t wsr__winograd_weights_size(const wsr__dense *p)
{
    return packed_size(p->conv.co, p->conv.ci);
}

size_t wsr__winograd_transposed_size(const wsr__dense *p)
{
    return packed_size(p->conv.ci, p->conv.co);
}

// G g, for numbers `step` apart.
static void transform(double to[WINO + 2][PAIR], double from[3][PAIR])
{
    for (int k = 0; k < PAIR; k++) {
        const double a = from[0][k];
        const double b = from[1][k];
        const double c = from[2][k];
        to[0][k] = a;
        to[1][k] = (a + b + c) / 3;
        to[2][k] = (b - a - c) / 3;
        to[3][k] = -(16 * a + 8 * b + 4 * c) / 15;
        to[4][k] = (a - 2 * b + 4 * c) / 15;
        to[5][k] = c;
    }
}

// The weights of sixteen outputs by one input, [ky][kx][PAIR]: G g G'.
static void transform_filter(float *to, int64_t step,
                             double from[3][3][PAIR])
{
    enum { SIDE = WINO + 2 };
    double half[SIDE][3][PAIR];
    for (int x = 0; x < 3; x++) {
        double column[3][PAIR];
        double result[SIDE][PAIR];
        for (int y = 0; y < 3; y++) {
            memcpy(column[y], from[y][x], sizeof(column[y]));
        }
        transform(result, column);
        for (int y = 0; y < SIDE; y++) {
            memcpy(half[y][x], result[y], sizeof(half[y][x]));
        }
    }
    for (int y = 0; y < SIDE; y++) {
        double result[SIDE][PAIR];
        transform(result, half[y]);
        for (int i = 0; i < SIDE * PAIR; i++) {
            to[(y * SIDE + i / PAIR) * step + i % PAIR] =
                (float)result[i / PAIR][i % PAIR];
        }
    }
}

typedef struct packing {
    const wsr__conv *conv;
    float *packed;
    const float *plain;
    const float *factor;
    bool transposed;
} packing;

// Weight (ky, kx) of an output and an input of the product. The gradient of src
// is the convolution with the filters turned around.
static double weight_at(const packing *p, int64_t out, int64_t in, int tap)
{
    const int64_t co = p->transposed ? in : out;
    const int64_t ci = p->transposed ? out : in;
    const int at = p->transposed ? 8 - tap : tap;
    const double w = (double)p->plain[(co * p->conv->ci + ci) * 9 + at];
    return p->factor != NULL ? w * (double)p->factor[co] : w;
}

// Items are pairs of blocks of outputs by inputs.
static void pack_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const packing *const p = ctx;
    const int64_t ins = p->transposed ? p->conv->co : p->conv->ci;
    const int64_t outs = p->transposed ? p->conv->ci : p->conv->co;
    const int64_t padded = wsr__blocks(ins) * WSR__BLOCK;
    for (int64_t i = begin; i < end; i++) {
        const int64_t pair = i / padded;
        const int64_t in = i % padded;
        double filter[3][3][PAIR];
        for (int k = 0; k < 9 * PAIR; k++) {
            const int64_t out = pair * PAIR + k % PAIR;
            const int tap = k / PAIR;
            filter[tap / 3][tap % 3][k % PAIR] =
                out < outs && in < ins ? weight_at(p, out, in, tap) : 0.0;
        }
        transform_filter(p->packed + (pair * WINO_TAPS * padded + in) * PAIR,
                         padded * PAIR, filter);
    }
}

static void pack(packing *p)
{
    const int64_t ins = p->transposed ? p->conv->co : p->conv->ci;
    const int64_t outs = p->transposed ? p->conv->ci : p->conv->co;
    wsr__parallel(pairs(outs) * wsr__blocks(ins) * WSR__BLOCK, pack_body, p);
}

void wsr__winograd_pack(float *packed, const wsr__dense *p, const float *plain,
                        const float *factor)
{
    pack(&(packing){
        .conv = &p->conv, .packed = packed, .plain = plain, .factor = factor});
}

void wsr__winograd_pack_transposed(float *packed, const wsr__dense *p,
                                   const float *plain)
{
    pack(&(packing){.conv = &p->conv,
                    .packed = packed,
                    .plain = plain,
                    .transposed = true});
}
