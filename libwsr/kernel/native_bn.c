// SPDX-License-Identifier: Apache-2.0
//
// Batch normalisation and affine maps per channel.
//
// Statistics are computed plane by plane (one channel block of one image), in
// two passes of which the second finds the plane in the cache: the mean, then
// the squared deviations from it. A mean far from zero thus costs no digits.
// Kernels sum runs of pixels in float and add up runs in double; native_pack.c
// combines the planes of all images in double, in the order of the images.

#include "kernel/native_plane.h"

enum {
    RUN = 64,                // pixels of a run
    LANES = 4,               // sums side by side
    WIDE = 8 / BUNDLE_BLOCKS // bundles that are summed together
};

// ------------------------------------------------------------------ moments

// Sum of (x - centre) and of its square over a run, added to `sums`.
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

// Sums of (x - centre) and of its square over a plane, per channel.
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

// What all threads of one call read. Work items are planes: item i is block
// i % blocks of image i / blocks.
typedef struct call {
    const wsr__dims *d;
    int64_t blocks;
    int64_t plane; // floats of one
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

// Offset of a plane in tensors with `stride` floats per image.
WSR_INLINE int64_t offset_of(const call *c, int64_t item, int64_t stride)
{
    const int64_t dense = c->blocks * c->plane;
    return item / c->blocks * (stride != 0 ? stride : dense) +
           item % c->blocks * c->plane;
}

// Where the moments or sums of a plane lie, two numbers per channel. The array
// has a place for every block of the tensor that src is a view of.
WSR_INLINE int64_t item_sums(const call *c, int64_t item)
{
    return offset_of(c, item, c->d->src_batch_stride) / c->plane * 2 *
           WSR__BLOCK;
}

static void moments_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        WSR_NAME(wsr__plane_moments)
        (c->sums + item_sums(c, i),
         c->src + offset_of(c, i, c->d->src_batch_stride),
         c->plane / WSR__BLOCK);
    }
}

void WSR_NAME(wsr__bn_moments)(double *moments, const wsr__dims *d,
                               const float *src)
{
    call c = call_of(d);
    c.sums = moments;
    c.src = src;
    wsr__parallel(d->n * c.blocks, moments_body, &c);
}

// -------------------------------------------------------------------- apply

// n floats of one block. A bundle of a register for two blocks takes two
// pixels of it; the last pixel of an odd number is done alone.
WSR_INLINE void apply_plane(float *dst, const float *src, int64_t n,
                            const preb *pre, const bool accumulate)
{
    int64_t i = 0;
    for (; i + BUNDLE <= n; i += BUNDLE) {
        const vb y = preb_apply(ldbu(src + i), pre);
        stbu(dst + i, accumulate ? addb(ldbu(dst + i), y) : y);
    }
    if (i < n) {
        const vb y = preb_apply(load_blocks(src + i, 0), pre);
        store_blocks(dst + i, 0,
                     accumulate ? addb(load_blocks(dst + i, 0), y) : y);
    }
}

// The choice is made outside of the loop over pixels: `accumulate` is then a
// constant in it.
static void apply_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        const preb pre = preb_of(c->pre, i % c->blocks, 1);
        const float *const src = c->src +
                                 offset_of(c, i, c->d->src_batch_stride);
        float *const dst = c->dst + offset_of(c, i, c->d->dst_batch_stride);
        if (c->accumulate) {
            apply_plane(dst, src, c->plane, &pre, true);
        } else {
            apply_plane(dst, src, c->plane, &pre, false);
        }
    }
}

void WSR_NAME(wsr__bn_apply)(float *dst, const wsr__dims *d, const float *src,
                             const wsr__pre *pre, bool accumulate)
{
    call c = call_of(d);
    c.dst = dst;
    c.src = src;
    c.pre = pre;
    c.accumulate = accumulate;
    wsr__parallel(d->n * c.blocks, apply_body, &c);
}

// Source k at image at[0], block at[1], offset at[2] in the plane.
WSR_INLINE const float *summand_at(const call *c, size_t k, const int64_t at[3])
{
    const wsr__summand *const one = &c->many[k];
    const int64_t stride = one->batch_stride != 0 ? one->batch_stride
                                                  : c->blocks * c->plane;
    return one->src + at[0] * stride + at[1] * c->plane + at[2];
}

// One pixel of a sum of sources; at is image, block and offset in the plane.
WSR_INLINE void sum_pixel(const call *c, const int64_t at[3], float *dst)
{
    vb acc = splatb(0.0f);
    for (size_t k = 0; k < c->count; k++) {
        const preb pre = preb_of(c->many[k].pre, at[1], 1);
        const vb x = load_blocks(summand_at(c, k, at), 0);
        acc = addb(acc, preb_apply(x, &pre));
    }
    store_blocks(dst, 0, acc);
}

// The same for WIDE bundles of pixels, whose sums stay in registers over all
// sources. The sources are added in the same order as above.
WSR_INLINE void sum_pixels(const call *c, const int64_t at[3], float *dst)
{
    vb acc[WIDE];
    WSR_UNROLL
    for (int p = 0; p < WIDE; p++) {
        acc[p] = splatb(0.0f);
    }
    for (size_t k = 0; k < c->count; k++) {
        const preb pre = preb_of(c->many[k].pre, at[1], 1);
        const float *const from = opaque(summand_at(c, k, at));
        WSR_UNROLL
        for (int p = 0; p < WIDE; p++) {
            acc[p] = addb(acc[p], preb_apply(ldbu(from + p * BUNDLE), &pre));
        }
    }
    WSR_UNROLL
    for (int p = 0; p < WIDE; p++) {
        stbu(dst + p * BUNDLE, acc[p]);
    }
}

static void sum_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        float *const dst = c->dst + offset_of(c, i, c->d->dst_batch_stride);
        int64_t at[3] = {i / c->blocks, i % c->blocks, 0};
        for (; at[2] + WIDE * BUNDLE <= c->plane; at[2] += WIDE * BUNDLE) {
            sum_pixels(c, at, dst + at[2]);
        }
        for (; at[2] < c->plane; at[2] += WSR__BLOCK) {
            sum_pixel(c, at, dst + at[2]);
        }
    }
}

void WSR_NAME(wsr__bn_apply_sum)(float *dst, const wsr__dims *d,
                                 const wsr__summand *summands, size_t count)
{
    call c = call_of(d);
    c.dst = dst;
    c.many = summands;
    c.count = count;
    wsr__parallel(d->n * c.blocks, sum_body, &c);
}

// ----------------------------------------------------------------- backward

// Add to sums, over n pixels of one block, diff and diff * (src - mean).
WSR_INLINE void run_products(double sums[2 * WSR__BLOCK], const float *diff,
                             const float *src, int64_t n, v8 mean)
{
    v16 sum[2] = {splat16(0.0f), splat16(0.0f)};
    v16 product[2] = {splat16(0.0f), splat16(0.0f)};
    const v16 means = join16(mean, mean);
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        WSR_UNROLL
        for (int k = 0; k < 2; k++) {
            const v16 g = ldu16(diff + (i + 2 * k) * WSR__BLOCK);
            const v16 x = ldu16(src + (i + 2 * k) * WSR__BLOCK);
            sum[k] = add16(sum[k], g);
            product[k] = fma16(g, sub16(x, means), product[k]);
        }
    }
    const v16 both[2] = {add16(sum[0], sum[1]), add16(product[0], product[1])};
    v8 rest[2] = {add8(low16(both[0]), high16(both[0])),
                  add8(low16(both[1]), high16(both[1]))};
    for (; i < n; i++) {
        const v8 g = ld8(diff + i * WSR__BLOCK);
        rest[0] = add8(rest[0], g);
        rest[1] = fma8(g, sub8(ld8(src + i * WSR__BLOCK), mean), rest[1]);
    }
    add_d8(sums, rest[0]);
    add_d8(sums + WSR__BLOCK, rest[1]);
}

// Norms with the same gradient are reduced together: a run of diff is read
// from memory once and then from the cache.
static void reduce_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        const int64_t at = offset_of(c, i, c->d->src_batch_stride);
        const float *const diff = c->diff +
                                  offset_of(c, i, c->d->dst_batch_stride);
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

void WSR_NAME(wsr__bn_reduce)(const wsr__dims *d, const float *diff_dst,
                              const wsr__reduction *many, size_t count)
{
    call c = call_of(d);
    c.diff = diff_dst;
    c.reductions = many;
    c.count = count;
    wsr__parallel(d->n * c.blocks, reduce_body, &c);
}

// n floats of one block; see apply_plane for the last pixel.
WSR_INLINE void backward_plane(float *out, const float *diff, const float *src,
                               int64_t n, const affineb *a,
                               const bool accumulate)
{
    int64_t i = 0;
    for (; i + BUNDLE <= n; i += BUNDLE) {
        const vb y = affineb_apply(ldbu(diff + i), ldbu(src + i), a);
        stbu(out + i, accumulate ? addb(ldbu(out + i), y) : y);
    }
    if (i < n) {
        const vb y =
            affineb_apply(load_blocks(diff + i, 0), load_blocks(src + i, 0), a);
        store_blocks(out + i, 0,
                     accumulate ? addb(load_blocks(out + i, 0), y) : y);
    }
}

static void backward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        const affineb a = affineb_of(c->affine, i % c->blocks, 1);
        const float *const diff = c->diff +
                                  offset_of(c, i, c->d->src_batch_stride);
        const float *const src = c->affine->dst +
                                 offset_of(c, i, c->affine->batch_stride);
        float *const out = c->dst + offset_of(c, i, c->d->dst_batch_stride);
        if (c->accumulate) {
            backward_plane(out, diff, src, c->plane, &a, true);
        } else {
            backward_plane(out, diff, src, c->plane, &a, false);
        }
    }
}

void WSR_NAME(wsr__bn_backward)(float *diff_src, const wsr__dims *d,
                                const float *diff_dst,
                                const wsr__affine *affine, bool accumulate)
{
    call c = call_of(d);
    c.dst = diff_src;
    c.diff = diff_dst;
    c.affine = affine;
    c.accumulate = accumulate;
    wsr__parallel(d->n * c.blocks, backward_body, &c);
}
