// SPDX-License-Identifier: Apache-2.0
//
// Dense 3x3 convolutions after Winograd (Lavin and Gray 2016), forward and
// backward data. A tile of 4x4 results needs 36 multiplications per pair of
// channels instead of 144:
//
//   result = A' [ (G g G') * (B' d B) ] A
//
// with d the 6x6 pixels that a tile meets and g the filter. The points are 0,
// 1, -1, 1/2, -2 and infinity: halves and twos together keep numbers small,
// and with them errors (Barabasz et al. 2020). In between stand 36 products of
// matrices, tiles by inputs by outputs.
//
// A thread takes a chunk of tiles at a time: it transforms all their inputs,
// then makes the products of a few outputs and transforms these back, so that
// what lies between stays in its cache.

#include "kernel/native_dense.h"

enum {
    SIDE = WINO + 2,
    OUTS = DENSE_PAIRS * PAIR,
    BUNDLES = DENSE_PAIRS * 2 / BUNDLE_BLOCKS,
    PAIRS = WSR_AVX512 ? 2 : 1, // that registers hold
    RUN = WSR_AVX512 ? 8 : 4    // tiles that registers hold
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
    int64_t groups; // of DENSE_PAIRS pairs
    int64_t parts;  // that share the groups of the same images
    int64_t images; // of one item
} call;

// Consecutive tiles of one image, and which of the chunk the first one is.
typedef struct stretch {
    int64_t image;
    int64_t first; // tile of the image
    int64_t n;
    int64_t at; // in the chunk
} stretch;

// ----------------------------------------------------------------- transforms

// B' d
WSR_INLINE void transform_input(vb to[SIDE], const vb d[SIDE])
{
    const vb a = subb(d[3], d[1]);
    const vb b = subb(d[4], d[2]);
    const vb more = splatb(1.5f);
    to[0] = addb(fmab(more, a, subb(d[0], d[2])), b);
    to[1] = fmab(more, addb(d[2], d[3]), addb(a, b));
    to[2] = fmab(more, subb(d[3], d[2]), subb(b, a));
    to[3] = fmab(splatb(2.0f), a, b);
    to[4] = fmab(splatb(-0.5f), a, b);
    to[5] = fmab(more, b, subb(subb(d[5], d[3]), a));
}

// A' m
WSR_INLINE void transform_result(vb to[WINO], const vb m[SIDE])
{
    const vb sum = addb(m[1], m[2]);
    const vb difference = subb(m[1], m[2]);
    to[0] = addb(addb(m[0], sum), addb(m[3], m[4]));
    to[1] = fmab(splatb(0.5f), m[3], fmab(splatb(-2.0f), m[4], difference));
    to[2] = fmab(splatb(0.25f), m[3], fmab(splatb(4.0f), m[4], sum));
    to[3] =
        addb(fmab(splatb(0.125f), m[3], fmab(splatb(-8.0f), m[4], difference)),
             m[5]);
}

// The 36 inputs of the tile at `from`, of one block, to places `step` floats
// apart; with `next` floats to the tile after it also that one's.
WSR_INLINE void transform_tile(float *to, int64_t step, const float *from,
                               int64_t pitch, int64_t next)
{
    vb half[SIDE][SIDE];
    WSR_UNROLL
    for (int x = 0; x < SIDE; x++) {
        vb d[SIDE];
        vb result[SIDE];
        WSR_UNROLL
        for (int y = 0; y < SIDE; y++) {
            d[y] = load_blocks(from + y * pitch + x * WSR__BLOCK, next);
        }
        transform_input(result, d);
        WSR_UNROLL
        for (int y = 0; y < SIDE; y++) {
            half[y][x] = result[y];
        }
    }
    for (int y = 0; y < SIDE; y++) {
        vb result[SIDE];
        transform_input(result, half[y]);
        WSR_UNROLL
        for (int x = 0; x < SIDE; x++) {
            float *const at = to + (y * SIDE + x) * step;
            if (next != 0 && BUNDLE_BLOCKS > 1) {
                stbu(at, result[x]);
            } else {
                st8(at, block_of(result[x], 0));
            }
        }
    }
}

// The inputs of a stretch of tiles, of one block whose rows are padded.
static void transform_stretch(float *to, const call *c, const float *padded,
                              const stretch *s)
{
    const int64_t across = c->l.across;
    const int64_t step = c->blocks * c->l.chunk * WSR__BLOCK;
    const int64_t pitch = c->l.rows.pitch;
    const int64_t top = s->first / across;
    int64_t more;
    for (int64_t i = 0; i < s->n; i += more) {
        const int64_t y = (s->first + i) / across - top;
        const int64_t x = (s->first + i) % across;
        more = min64(min64(BUNDLE_BLOCKS, across - x), s->n - i);
        transform_tile(to + i * WSR__BLOCK, step,
                       padded + y * WINO * pitch + x * WINO * WSR__BLOCK, pitch,
                       more > 1 ? WINO * WSR__BLOCK : 0);
    }
}

// ------------------------------------------------------------------- products

// The products of RUN tiles and PAIRS pairs for one of the 36.
WSR_INLINE void multiply_run(float *to, const float *tiles, int64_t block_step,
                             const float *weights, int64_t pair_step,
                             int64_t blocks, const int pairs)
{
    v16 sum[RUN * PAIRS];
    WSR_UNROLL
    for (int i = 0; i < RUN * pairs; i++) {
        sum[i] = splat16(0.0f);
    }
    for (int64_t b = 0; b < blocks; b++) {
        WSR_UNROLL
        for (int k = 0; k < WSR__BLOCK; k++) {
            v16 w[PAIRS];
            WSR_UNROLL
            for (int q = 0; q < pairs; q++) {
                w[q] = ldu16(weights + q * pair_step + k * PAIR);
            }
            WSR_UNROLL
            for (int i = 0; i < RUN; i++) {
                const v16 x = splat16(tiles[i * WSR__BLOCK + k]);
                WSR_UNROLL
                for (int q = 0; q < pairs; q++) {
                    sum[i * pairs + q] = fma16(x, w[q], sum[i * pairs + q]);
                }
            }
        }
        tiles += block_step;
        weights += WSR__BLOCK * PAIR;
    }
    WSR_UNROLL
    for (int i = 0; i < RUN * pairs; i++) {
        stu16(to + i / pairs * OUTS + i % pairs * PAIR, sum[i]);
    }
}

// All 36 products of `n` tiles and the pairs of one group.
static void multiply(float *products, const call *c, const float *inputs,
                     int64_t n, int64_t group)
{
    const int64_t block = c->l.chunk * WSR__BLOCK;
    const int64_t tap = c->blocks * WSR__BLOCK * PAIR;
    const int64_t pair = WINO_TAPS * tap;
    const int64_t left = (c->out.blocks + 1) / 2 - group * DENSE_PAIRS;
    const float *const weights = c->weights + group * DENSE_PAIRS * pair;
    for (int64_t e = 0; e < WINO_TAPS; e++) {
        for (int64_t q = 0; q < min64(left, DENSE_PAIRS); q += PAIRS) {
            const float *const w = weights + q * pair + e * tap;
            for (int64_t t = 0; t < n; t += RUN) {
                float *const to = products + (e * c->l.chunk + t) * OUTS +
                                  q * PAIR;
                const float *const from = inputs + e * c->blocks * block +
                                          t * WSR__BLOCK;
                if (PAIRS == 1 || left - q == 1) {
                    multiply_run(to, from, block, w, pair, c->blocks, 1);
                } else {
                    multiply_run(to, from, block, w, pair, c->blocks, PAIRS);
                }
            }
        }
    }
}

// -------------------------------------------------------------------- results

// A tile of one bundle from its 36 products; what lies beyond the edge of the
// image is left out.
WSR_INLINE void finish_tile(const output *o, const float *mask, int64_t at,
                            const float *products, int64_t step,
                            const int64_t size[2], finish *f)
{
    vb half[WINO][SIDE];
    WSR_UNROLL
    for (int x = 0; x < SIDE; x++) {
        vb m[SIDE];
        vb result[WINO];
        WSR_UNROLL
        for (int y = 0; y < SIDE; y++) {
            m[y] = ldbu(products + (y * SIDE + x) * step);
        }
        transform_result(result, m);
        WSR_UNROLL
        for (int y = 0; y < WINO; y++) {
            half[y][x] = result[y];
        }
    }
    for (int64_t y = 0; y < size[0]; y++) {
        vb result[WINO];
        transform_result(result, half[y]);
        WSR_UNROLL
        for (int x = 0; x < WINO; x++) {
            if (x < size[1]) {
                store_result(o->data, mask,
                             at + (y * o->width + x) * WSR__BLOCK, result[x],
                             f);
            }
        }
    }
}

// The results of a stretch of tiles, of one group. Sums are added tile by tile,
// whatever chunk a tile is in.
static void finish_stretch(const call *c, const float *products,
                           const stretch *s, int64_t group)
{
    const output *const o = &c->out;
    const int64_t step = c->l.chunk * OUTS;
    const int64_t first = group * DENSE_PAIRS * 2;
    const int64_t height = o->plane / (o->width * WSR__BLOCK);
    const float *const mask = mask_of(o);
    finish f[BUNDLES];
    finish_bundles(f, o, first, BUNDLES);
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t y = (s->first + i) / c->l.across * WINO;
        const int64_t x = (s->first + i) % c->l.across * WINO;
        const int64_t size[2] = {min64(WINO, height - y),
                                 min64(WINO, o->width - x)};
        for (int k = 0; k < BUNDLES; k++) {
            if (f[k].count > 0) {
                const int64_t at = s->image * o->step +
                                   (first + k * BUNDLE_BLOCKS) * o->plane +
                                   (y * o->width + x) * WSR__BLOCK;
                finish_tile(o, mask, at,
                            products + (s->at + i) * OUTS + k * BUNDLE, step,
                            size, &f[k]);
            }
        }
        flush_bundles(f, BUNDLES);
    }
    add_sums(o, f, s->image, first, BUNDLES);
}

// ---------------------------------------------------------------------- items

// A thread's memory.
typedef struct memory {
    float *padded;
    float *inputs;
    float *products;
} memory;

// The stretch that starts with tile `at` of a chunk, of which tile `begin` of
// the item is the first and `end` the one behind the last.
static stretch stretch_of(const call *c, int64_t image, int64_t begin,
                          int64_t end, int64_t at)
{
    const int64_t tiles = c->l.down * c->l.across;
    const int64_t i = begin + at;
    return (stretch){.image = image + i / tiles,
                     .first = i % tiles,
                     .n = min64(end - i, tiles - i % tiles),
                     .at = at};
}

static void read_stretch(const memory *m, const call *c, const stretch *s)
{
    const wsr__dense_layout *const l = &c->l.rows;
    const int64_t top = s->first / c->l.across;
    const int64_t last = (s->first + s->n - 1) / c->l.across;
    for (int64_t b = 0; b < c->blocks; b++) {
        read_padded(m->padded, &c->in, l, (const int64_t[]){s->image, b},
                    top * WINO + l->first[0], (last - top + 1) * WINO + 2);
        transform_stretch(m->inputs + (b * c->l.chunk + s->at) * WSR__BLOCK, c,
                          m->padded, s);
    }
}

// Products are made of whole runs: the tiles that fill up the last one are
// zeros.
static void clear_rest(const memory *m, const call *c, int64_t n)
{
    const int64_t rest = (n + RUN - 1) / RUN * RUN - n;
    for (int64_t i = 0; rest > 0 && i < WINO_TAPS * c->blocks; i++) {
        memset(m->inputs + (i * c->l.chunk + n) * WSR__BLOCK, 0,
               (size_t)(rest * WSR__BLOCK) * sizeof(float));
    }
}

// Tiles [begin, end) of the images from `image` on, groups [groups[0],
// groups[1]).
static void chunk(const memory *m, const call *c, int64_t image, int64_t begin,
                  int64_t end, const int64_t groups[2])
{
    stretch s;
    for (int64_t at = 0; at < end - begin; at += s.n) {
        s = stretch_of(c, image, begin, end, at);
        read_stretch(m, c, &s);
    }
    clear_rest(m, c, end - begin);
    for (int64_t g = groups[0]; g < groups[1]; g++) {
        multiply(m->products, c, m->inputs, end - begin, g);
        for (int64_t at = 0; at < end - begin; at += s.n) {
            s = stretch_of(c, image, begin, end, at);
            finish_stretch(c, m->products, &s, g);
        }
    }
}

static void item(const memory *m, const call *c, const int64_t images[2],
                 const int64_t groups[2])
{
    const int64_t tiles = (images[1] - images[0]) * c->l.down * c->l.across;
    const int64_t first = groups[0] * DENSE_PAIRS * 2;
    const int64_t last = min64(groups[1] * DENSE_PAIRS * 2, c->out.blocks);
    for (int64_t n = images[0]; n < images[1]; n++) {
        clear_sums(&c->out, n, first, last);
    }
    for (int64_t t = 0; t < tiles; t += c->l.chunk) {
        chunk(m, c, images[0], t, min64(t + c->l.chunk, tiles), groups);
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
    m.inputs = m.padded + c->l.padded;
    m.products = m.inputs + c->l.inputs;
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / c->parts * c->images;
        const int64_t k = i % c->parts;
        const int64_t images[2] = {n, min64(n + c->images, c->p->conv.n)};
        const int64_t groups[2] = {k * c->groups / c->parts,
                                   (k + 1) * c->groups / c->parts};
        item(&m, c, images, groups);
    }
}

// Items are as many images as fill a chunk. Where these are fewer than threads,
// the groups are shared as well, whose weights are then read once.
static void run(call *c)
{
    const int64_t threads = c->threads->count;
    c->blocks = wsr__blocks(c->l.rows.ins);
    c->groups = (c->out.blocks + 2 * DENSE_PAIRS - 1) / (2 * DENSE_PAIRS);
    c->images = c->l.images;
    const int64_t items = (c->p->conv.n + c->images - 1) / c->images;
    c->parts = items >= 4 * threads || items % threads == 0
                   ? 1
                   : min64(c->groups, threads);
    wsr__parallel_among(items * c->parts, threads, body, c);
}

void WSR_NAME(wsr__winograd_forward)(float *dst, const wsr__dense *p,
                                     const float *src, const float *weights,
                                     const wsr__thread_scratch *threads,
                                     const wsr__fwd *fwd)
{
    static const wsr__fwd none = {0};
    const wsr__fwd *const how = fwd != NULL ? fwd : &none;
    call c = {.p = p,
              .l = wsr__winograd_layout_of(p, true),
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
              .l = wsr__winograd_layout_of(p, false),
              .in = input_backward(p, diff_dst, how->affine),
              .out = output_backward(p, diff_src, how),
              .weights = transposed,
              .threads = threads};
    run(&c);
}
