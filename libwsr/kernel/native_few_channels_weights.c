// SPDX-License-Identifier: Apache-2.0
//
// Convolutions with few channels on one side: gradients of the weights.
//
//   weight[m][f][ky][kx] += sum over pixels of many[m] * splat(few[f])
//
// A thread keeps the gradients of a pair of blocks for a group of images, and
// the groups are added in their order. Where the gradient of the many side is
// wanted too, it is made just before, image by image: both passes read src, and
// the second finds it in the cache.

#include "kernel/native_few_channels.h"

// With AVX-512 two pairs of blocks share the loads of the few side, for which
// multiply-adds would have to wait otherwise.
enum {
    MOST_SUMS_OF_TAPS = WSR_AVX512 ? 28 : 6, // that registers hold
    SUMS = WSR_AVX512 ? 28 : MOST,
    TOGETHER = WSR_AVX512 ? 2 : 1, // pairs of blocks
    CHUNK = 4 // pairs of blocks that share what is read of the few side
};

// A band of the many side and the rows of the few side that meet it.
typedef struct band {
    float few[LINES * PITCH];
    _Alignas(64) float many[TOGETHER][2 / BUNDLE_BLOCKS][BAND * STRIP * BUNDLE];
    int64_t rows;
    int64_t width;
} band;

// Both blocks of pixel i of a band, of pair q.
WSR_INLINE v16 pair_of(const band *b, const int q, int64_t i)
{
#if WSR_AVX512
    return ld16(b->many[q][0] + i * BUNDLE);
#else
    return join16(ld8(b->many[q][0] + i * BUNDLE),
                  ld8(b->many[q][1] + i * BUNDLE));
#endif
}

// What is computed at a time, always constants.
typedef struct extent {
    int rows; // of taps
    int kernel;
    int pairs;
} extent;

// The products of one pixel of the pairs with what their taps meet.
WSR_INLINE void add_pixel(v16 *acc, const float *met, v16 v, v16 w,
                          const extent e)
{
    const int area = e.rows * e.kernel;
    WSR_UNROLL
    for (int i = 0; i < area; i++) {
        const v16 any = splat16(met[i / e.kernel * PITCH + i % e.kernel]);
        const v16 a = e.pairs > 1 ? held16(any) : any;
        acc[i] = fma16(a, v, acc[i]);
        if (e.pairs > 1) {
            acc[area + i] = fma16(a, w, acc[area + i]);
        }
    }
}

// Add a band's products to the gradients of some rows of taps, of which `first`
// meets the first row; those of the second pair are `pitch` floats behind.
WSR_INLINE void weights_rows(float *sum, int64_t pitch, const band *b,
                             const float *first, const extent e)
{
    const int area = e.rows * e.kernel;
    v16 acc[SUMS];
    WSR_UNROLL
    for (int i = 0; i < e.pairs * area; i++) {
        acc[i] = ldu16(sum + i / area * pitch + i % area * PAIR);
    }
    for (int64_t y = 0; y < b->rows; y++) {
        const float *const few = first + y * PITCH;
        for (int64_t x = 0; x < b->width; x++) {
            const v16 v = pair_of(b, 0, y * b->width + x);
            const v16 w =
                e.pairs > 1 ? pair_of(b, e.pairs - 1, y * b->width + x) : v;
            const float *const met = opaque(few + x); // see to_many_run()
            add_pixel(acc, met, v, w, e);
        }
    }
    WSR_UNROLL
    for (int i = 0; i < e.pairs * area; i++) {
        stu16(sum + i / area * pitch + i % area * PAIR, acc[i]);
    }
}

// So many rows of a channel's taps at a time that registers hold their sums.
WSR_INLINE void weights_kernel(float *sum, const call *c, const band *b,
                               ahead *next, const int kernel, const int pairs)
{
    const int most = MOST_SUMS_OF_TAPS / kernel / pairs;
    const int count = most == 0 ? 1 : most < kernel ? most : kernel;
    const int rest = kernel % count;
    const int64_t pitch = taps_of(c->p) * PAIR;
    for (int64_t t = 0; t < c->p->few; t++) {
        const float *const few = b->few + t * (b->rows + kernel - 1) * PITCH;
        float *const of = sum + t * kernel * kernel * PAIR;
        int64_t ky = 0;
        ask(next);
        for (; ky + count <= kernel; ky += count) {
            weights_rows(of + ky * kernel * PAIR, pitch, b, few + ky * PITCH,
                         (extent){count, kernel, pairs});
        }
        if (rest > 0) {
            weights_rows(of + ky * kernel * PAIR, pitch, b, few + ky * PITCH,
                         (extent){rest, kernel, pairs});
        }
    }
}

WSR_INLINE void weights_pairs(float *sum, const call *c, const band *b,
                              ahead *next, const int pairs)
{
    if (c->p->kernel == 3) {
        weights_kernel(sum, c, b, next, 3, pairs);
    } else if (c->p->kernel == 5) {
        weights_kernel(sum, c, b, next, 5, pairs);
    } else {
        weights_kernel(sum, c, b, next, 7, pairs);
    }
}

// What a band has of one pair of blocks. For a second block that is missing it
// reads the first again: nobody asks for the gradients that come of that.
static void read_pair(band *b, const call *c, const int q, const int64_t at[3],
                      int64_t pair)
{
    const int64_t blocks = wsr__blocks(c->p->many);
    for (int64_t k = 0; k < 2; k += BUNDLE_BLOCKS) {
        const int64_t block = min64(2 * pair + k, blocks - 1);
        const int count = bundle_count(block, blocks);
        for (int64_t y = 0; y < b->rows; y++) {
            const place from = {at[2], block,
                                ((at[0] + y) * c->p->ow + at[1]) * WSR__BLOCK};
            read_bundle(b->many[q][k / BUNDLE_BLOCKS] + y * b->width * BUNDLE,
                        c, from, b->width, count);
        }
    }
}

// Add to the gradients of some pairs of blocks what a band of image at[2] from
// row at[0], column at[1] on contributes.
static void weights_band(float *sum, const call *c, band *b,
                         const int64_t at[3], const int64_t pairs[2])
{
    const wsr__few_channels *const p = c->p;
    b->rows = min64(BAND, p->oh - at[0]);
    b->width = min64(STRIP, p->ow - at[1]);
    read_few(b->few, c, at[2], at, b->rows, b->width);
    int64_t count;
    for (int64_t i = pairs[0]; i < pairs[1]; i += count) {
        float *const to = sum + i * taps_of(p) * PAIR;
        count = min64(TOGETHER, pairs[1] - i);
        for (int q = 0; q < count; q++) {
            read_pair(b, c, q, at, i + q);
        }
        const place place_of_next = {at[2], 2 * (i + count),
                                     at[0] * p->ow * WSR__BLOCK};
        ahead next = ahead_of(c, place_of_next, 2 * TOGETHER,
                              b->rows * p->ow * WSR__BLOCK, p->few);
        if (count == TOGETHER) {
            weights_pairs(to, c, b, &next, TOGETHER);
        } else {
            weights_pairs(to, c, b, &next, 1);
        }
    }
}

static void weights_image(float *sum, const call *c, band *b, int64_t n,
                          const int64_t pairs[2])
{
    for (int64_t y = 0; y < c->p->oh; y += BAND) {
        for (int64_t x = 0; x < c->p->ow; x += STRIP) {
            weights_band(sum, c, b, (const int64_t[]){y, x, n}, pairs);
        }
    }
}

// The passes over the images: of the weights, and of the many side or NULL.
typedef struct passes {
    const call *weights;
    const call *many;
} passes;

// Items are chunks of pairs of blocks of groups of images.
static void weights_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const passes *const both = ctx;
    const call *const c = both->weights;
    const wsr__few_channels *const p = c->p;
    const int64_t groups = wsr__image_groups(p->n);
    const int64_t chunks = (c->pairs + CHUNK - 1) / CHUNK;
    const int64_t size = taps_of(p) * PAIR;
    band b;
    for (int64_t i = begin; i < end; i++) {
        const int64_t group = i / chunks;
        const int64_t pairs[2] = {i % chunks * CHUNK,
                                  min64((i % chunks + 1) * CHUNK, c->pairs)};
        float *const sum = c->out + group * c->pairs * size;
        memset(sum + pairs[0] * size, 0,
               (size_t)((pairs[1] - pairs[0]) * size) * sizeof(*sum));
        const int64_t last = (group + 1) * p->n / groups;
        for (int64_t n = group * p->n / groups; n < last; n++) {
            if (both->many != NULL) {
                WSR_NAME(wsr__few_channels_to_many)(both->many, n, pairs);
            }
            weights_image(sum, c, &b, n, pairs);
        }
    }
}

// The gradients of the weights, each chunk after the pass `many` or NULL.
static void run(float *diff_weights, const call *c, const call *many)
{
    const int64_t groups = wsr__image_groups(c->p->n);
    passes both = {c, many};
    wsr__parallel(groups * ((c->pairs + CHUNK - 1) / CHUNK), weights_body,
                  &both);
    WSR_NAME(wsr__sum_images)
    (diff_weights, c->out, groups,
     (int64_t)wsr__few_channels_weights_size(c->p));
}

void WSR_NAME(wsr__few_channels_backward_weights)(float *diff_weights,
                                                  const wsr__few_channels *p,
                                                  const float *src,
                                                  const float *diff_dst,
                                                  const wsr__wgrad *opt)
{
    const options read = {.pre = opt->pre, .affine = opt->affine};
    call c = call_of(p, &read);
    c.few = p->few_dst ? diff_dst : src;
    c.many = p->few_dst ? src : diff_dst;
    c.out = opt->scratch;
    run(diff_weights, &c, NULL);
}

void WSR_NAME(wsr__few_channels_backward)(const wsr__few_channels_grads *grads,
                                          const wsr__few_channels *p,
                                          const float *const data[2],
                                          const float *weights,
                                          const wsr__bwd *bwd)
{
    wsr__few_channels of_src = *p;
    of_src.batch_stride = grads->src_batch_stride;
    call many = call_of(&of_src, &(options){.affine = bwd->affine,
                                            .relu_mask = bwd->relu_mask,
                                            .accumulate = bwd->accumulate});
    call c = call_of(p, &(options){.pre = grads->pre});
    many.few = data[1];
    many.weights = weights;
    many.out = grads->src;
    c.few = data[1];
    c.many = data[0];
    c.out = grads->scratch;
    run(grads->weights, &c, &many);
}
