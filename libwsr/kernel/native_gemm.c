// SPDX-License-Identifier: Apache-2.0
//
// Pointwise products in registers, see native_gemm.h.
//
// A tile is P pixels of sixteen destination channels. For each source channel
// its sixteen weights are loaded once and multiplied with that channel of each
// pixel; nothing is stored before all source channels have been added. What
// follows the product (a gate, statistics, accumulation) happens to the tile
// while it is still in registers.

#include "kernel/native_gemm.h"

#include <string.h>

#if WSR_AVX512
enum { TILE = 16, GRAD_LANES = 8 };
#elif WSR_AVX2
enum { TILE = 6, GRAD_LANES = 4 };
#else
enum { TILE = 2, GRAD_LANES = 2 };
#endif

/// A vector per channel of the pair.
WSR_INLINE v16 pair_channels(const float *p, bool half, float otherwise)
{
    if (p == NULL) {
        return splat16(otherwise);
    }
    return join16(ldu8(p), ldu8(p + (half ? 0 : WSR__BLOCK)));
}

/// Floats from block to block of the pair, 0 if there is one.
WSR_INLINE int64_t pair_pitch(const gemm *g)
{
    return g->half ? 0 : g->dst_pitch;
}

enum { LANES = 4 }; // sums side by side

/// Sums of a run of pixels.
typedef struct run {
    v16 pivot;
    v16 sum;
    v16 product;
} run;

/// Two values of each pixel of a tile, summed. Several sums side by side: in
/// one, each addition would wait for the one before.
typedef struct lanes {
    v16 sum[LANES];
    v16 product[LANES];
} lanes;

WSR_INLINE void lanes_add(lanes *l, v16 value, v16 factor, const int p)
{
    const int k = p % LANES;
    l->sum[k] = p < LANES ? value : add16(l->sum[k], value);
    l->product[k] = p < LANES ? mul16(value, factor)
                              : fma16(value, factor, l->product[k]);
}

WSR_INLINE void lanes_end(run *s, lanes *l, const int P)
{
    WSR_UNROLL
    for (int k = 1; k < (P < LANES ? P : LANES); k++) {
        l->sum[0] = add16(l->sum[0], l->sum[k]);
        l->product[0] = add16(l->product[0], l->product[k]);
    }
    s->sum = add16(s->sum, l->sum[0]);
    s->product = add16(s->product, l->product[0]);
}

WSR_INLINE void sums_tile(const v16 *acc, const gemm *g, run *s, int64_t x,
                          const int P)
{
    const v16 mean = pair_channels(g->mean, g->half, 0.0f);
    lanes l;
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        const v16 src =
            load_pair(g->gate + (x + p) * WSR__BLOCK, pair_pitch(g));
        lanes_add(&l, acc[p], sub16(src, mean), p);
    }
    lanes_end(s, &l, P);
}

/// Without relu, the gate is opened by the constant 1.
WSR_INLINE void gate_tile(v16 *acc, const gemm *g, int64_t x, const int P)
{
    const v16 scale = pair_channels(g->scale, g->half, 1.0f);
    const v16 shift = pair_channels(g->shift, g->half, 0.0f);
    const v16 open_scale = g->relu ? scale : splat16(0.0f);
    const v16 open_shift = g->relu ? shift : splat16(1.0f);
    const v16 factor = g->unscaled ? splat16(1.0f) : scale;
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        const v16 src =
            load_pair(g->gate + (x + p) * WSR__BLOCK, pair_pitch(g));
        const v16 y = fma16(src, open_scale, open_shift);
        acc[p] = open16(y, mul16(acc[p], factor));
    }
}

WSR_INLINE void moments_tile(const v16 *acc, const gemm *g, run *s, int64_t x,
                             const int P)
{
    if (x == 0) {
        s->pivot = g->first == g->dst ? acc[0]
                                      : load_pair(g->first, pair_pitch(g));
    }
    const v16 pivot = s->pivot;
    lanes l;
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        const v16 away = sub16(acc[p], pivot);
        lanes_add(&l, away, away, p);
    }
    lanes_end(s, &l, P);
}

/// Ask for the share of source block i and the tile at x.
WSR_INLINE void ask_ahead(const gemm *g, int64_t i, int64_t x, const int P)
{
    for (int k = 0; k < GEMM_AHEAD; k++) {
        const gemm_ahead *const a = &g->ahead[k];
        if (a->from == NULL || i >= a->blocks) {
            continue;
        }
        const int64_t size = a->scale * WSR__BLOCK;
        const float *const p = a->from + i * a->pitch + x * size;
        for (int64_t at = 0; at < P * size; at += 2 * WSR__BLOCK) {
            prefetch(p + at, a->write);
        }
    }
}

WSR_INLINE void product_tile(v16 *acc, const gemm *g, int64_t x, const int P)
{
    const v16 bias = pair_channels(g->bias, g->half, 0.0f);
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        acc[p] = bias;
    }
    const float *src = g->src + x * WSR__BLOCK;
    const float *weights = g->weights;
    for (int64_t i = 0; i < g->ins; i++) {
        const float *const s = opaque(src);
        ask_ahead(g, i, x, P);
        WSR_UNROLL
        for (int k = 0; k < WSR__BLOCK; k++) {
            const v16 w = ldu16(weights + k * 2 * WSR__BLOCK);
            WSR_UNROLL
            for (int p = 0; p < P; p++) {
                acc[p] = fma16(w, splat16(s[p * WSR__BLOCK + k]), acc[p]);
            }
        }
        src += g->src_pitch;
        weights += 2 * WSR__BLOCK * WSR__BLOCK;
    }
}

WSR_INLINE void store_tile(const gemm *g, v16 *acc, int64_t x, const int P)
{
    if (BUNDLE_BLOCKS == 2 && g->bundled) {
        WSR_UNROLL
        for (int p = 0; p < P; p++) {
            stu16(g->dst + (x + p) * BUNDLE, acc[p]);
        }
        return;
    }
    const int64_t pitch = pair_pitch(g);
    float *const to = g->dst + x * WSR__BLOCK;
    if (g->accumulate) {
        WSR_UNROLL
        for (int p = 0; p < P; p++) {
            acc[p] = add16(load_pair(to + p * WSR__BLOCK, pitch), acc[p]);
        }
    }
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        store_pair(to + p * WSR__BLOCK, pitch, acc[p]);
    }
}

WSR_INLINE void gemm_tile(const gemm *g, run *s, int64_t x, const int P)
{
    v16 acc[TILE];
    product_tile(acc, g, x, P);
    if (g->gate != NULL) {
        gate_tile(acc, g, x, P);
        if (g->kind == GEMM_PRODUCTS) {
            sums_tile(acc, g, s, x, P);
        }
    } else if (g->kind == GEMM_MOMENTS) {
        moments_tile(acc, g, s, x, P);
    }
    store_tile(g, acc, x, P);
}

static void gemm_pixels(const gemm *g, run *s)
{
    int64_t x = 0;
    int64_t left = g->pixels;
    // Two tiles of four beat one of six and two single pixels.
    while (left >= TILE && !(TILE == 6 && left == 8)) {
        gemm_tile(g, s, x, TILE);
        x += TILE;
        left -= TILE;
    }
    while (TILE > 8 && left >= 8) {
        gemm_tile(g, s, x, 8);
        x += 8;
        left -= 8;
    }
    while (TILE > 4 && left >= 4) {
        gemm_tile(g, s, x, 4);
        x += 4;
        left -= 4;
    }
    for (; left > 0; left--) {
        gemm_tile(g, s, x, 1);
        x++;
    }
}

void WSR_NAME(wsr__gemm)(gemm *g)
{
    run s = {splat16(0.0f), splat16(0.0f), splat16(0.0f)};
    gemm_pixels(g, &s);
    memset(g->ahead, 0, sizeof(g->ahead));
    if (g->kind != GEMM_NONE) {
        add_d8(g->sums, low16(s.sum));
        add_d8(g->sums + WSR__BLOCK, low16(s.product));
        if (!g->half) {
            add_d8(g->sums + 2 * WSR__BLOCK, high16(s.sum));
            add_d8(g->sums + 3 * WSR__BLOCK, high16(s.product));
        }
    }
}

void WSR_NAME(wsr__gemm_moments)(double sums[2 * WSR__BLOCK],
                                 const float *first, int64_t pixels)
{
    const double m = (double)pixels;
    for (int k = 0; k < WSR__BLOCK; k++) {
        const double off = sums[k] / m;
        const double rest = sums[WSR__BLOCK + k] - sums[k] * off;
        sums[k] = (double)first[k] + off;
        sums[WSR__BLOCK + k] = rest > 0.0 ? rest : 0.0;
    }
}

// ----------------------------------------------------------------- gradient

/// GRAD_LANES source channels times sixteen gradients, over all pixels.
WSR_INLINE void grad_lanes(const gemm_grad *g, const float *src, float *weights)
{
    const int64_t pitch = g->half ? 0 : g->diff_pitch;
    v16 acc[GRAD_LANES];
    WSR_UNROLL
    for (int k = 0; k < GRAD_LANES; k++) {
        acc[k] = splat16(0.0f);
    }
    for (int64_t x = 0; x < g->pixels; x++) {
        const v16 diff = load_pair(g->diff + x * WSR__BLOCK, pitch);
        const float *const s = src + x * WSR__BLOCK;
        WSR_UNROLL
        for (int k = 0; k < GRAD_LANES; k++) {
            acc[k] = fma16(splat16(s[k]), diff, acc[k]);
        }
    }
    WSR_UNROLL
    for (int k = 0; k < GRAD_LANES; k++) {
        float *const w = weights + k * 2 * WSR__BLOCK;
        stu16(w, add16(ldu16(w), acc[k]));
    }
}

void WSR_NAME(wsr__gemm_grad)(const gemm_grad *g)
{
    for (int64_t i = 0; i < g->ins; i++) {
        for (int64_t k = 0; k < WSR__BLOCK; k += GRAD_LANES) {
            const float *const src = g->src + i * g->src_pitch + k;
            float *const weights = g->weights +
                                   (i * WSR__BLOCK + k) * 2 * WSR__BLOCK;
            grad_lanes(g, src, weights);
        }
    }
}
