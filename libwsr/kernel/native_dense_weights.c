// SPDX-License-Identifier: Apache-2.0
//
// Dense convolutions: gradients of the weights.
//
//   weight[out][in][tap] += sum over pixels of diff_dst[out] * src[tap][in]
//
// An item owns the gradients of a few destination blocks by a few source
// blocks, for a group of images in their order; where there is more than one
// group, their sums are added at the end.

#include "kernel/native_dense.h"

enum {
    SUMS = WSR_AVX512 ? 8 : 4, // numbers of src whose sums registers hold
    OUTS = DENSE_PAIRS * PAIR  // numbers of a pixel of diff_dst
};

// Where the numbers of a block of src lie that meet a pixel, tap after tap, and
// their gradients, floats.
typedef struct lane_list {
    int64_t n;
    int32_t at[WSR__DENSE_TAPS * WSR__BLOCK];
    int32_t sum[WSR__DENSE_TAPS * WSR__BLOCK];
} lane_list;

// What all threads of one call read.
typedef struct call {
    const wsr__dense *p;
    wsr__dense_layout l;
    int64_t taps;
    lane_list whole; // of a block that is full
    lane_list rest;  // of the last one
    input src;
    input diff;
    const wsr__thread_scratch *threads;
    float *out;    // [group][packed weights]
    int64_t rows;  // of dst in a band
    int64_t chunk; // blocks of src in an item
    int64_t chunks;
    int64_t outs; // groups of DENSE_PAIRS pairs of blocks of dst
    int64_t groups;
    int64_t pair_weights; // floats from pair to pair
} call;

// A band of rows of dst and the numbers of src that meet it.
typedef struct band {
    const float *src; // padded rows of one block
    int64_t src_row;  // floats from a row of dst to the next
    const float *diff;
    int64_t rows;
    int64_t columns;
} band;

// The products of a row of pixels.
WSR_INLINE void add_row(v16 *acc, const float *row, const float *diff,
                        int64_t columns, const int64_t at[SUMS],
                        const int pairs)
{
    for (int64_t x = 0; x < columns; x++) {
        v16 d[DENSE_PAIRS];
        WSR_UNROLL
        for (int q = 0; q < pairs; q++) {
            d[q] = ldu16(diff + x * OUTS + q * PAIR);
        }
        WSR_UNROLL
        for (int i = 0; i < SUMS; i++) {
            const v16 s = splat16(row[at[i] + x * WSR__BLOCK]);
            WSR_UNROLL
            for (int q = 0; q < pairs; q++) {
                acc[i * pairs + q] = fma16(s, d[q], acc[i * pairs + q]);
            }
        }
    }
}

// Add a band's products with SUMS numbers of src, from number `first` on.
WSR_INLINE void add_products(float *sums, int64_t pair, const band *b,
                             const lane_list *l, int64_t first, const int pairs)
{
    // What is beyond the last one is computed again and not stored.
    int64_t at[SUMS];
    for (int64_t i = 0; i < SUMS; i++) {
        at[i] = l->at[min64(first + i, l->n - 1)];
    }
    v16 acc[SUMS * DENSE_PAIRS];
    WSR_UNROLL
    for (int i = 0; i < SUMS * pairs; i++) {
        acc[i] = splat16(0.0f);
    }
    for (int64_t y = 0; y < b->rows; y++) {
        add_row(acc, b->src + y * b->src_row, b->diff + y * b->columns * OUTS,
                b->columns, at, pairs);
    }
    for (int64_t i = 0; i < min64(SUMS, l->n - first); i++) {
        for (int q = 0; q < pairs; q++) {
            float *const to = sums + l->sum[first + i] + q * pair;
            stu16(to, add16(ldu16(to), acc[i * pairs + q]));
        }
    }
}

// Registers hold the sums of two pairs with AVX-512 alone.
WSR_INLINE void add_pairs(float *sums, int64_t pair, const band *b,
                          const lane_list *l, int64_t first, int64_t pairs)
{
    if (WSR_AVX512 && pairs == DENSE_PAIRS) {
        add_products(sums, pair, b, l, first, DENSE_PAIRS);
        return;
    }
    for (int64_t q = 0; q < pairs; q++) {
        band one = *b;
        one.diff += q * PAIR;
        add_products(sums + q * pair, pair, &one, l, first, 1);
    }
}

// All taps of one block of src.
static void add_block(float *sums, const call *c, const band *b,
                      const lane_list *l, int64_t pairs)
{
    for (int64_t i = 0; i < l->n; i += SUMS) {
        add_pairs(sums, c->pair_weights, b, l, i, pairs);
    }
}

// A band of diff_dst, `blocks` blocks side by side.
static void read_outs(float *to, const call *c, int64_t n, int64_t first,
                      int64_t row, int64_t rows)
{
    const wsr__conv *const v = &c->p->conv;
    const int64_t pixels = v->oh * v->ow;
    const int64_t blocks = min64(wsr__blocks(v->co) - first, DENSE_PAIRS * 2);
    const wsr__affine *const through = c->diff.affine;
    if (blocks % 2 != 0) {
        for (int64_t i = 0; i < rows * v->ow; i++) {
            stu8(to + i * OUTS + blocks * WSR__BLOCK, splat8(0.0f));
        }
    }
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t at = ((first + b) * pixels + row * v->ow) * WSR__BLOCK;
        const float *const from = c->diff.data + n * c->diff.batch_stride + at;
        const float *const saved =
            through == NULL
                ? from
                : through->dst + at + saved_at(through, n, v->co, pixels);
        const affineb affine = affineb_of(through, first + b, 1);
        for (int64_t i = 0; i < rows * v->ow; i++) {
            vb d = load_blocks(from + i * WSR__BLOCK, 0);
            if (affine.on) {
                d = affineb_apply(d, load_blocks(saved + i * WSR__BLOCK, 0),
                                  &affine);
            }
            stu8(to + i * OUTS + b * WSR__BLOCK, block_of(d, 0));
        }
    }
}

// The gradients of an item.
typedef struct share {
    float *sums;       // of its destination blocks by all source blocks
    int64_t blocks[2]; // of src, [first, last)
    int64_t first;     // block of dst
} share;

// What a band of image n adds to the gradients of an item.
static void add_band(const call *c, const share *s, float *scratch, int64_t n,
                     int64_t row)
{
    const int64_t first = s->first;
    const wsr__conv *const v = &c->p->conv;
    const int64_t rows = min64(c->rows, v->oh - row);
    const int64_t pairs = (wsr__blocks(v->co) - first + 1) / 2;
    float *const padded = scratch + c->rows * v->ow * OUTS;
    const band b = {.src = padded,
                    .src_row = c->l.stride[0] * c->l.pitch,
                    .diff = scratch,
                    .rows = rows,
                    .columns = v->ow};
    read_outs(scratch, c, n, first, row, rows);
    for (int64_t i = s->blocks[0]; i < s->blocks[1]; i++) {
        const int64_t reach = (rows - 1) * c->l.stride[0] + c->l.reach[0];
        read_padded(padded, &c->src, &c->l, (const int64_t[]){n, i},
                    row * c->l.stride[0] + c->l.first[0], reach);
        add_block(s->sums + i * c->taps * WSR__BLOCK * PAIR, c, &b,
                  v->ci - i * WSR__BLOCK < WSR__BLOCK ? &c->rest : &c->whole,
                  min64(pairs, DENSE_PAIRS));
    }
}

static void clear_share(const call *c, const share *s)
{
    const int64_t pairs = (wsr__blocks(c->p->conv.co) - s->first + 1) / 2;
    const int64_t block = c->taps * WSR__BLOCK * PAIR;
    for (int64_t q = 0; q < min64(pairs, DENSE_PAIRS); q++) {
        memset(s->sums + q * c->pair_weights + s->blocks[0] * block, 0,
               (size_t)((s->blocks[1] - s->blocks[0]) * block) *
                   sizeof(*s->sums));
    }
}

// Items are chunks of source blocks of groups of destination blocks of groups
// of images.
static void body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    const wsr__conv *const v = &c->p->conv;
    float *const scratch = c->threads->data +
                           (int64_t)part * c->threads->stride;
    const int64_t size = (int64_t)wsr__dense_weights_size(c->p);
    for (int64_t i = begin; i < end; i++) {
        const int64_t group = i / (c->chunks * c->outs);
        const int64_t outs = i / c->chunks % c->outs;
        const int64_t first = i % c->chunks * c->chunk;
        const share s = {
            .sums = c->out + group * size +
                    outs * DENSE_PAIRS * c->pair_weights,
            .blocks = {first, min64(first + c->chunk, wsr__blocks(v->ci))},
            .first = outs * DENSE_PAIRS * 2};
        clear_share(c, &s);
        const int64_t last = (group + 1) * v->n / c->groups;
        for (int64_t n = group * v->n / c->groups; n < last; n++) {
            for (int64_t row = 0; row < v->oh; row += c->rows) {
                add_band(c, &s, scratch, n, row);
            }
        }
    }
}

static void list_lanes(lane_list *list, const call *c, int64_t channels)
{
    tap_list met = {0};
    taps_of_all(&met, &c->p->conv, &c->l, true);
    list->n = c->taps * channels;
    for (int64_t i = 0; i < list->n; i++) {
        const int64_t tap = i / channels;
        const int64_t k = i % channels;
        list->at[i] = (int32_t)(met.at[tap] + k);
        list->sum[i] = (int32_t)((met.weight[tap] * WSR__BLOCK + k) * PAIR);
    }
}

void WSR_NAME(wsr__dense_backward_weights)(float *diff_weights,
                                           const wsr__dense *p,
                                           const float *src,
                                           const float *diff_dst,
                                           const wsr__thread_scratch *threads,
                                           const wsr__wgrad *opt)
{
    const wsr__conv *const v = &p->conv;
    const int64_t blocks = wsr__blocks(v->ci);
    call c = {.p = p,
              .l = wsr__dense_layout_of(p, true),
              .taps = v->kh * v->kw,
              .threads = threads,
              .rows = wsr__dense_weights_rows(p),
              .chunk = wsr__dense_weights_chunk(p),
              .groups = wsr__dense_weights_groups(p)};
    c.chunks = (blocks + c.chunk - 1) / c.chunk;
    c.outs = ((wsr__blocks(v->co) + 1) / 2 + DENSE_PAIRS - 1) / DENSE_PAIRS;
    list_lanes(&c.whole, &c, WSR__BLOCK);
    list_lanes(&c.rest, &c, v->ci % WSR__BLOCK);
    c.pair_weights = blocks * c.taps * WSR__BLOCK * PAIR;
    c.src = input_forward(p, src, opt->pre);
    c.diff = input_backward(p, diff_dst, opt->affine);
    c.out = c.groups > 1 ? opt->scratch : diff_weights;
    wsr__parallel_among(c.groups * c.outs * c.chunks, threads->count, body, &c);
    if (c.groups > 1) {
        WSR_NAME(wsr__sum_images)
        (diff_weights, opt->scratch, c.groups,
         (int64_t)wsr__dense_weights_size(p));
    }
}
