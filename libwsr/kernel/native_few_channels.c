// SPDX-License-Identifier: Apache-2.0
//
// Convolutions with few channels on one side: forward and backward data. Both
// see the side with few channels as numbers to broadcast and the side with many
// as vectors of channels:
//
//   to_many  many += weight * splat(few)             forward where src has few,
//                                                    backward data where dst
//                                                    has
//   to_few   few += sum of lanes of weight * many    the other two
//
// Rows are first copied to buffers with zeros around them, so that no loop has
// a case for the edges of an image.

#include "kernel/native_few_channels.h"

// ---------------------------------------------------- few to many

// The products of `run` pixels, from column x of the rows on.
WSR_INLINE void to_many_run(v16 *sum, const call *c, const float *rows,
                            const float *weights, const int run)
{
    const int64_t kernel = c->p->kernel;
    for (int64_t j = 0; j < c->p->few * kernel; j++) {
        const float *const row = rows + j * PITCH;
        for (int64_t k = 0; k < kernel; k++) {
            const v16 w = ldu16(weights + (j * kernel + k) * PAIR);
            WSR_UNROLL
            for (int i = 0; i < run; i++) {
                sum[i] = fma16(splat16(row[k + i]), w, sum[i]);
            }
        }
    }
}

// Where the pixels of a pair of blocks go.
typedef struct target {
    finish f[2 / BUNDLE_BLOCKS];
    int64_t at; // of the first block, floats
    v16 bias;
    bool half; // there is no second block
} target;

static target target_of(const call *c, int64_t n, int64_t pair)
{
    const wsr__fwd fwd = {.accumulate = c->opt.accumulate};
    const wsr__bwd bwd = {.accumulate = c->opt.accumulate,
                          .relu_mask = c->opt.relu_mask};
    const int64_t b = 2 * pair;
    target t = {.at = n * c->batch_stride + b * c->plane,
                .bias = splat16(0.0f),
                .half = b + 1 == wsr__blocks(c->p->many)};
    for (int k = 0; k < (t.half ? 1 : 2); k += BUNDLE_BLOCKS) {
        const int count = bundle_count(b + k, wsr__blocks(c->p->many));
        finish *const f = &t.f[k / BUNDLE_BLOCKS];
        if (c->opt.relu_mask != NULL) {
            finish_backward(f, &bwd, b + k, count, c->plane);
        } else {
            finish_forward(f, &fwd, b + k, count, c->plane);
        }
    }
    if (c->opt.bias != NULL) {
        const float *const bias = c->opt.bias + b * WSR__BLOCK;
        t.bias =
            join16(ldu8(bias), t.half ? splat8(0.0f) : ldu8(bias + WSR__BLOCK));
    }
    return t;
}

WSR_INLINE void put(const call *c, int64_t at, vb v, const finish *f)
{
    float *const to = c->out + at;
    if (f->masked) {
        v = mask_apply(v, load_blocks(c->opt.relu_mask->src + at, f->pitch), f);
    }
    if (f->accumulate) {
        v = addb(load_blocks(to, f->pitch), v);
    }
    store_blocks(to, f->pitch, v);
}

// `run` pixels of a pair; offset is that of the first in its plane.
WSR_INLINE void to_many_tile(const call *c, const target *t, int64_t offset,
                             const float *rows, const float *weights,
                             const int run)
{
    v16 sum[RUN];
    WSR_UNROLL
    for (int i = 0; i < run; i++) {
        sum[i] = t->bias;
    }
    to_many_run(sum, c, rows, weights, run);
    WSR_UNROLL
    for (int i = 0; i < run; i++) {
        const int64_t at = t->at + (offset + i) * WSR__BLOCK;
        put(c, at, bundle_of(sum[i], 0), &t->f[0]);
        if (BUNDLE_BLOCKS == 1 && !t->half) {
            put(c, at + c->plane, bundle_of(sum[i], 1),
                &t->f[2 / BUNDLE_BLOCKS - 1]);
        }
    }
}

// `width` pixels from row at[0], column at[1] of image n, all channels.
static void to_many_strip(const call *c, int64_t n, const int64_t at[2],
                          int64_t width)
{
    float rows[LINES * PITCH];
    read_few(rows, c, n, at, width);
    const int64_t offset = at[0] * c->p->ow + at[1];
    for (int64_t pair = 0; pair < c->pairs; pair++) {
        const target t = target_of(c, n, pair);
        const float *const w = c->weights + pair * taps_of(c->p) * PAIR;
        int64_t x = 0;
        for (; x + RUN <= width; x += RUN) {
            to_many_tile(c, &t, offset + x, rows + x, w, RUN);
        }
        for (; x + 4 <= width; x += 4) {
            to_many_tile(c, &t, offset + x, rows + x, w, 4);
        }
        for (; x < width; x++) {
            to_many_tile(c, &t, offset + x, rows + x, w, 1);
        }
    }
}

// Work items are rows of the many side. Every pixel is the sum over the same
// taps in the same order, wherever a strip begins.
static void to_many_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        for (int64_t x = 0; x < c->p->ow; x += STRIP) {
            const int64_t at[2] = {i % c->p->oh, x};
            to_many_strip(c, i / c->p->oh, at, min64(STRIP, c->p->ow - x));
        }
    }
}

static void to_many(float *many, const wsr__few_channels *p, const float *few,
                    const float *weights, const options *opt)
{
    call c = call_of(p, opt);
    c.out = many;
    c.few = few;
    c.weights = weights;
    wsr__parallel(p->n * p->oh, to_many_body, &c);
}

// ---------------------------------------------------- many to few

// A band of few's rows: first pixel and extent.
typedef struct band {
    int64_t n;
    int64_t y;
    int64_t x;
    int64_t rows;
    int64_t width;
} band;

// What lies under a band in one block of the many side, zeros around it.
static void read_band(float *rows, const call *c, const band *b, int64_t block)
{
    const wsr__few_channels *const p = c->p;
    const int64_t reach = p->kernel - 1;
    const int64_t width = b->width + reach;
    const int64_t x = b->x - (reach - p->pad);
    const int64_t begin = min64(max64(-x, 0), width);
    const int64_t end = max64(begin, min64(p->ow - x, width));
    memset(rows, 0,
           (size_t)((b->rows + reach) * PITCH * WSR__BLOCK) * sizeof(*rows));
    for (int64_t i = 0; i < b->rows + reach; i++) {
        const int64_t y = b->y - (reach - p->pad) + i;
        if (y >= 0 && y < p->oh) {
            const int64_t at[3] = {b->n, block,
                                   (y * p->ow + x + begin) * WSR__BLOCK};
            read_many(rows + (i * PITCH + begin) * WSR__BLOCK, WSR__BLOCK, c,
                      at, end - begin);
        }
    }
}

// Add one block's products to the sums of `channels` channels and `run`
// pixels.
WSR_INLINE void to_few_tile(float *sums, const float *rows,
                            const float *weights, const int kernel,
                            const int channels, const int run)
{
    v8 acc[8 > 3 * 4 ? 8 : 3 * 4];
    WSR_UNROLL
    for (int i = 0; i < channels * run; i++) {
        acc[i] = ld8(sums + (i / run * BAND * STRIP + i % run) * WSR__BLOCK);
    }
    for (int ky = 0; ky < kernel; ky++) {
        const float *const row = rows + ky * PITCH * WSR__BLOCK;
        WSR_UNROLL
        for (int kx = 0; kx < kernel; kx++) {
            // The far end of the many side meets the first tap.
            const float *const w =
                weights + (kernel * kernel - 1 - ky * kernel - kx) * PAIR;
            WSR_UNROLL
            for (int i = 0; i < channels * run; i++) {
                acc[i] = fma8(ld8(row + (i % run + kx) * WSR__BLOCK),
                              ldu8(w + i / run * kernel * kernel * PAIR),
                              acc[i]);
            }
        }
    }
    WSR_UNROLL
    for (int i = 0; i < channels * run; i++) {
        st8(sums + (i / run * BAND * STRIP + i % run) * WSR__BLOCK, acc[i]);
    }
}

// A band, in tiles that fill the registers.
WSR_INLINE void to_few_band(float *sums, const float *rows,
                            const float *weights, const band *b,
                            const int kernel, const int channels)
{
    const int run = channels == 1 ? 8 : 4;
    for (int64_t y = 0; y < b->rows; y++) {
        float *const sum = sums + y * STRIP * WSR__BLOCK;
        const float *const row = rows + y * PITCH * WSR__BLOCK;
        int64_t x = 0;
        for (; x + run <= b->width; x += run) {
            to_few_tile(sum + x * WSR__BLOCK, row + x * WSR__BLOCK, weights,
                        kernel, channels, run);
        }
        for (; x < b->width; x++) {
            to_few_tile(sum + x * WSR__BLOCK, row + x * WSR__BLOCK, weights,
                        kernel, channels, 1);
        }
    }
}

// Three channels, as of an image in colour, go together; a rest goes one by
// one.
WSR_INLINE void to_few_kernel(float *sums, const float *rows,
                              const float *weights, const band *b,
                              const call *c, const int kernel)
{
    int64_t t = 0;
    for (; t + 3 <= c->p->few; t += 3) {
        to_few_band(sums + t * BAND * STRIP * WSR__BLOCK, rows,
                    weights + t * kernel * kernel * PAIR, b, kernel, 3);
    }
    for (; t < c->p->few; t++) {
        to_few_band(sums + t * BAND * STRIP * WSR__BLOCK, rows,
                    weights + t * kernel * kernel * PAIR, b, kernel, 1);
    }
}

// The kernel side as a constant, for unrolled loops over taps.
static void to_few_block(float *sums, const float *rows, const float *weights,
                         const band *b, const call *c)
{
    if (c->p->kernel == 3) {
        to_few_kernel(sums, rows, weights, b, c, 3);
    } else if (c->p->kernel == 5) {
        to_few_kernel(sums, rows, weights, b, c, 5);
    } else {
        to_few_kernel(sums, rows, weights, b, c, 7);
    }
}

// Add up the eight lanes of each sum and store the band. The lanes are added
// in one fixed order.
static void store_band(const call *c, const band *b, const float *sums)
{
    const wsr__few_channels *const p = c->p;
    for (int64_t i = 0; i < p->few * b->rows; i++) {
        const int64_t t = i / b->rows;
        const int64_t y = i % b->rows;
        const float bias = c->opt.bias != NULL ? c->opt.bias[t] : 0.0f;
        const float *const sum = sums + (t * BAND + y) * STRIP * WSR__BLOCK;
        float *const to = c->out +
                          ((b->n * p->few + t) * p->h + b->y + y) * p->w + b->x;
        for (int64_t x = 0; x < b->width; x++) {
            const float *const v = sum + x * WSR__BLOCK;
            const float all = ((v[0] + v[4]) + (v[2] + v[6])) +
                              ((v[1] + v[5]) + (v[3] + v[7]));
            to[x] = (c->opt.accumulate ? to[x] : 0.0f) + (all + bias);
        }
    }
}

// Work items are bands of rows of the few side. Sums stay in a buffer while
// the blocks of the many side pass by, each of which is read once per band.
static void to_few_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__few_channels *const p = c->p;
    const int64_t bands = (p->h + BAND - 1) / BAND;
    _Alignas(64) float rows[(BAND + MOST - 1) * PITCH * WSR__BLOCK];
    _Alignas(64) float sums[WSR__FEW_CHANNELS * BAND * STRIP * WSR__BLOCK];
    const size_t size = (size_t)(p->few * BAND * STRIP * WSR__BLOCK) *
                        sizeof(*sums);
    for (int64_t i = begin; i < end; i++) {
        for (int64_t x = 0; x < p->w; x += STRIP) {
            const int64_t y = i % bands * BAND;
            const band b = {.n = i / bands,
                            .y = y,
                            .x = x,
                            .rows = min64(BAND, p->h - y),
                            .width = min64(STRIP, p->w - x)};
            memset(sums, 0, size);
            for (int64_t k = 0; k < wsr__blocks(p->many); k++) {
                read_band(rows, c, &b, k);
                to_few_block(sums, rows,
                             c->weights + k / 2 * taps_of(p) * PAIR +
                                 k % 2 * WSR__BLOCK,
                             &b, c);
            }
            store_band(c, &b, sums);
        }
    }
}

static void to_few(float *few, const wsr__few_channels *p, const float *many,
                   const float *weights, const options *opt)
{
    call c = call_of(p, opt);
    c.out = few;
    c.many = many;
    c.weights = weights;
    wsr__parallel(p->n * ((p->h + BAND - 1) / BAND), to_few_body, &c);
}

// ----------------------------------------------------------------- entries

void WSR_NAME(wsr__few_channels_forward)(float *dst, const wsr__few_channels *p,
                                         const float *src, const float *weights,
                                         const wsr__fwd *fwd)
{
    options opt = {0};
    if (fwd != NULL) {
        opt.bias = fwd->bias;
        opt.pre = fwd->pre;
        opt.accumulate = fwd->accumulate;
    }
    (p->few_dst ? to_few : to_many)(dst, p, src, weights, &opt);
}

void WSR_NAME(wsr__few_channels_backward_data)(float *diff_src,
                                               const wsr__few_channels *p,
                                               const float *diff_dst,
                                               const float *weights,
                                               const wsr__bwd *bwd)
{
    options opt = {0};
    if (bwd != NULL) {
        opt.affine = bwd->affine;
        opt.relu_mask = bwd->relu_mask;
        opt.accumulate = bwd->accumulate;
    }
    (p->few_dst ? to_many : to_few)(diff_src, p, diff_dst, weights, &opt);
}
