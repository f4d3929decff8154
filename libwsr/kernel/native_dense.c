// SPDX-License-Identifier: Apache-2.0
//
// Dense convolutions, forward and backward data, as products over the taps:
//
//   dst[pixel][16 outs] += splat(src[pixel + tap][in]) * weights[in][16 outs]
//
// A thread copies the rows that a band of results meets, with zeros around
// them, and passes over them once for each pair of pairs of destination blocks,
// whose weights the second cache holds. Registers keep a tile of results for
// the whole sum. Backward data is the same product with the weights
// transposed; with a stride it takes the results phase by phase.

#include "kernel/native_dense.h"

enum {
    PAIRS = WSR_AVX512 ? 2 : 1, // of blocks in a tile
    BUNDLES = PAIRS * 2 / BUNDLE_BLOCKS,
    LONGEST = WSR_AVX512 ? 14 : 6,
    PIECES = 64 // rests of a row that the table of pieces knows
};

// What all threads of one call read.
typedef struct call {
    const wsr__dense *p;
    wsr__dense_layout l;
    tap_list taps;
    input in;
    output out;
    const float *weights;
    const wsr__thread_scratch *threads;
    division items;        // groups are PAIRS pairs of blocks
    uint8_t piece[PIECES]; // the first of so many pixels of a row
} call;

// A product of one phase, whatever its tile.
typedef struct product {
    const tap_list *taps;
    int64_t taps_begin; // of the phase
    int64_t taps_end;
    int64_t blocks;    // whole ones
    int64_t rest;      // channels of one more
    int64_t src_plane; // floats from block to block
    int64_t src_row;   // floats from a row of results to the next
    const float *weights;
    int64_t weights_block; // floats from block to block of src
    int64_t weights_pair;  // floats to the next pair of blocks of results
    float *out;
    const float *mask;    // lies like out
    int64_t out_step;     // floats from a pixel of the phase to the next
    int64_t out_row;      // floats from row to row
    int64_t bundle_pitch; // floats from bundle to bundle
    finish *f;            // of each bundle
} product;

// --------------------------------------------------------------------- tile

// The extent of a tile, always a constant.
typedef struct extent {
    int rows;
    int columns;
    int pairs;
} extent;

// The products of one channel; `row` is where the tile's first pixel has it.
WSR_INLINE void add_channel(v16 *sum, const product *p, const float *row,
                            const float *weights, const extent e)
{
    v16 w[PAIRS];
    WSR_UNROLL
    for (int q = 0; q < e.pairs; q++) {
        w[q] = ldu16(weights + q * p->weights_pair);
    }
    WSR_UNROLL
    for (int i = 0; i < e.rows * e.columns; i++) {
        const v16 x = splat16(
            row[i / e.columns * p->src_row + i % e.columns * WSR__BLOCK]);
        WSR_UNROLL
        for (int q = 0; q < e.pairs; q++) {
            sum[i * e.pairs + q] = fma16(x, w[q], sum[i * e.pairs + q]);
        }
    }
}

// `out` is where the first pixel of the tile lies.
WSR_INLINE void store_tile(const product *p, int64_t out, const v16 *sum,
                           const extent e)
{
    const int of_pair = 2 / BUNDLE_BLOCKS;
    WSR_UNROLL
    for (int i = 0; i < e.rows * e.columns; i++) {
        const int64_t at = out + i / e.columns * p->out_row +
                           i % e.columns * p->out_step;
        WSR_UNROLL
        for (int q = 0; q < e.pairs * of_pair; q++) {
            if (p->f[q].count > 0) {
                const v16 v = sum[i * e.pairs + q / of_pair];
                store_result(p->out, p->mask, at + q * p->bundle_pitch,
                             bundle_of(v, q % of_pair), &p->f[q]);
            }
        }
    }
}

WSR_INLINE void tile(const product *p, const float *src, int64_t out,
                     const extent e)
{
    v16 sum[2 * LONGEST * PAIRS];
    WSR_UNROLL
    for (int i = 0; i < e.rows * e.columns * e.pairs; i++) {
        sum[i] = splat16(0.0f);
    }
    const float *weights = p->weights;
    for (int64_t b = 0; b < p->blocks; b++) {
        for (int64_t t = p->taps_begin; t < p->taps_end; t++) {
            const float *const row = src + p->taps->at[t];
            const float *const w = weights +
                                   p->taps->weight[t] * WSR__BLOCK * PAIR;
            WSR_UNROLL
            for (int k = 0; k < WSR__BLOCK; k++) {
                add_channel(sum, p, row + k, w + k * PAIR, e);
            }
        }
        src += p->src_plane;
        weights += p->weights_block;
    }
    for (int64_t t = p->taps_begin; p->rest > 0 && t < p->taps_end; t++) {
        const float *const row = src + p->taps->at[t];
        const float *const w = weights + p->taps->weight[t] * WSR__BLOCK * PAIR;
        for (int64_t k = 0; k < p->rest; k++) {
            add_channel(sum, p, row + k, w + k * PAIR, e);
        }
    }
    store_tile(p, out, sum, e);
}

typedef void (*tile_kernel)(const product *p, const float *src, int64_t out);

// NOLINTBEGIN(bugprone-macro-parentheses): names are pasted, not computed with
// clang-format off
#define TILE(rows, columns, pairs)                                             \
    static void tile_##rows##_##columns##_##pairs(                             \
        const product *p, const float *src, int64_t out)                       \
    {                                                                          \
        tile(p, src, out, (extent){rows, columns, pairs});                     \
    }
#define ENTRY(rows, columns, pairs)                                            \
    [(pairs) - 1][(rows) - 1][columns] = tile_##rows##_##columns##_##pairs,

// Tiles of one row by their number of columns, and of two rows for those of
// which registers hold two.
#if WSR_AVX512
#define TILES_OF(X, pairs)                                                     \
    X(1, 14, pairs) X(1, 8, pairs) X(1, 7, pairs) X(1, 4, pairs)               \
    X(1, 2, pairs) X(1, 1, pairs) X(2, 7, pairs) X(2, 4, pairs)                \
    X(2, 2, pairs) X(2, 1, pairs)
#define TILES(X) TILES_OF(X, 1) TILES_OF(X, 2)
#else
#define TILES(X)                                                               \
    X(1, 6, 1) X(1, 4, 1) X(1, 3, 1) X(1, 2, 1) X(1, 1, 1)                     \
    X(2, 3, 1) X(2, 2, 1) X(2, 1, 1)
#endif
TILES(TILE)
static const tile_kernel tiles[PAIRS][2][LONGEST + 1] = {TILES(ENTRY)};
// clang-format on
// NOLINTEND(bugprone-macro-parentheses)

// Cost of a tile of so many columns: cycles of its multiplications, but not
// less than one takes to end, and a little for itself.
static int cost_of(int columns)
{
    const int busy = tiles[PAIRS - 1][1][columns] != NULL ? 2 : 4;
    return 4 * (columns > busy ? columns : busy) + 1;
}

// The first piece of the cheapest division of a row of n pixels, for each n.
static void divide(uint8_t piece[PIECES])
{
    int cost[PIECES] = {0};
    for (int n = 1; n < PIECES; n++) {
        for (int columns = 1; columns <= LONGEST && columns <= n; columns++) {
            if (tiles[0][0][columns] == NULL) {
                continue;
            }
            const int all = cost_of(columns) + cost[n - columns];
            if (columns == 1 || all <= cost[n]) {
                cost[n] = all;
                piece[n] = (uint8_t)columns;
            }
        }
    }
}

// -------------------------------------------------------------------- phase

// One or two rows of a phase, all columns.
static void phase_rows(const call *c, const product *p, const float *src,
                       int64_t out, const int64_t size[2], int pairs)
{
    int64_t columns;
    for (int64_t x = 0; x < size[1]; x += columns) {
        const int64_t rest = size[1] - x;
        columns = rest < PIECES ? c->piece[rest] : LONGEST;
        const tile_kernel both = tiles[pairs - 1][1][columns];
        const float *const from = src + x * WSR__BLOCK;
        const int64_t at = out + x * p->out_step;
        if (size[0] == 2 && both != NULL) {
            both(p, from, at);
            continue;
        }
        for (int64_t y = 0; y < size[0]; y++) {
            tiles[pairs - 1][0][columns](p, from + y * p->src_row,
                                         at + y * p->out_row);
        }
    }
}

// A band of results: of image n, from row `row` of each phase on.
typedef struct band {
    int64_t n;
    int64_t row;
    const float *src; // the padded rows
} band;

static void phase_band(const call *c, const product *p, const band *b,
                       int64_t first, const int64_t phase[2])
{
    const wsr__dense_layout *const l = &c->l;
    const output *const o = &c->out;
    const int64_t h = o->plane / (o->width * WSR__BLOCK);
    const int64_t height = (h - phase[0] + l->phases[0] - 1) / l->phases[0];
    const int64_t width = (o->width - phase[1] + l->phases[1] - 1) /
                          l->phases[1];
    const int pairs = o->blocks - first <= 2 ? 1 : PAIRS;
    const int64_t end = min64(b->row + l->rows, height);
    const int64_t out = b->n * o->step + first * o->plane +
                        (phase[0] * o->width + phase[1]) * WSR__BLOCK;
    for (int64_t y = b->row; y < end; y += 2) {
        const int64_t size[2] = {min64(2, end - y), width};
        phase_rows(c, p, b->src + (y - b->row) * p->src_row,
                   out + y * p->out_row, size, pairs);
        flush_bundles(p->f, BUNDLES);
    }
}

// All phases of a group of pairs in a band.
static void group_band(const call *c, const band *b, int64_t group)
{
    const wsr__dense_layout *const l = &c->l;
    const wsr__conv *const conv = &c->p->conv;
    const int64_t block = conv->kh * conv->kw * WSR__BLOCK * PAIR;
    const int64_t first = group * PAIRS * 2;
    finish f[BUNDLES];
    product p = {.taps = &c->taps,
                 .blocks = l->ins / WSR__BLOCK,
                 .rest = l->ins % WSR__BLOCK,
                 .src_plane = l->plane,
                 .src_row = l->stride[0] * l->pitch,
                 .weights_block = block,
                 .weights_pair = wsr__blocks(l->ins) * block,
                 .out = c->out.data,
                 .mask = mask_of(&c->out),
                 .out_step = l->phases[1] * WSR__BLOCK,
                 .out_row = l->phases[0] * c->out.width * WSR__BLOCK,
                 .bundle_pitch = BUNDLE_BLOCKS * c->out.plane,
                 .f = f};
    p.weights = c->weights + group * PAIRS * p.weights_pair;
    finish_bundles(f, &c->out, first, BUNDLES);
    for (int64_t i = 0; i < l->phases[0] * l->phases[1]; i++) {
        const int64_t phase[2] = {i / l->phases[1], i % l->phases[1]};
        p.taps_begin = c->taps.begin[i];
        p.taps_end = c->taps.begin[i + 1];
        phase_band(c, &p, b, first, phase);
    }
    add_sums(&c->out, f, b->n, first, BUNDLES);
}

// -------------------------------------------------------------------- items

static void read_band(float *to, const call *c, const band *b)
{
    const wsr__dense_layout *const l = &c->l;
    const int64_t rows =
        (min64(l->rows, l->size[0] - b->row) - 1) * l->stride[0] + l->reach[0];
    for (int64_t block = 0; block < wsr__blocks(l->ins); block++) {
        read_padded(to + block * l->plane, &c->in, l,
                    (const int64_t[]){b->n, block},
                    b->row * l->stride[0] + l->first[0], rows);
    }
}

// Groups [groups[0], groups[1]) of images [images[0], images[1]), band by band.
// Several images share the weights that a group reads.
static void item(const call *c, float *rows, const int64_t images[2],
                 const int64_t groups[2])
{
    const wsr__dense_layout *const l = &c->l;
    const int64_t floats = l->plane * wsr__blocks(l->ins);
    const int64_t first = groups[0] * PAIRS * 2;
    const int64_t last = min64(groups[1] * PAIRS * 2, c->out.blocks);
    for (int64_t n = images[0]; n < images[1]; n++) {
        clear_sums(&c->out, n, first, last);
    }
    for (int64_t row = 0; row < l->size[0]; row += l->rows) {
        for (int64_t n = images[0]; n < images[1]; n++) {
            const band b = {.n = n, .row = row};
            read_band(rows + (n - images[0]) * floats, c, &b);
        }
        for (int64_t g = groups[0]; g < groups[1]; g++) {
            for (int64_t n = images[0]; n < images[1]; n++) {
                const band b = {
                    .n = n, .row = row, .src = rows + (n - images[0]) * floats};
                group_band(c, &b, g);
            }
        }
    }
    for (int64_t n = images[0]; n < images[1]; n++) {
        output_moments(&c->out, n, first, last);
    }
}

static void body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    float *const rows = c->threads->data + (int64_t)part * c->threads->stride;
    for (int64_t i = begin; i < end; i++) {
        int64_t images[2];
        int64_t groups[2];
        division_item(images, groups, &c->items, i);
        item(c, rows, images, groups);
    }
}

static void run(call *c)
{
    const int64_t threads = c->threads->count;
    const int64_t n = c->p->conv.n;
    c->items = division_of(n, wsr__dense_images(&c->l, n, threads),
                           (c->out.blocks + 2 * PAIRS - 1) / (2 * PAIRS),
                           threads);
    divide(c->piece);
    taps_of_all(&c->taps, &c->p->conv, &c->l, c->out.fwd != NULL);
    wsr__parallel_among(division_items(&c->items), threads, body, c);
}

void WSR_NAME(wsr__dense_forward)(float *dst, const wsr__dense *p,
                                  const float *src, const float *weights,
                                  const wsr__thread_scratch *threads,
                                  const wsr__fwd *fwd)
{
    static const wsr__fwd none = {0};
    const wsr__fwd *const how = fwd != NULL ? fwd : &none;
    call c = {.p = p,
              .l = wsr__dense_layout_of(p, true),
              .in = input_forward(p, src, how->pre),
              .out = output_forward(p, dst, how),
              .weights = weights,
              .threads = threads};
    run(&c);
}

void WSR_NAME(wsr__dense_backward_data)(float *diff_src, const wsr__dense *p,
                                        const float *diff_dst,
                                        const float *transposed,
                                        const wsr__thread_scratch *threads,
                                        const wsr__bwd *bwd)
{
    static const wsr__bwd none = {0};
    const wsr__bwd *const how = bwd != NULL ? bwd : &none;
    call c = {.p = p,
              .l = wsr__dense_layout_of(p, false),
              .in = input_backward(p, diff_dst, how->affine),
              .out = output_backward(p, diff_src, how),
              .weights = transposed,
              .threads = threads};
    run(&c);
}
