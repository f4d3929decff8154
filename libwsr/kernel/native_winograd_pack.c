// SPDX-License-Identifier: Apache-2.0
//
// Winograd's convolutions: sizes, and weights transformed and packed.
// native_winograd.h describes the transforms.

#include "kernel/native_layout.h"

#include <string.h>

enum {
    PAIR = 2 * WSR__BLOCK,
    LARGEST_KERNEL = 5,
    LEAST_TILES = 64,    // for the gradient of weights
    LEAST_CHANNELS = 40, // the same; with 32 sums over taps are as fast
    LINE = 16,
    GRAD_FLOATS = 1 << 20, // of a chunk of the gradient of weights, if it has
    GRAD_CHUNK = 256       // no more tiles than this, and no fewer than others
};

// In multiplications of vectors per tile, as measured: what the transforms of
// a block of inputs and of a pair of blocks of results cost, and the products.
// The unit is a multiplication of the sum over taps.
static double tile_cost(int64_t ins, int64_t outs)
{
    const int64_t blocks = wsr__blocks(ins);
    const int64_t pairs = (wsr__blocks(outs) + 1) / 2;
    return 0.8 * (double)(WINO_TAPS * WSR__BLOCK * blocks * pairs) +
           600.0 * (double)(blocks + pairs);
}

static double pixel_cost(int64_t ins, int64_t outs, int64_t taps)
{
    const int64_t pairs = (wsr__blocks(outs) + 1) / 2;
    return (double)(taps * ins * pairs);
}

static int64_t tiles_of(const wsr__conv *p)
{
    const int64_t tile = WINO_SIDE + 1 - p->kh;
    return (p->oh + tile - 1) / tile * ((p->ow + tile - 1) / tile);
}

// Forward and back. Tiles that hang over the edge compute pixels that nobody
// wants.
static bool pays(const wsr__conv *p)
{
    const int64_t taps = p->kh * p->kw;
    const double way = tile_cost(p->ci, p->co) + tile_cost(p->co, p->ci);
    const double sums = pixel_cost(p->ci, p->co, taps) +
                        pixel_cost(p->co, p->ci, taps);
    return (double)tiles_of(p) * way < (double)(p->oh * p->ow) * sums;
}

bool wsr__winograd_supported(const wsr__conv *p)
{
    const bool square = p->kh == p->kw && (p->kh == 3 || p->kh == 5);
    return p->groups == 1 && square && p->sh == 1 && p->sw == 1 && p->dh == 1 &&
           p->dw == 1 && pays(p);
}

bool wsr__winograd_supports_weights(const wsr__conv *p)
{
    return wsr__winograd_supported(p) && p->ci >= LEAST_CHANNELS &&
           p->co >= LEAST_CHANNELS && p->n * tiles_of(p) >= LEAST_TILES;
}

wsr__winograd_layout wsr__winograd_layout_of(const wsr__dense *p, bool forward,
                                             int64_t most)
{
    const wsr__conv *const c = &p->conv;
    const int64_t tile = WINO_SIDE + 1 - c->kh;
    const int64_t oh = forward ? c->oh : c->h;
    const int64_t ow = forward ? c->ow : c->w;
    wsr__winograd_layout l = {.rows = wsr__dense_layout_of(p, forward),
                              .tile = tile,
                              .down = (oh + tile - 1) / tile,
                              .across = (ow + tile - 1) / tile};
    l.rows.columns = l.across * tile + c->kh - 1;
    l.rows.pitch = l.rows.columns * WSR__BLOCK;
    const int64_t tiles = l.down * l.across;
    l.images = max64(most / tiles, 1);
    l.chunk = min64(most, min64(l.images, c->n) * tiles);
    l.chunk = (l.chunk + WSR__BLOCK - 1) / WSR__BLOCK * WSR__BLOCK;
    // A chunk that begins within a row of tiles may touch one row more.
    const int64_t touched =
        min64((l.chunk + l.across - 1) / l.across + 1, l.down);
    l.padded = (touched * tile + c->kh - 1) * l.rows.pitch;
    l.inputs = l.chunk * wsr__blocks(l.rows.ins) * WSR__BLOCK + LINE;
    l.products = l.chunk * DENSE_PAIRS * PAIR + LINE;
    return l;
}

wsr__winograd_grad_layout wsr__winograd_grad_layout_of(const wsr__dense *p)
{
    const wsr__conv *const c = &p->conv;
    const int64_t pairs = (wsr__blocks(c->co) + 1) / 2;
    const int64_t tile = wsr__blocks(c->ci) * WSR__BLOCK + pairs * PAIR;
    const int64_t fit = GRAD_FLOATS / (WINO_TAPS * tile);
    const int64_t most = min64(max64(fit, WINO_CHUNK), GRAD_CHUNK);
    wsr__winograd_grad_layout g = {.l = wsr__winograd_layout_of(p, true, most),
                                   .pairs = pairs};
    g.diffs = g.l.chunk * pairs * PAIR + LINE;
    g.sums = (int64_t)wsr__winograd_weights_size(p);
    return g;
}

size_t wsr__winograd_weights_scratch(const wsr__dense *p)
{
    const wsr__winograd_grad_layout g = wsr__winograd_grad_layout_of(p);
    return (size_t)(WINO_TAPS * (g.l.inputs + g.diffs) + g.sums);
}

size_t wsr__winograd_thread_scratch(const wsr__dense *p)
{
    size_t most = (size_t)wsr__winograd_grad_layout_of(p).l.padded;
    for (int forward = 0; forward < 2; forward++) {
        const wsr__winograd_layout l =
            wsr__winograd_layout_of(p, forward, WINO_CHUNK);
        const size_t floats = wsr__lines((size_t)l.padded) +
                              (size_t)(WINO_TAPS * (l.inputs + l.products));
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

// G g: the polynomial with these coefficients at the points 0, 1, -1, 1/2, -2
// and infinity, times what Lagrange's formula has for each.
static void transform(double to[WINO_SIDE][PAIR],
                      double from[LARGEST_KERNEL][PAIR], int64_t kernel)
{
    static const double points[WINO_SIDE - 1] = {0, 1, -1, 0.5, -2};
    static const double factors[WINO_SIDE - 1] = {1, 1.0 / 3, -1.0 / 3,
                                                  -16.0 / 15, 1.0 / 15};
    for (int k = 0; k < PAIR; k++) {
        for (int j = 0; j < WINO_SIDE - 1; j++) {
            double value = 0.0;
            for (int64_t i = kernel - 1; i >= 0; i--) {
                value = value * points[j] + from[i][k];
            }
            to[j][k] = factors[j] * value;
        }
        to[WINO_SIDE - 1][k] = from[kernel - 1][k];
    }
}

typedef double filter[LARGEST_KERNEL][LARGEST_KERNEL][PAIR];

// The weights of sixteen outputs by one input, [ky][kx][PAIR]: G g G'.
static void transform_filter(float *to, int64_t step, filter from,
                             int64_t kernel)
{
    double half[WINO_SIDE][LARGEST_KERNEL][PAIR];
    for (int64_t x = 0; x < kernel; x++) {
        double column[LARGEST_KERNEL][PAIR];
        double result[WINO_SIDE][PAIR];
        for (int64_t y = 0; y < kernel; y++) {
            memcpy(column[y], from[y][x], sizeof(column[y]));
        }
        transform(result, column, kernel);
        for (int y = 0; y < WINO_SIDE; y++) {
            memcpy(half[y][x], result[y], sizeof(half[y][x]));
        }
    }
    for (int y = 0; y < WINO_SIDE; y++) {
        double result[WINO_SIDE][PAIR];
        transform(result, half[y], kernel);
        for (int i = 0; i < WINO_SIDE * PAIR; i++) {
            to[(y * WINO_SIDE + i / PAIR) * step + i % PAIR] =
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
static double weight_at(const packing *p, int64_t out, int64_t in, int64_t tap)
{
    const int64_t taps = p->conv->kh * p->conv->kw;
    const int64_t co = p->transposed ? in : out;
    const int64_t ci = p->transposed ? out : in;
    const int64_t at = p->transposed ? taps - 1 - tap : tap;
    const double w = (double)p->plain[(co * p->conv->ci + ci) * taps + at];
    return p->factor != NULL ? w * (double)p->factor[co] : w;
}

// Items are pairs of blocks of outputs by inputs.
static void pack_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const packing *const p = ctx;
    const int64_t side = p->conv->kh;
    const int64_t ins = p->transposed ? p->conv->co : p->conv->ci;
    const int64_t outs = p->transposed ? p->conv->ci : p->conv->co;
    const int64_t padded = wsr__blocks(ins) * WSR__BLOCK;
    for (int64_t i = begin; i < end; i++) {
        const int64_t pair = i / padded;
        const int64_t in = i % padded;
        filter f;
        for (int64_t k = 0; k < side * side * PAIR; k++) {
            const int64_t out = pair * PAIR + k % PAIR;
            const int64_t tap = k / PAIR;
            f[tap / side][tap % side][k % PAIR] =
                out < outs && in < ins ? weight_at(p, out, in, tap) : 0.0;
        }
        transform_filter(p->packed + (pair * WINO_TAPS * padded + in) * PAIR,
                         padded * PAIR, f, side);
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
                                   const float *plain, const float *factor)
{
    pack(&(packing){.conv = &p->conv,
                    .packed = packed,
                    .plain = plain,
                    .factor = factor,
                    .transposed = true});
}

const wsr__dense_method wsr__winograd = {
    .weights_size = wsr__winograd_weights_size,
    .transposed_size = wsr__winograd_transposed_size,
    .thread_scratch = wsr__winograd_thread_scratch,
    .pack = wsr__winograd_pack,
    .pack_transposed = wsr__winograd_pack_transposed,
    .forward = wsr__winograd_forward,
    .backward_data = wsr__winograd_backward_data,
    .weights_scratch = wsr__winograd_weights_scratch,
    .backward_weights = wsr__winograd_backward_weights,
};
