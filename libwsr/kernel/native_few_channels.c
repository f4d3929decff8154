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
            // A load that broadcasts is cheaper than to keep what the next tap
            // meets again.
            const float *const first = opaque(row + k);
            WSR_UNROLL
            for (int i = 0; i < run; i++) {
                sum[i] = fma16(splat16(first[i]), w, sum[i]);
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

// Ask for what is written, and masks, of a pair of blocks.
static void expect_pair(const call *c, int64_t n, int64_t pair, int64_t offset,
                        int64_t width)
{
    for (int64_t k = 2 * pair; k < 2 * pair + 2; k++) {
        const place at = {n, k, offset * WSR__BLOCK};
        expect_many(c->out, c, at, width, true);
        if (c->opt.relu_mask != NULL) {
            expect_many(c->opt.relu_mask->src, c, at, width, false);
        }
    }
}

// `width` pixels from row at[0], column at[1] of image n, some pairs of blocks.
static void to_many_strip(const call *c, int64_t n, const int64_t at[2],
                          int64_t width, const int64_t pairs[2])
{
    float rows[LINES * PITCH];
    read_few(rows, c, n, at, 1, width);
    const int64_t offset = at[0] * c->p->ow + at[1];
    for (int64_t pair = pairs[0]; pair < pairs[1]; pair++) {
        const target t = target_of(c, n, pair);
        const float *const w = c->weights + pair * taps_of(c->p) * PAIR;
        int64_t x = 0;
        expect_pair(c, n, pair + 1, offset, width);
        for (; x + RUN <= width; x += RUN) {
            to_many_tile(c, &t, offset + x, rows + x, w, RUN);
        }
        for (; WSR_AVX512 && x + RUN / 2 <= width; x += RUN / 2) {
            to_many_tile(c, &t, offset + x, rows + x, w, RUN / 2);
        }
        for (; x + 4 <= width; x += 4) {
            to_many_tile(c, &t, offset + x, rows + x, w, 4);
        }
        for (; x + 2 <= width; x += 2) {
            to_many_tile(c, &t, offset + x, rows + x, w, 2);
        }
        for (; x < width; x++) {
            to_many_tile(c, &t, offset + x, rows + x, w, 1);
        }
    }
}

// Row y of image n. Every pixel is the sum over the same taps in the same
// order, wherever a strip begins.
static void to_many_row(const call *c, int64_t n, int64_t y,
                        const int64_t pairs[2])
{
    for (int64_t x = 0; x < c->p->ow; x += STRIP) {
        const int64_t at[2] = {y, x};
        to_many_strip(c, n, at, min64(STRIP, c->p->ow - x), pairs);
    }
}

// Work items are rows of the many side.
static void to_many_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const int64_t pairs[2] = {0, c->pairs};
    for (int64_t i = begin; i < end; i++) {
        to_many_row(c, i / c->p->oh, i % c->p->oh, pairs);
    }
}

void WSR_NAME(wsr__few_channels_to_many)(const call *c, int64_t n,
                                         const int64_t pairs[2])
{
    for (int64_t y = 0; y < c->p->oh; y++) {
        to_many_row(c, n, y, pairs);
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
    int64_t bundles; // of pixels in a row
} band;

// What lies under a band in one block of the many side, zeros around it; as
// many columns as the bundles of the band meet.
static void read_band(float *rows, const call *c, const band *b, int64_t block)
{
    const wsr__few_channels *const p = c->p;
    const int64_t reach = p->kernel - 1;
    const int64_t x = b->x - (reach - p->pad);
    const int64_t width = b->bundles * BUNDLE_BLOCKS + reach;
    const int64_t begin = min64(max64(-x, 0), width);
    const int64_t end = max64(begin, min64(p->ow - x, width));
    for (int64_t i = 0; i < b->rows + reach; i++) {
        float *const row = rows + i * PITCH * WSR__BLOCK;
        const int64_t y = b->y - (reach - p->pad) + i;
        if (y < 0 || y >= p->oh) {
            clear_pixels(row, width);
            continue;
        }
        const int64_t at[3] = {b->n, block,
                               (y * p->ow + x + begin) * WSR__BLOCK};
        clear_pixels(row, begin);
        read_many(row + begin * WSR__BLOCK, c, at, end - begin);
        clear_pixels(row + end * WSR__BLOCK, width - end);
    }
}

// The rows of some blocks that lie under a band and not under the band above,
// to be asked for in so many steps.
static ahead ahead_of_band(const call *c, const band *b,
                           const int64_t blocks[2], int64_t steps)
{
    const wsr__few_channels *const p = c->p;
    const int64_t first = b->y == 0 ? 0 : min64(b->y + p->pad, p->oh);
    const int64_t end = min64(b->y + b->rows + p->pad, p->oh);
    const place at = {b->n, blocks[0], first * p->ow * WSR__BLOCK};
    return ahead_of(c, at, blocks[1],
                    max64(end - first, 0) * p->ow * WSR__BLOCK, steps);
}

// What a tile adds up: some blocks of the many side from an even one on.
typedef struct product {
    const float *rows;    // where the first tap meets the tile
    const float *weights; // of the tile's first channel
    int64_t blocks;
    int64_t kernel;
    int64_t pair_weights; // floats from a pair of blocks to the next
    ahead *next;          // what is read after these blocks
} product;

// The extent of a tile, always a constant.
typedef struct extent {
    int channels;
    int bundles; // of pixels side by side
} extent;

// Where the sum of bundle j of channel t lies.
WSR_INLINE int64_t sum_at(int64_t t, int64_t j)
{
    return t * BAND * STRIP * WSR__BLOCK + j * BUNDLE;
}

// The products of one tap.
WSR_INLINE void add_tap(vb *acc, const float *row, const float *weights,
                        int64_t area, const extent e)
{
    vb w[MOST_GROUP];
    WSR_UNROLL
    for (int t = 0; t < e.channels; t++) {
        w[t] = spread_block(weights + t * area * PAIR);
    }
    WSR_UNROLL
    for (int j = 0; j < e.bundles; j++) {
        const vb x = heldb(ldbu(row + j * BUNDLE));
        WSR_UNROLL
        for (int t = 0; t < e.channels; t++) {
            acc[t * e.bundles + j] = fmab(x, w[t], acc[t * e.bundles + j]);
        }
    }
}

// Add products to the sums of a tile. A bundle is a pixel, or two neighbours
// where registers hold both.
WSR_INLINE void to_few_tile(float *sums, const product *p, const extent e)
{
    const int64_t area = p->kernel * p->kernel;
    vb acc[MOST_SUMS];
    WSR_UNROLL
    for (int i = 0; i < e.channels * e.bundles; i++) {
        acc[i] = ldb(sums + sum_at(i / e.bundles, i % e.bundles));
    }
    for (int64_t k = 0; k < p->blocks; k++) {
        const float *row = p->rows + k * ROWS * PITCH * WSR__BLOCK;
        // The far end of the many side meets the first tap.
        const float *w = p->weights + k / 2 * p->pair_weights +
                         k % 2 * WSR__BLOCK + (area - 1) * PAIR;
        for (int64_t ky = 0; ky < p->kernel; ky++) {
            for (int64_t kx = 0; kx < p->kernel; kx++, w -= PAIR) {
                add_tap(acc, opaque(row + kx * WSR__BLOCK), w, area, e);
            }
            row += PITCH * WSR__BLOCK;
        }
    }
    WSR_UNROLL
    for (int i = 0; i < e.channels * e.bundles; i++) {
        stb(sums + sum_at(i / e.bundles, i % e.bundles), acc[i]);
    }
}

// All tiles of one extent that a row has left from bundle j on; returns where
// they end.
WSR_INLINE int64_t to_few_tiles(float *sums, const product *row, int64_t j,
                                int64_t end, const extent e)
{
    for (; j + e.bundles <= end; j += e.bundles) {
        product p = *row;
        ask(p.next);
        p.rows += j * BUNDLE;
        to_few_tile(sums + j * BUNDLE, &p, e);
    }
    return j;
}

// A band, in tiles that fill the registers.
WSR_INLINE void to_few_band(float *sums, const product *p, const band *b,
                            const int channels)
{
    const int most = MOST_SUMS / channels > 8 ? 8 : MOST_SUMS / channels;
    for (int64_t y = 0; y < b->rows; y++) {
        float *const sum = sums + y * STRIP * WSR__BLOCK;
        product row = *p;
        row.rows += y * PITCH * WSR__BLOCK;
        int64_t j = 0;
        j = to_few_tiles(sum, &row, j, b->bundles, (extent){channels, most});
        j = to_few_tiles(sum, &row, j, b->bundles,
                         (extent){channels, most < 4 ? most : 4});
        j = to_few_tiles(sum, &row, j, b->bundles, (extent){channels, 2});
        to_few_tiles(sum, &row, j, b->bundles, (extent){channels, 1});
    }
}

// Groups of channels, which share what they read, of about one size. Their
// number is a constant.
static void to_few_blocks(float *sums, product p, const band *b, int64_t few)
{
    int64_t channels;
    for (int64_t t = 0; t < few; t += channels) {
        const int64_t groups = (few - t + MOST_GROUP - 1) / MOST_GROUP;
        float *const sum = sums + sum_at(t, 0);
        channels = (few - t + groups - 1) / groups;
        if (channels == 4) {
            to_few_band(sum, &p, b, 4);
        } else if (channels == 3) {
            to_few_band(sum, &p, b, 3);
        } else if (channels == 2) {
            to_few_band(sum, &p, b, 2);
        } else {
            to_few_band(sum, &p, b, 1);
        }
        p.weights += channels * p.kernel * p.kernel * PAIR;
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
        float all[STRIP];
        for (int64_t x = 0; x < b->width; x += WSR__BLOCK) {
            stu8(all + x, sum_lanes8(sum + x * WSR__BLOCK));
        }
        for (int64_t x = 0; x < b->width; x++) {
            to[x] = (c->opt.accumulate ? to[x] : 0.0f) + (all[x] + bias);
        }
    }
}

// Sums stay in a buffer while the blocks of the many side pass by, each of
// which is read once per band; `after`, NULL or not, is the next band.
static void to_few_strip(float *sums, float *rows, const call *c, const band *b,
                         const band *after)
{
    const wsr__few_channels *const p = c->p;
    const int64_t blocks = wsr__blocks(p->many);
    const int64_t tiles = p->few * b->rows * b->bundles / MOST_SUMS;
    product of = {.rows = rows,
                  .weights = c->weights,
                  .kernel = p->kernel,
                  .pair_weights = taps_of(p) * PAIR};
    memset(sums, 0, (size_t)sum_at(p->few, 0) * sizeof(*sums));
    for (int64_t k = 0; k < blocks; k += of.blocks) {
        of.blocks = min64(BLOCKS, blocks - k);
        for (int64_t i = 0; i < of.blocks; i++) {
            read_band(rows + i * ROWS * PITCH * WSR__BLOCK, c, b, k + i);
        }
        const bool last = k + BLOCKS >= blocks;
        const int64_t first = last ? 0 : k + BLOCKS;
        ahead next = ahead_of_band(c, last && after != NULL ? after : b,
                                   (const int64_t[]){first, BLOCKS}, tiles);
        next.count = last && after == NULL ? 0 : next.count;
        of.next = &next;
        to_few_blocks(sums, of, b, p->few);
        of.weights += BLOCKS / 2 * of.pair_weights;
    }
    store_band(c, b, sums);
}

// Band i of all images, from column x on.
static band band_of(const wsr__few_channels *p, int64_t i, int64_t x)
{
    const int64_t bands = (p->h + BAND - 1) / BAND;
    const int64_t y = i % bands * BAND;
    return (band){.n = i / bands,
                  .y = y,
                  .x = x,
                  .rows = min64(BAND, p->h - y),
                  .width = min64(STRIP, p->w - x),
                  .bundles = bundles(min64(STRIP, p->w - x))};
}

// Work items are bands of rows of the few side.
static void to_few_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__few_channels *const p = c->p;
    _Alignas(64) float rows[BLOCKS * ROWS * PITCH * WSR__BLOCK];
    _Alignas(64) float sums[WSR__FEW_CHANNELS * BAND * STRIP * WSR__BLOCK];
    for (int64_t i = begin; i < end; i++) {
        const band after = band_of(p, i + 1, 0);
        for (int64_t x = 0; x < p->w; x += STRIP) {
            const band b = band_of(p, i, x);
            to_few_strip(sums, rows, c, &b, i + 1 < end ? &after : NULL);
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
