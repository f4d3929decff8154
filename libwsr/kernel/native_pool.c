// SPDX-License-Identifier: Apache-2.0
//
// Maximum and average pools of any window, and the global average. Forward
// gathers: it reads the window of each pixel of dst. Backward scatters: it adds
// each pixel of diff_dst to its window of diff_src, so that it reads diff_dst,
// and applies the norm behind it, once per pixel. The windows that networks
// use, 3x3, have kernels of their own in native_pool3.c.

#include "kernel/native_pool.h"

#include <math.h>

static pool_call call_of(const wsr__pool *p)
{
    return (pool_call){.p = p, .blocks = wsr__blocks(p->c)};
}

// Where the planes of work item `item` begin: one channel block of one image.
// src and dst may be views; the index is dense.
static pool_plane plane_of(const pool_call *c, int64_t item)
{
    const wsr__pool *const p = c->p;
    const int64_t in = p->h * p->w;
    const int64_t out = p->oh * p->ow;
    const int64_t n = item / c->blocks;
    const int64_t b = item % c->blocks;
    return (pool_plane){
        .block = b,
        .in = n * batch_stride_of(p->src_batch_stride, p->c, in) +
              b * in * WSR__BLOCK,
        .out = n * batch_stride_of(p->dst_batch_stride, p->c, out) +
               b * out * WSR__BLOCK,
        .saved = saved_at(c->affine, n, p->c, out) + b * out * WSR__BLOCK,
        .index = item * out * WSR__BLOCK,
    };
}

// ------------------------------------------------------------------ forward

// The window's taps are visited in row-major order, and a later one wins only
// if it is larger: the first maximum stays. Padding takes no part. A number of
// a tap fits into a byte since the kernel is at most 15.
static void max_plane(const pool_call *c, const pool_plane *at)
{
    const wsr__pool *const p = c->p;
    const int64_t pitch = p->w * WSR__BLOCK;
    for (int64_t i = 0; i < p->oh * p->ow; i++) {
        const span s = span_of(p, i / p->ow, i % p->ow);
        const float *const corner = c->src + at->in + s.top * pitch +
                                    s.left * WSR__BLOCK;
        v8 value = splat8(-INFINITY);
        v8 tap = splat8((float)(s.begin[0] * p->kernel + s.begin[1]));
        for (int64_t ky = s.begin[0]; ky < s.end[0]; ky++) {
            for (int64_t kx = s.begin[1]; kx < s.end[1]; kx++) {
                const v8 x = ld8(corner + ky * pitch + kx * WSR__BLOCK);
                const v8 more = beats8(x, value);
                value = select8(more, x, value);
                tap = select8(more, splat8((float)(ky * p->kernel + kx)), tap);
            }
        }
        st8(c->dst + at->out + i * WSR__BLOCK, value);
        if (c->index != NULL) {
            st8_bytes(c->index + at->index + i * WSR__BLOCK, tap);
        }
    }
}

// The sum over the part of the window that lies in the image, divided by the
// size of that part, or of the whole window with count_pad.
static void avg_plane(const pool_call *c, const pool_plane *at)
{
    const wsr__pool *const p = c->p;
    const int64_t pitch = p->w * WSR__BLOCK;
    for (int64_t i = 0; i < p->oh * p->ow; i++) {
        const span s = span_of(p, i / p->ow, i % p->ow);
        const float *const corner = c->src + at->in + s.top * pitch +
                                    s.left * WSR__BLOCK;
        v8 sum = splat8(0.0f);
        for (int64_t ky = s.begin[0]; ky < s.end[0]; ky++) {
            for (int64_t kx = s.begin[1]; kx < s.end[1]; kx++) {
                sum = add8(sum, ld8(corner + ky * pitch + kx * WSR__BLOCK));
            }
        }
        st8(c->dst + at->out + i * WSR__BLOCK,
            mul8(sum, splat8(share_of(p, &s))));
    }
}

// A pass over one plane.
typedef void (*plane_kernel)(const pool_call *c, const pool_plane *at);

// Pool planes, and reduce each to its moments while the cache holds it.
static void forward_planes(const pool_call *c, int64_t begin, int64_t end,
                           plane_kernel one)
{
    const wsr__pool *const p = c->p;
    const int64_t pixels = p->oh * p->ow;
    for (int64_t i = begin; i < end; i++) {
        const pool_plane at = plane_of(c, i);
        one(c, &at);
        if (c->moments != NULL) {
            const int64_t item = moments_item(i / c->blocks, at.block, p->c,
                                              p->dst_batch_stride, pixels);
            WSR_NAME(wsr__plane_moments)
            (c->moments + item * 2 * WSR__BLOCK, c->dst + at.out, pixels);
        }
    }
}

// Work items are planes, of which no two share a number of dst.
static void max_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const pool_call *const c = ctx;
    const bool fits = WSR_NAME(wsr__pool3_fits)(c->p);
    forward_planes(c, begin, end, fits ? WSR_NAME(wsr__pool3_max) : max_plane);
}

// The 3x3 kernels do the same work with fewer loads; results may differ from
// the general ones in rounding only.
static void avg_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const pool_call *const c = ctx;
    const bool fits = WSR_NAME(wsr__pool3_fits)(c->p);
    forward_planes(c, begin, end, fits ? WSR_NAME(wsr__pool3_avg) : avg_plane);
}

void WSR_NAME(wsr__max_pool_forward)(float *dst, uint8_t *index,
                                     const wsr__pool *p, const float *src,
                                     double *moments)
{
    pool_call c = call_of(p);
    c.src = src;
    c.dst = dst;
    c.index = index;
    c.moments = moments;
    wsr__parallel(p->n * c.blocks, max_body, &c);
}

void WSR_NAME(wsr__avg_pool_forward)(float *dst, const wsr__pool *p,
                                     const float *src, double *moments)
{
    pool_call c = call_of(p);
    c.src = src;
    c.dst = dst;
    c.moments = moments;
    wsr__parallel(p->n * c.blocks, avg_body, &c);
}

// ----------------------------------------------------------------- backward

// Add a gradient to the pixels of its window: to all, or to the one that
// was the maximum.
static void scatter(const pool_call *c, float *corner, const span *s, v8 g,
                    const uint8_t *index)
{
    const int64_t pitch = c->p->w * WSR__BLOCK;
    for (int64_t ky = s->begin[0]; ky < s->end[0]; ky++) {
        for (int64_t kx = s->begin[1]; kx < s->end[1]; kx++) {
            float *const to = corner + ky * pitch + kx * WSR__BLOCK;
            v8 part = g;
            if (index != NULL) {
                const v8 tap = splat8((float)(ky * c->p->kernel + kx));
                part = keep8(equal8(ld8_bytes(index), tap), g);
            }
            st8(to, add8(ld8(to), part));
        }
    }
}

// Windows overlap, so pixels are added to a plane that starts at zero, or at
// what it held with accumulate.
static void backward_plane(const pool_call *c, const pool_plane *at)
{
    const wsr__pool *const p = c->p;
    const int64_t pitch = p->w * WSR__BLOCK;
    const affineb a = affineb_of(c->affine, at->block, 1);
    if (!c->accumulate) {
        memset(c->dst + at->in, 0, (size_t)(p->h * pitch) * sizeof(*c->dst));
    }
    for (int64_t i = 0; i < p->oh * p->ow; i++) {
        const span s = span_of(p, i / p->ow, i % p->ow);
        float *const corner = c->dst + at->in + s.top * pitch +
                              s.left * WSR__BLOCK;
        vb diff = load_blocks(c->src + at->out + i * WSR__BLOCK, 0);
        if (a.on) {
            const float *const saved = c->affine->dst + at->saved;
            diff =
                affineb_apply(diff, load_blocks(saved + i * WSR__BLOCK, 0), &a);
        }
        v8 g = block_of(diff, 0);
        if (c->saved == NULL) {
            g = mul8(g, splat8(share_of(p, &s)));
        }
        scatter(c, corner, &s, g,
                c->saved != NULL ? c->saved + at->index + i * WSR__BLOCK
                                 : NULL);
    }
}

// A plane of diff_src is written by one thread, windows and all.
static void backward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const pool_call *const c = ctx;
    const plane_kernel one = WSR_NAME(wsr__pool3_fits)(c->p)
                                 ? WSR_NAME(wsr__pool3_backward)
                                 : backward_plane;
    for (int64_t i = begin; i < end; i++) {
        const pool_plane at = plane_of(c, i);
        one(c, &at);
    }
}

// Both pools; index is NULL for an average.
static void backward(float *diff_src, const wsr__pool *p, const float *diff_dst,
                     const uint8_t *index, const wsr__affine *affine,
                     bool accumulate)
{
    pool_call c = call_of(p);
    c.src = diff_dst;
    c.dst = diff_src;
    c.saved = index;
    c.affine = affine;
    c.accumulate = accumulate;
    wsr__parallel(p->n * c.blocks, backward_body, &c);
}

void WSR_NAME(wsr__max_pool_backward)(float *diff_src, const wsr__pool *p,
                                      const float *diff_dst,
                                      const uint8_t *index,
                                      const wsr__affine *affine,
                                      bool accumulate)
{
    backward(diff_src, p, diff_dst, index, affine, accumulate);
}

void WSR_NAME(wsr__avg_pool_backward)(float *diff_src, const wsr__pool *p,
                                      const float *diff_dst,
                                      const wsr__affine *affine,
                                      bool accumulate)
{
    backward(diff_src, p, diff_dst, NULL, affine, accumulate);
}

// ----------------------------------------------------------- global average

// A call of the global average; the plain side is dense.
typedef struct global {
    const wsr__dims *d;
    int64_t blocks;
    int64_t pixels;
    const float *src;
    float *dst;
    bool accumulate;
} global;

// Work items are planes. Sums are in double: a plane may have many pixels.
static void global_forward_body(void *ctx, int64_t begin, int64_t end,
                                size_t part)
{
    (void)part;
    const global *const c = ctx;
    const wsr__dims *const d = c->d;
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / c->blocks;
        const int64_t first = i % c->blocks * WSR__BLOCK;
        const float *const src =
            c->src + n * batch_stride_of(d->src_batch_stride, d->c, c->pixels) +
            first * c->pixels;
        double sum[WSR__BLOCK] = {0};
        for (int64_t k = 0; k < c->pixels; k++) {
            add_d8(sum, ld8(src + k * WSR__BLOCK));
        }
        for (int64_t k = first; k < min64(d->c, first + WSR__BLOCK); k++) {
            c->dst[n * d->c + k] = (float)(sum[k - first] / (double)c->pixels);
        }
    }
}

void WSR_NAME(wsr__global_avg_forward)(float *dst, const wsr__dims *d,
                                       const float *src)
{
    global c = {.d = d,
                .blocks = wsr__blocks(d->c),
                .pixels = d->h * d->w,
                .src = src,
                .dst = dst};
    wsr__parallel(d->n * c.blocks, global_forward_body, &c);
}

// Every pixel of a channel gets the same share; padding channels get zero.
static void global_backward_body(void *ctx, int64_t begin, int64_t end,
                                 size_t part)
{
    (void)part;
    const global *const c = ctx;
    const wsr__dims *const d = c->d;
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / c->blocks;
        const int64_t first = i % c->blocks * WSR__BLOCK;
        float *const dst =
            c->dst + n * batch_stride_of(d->dst_batch_stride, d->c, c->pixels) +
            first * c->pixels;
        float share[WSR__BLOCK] = {0};
        for (int64_t k = first; k < min64(d->c, first + WSR__BLOCK); k++) {
            share[k - first] = c->src[n * d->c + k] / (float)c->pixels;
        }
        const v8 g = ldu8(share);
        for (int64_t k = 0; k < c->pixels * WSR__BLOCK; k += WSR__BLOCK) {
            st8(dst + k, c->accumulate ? add8(ld8(dst + k), g) : g);
        }
    }
}

void WSR_NAME(wsr__global_avg_backward)(float *diff_src, const wsr__dims *d,
                                        const float *diff_dst, bool accumulate)
{
    global c = {.d = d,
                .blocks = wsr__blocks(d->c),
                .pixels = d->h * d->w,
                .src = diff_dst,
                .dst = diff_src,
                .accumulate = accumulate};
    wsr__parallel(d->n * c.blocks, global_backward_body, &c);
}
