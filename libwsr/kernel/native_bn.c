// SPDX-License-Identifier: Apache-2.0
//
// Batch normalisation and affine maps per channel.
//
// Statistics are taken plane by plane (one channel block of one image), in two
// passes over what is then in the cache: the mean, and the squared deviations
// from it, so that a mean far from zero costs no digits. Runs of pixels are
// summed in float, runs and planes in double.

#include "kernel/native_plane.h"

enum { RUN = 64, LANES = 4 }; // pixels of a run, sums side by side

// ------------------------------------------------------------------ moments

/// Sum of (x - centre) and of its square over a run, added to `sums`.
WSR_INLINE void run_sums(double sums[2][WSR__BLOCK], const float *x, int64_t n,
                         v8 centre)
{
    v8 sum[LANES];
    v8 square[LANES];
    for (int k = 0; k < LANES; k++) {
        sum[k] = splat8(0.0f);
        square[k] = splat8(0.0f);
    }
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        WSR_UNROLL
        for (int k = 0; k < LANES; k++) {
            const v8 d = sub8(ld8(x + (i + k) * WSR__BLOCK), centre);
            sum[k] = add8(sum[k], d);
            square[k] = fma8(d, d, square[k]);
        }
    }
    for (; i < n; i++) {
        const v8 d = sub8(ld8(x + i * WSR__BLOCK), centre);
        sum[0] = add8(sum[0], d);
        square[0] = fma8(d, d, square[0]);
    }
    add_d8(sums[0], add8(add8(sum[0], sum[1]), add8(sum[2], sum[3])));
    add_d8(sums[1],
           add8(add8(square[0], square[1]), add8(square[2], square[3])));
}

static void pass(double sums[2][WSR__BLOCK], const float *plane, int64_t pixels,
                 const float centre[WSR__BLOCK])
{
    memset(sums, 0, 2 * WSR__BLOCK * sizeof(double));
    for (int64_t i = 0; i < pixels; i += RUN) {
        run_sums(sums, plane + i * WSR__BLOCK, min64(RUN, pixels - i),
                 ldu8(centre));
    }
}

void WSR_NAME(wsr__plane_moments)(double moments[2 * WSR__BLOCK],
                                  const float *plane, int64_t pixels)
{
    float centre[WSR__BLOCK] = {0};
    double sums[2][WSR__BLOCK];
    const double m = (double)pixels;
    pass(sums, plane, pixels, centre);
    for (int k = 0; k < WSR__BLOCK; k++) {
        centre[k] = (float)(sums[0][k] / m);
    }
    pass(sums, plane, pixels, centre);
    for (int k = 0; k < WSR__BLOCK; k++) {
        const double off = sums[0][k] / m; // rounding of the centre
        moments[k] = (double)centre[k] + off;
        const double rest = sums[1][k] - sums[0][k] * off;
        moments[WSR__BLOCK + k] = rest > 0.0 ? rest : 0.0;
    }
}

/// Everything that the workers of one call share.
typedef struct call {
    const wsr__dims *d;
    int64_t blocks;
    int64_t plane; // floats
    double *sums;
    float *dst;
    const float *src;
    const float *diff;
    const wsr__pre *pre;
    const wsr__affine *affine;
    const wsr__summand *many;
    const wsr__reduction *reductions;
    size_t count;
    bool accumulate;
} call;

static call call_of(const wsr__dims *d)
{
    return (call){
        .d = d, .blocks = wsr__blocks(d->c), .plane = d->h * d->w * WSR__BLOCK};
}

/// Offset of a plane in tensors with `step` floats per image.
WSR_INLINE int64_t offset_of(const call *c, int64_t item, int64_t step)
{
    const int64_t dense = c->blocks * c->plane;
    return item / c->blocks * (step != 0 ? step : dense) +
           item % c->blocks * c->plane;
}

/// Where an item's two numbers per channel lie.
WSR_INLINE int64_t item_sums(const call *c, int64_t item)
{
    return offset_of(c, item, c->d->src_step) / c->plane * 2 * WSR__BLOCK;
}

static void moments_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        WSR_NAME(wsr__plane_moments)
        (c->sums + item_sums(c, i), c->src + offset_of(c, i, c->d->src_step),
         c->plane / WSR__BLOCK);
    }
}

static void moments(double *out, const wsr__dims *d, const float *src)
{
    call c = call_of(d);
    c.sums = out;
    c.src = src;
    wsr__parallel(d->n * c.blocks, moments_body, &c);
}

// -------------------------------------------------------------------- apply

WSR_INLINE void apply_plane(float *dst, const float *src, int64_t n,
                            const pre8 *pre, const bool accumulate)
{
    for (int64_t i = 0; i < n; i += WSR__BLOCK) {
        const v8 y = pre_apply(ld8(src + i), pre);
        st8(dst + i, accumulate ? add8(ld8(dst + i), y) : y);
    }
}

static void apply_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        const pre8 pre = pre_of(c->pre, i % c->blocks);
        const float *const src = c->src + offset_of(c, i, c->d->src_step);
        float *const dst = c->dst + offset_of(c, i, c->d->dst_step);
        if (c->accumulate) {
            apply_plane(dst, src, c->plane, &pre, true);
        } else {
            apply_plane(dst, src, c->plane, &pre, false);
        }
    }
}

static void apply(float *dst, const wsr__dims *d, const float *src,
                  const wsr__pre *pre, bool accumulate)
{
    call c = call_of(d);
    c.dst = dst;
    c.src = src;
    c.pre = pre;
    c.accumulate = accumulate;
    wsr__parallel(d->n * c.blocks, apply_body, &c);
}

/// P neighbouring pixels of a sum of sources; at is image, block and offset in
/// the plane.
WSR_INLINE void sum_pixels(const call *c, const int64_t at[3], float *dst,
                           const int P)
{
    v8 acc[4];
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        acc[p] = splat8(0.0f);
    }
    for (size_t k = 0; k < c->count; k++) {
        const wsr__summand *const one = &c->many[k];
        const int64_t step = one->step != 0 ? one->step : c->blocks * c->plane;
        const pre8 pre = pre_of(one->pre, at[1]);
        const float *const from =
            opaque(one->src + at[0] * step + at[1] * c->plane + at[2]);
        WSR_UNROLL
        for (int p = 0; p < P; p++) {
            acc[p] = add8(acc[p], pre_apply(ld8(from + p * WSR__BLOCK), &pre));
        }
    }
    WSR_UNROLL
    for (int p = 0; p < P; p++) {
        st8(dst + p * WSR__BLOCK, acc[p]);
    }
}

static void sum_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        float *const dst = c->dst + offset_of(c, i, c->d->dst_step);
        int64_t at[3] = {i / c->blocks, i % c->blocks, 0};
        for (; at[2] + 4 * WSR__BLOCK <= c->plane; at[2] += 4 * WSR__BLOCK) {
            sum_pixels(c, at, dst + at[2], 4);
        }
        for (; at[2] < c->plane; at[2] += WSR__BLOCK) {
            sum_pixels(c, at, dst + at[2], 1);
        }
    }
}

static void apply_sum(float *dst, const wsr__dims *d,
                      const wsr__summand *summands, size_t count)
{
    call c = call_of(d);
    c.dst = dst;
    c.many = summands;
    c.count = count;
    wsr__parallel(d->n * c.blocks, sum_body, &c);
}

// ----------------------------------------------------------------- backward

WSR_INLINE void run_products(double sums[2 * WSR__BLOCK], const float *diff,
                             const float *src, int64_t n, v8 mean)
{
    v8 sum[2] = {splat8(0.0f), splat8(0.0f)};
    v8 product[2] = {splat8(0.0f), splat8(0.0f)};
    for (int64_t i = 0; i < n; i += 2) {
        const int last = i + 1 < n ? 2 : 1;
        for (int k = 0; k < last; k++) {
            const v8 g = ld8(diff + (i + k) * WSR__BLOCK);
            const v8 x = ld8(src + (i + k) * WSR__BLOCK);
            sum[k] = add8(sum[k], g);
            product[k] = fma8(g, sub8(x, mean), product[k]);
        }
    }
    add_d8(sums, add8(sum[0], sum[1]));
    add_d8(sums + WSR__BLOCK, add8(product[0], product[1]));
}

static void reduce_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        const int64_t at = offset_of(c, i, c->d->src_step);
        const float *const diff = c->diff + offset_of(c, i, c->d->dst_step);
        for (size_t r = 0; r < c->count; r++) {
            memset(c->reductions[r].sums + item_sums(c, i), 0,
                   2 * WSR__BLOCK * sizeof(double));
        }
        for (int64_t k = 0; k < c->plane; k += RUN * WSR__BLOCK) {
            const int64_t n = min64(RUN, (c->plane - k) / WSR__BLOCK);
            for (size_t r = 0; r < c->count; r++) {
                const wsr__reduction *const one = &c->reductions[r];
                run_products(one->sums + item_sums(c, i), diff + k,
                             one->src + at + k, n,
                             ldu8(one->mean + i % c->blocks * WSR__BLOCK));
            }
        }
    }
}

static void reduce(const wsr__dims *d, const float *diff_dst,
                   const wsr__reduction *many, size_t count)
{
    call c = call_of(d);
    c.diff = diff_dst;
    c.reductions = many;
    c.count = count;
    wsr__parallel(d->n * c.blocks, reduce_body, &c);
}

WSR_INLINE void backward_plane(float *out, const float *diff, const float *src,
                               int64_t n, const affine8 *a,
                               const bool accumulate)
{
    for (int64_t i = 0; i < n; i += WSR__BLOCK) {
        const v8 y = affine_apply(ld8(diff + i), ld8(src + i), a);
        st8(out + i, accumulate ? add8(ld8(out + i), y) : y);
    }
}

static void backward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        const affine8 a = affine_of(c->affine, i % c->blocks);
        const float *const diff = c->diff + offset_of(c, i, c->d->src_step);
        const float *const src = c->affine->dst +
                                 offset_of(c, i, c->affine->step);
        float *const out = c->dst + offset_of(c, i, c->d->dst_step);
        if (c->accumulate) {
            backward_plane(out, diff, src, c->plane, &a, true);
        } else {
            backward_plane(out, diff, src, c->plane, &a, false);
        }
    }
}

static void backward(float *diff_src, const wsr__dims *d, const float *diff_dst,
                     const wsr__affine *affine, bool accumulate)
{
    call c = call_of(d);
    c.dst = diff_src;
    c.diff = diff_dst;
    c.affine = affine;
    c.accumulate = accumulate;
    wsr__parallel(d->n * c.blocks, backward_body, &c);
}

const wsr__native_bn WSR_NAME(wsr__native_bn) = {
    .moments = moments,
    .apply = apply,
    .apply_sum = apply_sum,
    .reduce = reduce,
    .backward = backward,
};
