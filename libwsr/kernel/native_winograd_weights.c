// SPDX-License-Identifier: Apache-2.0
//
// Winograd's convolutions: gradients of the weights. Such a gradient is itself
// a convolution, whose filter is diff_dst and whose results are the weights:
// for a tile of m x m of diff_dst, with r x r weights,
//
//   weights += A' [ sum over tiles (G diff G') * (B' d B) ] A
//
// The sum is 36 products of matrices, outputs by tiles by inputs. For each
// chunk of tiles the threads transform both sides, then share the products.

#include "kernel/native_winograd.h"

enum {
    PAIRS = WSR_AVX512 ? 2 : 1, // of dst that registers hold
    INS = WSR_AVX512 ? 8 : 4,   // numbers of src that registers hold
    HALVES = 2 / BUNDLE_BLOCKS, // bundles of a pair
    SEGMENT = WINO_CHUNK        // tiles of an item of the transforms
};

// What all threads of one call read; begin and end say which tiles are in the
// chunk.
typedef struct call {
    const wsr__dense *p;
    wsr__winograd_grad_layout g;
    input src;
    input diff;
    const wsr__thread_scratch *threads;
    float *inputs;
    float *diffs;
    float *sums;
    float *out;
    int64_t blocks; // of src
    int64_t begin;
    int64_t end;
} call;

// ----------------------------------------------------------------- transforms

// The pixels of one bundle of diff_dst, and of what it is read through.
typedef struct pixels {
    const float *diff;
    const float *saved;
    int64_t width; // of the image
    int64_t pitch; // floats from block to block
    affineb affine;
} pixels;

// Pixel `at`, or zeros beyond the edge of the image.
WSR_INLINE vb read_pixel(const pixels *p, int64_t at, bool inside)
{
    if (!inside) {
        return splatb(0.0f);
    }
    const vb v = load_blocks(p->diff + at, p->pitch);
    return p->affine.on ? affineb_apply(v, load_blocks(p->saved + at, p->pitch),
                                        &p->affine)
                        : v;
}

// G diff G' of one tile from pixel `at` on; size is what of the tile lies
// within the image.
WSR_INLINE void transform_diff(float *to, int64_t step, const pixels *p,
                               int64_t at, const int64_t size[2],
                               const int tile)
{
    vb half[SIDE][WINO_LARGEST];
    WSR_UNROLL
    for (int x = 0; x < tile; x++) {
        vb g[WINO_LARGEST];
        vb result[SIDE];
        WSR_UNROLL
        for (int y = 0; y < tile; y++) {
            g[y] = read_pixel(p, at + (y * p->width + x) * WSR__BLOCK,
                              y < size[0] && x < size[1]);
        }
        transform_filter(result, g, tile);
        WSR_UNROLL
        for (int y = 0; y < SIDE; y++) {
            half[y][x] = result[y];
        }
    }
    for (int y = 0; y < SIDE; y++) {
        vb result[SIDE];
        transform_filter(result, half[y], tile);
        WSR_UNROLL
        for (int x = 0; x < SIDE; x++) {
            stbu(to + (y * SIDE + x) * step, result[x]);
        }
    }
}

static pixels pixels_of(const call *c, int64_t image, int64_t b)
{
    const wsr__conv *const v = &c->p->conv;
    const wsr__affine *const through = c->diff.affine;
    const int64_t plane = v->oh * v->ow * WSR__BLOCK;
    const int count = bundle_count(b, wsr__blocks(v->co));
    pixels p = {.diff = c->diff.data + image * c->diff.batch_stride + b * plane,
                .width = v->ow,
                .pitch = count > 1 ? plane : 0,
                .affine = affineb_of(through, b, count)};
    p.saved = through == NULL
                  ? p.diff
                  : through->dst + b * plane +
                        saved_at(through, image, v->co, v->oh * v->ow);
    return p;
}

// A stretch of tiles of one bundle of dst, whose first block is b.
WSR_INLINE void read_diffs_of(const call *c, const stretch *s, int64_t b,
                              const int tile)
{
    const wsr__conv *const v = &c->p->conv;
    const pixels p = pixels_of(c, s->image, b);
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t y = (s->first + i) / c->g.l.across * tile;
        const int64_t x = (s->first + i) % c->g.l.across * tile;
        const int64_t size[2] = {v->oh - y, v->ow - x};
        float *const to = c->diffs + (s->at + i) * c->g.pairs * PAIR +
                          b * WSR__BLOCK;
        transform_diff(to, c->g.diffs, &p, (y * v->ow + x) * WSR__BLOCK, size,
                       tile);
    }
}

// A bundle without a second block has the first one twice; a pair without a
// second bundle has none: either is computed and not used.
static void read_diffs_pair(const call *c, const stretch *s, int64_t pair)
{
    for (int k = 0; k < HALVES; k++) {
        const int64_t b = pair * 2 + k;
        if (b >= wsr__blocks(c->p->conv.co)) {
            break;
        }
        if (c->g.l.tile == 4) {
            read_diffs_of(c, s, b, 4);
        } else {
            read_diffs_of(c, s, b, 2);
        }
    }
}

// Items are blocks of src and pairs of dst, of segments of the chunk.
static void transform_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    const tiles t = {.l = &c->g.l, .in = &c->src};
    float *const padded = c->threads->data + (int64_t)part * c->threads->stride;
    for (int64_t i = begin; i < end; i++) {
        const int64_t segment = i / (c->blocks + c->g.pairs) * SEGMENT;
        const int64_t k = i % (c->blocks + c->g.pairs);
        const int64_t last = min64(c->begin + segment + SEGMENT, c->end);
        stretch s;
        for (int64_t at = segment; c->begin + at < last; at += s.n) {
            s = stretch_of(&c->g.l, 0, c->begin, last, at);
            s.n = min64(s.n, last - c->begin - at);
            if (k < c->blocks) {
                read_tiles(c->inputs, padded, &t, &s, k);
            } else {
                read_diffs_pair(c, &s, k - c->blocks);
            }
        }
    }
}

// ------------------------------------------------------------------- products

// Both sides of a product, at the first tile of a chunk.
typedef struct sides {
    const float *src;
    const float *diff;
    int64_t diff_step; // floats from tile to tile
    int64_t n;         // tiles
} sides;

// Add the products of INS numbers of src and `pairs` pairs of dst.
WSR_INLINE void add_products(float *sums, int64_t pair_step, const sides *s,
                             const int pairs)
{
    const float *src = s->src;
    const float *diff = s->diff;
    v16 acc[INS * PAIRS];
    WSR_UNROLL
    for (int i = 0; i < INS * pairs; i++) {
        acc[i] = splat16(0.0f);
    }
    for (int64_t t = 0; t < s->n; t++) {
        v16 d[PAIRS];
        WSR_UNROLL
        for (int q = 0; q < pairs; q++) {
            d[q] = ldu16(diff + q * PAIR);
        }
        WSR_UNROLL
        for (int i = 0; i < INS * pairs; i++) {
            acc[i] = fma16(splat16(src[i / pairs]), d[i % pairs], acc[i]);
        }
        diff += s->diff_step;
        src += WSR__BLOCK;
    }
    WSR_UNROLL
    for (int i = 0; i < INS * pairs; i++) {
        float *const to = sums + i / pairs * PAIR + i % pairs * pair_step;
        stu16(to, add16(ldu16(to), acc[i]));
    }
}

// Items are taps of groups of PAIRS pairs.
static void product_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__winograd_layout *const l = &c->g.l;
    const int64_t tap = c->blocks * WSR__BLOCK * PAIR;
    const int64_t pair = WINO_TAPS * tap;
    for (int64_t i = begin; i < end; i++) {
        const int64_t e = i % WINO_TAPS;
        const int64_t first = i / WINO_TAPS * PAIRS;
        sides s = {.diff = c->diffs + e * c->g.diffs + first * PAIR,
                   .diff_step = c->g.pairs * PAIR,
                   .n = c->end - c->begin};
        for (int64_t k = 0; k < c->blocks * WSR__BLOCK; k += INS) {
            float *const to = c->sums + first * pair + e * tap + k * PAIR;
            s.src = c->inputs + e * l->inputs +
                    k / WSR__BLOCK * l->chunk * WSR__BLOCK + k % WSR__BLOCK;
            if (PAIRS == 1 || c->g.pairs - first == 1) {
                add_products(to, pair, &s, 1);
            } else {
                add_products(to, pair, &s, PAIRS);
            }
        }
    }
}

// -------------------------------------------------------------------- results

// A' sums A of sixteen outputs by one input, to taps `step` floats apart.
WSR_INLINE void finish_filter(float *to, int64_t step, const float *sums,
                              int64_t tap, const int kernel)
{
    for (int h = 0; h < HALVES; h++) {
        vb half[SIDE][SIDE];
        for (int x = 0; x < SIDE; x++) {
            vb m[SIDE];
            vb result[SIDE];
            for (int y = 0; y < SIDE; y++) {
                m[y] = ldbu(sums + (y * SIDE + x) * tap + h * BUNDLE);
            }
            transform_result(result, m, kernel);
            for (int y = 0; y < kernel; y++) {
                half[y][x] = result[y];
            }
        }
        for (int y = 0; y < kernel; y++) {
            vb result[SIDE];
            transform_result(result, half[y], kernel);
            for (int x = 0; x < kernel; x++) {
                stbu(to + (y * kernel + x) * step + h * BUNDLE, result[x]);
            }
        }
    }
}

// Items are channels of src of pairs of dst. The packed gradient is that of the
// sum over taps.
static void finish_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const int64_t ins = c->blocks * WSR__BLOCK;
    const int64_t kernel = c->p->conv.kh;
    for (int64_t i = begin; i < end; i++) {
        const int64_t pair = i / ins;
        const int64_t k = i % ins;
        const int64_t block = pair * c->blocks + k / WSR__BLOCK;
        float *const to =
            c->out +
            (block * kernel * kernel * WSR__BLOCK + k % WSR__BLOCK) * PAIR;
        const float *const from = c->sums + (pair * WINO_TAPS * ins + k) * PAIR;
        if (kernel == 3) {
            finish_filter(to, WSR__BLOCK * PAIR, from, ins * PAIR, 3);
        } else {
            finish_filter(to, WSR__BLOCK * PAIR, from, ins * PAIR, 5);
        }
    }
}

void WSR_NAME(wsr__winograd_backward_weights)(
    float *diff_weights, const wsr__dense *p, const float *src,
    const float *diff_dst, const wsr__thread_scratch *threads,
    const wsr__wgrad *opt)
{
    call c = {.p = p,
              .g = wsr__winograd_grad_layout_of(p),
              .src = input_forward(p, src, opt->pre),
              .diff = input_backward(p, diff_dst, opt->affine),
              .threads = threads,
              .inputs = opt->scratch,
              .out = diff_weights,
              .blocks = wsr__blocks(p->conv.ci)};
    const int64_t count = p->conv.n * c.g.l.down * c.g.l.across;
    c.diffs = c.inputs + WINO_TAPS * c.g.l.inputs;
    c.sums = c.diffs + WINO_TAPS * c.g.diffs;
    memset(c.sums, 0, (size_t)c.g.sums * sizeof(*c.sums));
    for (c.begin = 0; c.begin < count; c.begin = c.end) {
        c.end = min64(c.begin + c.g.l.chunk, count);
        const int64_t segments = (c.end - c.begin + SEGMENT - 1) / SEGMENT;
        wsr__parallel_among(segments * (c.blocks + c.g.pairs), threads->count,
                            transform_body, &c);
        wsr__parallel((c.g.pairs + PAIRS - 1) / PAIRS * WINO_TAPS, product_body,
                      &c);
    }
    wsr__parallel(c.g.pairs * c.blocks * WSR__BLOCK, finish_body, &c);
}
