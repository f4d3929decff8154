// SPDX-License-Identifier: Apache-2.0
//
// Winograd's convolutions, forward and backward data: between the transforms
// stand 36 products of matrices, tiles by inputs by outputs. A thread takes a
// chunk of tiles at a time: it transforms all their inputs, then makes the
// products of a few outputs and transforms these back, so that what lies
// between stays in its cache.

#include "kernel/native_winograd.h"

enum {
    OUTS = DENSE_PAIRS * PAIR,
    BUNDLES = DENSE_PAIRS * 2 / BUNDLE_BLOCKS,
    PAIRS = WSR_AVX512 ? 2 : 1, // that registers hold
    RUN = WSR_AVX512 ? 8 : 4,   // tiles that registers hold
    SUMMED = 2                  // blocks of inputs in one sum
};

// What all threads of one call read.
typedef struct call {
    const wsr__dense *p;
    wsr__winograd_layout l;
    input in;
    output out;
    const float *weights;
    const wsr__thread_scratch *threads;
    int64_t blocks; // of inputs
    division items; // groups are DENSE_PAIRS pairs of blocks
} call;

// ------------------------------------------------------------------- products

// What a product of RUN tiles reads; steps in floats.
typedef struct factors {
    const float *inputs;
    int64_t block; // from block to block of the inputs
    const float *weights;
    int64_t pair; // from pair to pair of the weights
} factors;

// The products with the eight channels of one block.
WSR_INLINE void add_block(v16 *sum, const float *inputs, const float *weights,
                          int64_t pair, const int pairs)
{
    WSR_UNROLL
    for (int k = 0; k < WSR__BLOCK; k++) {
        v16 w[PAIRS];
        WSR_UNROLL
        for (int q = 0; q < pairs; q++) {
            w[q] = ldu16(weights + q * pair + k * PAIR);
        }
        WSR_UNROLL
        for (int i = 0; i < RUN; i++) {
            const v16 x = splat16(inputs[i * WSR__BLOCK + k]);
            WSR_UNROLL
            for (int q = 0; q < pairs; q++) {
                sum[i * pairs + q] = fma16(x, w[q], sum[i * pairs + q]);
            }
        }
    }
}

// Add the products of RUN tiles and `pairs` pairs with blocks [begin, end), for
// one of the 36; those with the first block are stored.
WSR_INLINE void multiply_blocks(float *to, const factors *f, int64_t begin,
                                int64_t end, const int pairs)
{
    v16 sum[RUN * PAIRS];
    WSR_UNROLL
    for (int i = 0; i < RUN * pairs; i++) {
        sum[i] = splat16(0.0f);
    }
    for (int64_t b = begin; b < end; b++) {
        add_block(sum, f->inputs + b * f->block,
                  f->weights + b * WSR__BLOCK * PAIR, f->pair, pairs);
    }
    WSR_UNROLL
    for (int i = 0; i < RUN * pairs; i++) {
        float *const at = to + i / pairs * OUTS + i % pairs * PAIR;
        stu16(at, begin == 0 ? sum[i] : add16(ldu16(at), sum[i]));
    }
}

// Over all blocks. Sums of a few channels are added up: rounding errors grow
// with the length of a sum, and the transform of the results enlarges them.
WSR_INLINE void multiply_run(float *to, const factors *f, int64_t blocks,
                             const int pairs)
{
    for (int64_t b = 0; b < blocks; b += SUMMED) {
        multiply_blocks(to, f, b, min64(b + SUMMED, blocks), pairs);
    }
}

// One of the 36 products of `n` tiles and up to PAIRS pairs.
static void multiply_tap(float *to, const factors *f, int64_t blocks, int64_t n,
                         bool half)
{
    for (int64_t t = 0; t < n; t += RUN) {
        factors run = *f;
        run.inputs += t * WSR__BLOCK;
        if (half) {
            multiply_run(to + t * OUTS, &run, blocks, 1);
        } else {
            multiply_run(to + t * OUTS, &run, blocks, PAIRS);
        }
    }
}

// All 36 products of `n` tiles and the pairs of one group.
static void multiply(float *products, const call *c, const float *inputs,
                     int64_t n, int64_t group)
{
    const int64_t tap = c->blocks * WSR__BLOCK * PAIR;
    const int64_t pair = WINO_TAPS * tap;
    const int64_t left = (c->out.blocks + 1) / 2 - group * DENSE_PAIRS;
    const float *const weights = c->weights + group * DENSE_PAIRS * pair;
    for (int64_t e = 0; e < WINO_TAPS; e++) {
        for (int64_t q = 0; q < min64(left, DENSE_PAIRS); q += PAIRS) {
            const factors f = {.inputs = inputs + e * c->l.inputs,
                               .block = c->l.chunk * WSR__BLOCK,
                               .weights = weights + q * pair + e * tap,
                               .pair = pair};
            multiply_tap(products + e * c->l.products + q * PAIR, &f, c->blocks,
                         n, PAIRS == 1 || left - q == 1);
        }
    }
}

// -------------------------------------------------------------------- results

// Where the results of a tile go.
typedef struct place {
    const output *o;
    const float *mask;
    int64_t at;      // of the first pixel
    int64_t size[2]; // what of the tile lies within the image
} place;

// A row of results; what lies beyond the edge is left out.
WSR_INLINE void store_row(const place *p, int64_t y, const vb *result,
                          finish *f, const int tile)
{
    const bool stored = !f->masked && !f->summed && !f->accumulate;
    WSR_UNROLL
    for (int x = 0; x < tile; x++) {
        const int64_t at = p->at + (y * p->o->width + x) * WSR__BLOCK;
        if (x >= p->size[1]) {
            break;
        }
        if (stored) {
            store_blocks(p->o->data + at, f->pitch, addb(result[x], f->bias));
        } else {
            store_result(p->o->data, p->mask, at, result[x], f);
        }
    }
}

// A tile of one bundle, of `tile` results a side, from its 36 products, `step`
// floats apart.
WSR_INLINE void finish_tile(const place *p, const float *products, int64_t step,
                            finish *f, const int tile)
{
    vb half[WINO_LARGEST][SIDE];
    WSR_UNROLL
    for (int x = 0; x < SIDE; x++) {
        vb m[SIDE];
        vb result[WINO_LARGEST];
        WSR_UNROLL
        for (int y = 0; y < SIDE; y++) {
            m[y] = ldbu(products + (y * SIDE + x) * step);
        }
        transform_result(result, m, tile);
        WSR_UNROLL
        for (int y = 0; y < tile; y++) {
            half[y][x] = result[y];
        }
    }
    for (int64_t y = 0; y < p->size[0]; y++) {
        vb result[WINO_LARGEST];
        transform_result(result, half[y], tile);
        store_row(p, y, result, f, tile);
    }
}

// The results of a stretch of tiles, of one group. Sums are added tile by tile,
// whatever chunk a tile is in.
WSR_INLINE void finish_tiles(const call *c, const float *products,
                             const stretch *s, int64_t group, const int tile)
{
    const output *const o = &c->out;
    const int64_t first = group * DENSE_PAIRS * 2;
    const int64_t height = o->plane / (o->width * WSR__BLOCK);
    finish f[BUNDLES];
    finish_bundles(f, o, first, BUNDLES);
    place p = {.o = o, .mask = mask_of(o)};
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t y = (s->first + i) / c->l.across * tile;
        const int64_t x = (s->first + i) % c->l.across * tile;
        const float *const from = products + (s->at + i) * OUTS;
        p.size[0] = min64(tile, height - y);
        p.size[1] = min64(tile, o->width - x);
        p.at = s->image * o->step + first * o->plane +
               (y * o->width + x) * WSR__BLOCK;
        for (int k = 0; k < BUNDLES; k++, p.at += BUNDLE_BLOCKS * o->plane) {
            if (f[k].count > 0) {
                finish_tile(&p, from + k * BUNDLE, c->l.products, &f[k], tile);
            }
        }
        flush_bundles(f, BUNDLES);
    }
    add_sums(o, f, s->image, first, BUNDLES);
}

static void finish_stretch(const call *c, const float *products,
                           const stretch *s, int64_t group)
{
    if (c->l.tile == 4) {
        finish_tiles(c, products, s, group, 4);
    } else {
        finish_tiles(c, products, s, group, 2);
    }
}

// ---------------------------------------------------------------------- items

// A thread's memory.
typedef struct memory {
    float *padded;
    float *inputs;
    float *products;
} memory;

// Products are made of whole runs: the tiles that fill up the last one are
// zeros.
static void clear_rest(const memory *m, const call *c, int64_t n)
{
    const int64_t rest = (n + RUN - 1) / RUN * RUN - n;
    for (int64_t i = 0; rest > 0 && i < WINO_TAPS * c->blocks; i++) {
        float *const tap = m->inputs + i / c->blocks * c->l.inputs;
        memset(tap + (i % c->blocks * c->l.chunk + n) * WSR__BLOCK, 0,
               (size_t)(rest * WSR__BLOCK) * sizeof(float));
    }
}

// Tiles [begin, end) of the images from `image` on, groups [groups[0],
// groups[1]).
static void chunk(const memory *m, const call *c, int64_t image, int64_t begin,
                  int64_t end, const int64_t groups[2])
{
    const tiles t = {.l = &c->l, .in = &c->in};
    stretch s;
    for (int64_t at = 0; at < end - begin; at += s.n) {
        s = stretch_of(&c->l, image, begin, end, at);
        for (int64_t b = 0; b < c->blocks; b++) {
            read_tiles(m->inputs, m->padded, &t, &s, b);
        }
    }
    clear_rest(m, c, end - begin);
    for (int64_t g = groups[0]; g < groups[1]; g++) {
        multiply(m->products, c, m->inputs, end - begin, g);
        for (int64_t at = 0; at < end - begin; at += s.n) {
            s = stretch_of(&c->l, image, begin, end, at);
            finish_stretch(c, m->products, &s, g);
        }
    }
}

static void item(const memory *m, const call *c, const int64_t images[2],
                 const int64_t groups[2])
{
    const int64_t count = (images[1] - images[0]) * c->l.down * c->l.across;
    const int64_t first = groups[0] * DENSE_PAIRS * 2;
    const int64_t last = min64(groups[1] * DENSE_PAIRS * 2, c->out.blocks);
    for (int64_t n = images[0]; n < images[1]; n++) {
        clear_sums(&c->out, n, first, last);
    }
    for (int64_t t = 0; t < count; t += c->l.chunk) {
        chunk(m, c, images[0], t, min64(t + c->l.chunk, count), groups);
    }
    for (int64_t n = images[0]; n < images[1]; n++) {
        output_moments(&c->out, n, first, last);
    }
}

static void body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    memory m = {.padded = c->threads->data +
                          (int64_t)part * c->threads->stride};
    m.inputs = m.padded + wsr__lines((size_t)c->l.padded);
    m.products = m.inputs + WINO_TAPS * c->l.inputs;
    for (int64_t i = begin; i < end; i++) {
        int64_t images[2];
        int64_t groups[2];
        division_item(images, groups, &c->items, i);
        item(&m, c, images, groups);
    }
}

// Items are as many images as fill a chunk. Where their groups are shared, each
// thread reads weights of its own.
static void run(call *c)
{
    const int64_t threads = c->threads->count;
    c->blocks = wsr__blocks(c->l.rows.ins);
    c->items = division_of(
        c->p->conv.n, c->l.images,
        (c->out.blocks + 2 * DENSE_PAIRS - 1) / (2 * DENSE_PAIRS), threads);
    wsr__parallel_among(division_items(&c->items), threads, body, c);
}

void WSR_NAME(wsr__winograd_forward)(float *dst, const wsr__dense *p,
                                     const float *src, const float *weights,
                                     const wsr__thread_scratch *threads,
                                     const wsr__fwd *fwd)
{
    static const wsr__fwd none = {0};
    const wsr__fwd *const how = fwd != NULL ? fwd : &none;
    call c = {.p = p,
              .l = wsr__winograd_layout_of(p, true, WINO_CHUNK),
              .in = input_forward(p, src, how->pre),
              .out = output_forward(p, dst, how),
              .weights = weights,
              .threads = threads};
    run(&c);
}

void WSR_NAME(wsr__winograd_backward_data)(float *diff_src, const wsr__dense *p,
                                           const float *diff_dst,
                                           const float *transposed,
                                           const wsr__thread_scratch *threads,
                                           const wsr__bwd *bwd)
{
    static const wsr__bwd none = {0};
    const wsr__bwd *const how = bwd != NULL ? bwd : &none;
    call c = {.p = p,
              .l = wsr__winograd_layout_of(p, false, WINO_CHUNK),
              .in = input_backward(p, diff_dst, how->affine),
              .out = output_backward(p, diff_src, how),
              .weights = transposed,
              .threads = threads};
    run(&c);
}
