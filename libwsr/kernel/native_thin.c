// SPDX-License-Identifier: Apache-2.0
//
// Convolutions with few channels on one side. All three directions see the
// thin side as numbers to broadcast and the wide side as vectors of channels:
//
//   expand     wide += weight * splat(thin)     channels in registers
//   shrink     thin += sum of lanes of weight * wide
//   correlate  weight += wide * splat(thin)
//
// Rows are first copied to buffers with zeros around them, so that no loop
// knows of edges.

#include "kernel/native_plane.h"

enum {
    MOST = 7,                 // taps along one side
    STRIP = 64,               // most pixels of a row that are worked on
    PITCH = STRIP + MOST - 1, // of a padded row, pixels
    BAND = 4,                 // rows of shrink that share what they read
    LINES = WSR__THIN * MOST, // rows of the thin side that meet one pixel
    PAIR = 2 * WSR__BLOCK,
    RUN = WSR_AVX512 ? 12 : 6, // pixels of expand in registers
};

typedef struct call {
    const wsr__thin *p;
    const wsr__thin_how *how;
    const float *thin;
    const float *wide;
    const float *weights;
    float *out;
    int64_t step;  // of wide
    int64_t plane; // of wide, floats
    int64_t pairs; // of channel blocks
} call;

static call call_of(const wsr__thin *p, const wsr__thin_how *how)
{
    return (call){.p = p,
                  .how = how,
                  .step = step_of(p->step, p->c, p->oh * p->ow),
                  .plane = p->oh * p->ow * WSR__BLOCK,
                  .pairs = (wsr__blocks(p->c) + 1) / 2};
}

static int64_t taps_of(const wsr__thin *p)
{
    return p->t * p->kernel * p->kernel;
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

/// What meets the n pixels from (y, x) of the wide side: [t][ky] rows.
static void read_thin(float *rows, const call *c, int64_t image,
                      const int64_t at[2], int64_t n)
{
    const wsr__thin *const p = c->p;
    const int64_t width = n + p->kernel - 1;
    for (int64_t j = 0; j < p->t * p->kernel; j++) {
        const int64_t y = at[0] + j % p->kernel - p->pad;
        float *const to = rows + j * PITCH;
        if (y < 0 || y >= p->h) {
            memset(to, 0, (size_t)width * sizeof(*to));
            continue;
        }
        const int64_t plane = image * p->t + j / p->kernel;
        copy_columns(to, c->thin + (plane * p->h + y) * p->w, at[1] - p->pad,
                     width, p->w);
    }
}

/// n pixels of a block of the wide side as the caller wants them read, `pitch`
/// floats apart; `at` is image, block and offset in the plane.
static void read_wide(float *to, int64_t pitch, const call *c,
                      const int64_t at[3], int64_t n)
{
    const wsr__affine *const through = c->how->affine;
    const int64_t offset = at[1] * c->plane + at[2];
    const float *const from = c->wide + at[0] * c->step + offset;
    const preb pre = preb_of(c->how->pre, at[1], 1);
    const affineb affine = affineb_of(through, at[1], 1);
    const float *const dst =
        affine.on ? through->dst + offset +
                        saved_at(through, at[0], c->p->c, c->p->oh * c->p->ow)
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

// ------------------------------------------------------------------- expand

/// The products of `run` pixels, from column x of the rows on.
WSR_INLINE void expand_run(v16 *sum, const call *c, const float *rows,
                           const float *weights, const int run)
{
    const int64_t kernel = c->p->kernel;
    for (int64_t j = 0; j < c->p->t * kernel; j++) {
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
    const wsr__fwd fwd = {.accumulate = c->how->accumulate};
    const wsr__bwd bwd = {.accumulate = c->how->accumulate,
                          .gate = c->how->gate};
    const int64_t b = 2 * pair;
    target t = {.at = n * c->step + b * c->plane,
                .bias = splat16(0.0f),
                .half = b + 1 == wsr__blocks(c->p->c)};
    for (int k = 0; k < (t.half ? 1 : 2); k += BUNDLE_BLOCKS) {
        const int count = bundle_count(b + k, wsr__blocks(c->p->c));
        finish *const f = &t.f[k / BUNDLE_BLOCKS];
        if (c->how->gate != NULL) {
            finish_backward(f, &bwd, b + k, count, c->plane);
        } else {
            finish_forward(f, &fwd, b + k, count, c->plane);
        }
    }
    if (c->how->bias != NULL) {
        const float *const bias = c->how->bias + b * WSR__BLOCK;
        t.bias =
            join16(ldu8(bias), t.half ? splat8(0.0f) : ldu8(bias + WSR__BLOCK));
    }
    return t;
}

WSR_INLINE void put(const call *c, int64_t at, vb v, const finish *f)
{
    float *const to = c->out + at;
    if (f->gated) {
        v = gate_apply(v, load_blocks(c->how->gate->src + at, f->pitch), f);
    }
    if (f->accumulate) {
        v = addb(load_blocks(to, f->pitch), v);
    }
    store_blocks(to, f->pitch, v);
}

/// `run` pixels of a pair; offset is that of the first in its plane.
WSR_INLINE void expand_tile(const call *c, const target *t, int64_t offset,
                            const float *rows, const float *weights,
                            const int run)
{
    v16 sum[RUN];
    WSR_UNROLL
    for (int i = 0; i < run; i++) {
        sum[i] = t->bias;
    }
    expand_run(sum, c, rows, weights, run);
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

static void expand_strip(const call *c, int64_t n, const int64_t at[2],
                         int64_t width)
{
    float rows[LINES * PITCH];
    read_thin(rows, c, n, at, width);
    const int64_t offset = at[0] * c->p->ow + at[1];
    for (int64_t pair = 0; pair < c->pairs; pair++) {
        const target t = target_of(c, n, pair);
        const float *const w = c->weights + pair * taps_of(c->p) * PAIR;
        int64_t x = 0;
        for (; x + RUN <= width; x += RUN) {
            expand_tile(c, &t, offset + x, rows + x, w, RUN);
        }
        for (; x + 4 <= width; x += 4) {
            expand_tile(c, &t, offset + x, rows + x, w, 4);
        }
        for (; x < width; x++) {
            expand_tile(c, &t, offset + x, rows + x, w, 1);
        }
    }
}

static void expand_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        for (int64_t x = 0; x < c->p->ow; x += STRIP) {
            const int64_t at[2] = {i % c->p->oh, x};
            expand_strip(c, i / c->p->oh, at, min64(STRIP, c->p->ow - x));
        }
    }
}

static void expand(float *wide, const wsr__thin *p, const float *thin,
                   const float *weights, const wsr__thin_how *how)
{
    call c = call_of(p, how);
    c.out = wide;
    c.thin = thin;
    c.weights = weights;
    wsr__parallel(p->n * p->oh, expand_body, &c);
}

// ------------------------------------------------------------------- shrink

/// A band of thin's rows: first pixel and extent.
typedef struct band {
    int64_t n;
    int64_t y;
    int64_t x;
    int64_t rows;
    int64_t width;
} band;

/// What lies under a band in one block of the wide side, zeros around it.
static void read_band(float *rows, const call *c, const band *b, int64_t block)
{
    const wsr__thin *const p = c->p;
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
            read_wide(rows + (i * PITCH + begin) * WSR__BLOCK, WSR__BLOCK, c,
                      at, end - begin);
        }
    }
}

/// Add one block's products to the sums of `thins` channels and `run` pixels.
WSR_INLINE void shrink_tile(float *sums, const float *rows,
                            const float *weights, const int kernel,
                            const int thins, const int run)
{
    v8 acc[8 > 3 * 4 ? 8 : 3 * 4];
    WSR_UNROLL
    for (int i = 0; i < thins * run; i++) {
        acc[i] = ld8(sums + (i / run * BAND * STRIP + i % run) * WSR__BLOCK);
    }
    for (int ky = 0; ky < kernel; ky++) {
        const float *const row = rows + ky * PITCH * WSR__BLOCK;
        WSR_UNROLL
        for (int kx = 0; kx < kernel; kx++) {
            // The far end of the wide side meets the first tap.
            const float *const w =
                weights + (kernel * kernel - 1 - ky * kernel - kx) * PAIR;
            WSR_UNROLL
            for (int i = 0; i < thins * run; i++) {
                acc[i] = fma8(ld8(row + (i % run + kx) * WSR__BLOCK),
                              ldu8(w + i / run * kernel * kernel * PAIR),
                              acc[i]);
            }
        }
    }
    WSR_UNROLL
    for (int i = 0; i < thins * run; i++) {
        st8(sums + (i / run * BAND * STRIP + i % run) * WSR__BLOCK, acc[i]);
    }
}

/// A band, in tiles that fill the registers.
WSR_INLINE void shrink_band(float *sums, const float *rows,
                            const float *weights, const band *b,
                            const int kernel, const int thins)
{
    const int run = thins == 1 ? 8 : 4;
    for (int64_t y = 0; y < b->rows; y++) {
        float *const sum = sums + y * STRIP * WSR__BLOCK;
        const float *const row = rows + y * PITCH * WSR__BLOCK;
        int64_t x = 0;
        for (; x + run <= b->width; x += run) {
            shrink_tile(sum + x * WSR__BLOCK, row + x * WSR__BLOCK, weights,
                        kernel, thins, run);
        }
        for (; x < b->width; x++) {
            shrink_tile(sum + x * WSR__BLOCK, row + x * WSR__BLOCK, weights,
                        kernel, thins, 1);
        }
    }
}

WSR_INLINE void shrink_kernel(float *sums, const float *rows,
                              const float *weights, const band *b,
                              const call *c, const int kernel)
{
    if (c->p->t == 3) {
        shrink_band(sums, rows, weights, b, kernel, 3);
        return;
    }
    for (int64_t t = 0; t < c->p->t; t++) {
        shrink_band(sums + t * BAND * STRIP * WSR__BLOCK, rows,
                    weights + t * kernel * kernel * PAIR, b, kernel, 1);
    }
}

static void shrink_block(float *sums, const float *rows, const float *weights,
                         const band *b, const call *c)
{
    if (c->p->kernel == 3) {
        shrink_kernel(sums, rows, weights, b, c, 3);
    } else if (c->p->kernel == 5) {
        shrink_kernel(sums, rows, weights, b, c, 5);
    } else {
        shrink_kernel(sums, rows, weights, b, c, 7);
    }
}

static void store_band(const call *c, const band *b, const float *sums)
{
    const wsr__thin *const p = c->p;
    for (int64_t i = 0; i < p->t * b->rows; i++) {
        const int64_t t = i / b->rows;
        const int64_t y = i % b->rows;
        const float bias = c->how->bias != NULL ? c->how->bias[t] : 0.0f;
        const float *const sum = sums + (t * BAND + y) * STRIP * WSR__BLOCK;
        float *const to = c->out +
                          ((b->n * p->t + t) * p->h + b->y + y) * p->w + b->x;
        for (int64_t x = 0; x < b->width; x++) {
            const float *const v = sum + x * WSR__BLOCK;
            const float all = ((v[0] + v[4]) + (v[2] + v[6])) +
                              ((v[1] + v[5]) + (v[3] + v[7]));
            to[x] = (c->how->accumulate ? to[x] : 0.0f) + (all + bias);
        }
    }
}

static void shrink_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__thin *const p = c->p;
    const int64_t bands = (p->h + BAND - 1) / BAND;
    _Alignas(64) float rows[(BAND + MOST - 1) * PITCH * WSR__BLOCK];
    _Alignas(64) float sums[WSR__THIN * BAND * STRIP * WSR__BLOCK];
    for (int64_t i = begin; i < end; i++) {
        for (int64_t x = 0; x < p->w; x += STRIP) {
            const int64_t y = i % bands * BAND;
            const band b = {.n = i / bands,
                            .y = y,
                            .x = x,
                            .rows = min64(BAND, p->h - y),
                            .width = min64(STRIP, p->w - x)};
            memset(sums, 0, sizeof(sums));
            for (int64_t k = 0; k < wsr__blocks(p->c); k++) {
                read_band(rows, c, &b, k);
                shrink_block(sums, rows,
                             c->weights + k / 2 * taps_of(p) * PAIR +
                                 k % 2 * WSR__BLOCK,
                             &b, c);
            }
            store_band(c, &b, sums);
        }
    }
}

static void shrink(float *thin, const wsr__thin *p, const float *wide,
                   const float *weights, const wsr__thin_how *how)
{
    call c = call_of(p, how);
    c.out = thin;
    c.wide = wide;
    c.weights = weights;
    wsr__parallel(p->n * ((p->h + BAND - 1) / BAND), shrink_body, &c);
}

// ---------------------------------------------------------------- correlate

/// Add a strip's products to the gradients of `count` rows of taps.
WSR_INLINE void correlate_rows(float *sum, const float *wide, const float *rows,
                               int64_t n, const int count, const int kernel)
{
    v16 acc[10];
    WSR_UNROLL
    for (int i = 0; i < count * kernel; i++) {
        acc[i] = ldu16(sum + i * PAIR);
    }
    for (int64_t x = 0; x < n; x++) {
        const v16 v = ldu16(wide + x * PAIR);
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

WSR_INLINE void correlate_kernel(float *sum, const float *wide,
                                 const float *rows, int64_t n, int64_t lines,
                                 const int kernel)
{
    const int count = rows_at_once(kernel);
    int64_t j = 0;
    for (; j + count <= lines; j += count) {
        correlate_rows(sum + j * kernel * PAIR, wide, rows + j * PITCH, n,
                       count, kernel);
    }
    for (; j < lines; j++) {
        correlate_rows(sum + j * kernel * PAIR, wide, rows + j * PITCH, n, 1,
                       kernel);
    }
}

static void correlate_strip(float *sum, const call *c, int64_t n, int64_t pair,
                            const int64_t at[2], int64_t width)
{
    float rows[LINES * PITCH];
    _Alignas(64) float wide[STRIP * PAIR];
    const int64_t lines = c->p->t * c->p->kernel;
    const int64_t blocks = wsr__blocks(c->p->c);
    read_thin(rows, c, n, at, width);
    memset(wide, 0, (size_t)(width * PAIR) * sizeof(*wide));
    for (int64_t b = 2 * pair; b < min64(2 * pair + 2, blocks); b++) {
        const int64_t from[3] = {n, b, (at[0] * c->p->ow + at[1]) * WSR__BLOCK};
        read_wide(wide + b % 2 * WSR__BLOCK, PAIR, c, from, width);
    }
    if (c->p->kernel == 3) {
        correlate_kernel(sum, wide, rows, width, lines, 3);
    } else if (c->p->kernel == 5) {
        correlate_kernel(sum, wide, rows, width, lines, 5);
    } else {
        correlate_kernel(sum, wide, rows, width, lines, 7);
    }
}

/// Items are pairs of blocks of groups of images.
static void correlate_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__thin *const p = c->p;
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
                correlate_strip(sum, c, y / p->oh, i % c->pairs, at,
                                min64(STRIP, p->ow - x));
            }
        }
    }
}

static void correlate(float *diff_weights, const wsr__thin *p,
                      const float *const data[2], const wsr__thin_how *how,
                      float *scratch)
{
    call c = call_of(p, how);
    const int64_t groups = wsr__image_groups(p->n);
    c.thin = data[0];
    c.wide = data[1];
    c.out = scratch;
    wsr__parallel(groups * c.pairs, correlate_body, &c);
    WSR_NAME(wsr__sum_images)
    (diff_weights, scratch, groups, (int64_t)wsr__thin_weights_size(p));
}

const wsr__native_thin WSR_NAME(wsr__native_thin) = {
    .expand = expand,
    .shrink = shrink,
    .correlate = correlate,
};
