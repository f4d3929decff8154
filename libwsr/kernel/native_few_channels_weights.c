// SPDX-License-Identifier: Apache-2.0
//
// Convolutions with few channels on one side: gradients of the weights.
//
//   weight[m][f][ky][kx] += sum over pixels of many[m] * splat(few[f])
//
// A thread keeps the gradients of a pair of blocks for a group of images, and
// the groups are added in their order.

#include "kernel/native_few_channels.h"

// Add a strip's products to the gradients of `count` rows of taps.
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

// So many rows of taps at a time that registers hold their sums.
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

// Add to the gradient of one pair of blocks what `width` pixels from row
// at[0], column at[1] of image n contribute. A pair without a second block
// reads zeros for it.
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

// Items are pairs of blocks of groups of images.
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
