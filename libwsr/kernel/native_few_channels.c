// SPDX-License-Identifier: Apache-2.0
//
// Convolutions with few channels on one side. All three directions see the
// side with few channels as numbers to broadcast and the side with many as
// vectors of channels:
//
//   to_many  many += weight * splat(few)       forward where src has few,
//                                              backward data where dst has
//   to_few   few += sum of lanes of weight * many     the other two
//   weights  weight += many * splat(few)       backward weights
//
// Rows are first copied to buffers with zeros around them, so that no loop
// has a case for the edges of an image.

#include "kernel/native_plane.h"

enum {
    MOST = 7,                 // taps along one side
    STRIP = 64,               // most pixels of a row that are worked on
    PITCH = STRIP + MOST - 1, // of a padded row, pixels
    BAND = 4,                 // rows of to_few that share what they read
    LINES = WSR__FEW_CHANNELS *
            MOST, // rows of the few side that meet one pixel
    PAIR = 2 * WSR__BLOCK,
    RUN = WSR_AVX512 ? 12 : 6, // pixels of to_many in registers
};

/// What is done with the many side as it is read or written, whichever pass
/// it is; NULL for nothing.
typedef struct options {
    const float *bias;          // added to what is written
    const wsr__pre *pre;        // many is src, read through this
    const wsr__affine *affine;  // many is diff_dst, read through this
    const wsr__gate *relu_mask; // many is diff_src; without sums
    bool accumulate;            // add to what is written
} options;

typedef struct call {
    const wsr__few_channels *p;
    options opt;
    const float *few;
    const float *many;
    const float *weights;
    float *out;
    int64_t step;  // of many
    int64_t plane; // of many, floats
    int64_t pairs; // of channel blocks
} call;

static call call_of(const wsr__few_channels *p, const options *opt)
{
    return (call){.p = p,
                  .opt = *opt,
                  .step = step_of(p->step, p->many, p->oh * p->ow),
                  .plane = p->oh * p->ow * WSR__BLOCK,
                  .pairs = (wsr__blocks(p->many) + 1) / 2};
}

static int64_t taps_of(const wsr__few_channels *p)
{
    return p->few * p->kernel * p->kernel;
}

/// n numbers of a row from column `first` on, zeros where it has none.
static void copy_columns(float *to, const float *row, int64_t first, int64_t n,
                         int64_t width)
{
    const int64_t begin = min64(max64(-first, 0), n);
    const int64_t end = max64(begin, min64(width - first, n));
    memset(to, 0, (size_t)begin * sizeof(*to));
    memcpy(to + begin, row + first + begin,
           (size_t)(end - begin) * sizeof(*to));
    memset(to + end, 0, (size_t)(n - end) * sizeof(*to));
}

/// What meets the n pixels from (y, x) of the many side: [t][ky] rows.
static void read_few(float *rows, const call *c, int64_t image,
                     const int64_t at[2], int64_t n)
{
    const wsr__few_channels *const p = c->p;
    const int64_t width = n + p->kernel - 1;
    for (int64_t j = 0; j < p->few * p->kernel; j++) {
        const int64_t y = at[0] + j % p->kernel - p->pad;
        float *const to = rows + j * PITCH;
        if (y < 0 || y >= p->h) {
            memset(to, 0, (size_t)width * sizeof(*to));
            continue;
        }
        const int64_t plane = image * p->few + j / p->kernel;
        copy_columns(to, c->few + (plane * p->h + y) * p->w, at[1] - p->pad,
                     width, p->w);
    }
}

/// n pixels of a block of the many side as the caller wants them read, `pitch`
/// floats apart; `at` is image, block and offset in the plane.
static void read_many(float *to, int64_t pitch, const call *c,
                      const int64_t at[3], int64_t n)
{
    const wsr__affine *const through = c->opt.affine;
    const int64_t offset = at[1] * c->plane + at[2];
    const float *const from = c->many + at[0] * c->step + offset;
    const preb pre = preb_of(c->opt.pre, at[1], 1);
    const affineb affine = affineb_of(through, at[1], 1);
    const float *const dst =
        affine.on
            ? through->dst + offset +
                  saved_at(through, at[0], c->p->many, c->p->oh * c->p->ow)
            : from;
    for (int64_t i = 0; i < n; i++) {
        vb v = preb_apply(load_blocks(from + i * WSR__BLOCK, 0), &pre);
        if (affine.on) {
            const vb saved = load_blocks(dst + i * WSR__BLOCK, 0);
            v = affineb_apply(v, saved, &affine);
        }
        stu8(to + i * pitch, block_of(v, 0));
    }
}

// ---------------------------------------------------- few to many

/// The products of `run` pixels, from column x of the rows on.
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

/// Where the pixels of a pair of blocks go.
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
    target t = {.at = n * c->step + b * c->plane,
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

/// `run` pixels of a pair; offset is that of the first in its plane.
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

/// A band of few's rows: first pixel and extent.
typedef struct band {
    int64_t n;
    int64_t y;
    int64_t x;
    int64_t rows;
    int64_t width;
} band;

/// What lies under a band in one block of the many side, zeros around it.
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

/// Add one block's products to the sums of `channels` channels and `run`
/// pixels.
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

/// A band, in tiles that fill the registers.
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

WSR_INLINE void to_few_kernel(float *sums, const float *rows,
                              const float *weights, const band *b,
                              const call *c, const int kernel)
{
    if (c->p->few == 3) {
        to_few_band(sums, rows, weights, b, kernel, 3);
        return;
    }
    for (int64_t t = 0; t < c->p->few; t++) {
        to_few_band(sums + t * BAND * STRIP * WSR__BLOCK, rows,
                    weights + t * kernel * kernel * PAIR, b, kernel, 1);
    }
}

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

static void to_few_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__few_channels *const p = c->p;
    const int64_t bands = (p->h + BAND - 1) / BAND;
    _Alignas(64) float rows[(BAND + MOST - 1) * PITCH * WSR__BLOCK];
    _Alignas(64) float sums[WSR__FEW_CHANNELS * BAND * STRIP * WSR__BLOCK];
    for (int64_t i = begin; i < end; i++) {
        for (int64_t x = 0; x < p->w; x += STRIP) {
            const int64_t y = i % bands * BAND;
            const band b = {.n = i / bands,
                            .y = y,
                            .x = x,
                            .rows = min64(BAND, p->h - y),
                            .width = min64(STRIP, p->w - x)};
            memset(sums, 0, sizeof(sums));
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

// -------------------------------------------------------- weights

/// Add a strip's products to the gradients of `count` rows of taps.
WSR_INLINE void weights_rows(float *sum, const float *many, const float *rows,
                             int64_t n, const int count, const int kernel)
{
    v16 acc[10];
    WSR_UNROLL
    for (int i = 0; i < count * kernel; i++) {
        acc[i] = ldu16(sum + i * PAIR);
    }
    for (int64_t x = 0; x < n; x++) {
        const v16 v = ldu16(many + x * PAIR);
        WSR_UNROLL
        for (int i = 0; i < count * kernel; i++) {
            const float *const row = rows + i / kernel * PITCH + i % kernel;
            acc[i] = fma16(splat16(row[x]), v, acc[i]);
        }
    }
    WSR_UNROLL
    for (int i = 0; i < count * kernel; i++) {
        stu16(sum + i * PAIR, acc[i]);
    }
}

/// So many rows of taps at a time that registers hold their sums.
WSR_INLINE int rows_at_once(const int kernel)
{
    const int most = WSR_AVX512 ? 10 : 6;
    return most < kernel ? 1 : most / kernel;
}

WSR_INLINE void weights_kernel(float *sum, const float *many, const float *rows,
                               int64_t n, int64_t lines, const int kernel)
{
    const int count = rows_at_once(kernel);
    int64_t j = 0;
    for (; j + count <= lines; j += count) {
        weights_rows(sum + j * kernel * PAIR, many, rows + j * PITCH, n, count,
                     kernel);
    }
    for (; j < lines; j++) {
        weights_rows(sum + j * kernel * PAIR, many, rows + j * PITCH, n, 1,
                     kernel);
    }
}

static void weights_strip(float *sum, const call *c, int64_t n, int64_t pair,
                          const int64_t at[2], int64_t width)
{
    float rows[LINES * PITCH];
    _Alignas(64) float many[STRIP * PAIR];
    const int64_t lines = c->p->few * c->p->kernel;
    const int64_t blocks = wsr__blocks(c->p->many);
    read_few(rows, c, n, at, width);
    memset(many, 0, (size_t)(width * PAIR) * sizeof(*many));
    for (int64_t b = 2 * pair; b < min64(2 * pair + 2, blocks); b++) {
        const int64_t from[3] = {n, b, (at[0] * c->p->ow + at[1]) * WSR__BLOCK};
        read_many(many + b % 2 * WSR__BLOCK, PAIR, c, from, width);
    }
    if (c->p->kernel == 3) {
        weights_kernel(sum, many, rows, width, lines, 3);
    } else if (c->p->kernel == 5) {
        weights_kernel(sum, many, rows, width, lines, 5);
    } else {
        weights_kernel(sum, many, rows, width, lines, 7);
    }
}

/// Items are pairs of blocks of groups of images.
static void weights_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__few_channels *const p = c->p;
    const int64_t groups = wsr__image_groups(p->n);
    const int64_t size = taps_of(p) * PAIR;
    for (int64_t i = begin; i < end; i++) {
        const int64_t group = i / c->pairs;
        float *const sum = c->out + i * size;
        memset(sum, 0, (size_t)size * sizeof(*sum));
        const int64_t last = (group + 1) * p->n / groups * p->oh;
        for (int64_t y = group * p->n / groups * p->oh; y < last; y++) {
            for (int64_t x = 0; x < p->ow; x += STRIP) {
                const int64_t at[2] = {y % p->oh, x};
                weights_strip(sum, c, y / p->oh, i % c->pairs, at,
                              min64(STRIP, p->ow - x));
            }
        }
    }
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

void WSR_NAME(wsr__few_channels_backward_weights)(float *diff_weights,
                                                  const wsr__few_channels *p,
                                                  const float *src,
                                                  const float *diff_dst,
                                                  const wsr__wgrad *opt)
{
    const options read = {.pre = opt->pre, .affine = opt->affine};
    call c = call_of(p, &read);
    const int64_t groups = wsr__image_groups(p->n);
    c.few = p->few_dst ? diff_dst : src;
    c.many = p->few_dst ? src : diff_dst;
    c.out = opt->scratch;
    wsr__parallel(groups * c.pairs, weights_body, &c);
    WSR_NAME(wsr__sum_images)
    (diff_weights, opt->scratch, groups,
     (int64_t)wsr__few_channels_weights_size(p));
}
