// SPDX-License-Identifier: Apache-2.0
//
// Pointwise products in registers, see native_gemm.h.
//
// A tile is P pixels of Q pairs of destination channel blocks, kept in
// registers. For each source channel the kernel loads the sixteen weights of
// each pair once and multiplies them by that channel of each pixel. It stores
// the tile when it has added all source channels, and applies what follows the
// product (relu mask, statistics, accumulation) before that. With AVX-512 two
// pairs share the loads of pixels, for which multiply-adds would have to wait
// otherwise.
//
// P and Q are constants wherever they are passed: every loop over a tile is
// unrolled, and its vectors stay in registers.

#include "kernel/native_gemm.h"

// TILE: pixels of a tile of one pair. MOST: pairs of a tile. GRAD_LANES: source
// channels whose gradients are summed together. The registers of an instruction
// set hold these and no more.
#if WSR_AVX512
enum { TILE = 16, MOST = 2, GRAD_LANES = 8 };
#elif WSR_AVX2
enum { TILE = 6, MOST = 1, GRAD_LANES = 4 };
#else
enum { TILE = 2, MOST = 1, GRAD_LANES = 2 };
#endif

enum { LANES = 4, PAIR = 2 * WSR__BLOCK }; // sums side by side; channels

// A pair of destination blocks, and its sums over a run of pixels.
typedef struct pair {
    int64_t block; // the first
    int64_t pitch; // floats to the second, 0 where there is none
    v16 pivot;     // GEMM_MOMENTS: the plane's first pixel, which is subtracted
    v16 sum;
    v16 product;
} pair;

// A number per channel of the pair.
WSR_INLINE v16 channels_of(const float *all, const pair *q, float otherwise)
{
    if (all == NULL) {
        return splat16(otherwise);
    }
    const float *const p = all + q->block * WSR__BLOCK;
    return join16(ldu8(p), ldu8(p + (q->pitch != 0 ? WSR__BLOCK : 0)));
}

// Two values of each pixel of a tile, summed. Several sums side by side: in
// one, each addition would wait for the one before.
typedef struct lanes {
    v16 sum[LANES];
    v16 product[LANES];
} lanes;

// Add pixel p of a tile: its value, and the value times a factor.
WSR_INLINE void lanes_add(lanes *l, v16 value, v16 factor, const int p)
{
    const int k = p % LANES;
    l->sum[k] = p < LANES ? value : add16(l->sum[k], value);
    l->product[k] = p < LANES ? mul16(value, factor)
                              : fma16(value, factor, l->product[k]);
}

// Add the sums of a tile of P pixels to those of the pair, always in the same
// order.
WSR_INLINE void lanes_end(pair *q, lanes *l, const int P)
{
    WSR_UNROLL
    for (int k = 1; k < (P < LANES ? P : LANES); k++) {
        l->sum[0] = add16(l->sum[0], l->sum[k]);
        l->product[0] = add16(l->product[0], l->product[k]);
    }
    q->sum = add16(q->sum, l->sum[0]);
    q->product = add16(q->product, l->product[0]);
}

// Sums for the backward pass of a norm: the gradient, and the gradient times
// (src - mean).
WSR_INLINE void sums_tile(const v16 *acc, const gemm *g, pair *q, int64_t x,
                          const int P)
{
    const v16 mean = channels_of(g->mean, q, 0.0f);
    const float *const mask = g->mask + q->block * g->dst_pitch +
                              x * WSR__BLOCK;
    lanes l;
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        const v16 src = load_pair(mask + p * WSR__BLOCK, q->pitch);
        lanes_add(&l, acc[p], sub16(src, mean), p);
    }
    lanes_end(q, &l, P);
}

// Zero the gradient where the relu of the prologue has cut src off.
WSR_INLINE void mask_tile(v16 *acc, const gemm *g, const pair *q, int64_t x,
                          const int P)
{
    const v16 scale = channels_of(g->scale, q, 1.0f);
    const v16 shift = channels_of(g->shift, q, 0.0f);
    const float *const mask = g->mask + q->block * g->dst_pitch +
                              x * WSR__BLOCK;
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        const v16 src = load_pair(mask + p * WSR__BLOCK, q->pitch);
        acc[p] = open16(fma16(src, scale, shift), acc[p]);
    }
}

// Sums for the moments of dst: (dst - pivot) and its square.
WSR_INLINE void moments_tile(const v16 *acc, const gemm *g, pair *q, int64_t x,
                             const int P)
{
    // Deviations from some pixel of the plane are small where the mean is far
    // from zero; the first one is at hand.
    if (x == 0) {
        q->pivot =
            g->first == g->dst
                ? acc[0]
                : load_pair(g->first + q->block * g->dst_pitch, q->pitch);
    }
    const v16 pivot = q->pivot;
    lanes l;
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        const v16 away = sub16(acc[p], pivot);
        lanes_add(&l, away, away, p);
    }
    lanes_end(q, &l, P);
}

// Store a tile, blocks apart or, with `bundled`, as rows of bundles.
WSR_INLINE void store_tile(const gemm *g, v16 *acc, const pair *q, int64_t x,
                           const int P)
{
    if (BUNDLE_BLOCKS == 2 && g->bundled) {
        float *const row = g->dst + q->block / 2 * g->dst_pitch;
        WSR_UNROLL
        for (int p = 0; p < P; p++) {
            stu16(row + (x + p) * PAIR, acc[p]);
        }
        return;
    }
    float *const to = g->dst + q->block * g->dst_pitch + x * WSR__BLOCK;
    if (g->accumulate) {
        WSR_UNROLL
        for (int p = 0; p < P; p++) {
            acc[p] = add16(load_pair(to + p * WSR__BLOCK, q->pitch), acc[p]);
        }
    }
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        store_pair(to + p * WSR__BLOCK, q->pitch, acc[p]);
    }
}

// Prefetch a part of what is read next. The work is spread evenly over the
// product: source block i and the tile at x ask for their share of it.
WSR_INLINE void ask_ahead(const gemm *g, int64_t i, int64_t x, const int P)
{
    for (int k = 0; k < GEMM_AHEAD; k++) {
        const gemm_ahead *const a = &g->ahead[k];
        if (a->from == NULL) {
            continue;
        }
        const int64_t size = a->scale * WSR__BLOCK;
        for (int64_t b = i; b < a->blocks; b += g->ins) {
            const float *const p = a->from + b * a->pitch + x * size;
            for (int64_t at = 0; at < P * size; at += PAIR) {
                prefetch(p + at, a->write);
            }
        }
    }
}

// A source channel of the pixels, times the pairs' weights for it.
WSR_INLINE void add_channel(v16 acc[][TILE], const v16 *w, const float *src,
                            const int P, const int Q)
{
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        const v16 any = splat16(src[p * WSR__BLOCK]);
        const v16 one = Q > 1 ? held16(any) : any;
        WSR_UNROLL
        for (int q = 0; q < Q; q++) {
            acc[q][p] = fma16(w[q], one, acc[q][p]);
        }
    }
}

// bias + weights * src for P pixels from x on of Q pairs.
WSR_INLINE void product_tile(v16 acc[][TILE], const gemm *g, const pair *pairs,
                             int64_t x, const int P, const int Q)
{
    WSR_UNROLL
    for (int i = 0; i < P * Q; i++) {
        acc[i / P][i % P] = channels_of(g->bias, &pairs[i / P], 0.0f);
    }
    const float *src = g->src + x * WSR__BLOCK;
    const int64_t pitch = g->ins * WSR__BLOCK * PAIR; // from pair to pair
    const float *weights = g->weights + pairs->block / 2 * pitch;
    for (int64_t i = 0; i < g->ins; i++) {
        const float *const s = opaque(src);
        if (pairs->block == 0) {
            ask_ahead(g, i, x, P);
        }
        WSR_UNROLL
        for (int k = 0; k < WSR__BLOCK; k++) {
            v16 w[MOST];
            WSR_UNROLL
            for (int q = 0; q < Q; q++) {
                w[q] = ldu16(weights + q * pitch + k * PAIR);
            }
            add_channel(acc, w, s + k, P, Q);
        }
        src += g->src_pitch;
        weights += PAIR * WSR__BLOCK;
    }
}

// A whole tile: product, mask, statistics, store.
WSR_INLINE void gemm_tile(const gemm *g, pair *pairs, int64_t x, const int P,
                          const int Q)
{
    v16 acc[MOST][TILE];
    product_tile(acc, g, pairs, x, P, Q);
    WSR_UNROLL
    for (int q = 0; q < Q; q++) {
        if (g->mask != NULL) {
            if (g->relu) {
                mask_tile(acc[q], g, &pairs[q], x, P);
            }
            if (g->kind == GEMM_PRODUCTS) {
                sums_tile(acc[q], g, &pairs[q], x, P);
            }
        } else if (g->kind == GEMM_MOMENTS) {
            moments_tile(acc[q], g, &pairs[q], x, P);
        }
        store_tile(g, acc[q], &pairs[q], x, P);
    }
}

// All pixels of two pairs.
static void gemm_two(const gemm *g, pair *pairs)
{
    int64_t x = 0;
    for (; x + TILE / MOST <= g->pixels; x += TILE / MOST) {
        gemm_tile(g, pairs, x, TILE / MOST, MOST);
    }
    for (; x < g->pixels; x++) {
        gemm_tile(g, pairs, x, 1, MOST);
    }
}

// Tiles of P pixels from *x on, `count` of them.
WSR_INLINE void gemm_tiles(const gemm *g, pair *q, int64_t *x, int64_t count,
                           const int P)
{
    for (int64_t k = 0; k < count; k++, *x += P) {
        gemm_tile(g, q, *x, P, 1);
    }
}

// All pixels of a pair. A tile of few pixels takes nearly as long as a full
// one: its multiply-adds wait for each other. With six pixels a tile the rest
// is divided into tiles of four and three, so that single pixels are left over
// of the shortest runs alone.
static void gemm_one(const gemm *g, pair *q)
{
    const int64_t n = g->pixels;
    int64_t x = 0;
    if (TILE == 6) {
        const int64_t threes = n % 2 != 0 && n >= 3;
        const int64_t even = n - 3 * threes;
        const int64_t wanted = (6 - even % 6) % 6 / 2; // tiles of four
        const int64_t fours = min64(wanted, even / 4);
        gemm_tiles(g, q, &x, (even - 4 * fours) / 6, 6);
        gemm_tiles(g, q, &x, fours, 4);
        gemm_tiles(g, q, &x, threes, 3);
    } else {
        gemm_tiles(g, q, &x, n / TILE, TILE);
        gemm_tiles(g, q, &x, TILE > 8 ? (n - x) / 8 : 0, 8);
        gemm_tiles(g, q, &x, TILE > 4 ? (n - x) / 4 : 0, 4);
    }
    gemm_tiles(g, q, &x, n - x, 1);
}

static pair pair_of(const gemm *g, int64_t block)
{
    const v16 none = splat16(0.0f);
    return (pair){.block = block,
                  .pitch = block + 1 < g->outs ? g->dst_pitch : 0,
                  .pivot = none,
                  .sum = none,
                  .product = none};
}

// Add the sums of a pair to those of the plane, in double.
static void add_sums(const gemm *g, const pair *q)
{
    if (g->kind == GEMM_NONE) {
        return;
    }
    double *const sums = g->sums + q->block * PAIR;
    add_d8(sums, low16(q->sum));
    add_d8(sums + WSR__BLOCK, low16(q->product));
    if (q->pitch != 0) {
        add_d8(sums + 2 * WSR__BLOCK, high16(q->sum));
        add_d8(sums + 3 * WSR__BLOCK, high16(q->product));
    }
}

void WSR_NAME(wsr__gemm_blocked)(const gemm *g)
{
    for (int64_t b = 0; b < g->outs; b += 2) {
        pair pairs[2] = {pair_of(g, b)};
        if (MOST == 2 && b + 2 < g->outs) {
            b += 2;
            pairs[1] = pair_of(g, b);
            gemm_two(g, pairs);
            add_sums(g, &pairs[1]);
        } else {
            gemm_one(g, pairs);
        }
        add_sums(g, &pairs[0]);
    }
}

void WSR_NAME(wsr__gemm_blocked_moments)(double sums[2 * WSR__BLOCK],
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

// GRAD_LANES source channels times the sixteen gradients of a pair, `pitch`
// apart, over all pixels.
WSR_INLINE void grad_lanes(const gemm_grad *g, const float *src,
                           const float *diff, int64_t pitch, float *weights)
{
    v16 acc[GRAD_LANES];
    WSR_UNROLL
    for (int k = 0; k < GRAD_LANES; k++) {
        acc[k] = splat16(0.0f);
    }
    for (int64_t x = 0; x < g->pixels; x++) {
        const v16 both = load_pair(diff + x * WSR__BLOCK, pitch);
        const float *const s = src + x * WSR__BLOCK;
        WSR_UNROLL
        for (int k = 0; k < GRAD_LANES; k++) {
            acc[k] = fma16(splat16(s[k]), both, acc[k]);
        }
    }
    WSR_UNROLL
    for (int k = 0; k < GRAD_LANES; k++) {
        float *const w = weights + k * PAIR;
        stu16(w, add16(ldu16(w), acc[k]));
    }
}

void WSR_NAME(wsr__gemm_blocked_grad)(const gemm_grad *g)
{
    float *weights = g->weights;
    for (int64_t b = 0; b < g->outs; b += 2) {
        const float *const diff = g->diff + b * g->diff_pitch;
        const int64_t pitch = b + 1 < g->outs ? g->diff_pitch : 0;
        for (int64_t i = 0; i < g->ins; i++) {
            const float *const src = g->src + i * g->src_pitch;
            for (int64_t k = 0; k < WSR__BLOCK; k += GRAD_LANES) {
                grad_lanes(g, src + k, diff, pitch, weights);
                weights += GRAD_LANES * PAIR;
            }
        }
    }
}
