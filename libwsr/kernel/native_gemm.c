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

#include <assert.h>

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

// Bundles that a pair has; sums side by side, for which there must be registers
// beside the tile; channels.
enum {
    HALVES = 2 / BUNDLE_BLOCKS,
    LANES = WSR_AVX512 ? 4 : 1,
    PAIR = 2 * WSR__BLOCK
};

// What is done with a tile before it is stored.
enum { END_MASK = 1, END_PRODUCTS = 2, END_MOMENTS = 4, END_ACCUMULATE = 8 };

// A pair of destination blocks, and its sums over a run of pixels.
typedef struct pair {
    int64_t block;    // the first
    int64_t pitch;    // floats to the second, 0 where there is none
    int end;          // END_*
    vb pivot[HALVES]; // END_MOMENTS: the plane's first pixel, to subtract
    vb sum[HALVES];
    vb product[HALVES];
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
    vb sum[LANES];
    vb product[LANES];
} lanes;

// Add pixel p of a tile: its value, and the value times a factor.
WSR_INLINE void lanes_add(lanes *l, vb value, vb factor, const int p)
{
    const int k = p % LANES;
    l->sum[k] = p < LANES ? value : addb(l->sum[k], value);
    l->product[k] = p < LANES ? mulb(value, factor)
                              : fmab(value, factor, l->product[k]);
}

// Add the sums of a tile of P pixels to those of bundle k of the pair, always
// in the same order.
WSR_INLINE void lanes_end(pair *q, int k, lanes *l, const int P)
{
    WSR_UNROLL
    for (int i = 1; i < (P < LANES ? P : LANES); i++) {
        l->sum[0] = addb(l->sum[0], l->sum[i]);
        l->product[0] = addb(l->product[0], l->product[i]);
    }
    q->sum[k] = addb(q->sum[k], l->sum[0]);
    q->product[k] = addb(q->product[k], l->product[0]);
}

// What is finished at a time, always constants.
typedef struct ending {
    int bundle; // of the pair
    int pixels;
    int end;
} ending;

// One bundle of a tile: the gradient is zeroed where the relu of the prologue
// has cut src off; sums for the backward pass of a norm are those of the
// gradient and of the gradient times (src - mean), sums for moments those of
// (dst - pivot) and its square. One bundle after the other, so that no more
// registers are needed than the tile leaves.
WSR_INLINE void end_bundle(const gemm *g, const v16 *acc, pair *q, int64_t x,
                           const ending e)
{
    const int k = e.bundle;
    const int P = e.pixels;
    const int end = e.end;
    const int64_t at = (q->block + k * BUNDLE_BLOCKS) * g->dst_pitch +
                       x * WSR__BLOCK;
    float *const to = g->dst + at;
    const vb scale =
        bundle_of(channels_of(end & END_MASK ? g->scale : NULL, q, 1.0f), k);
    const vb shift =
        bundle_of(channels_of(end & END_MASK ? g->shift : NULL, q, 0.0f), k);
    const vb away = end & END_PRODUCTS
                        ? bundle_of(channels_of(g->mean, q, 0.0f), k)
                        : q->pivot[k];
    lanes l;
    vb v[TILE];
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        v[p] = bundle_of(acc[p], k);
        if (end & (END_MASK | END_PRODUCTS)) {
            const vb src = load_blocks(g->mask + at + p * WSR__BLOCK, q->pitch);
            v[p] = end & END_MASK ? openb(fmab(src, scale, shift), v[p]) : v[p];
            if (end & END_PRODUCTS) {
                lanes_add(&l, v[p], subb(src, away), p);
            }
        }
        if (end & END_MOMENTS) {
            const vb off = subb(v[p], away);
            lanes_add(&l, off, off, p);
        }
        if (end & END_ACCUMULATE) {
            v[p] = addb(load_blocks(to + p * WSR__BLOCK, q->pitch), v[p]);
        }
    }
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        store_blocks(to + p * WSR__BLOCK, q->pitch, v[p]);
    }
    if (end & (END_PRODUCTS | END_MOMENTS)) {
        lanes_end(q, k, &l, P);
    }
}

WSR_INLINE void end_pair(const gemm *g, const v16 *acc, pair *q, int64_t x,
                         const int P, const int end)
{
    WSR_UNROLL
    for (int k = 0; k < HALVES; k++) {
        if (k == 0 || q->pitch != 0) {
            end_bundle(g, acc, q, x, (ending){k, P, end});
        }
    }
}

// Deviations from some pixel of the plane are small where the mean is far from
// zero; the first one is at hand.
WSR_INLINE void take_pivot(const gemm *g, const v16 *acc, pair *q)
{
    const v16 first =
        g->first == g->dst
            ? acc[0]
            : load_pair(g->first + q->block * g->dst_pitch, q->pitch);
    WSR_UNROLL
    for (int k = 0; k < HALVES; k++) {
        q->pivot[k] = bundle_of(first, k);
    }
}

// What a product asks for, among what a tile is compiled for.
static int end_of(const gemm *g)
{
    assert(g->kind == GEMM_NONE || !g->accumulate);
    int end = g->accumulate ? END_ACCUMULATE : 0;
    if (g->mask != NULL) {
        end |= g->relu ? END_MASK : 0;
        end |= g->kind == GEMM_PRODUCTS ? END_PRODUCTS : 0;
    } else if (g->kind == GEMM_MOMENTS) {
        end |= END_MOMENTS;
    }
    return end;
}

// Finish and store a tile, blocks apart or, with `bundled`, as rows of bundles.
WSR_INLINE void end_tile(const gemm *g, const v16 *acc, pair *q, int64_t x,
                         const int P)
{
    enum { BOTH = END_MASK | END_PRODUCTS };
    if (BUNDLE_BLOCKS == 2 && g->bundled) {
        float *const row = g->dst + q->block / 2 * g->dst_pitch;
        WSR_UNROLL
        for (int p = 0; p < P; p++) {
            stu16(row + (x + p) * PAIR, acc[p]);
        }
    } else if (q->end == 0) {
        end_pair(g, acc, q, x, P, 0);
    } else if (q->end == END_MOMENTS) {
        if (x == 0) {
            take_pivot(g, acc, q);
        }
        end_pair(g, acc, q, x, P, END_MOMENTS);
    } else if (q->end == BOTH) {
        end_pair(g, acc, q, x, P, BOTH);
    } else if (q->end == END_MASK) {
        end_pair(g, acc, q, x, P, END_MASK);
    } else if (q->end == END_PRODUCTS) {
        end_pair(g, acc, q, x, P, END_PRODUCTS);
    } else if (q->end == END_ACCUMULATE) {
        end_pair(g, acc, q, x, P, END_ACCUMULATE);
    } else {
        end_pair(g, acc, q, x, P, END_MASK | END_ACCUMULATE);
    }
}

// Prefetch n floats.
WSR_INLINE void ask_run(const float *p, int64_t n, const bool write)
{
    for (int64_t at = 0; at < n; at += PAIR) {
        prefetch(p + at, write);
    }
}

// Prefetch a part of what is read next. The work is spread evenly over the
// product: source block i and the tile at x ask for their share of it, mostly
// a constant number of lines, without a branch.
WSR_INLINE void ask_ahead(const gemm *g, int64_t i, int64_t x, const int P)
{
    for (const gemm_ahead *a = g->ahead; a < g->ahead + GEMM_AHEAD; a++) {
        if (a->from == NULL) {
            continue;
        }
        const int64_t size = a->scale * WSR__BLOCK;
        const float *p = a->from + i * a->pitch + x * size;
        for (int64_t b = i; b < a->blocks; b += g->ins) {
            if (a->scale != 1) {
                ask_run(p, P * size, a->write);
            } else if (a->write) {
                ask_run(p, P * WSR__BLOCK, true);
            } else {
                ask_run(p, P * WSR__BLOCK, false);
            }
            p += g->ins * a->pitch;
        }
    }
}

// Prefetch the mask of these pixels of the next run.
WSR_INLINE void ask_mask(const gemm *g, const pair *q, int64_t x, const int P)
{
    const float *const p = g->mask + q->block * g->dst_pitch + x * WSR__BLOCK +
                           g->mask_ahead;
    ask_run(p, P * WSR__BLOCK, false);
    ask_run(p + q->pitch, P * WSR__BLOCK, false);
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
    if (g->mask_ahead != 0) {
        WSR_UNROLL
        for (int q = 0; q < Q; q++) {
            ask_mask(g, &pairs[q], x, P);
        }
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
        end_tile(g, acc[q], &pairs[q], x, P);
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

// How many tiles of P pixels there are when n pixels are divided as evenly as
// they can be. A tile of few pixels takes nearly as long as a full one: its
// multiply-adds wait for each other.
WSR_INLINE int64_t even_tiles(int64_t n, const int P)
{
    const int64_t tiles = max64((n + TILE - 1) / TILE, 1);
    const int64_t size = n / tiles;
    const int64_t larger = n % tiles; // by one pixel
    return P == size ? tiles - larger : P == size + 1 ? larger : 0;
}

// All pixels of a pair.
static void gemm_one(const gemm *g, pair *q)
{
    const int64_t n = g->pixels;
    int64_t x = 0;
    if (TILE == 6) {
        gemm_tiles(g, q, &x, even_tiles(n, 6), 6);
        gemm_tiles(g, q, &x, even_tiles(n, 5), 5);
        gemm_tiles(g, q, &x, even_tiles(n, 4), 4);
        gemm_tiles(g, q, &x, even_tiles(n, 3), 3);
    } else {
        gemm_tiles(g, q, &x, n / TILE, TILE);
        gemm_tiles(g, q, &x, TILE > 8 ? (n - x) / 8 : 0, 8);
        gemm_tiles(g, q, &x, TILE > 4 ? (n - x) / 4 : 0, 4);
    }
    gemm_tiles(g, q, &x, n - x, 1);
}

WSR_INLINE void pair_init(pair *q, const gemm *g, int64_t block)
{
    q->block = block;
    q->pitch = block + 1 < g->outs ? g->dst_pitch : 0;
    q->end = end_of(g);
    if (g->kind == GEMM_NONE) {
        return;
    }
    WSR_UNROLL
    for (int k = 0; k < HALVES; k++) {
        q->sum[k] = splatb(0.0f);
        q->product[k] = splatb(0.0f);
    }
}

// Add the sums of a pair to those of the plane, in double.
static void add_sums(const gemm *g, const pair *q)
{
    if (g->kind == GEMM_NONE) {
        return;
    }
    for (int b = 0; b < (q->pitch != 0 ? 2 : 1); b++) {
        double *const sums = g->sums + (q->block + b) * PAIR;
        const int k = b / BUNDLE_BLOCKS;
        add_d8(sums, block_of(q->sum[k], b % BUNDLE_BLOCKS));
        add_d8(sums + WSR__BLOCK, block_of(q->product[k], b % BUNDLE_BLOCKS));
    }
}

void WSR_NAME(wsr__gemm_blocked)(const gemm *g)
{
    pair pairs[MOST];
    for (int64_t b = 0; b < g->outs; b += 2 * MOST) {
        const bool two = MOST == 2 && b + 2 < g->outs;
        pair_init(&pairs[0], g, b);
        if (two) {
            pair_init(&pairs[MOST - 1], g, b + 2);
            gemm_two(g, pairs);
            add_sums(g, &pairs[MOST - 1]);
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

// GRAD_LANES source channels times the sixteen gradients of each of Q pairs,
// over all pixels. `pitch` are the floats to the second block of each pair.
WSR_INLINE void grad_lanes(const gemm_grad *g, const float *src,
                           const float *diff, const int64_t pitch[MOST],
                           float *weights, const int Q)
{
    v16 acc[MOST][GRAD_LANES];
    WSR_UNROLL
    for (int k = 0; k < Q * GRAD_LANES; k++) {
        acc[k / GRAD_LANES][k % GRAD_LANES] = splat16(0.0f);
    }
    for (int64_t x = 0; x < g->pixels; x++) {
        const float *const s = src + x * WSR__BLOCK;
        v16 both[MOST];
        WSR_UNROLL
        for (int q = 0; q < Q; q++) {
            both[q] = load_pair(diff + 2 * q * g->diff_pitch + x * WSR__BLOCK,
                                pitch[q]);
        }
        WSR_UNROLL
        for (int k = 0; k < GRAD_LANES; k++) {
            const v16 any = splat16(s[k]);
            const v16 one = Q > 1 ? held16(any) : any;
            WSR_UNROLL
            for (int q = 0; q < Q; q++) {
                acc[q][k] = fma16(one, both[q], acc[q][k]);
            }
        }
    }
    WSR_UNROLL
    for (int k = 0; k < Q * GRAD_LANES; k++) {
        float *const w = weights + k / GRAD_LANES * g->weights_pitch +
                         k % GRAD_LANES * PAIR;
        stu16(w, add16(ldu16(w), acc[k / GRAD_LANES][k % GRAD_LANES]));
    }
}

// A source block times all pairs of gradients, which the first cache holds.
static void grad_block(const gemm_grad *g, const float *src, float *weights)
{
    int64_t b = 0;
    for (int64_t pairs; b < g->outs; b += 2 * pairs) {
        pairs = MOST == 2 && b + 2 < g->outs ? 2 : 1;
        const float *const diff = g->diff + b * g->diff_pitch;
        float *const to = weights + b / 2 * g->weights_pitch;
        const bool half = b + 2 * pairs > g->outs;
        int64_t pitch[MOST] = {g->diff_pitch};
        pitch[pairs - 1] = half ? 0 : g->diff_pitch;
        for (int64_t k = 0; k < WSR__BLOCK; k += GRAD_LANES) {
            if (pairs == MOST) {
                grad_lanes(g, src + k, diff, pitch, to + k * PAIR, MOST);
            } else {
                grad_lanes(g, src + k, diff, pitch, to + k * PAIR, 1);
            }
        }
    }
}

void WSR_NAME(wsr__gemm_blocked_grad)(const gemm_grad *g)
{
    for (int64_t i = 0; i < g->ins; i++) {
        grad_block(g, g->src + i * g->src_pitch,
                   g->weights + i * WSR__BLOCK * PAIR);
    }
}
