// SPDX-License-Identifier: Apache-2.0
//
// Maximum and average pools. Forward gathers each window; where it lies wholly
// inside the image and is 3x3, with all loops unrolled. Backward scatters, so
// that a gradient (and the norm that it is read through) is formed once.

#include "kernel/native_plane.h"

#include <math.h>

/// Everything that the workers of one call share.
typedef struct call {
    const wsr__pool *p;
    int64_t blocks;
    const float *src; // forward: src; backward: diff_dst
    float *dst;       // forward: dst; backward: diff_src
    uint8_t *index;
    const uint8_t *saved; // index of forward
    double *moments;
    const wsr__affine *affine;
    bool accumulate;
} call;

static call call_of(const wsr__pool *p)
{
    return (call){.p = p, .blocks = wsr__blocks(p->c)};
}

/// One plane: offsets in tensors of src's and of dst's shape.
typedef struct plane {
    int64_t block;
    int64_t in;
    int64_t out;
    int64_t index;
} plane;

static plane plane_of(const call *c, int64_t item)
{
    const wsr__pool *const p = c->p;
    const int64_t in = p->h * p->w;
    const int64_t out = p->oh * p->ow;
    const int64_t n = item / c->blocks;
    const int64_t b = item % c->blocks;
    return (plane){
        .block = b,
        .in = n * step_of(p->src_step, p->c, in) + b * in * WSR__BLOCK,
        .out = n * step_of(p->dst_step, p->c, out) + b * out * WSR__BLOCK,
        .index = item * out * WSR__BLOCK,
    };
}

/// The part of a window that lies inside the image.
typedef struct span {
    int64_t top; // of the whole window
    int64_t left;
    int64_t begin[2]; // taps: rows, columns
    int64_t end[2];
} span;

WSR_INLINE span span_of(const wsr__pool *p, int64_t y, int64_t x)
{
    span s = {.top = y * p->stride - p->pad, .left = x * p->stride - p->pad};
    s.begin[0] = max64(0, -s.top);
    s.begin[1] = max64(0, -s.left);
    s.end[0] = min64(p->kernel, p->h - s.top);
    s.end[1] = min64(p->kernel, p->w - s.left);
    return s;
}

WSR_INLINE bool whole(const span *s, int64_t kernel)
{
    return s->begin[0] == 0 && s->begin[1] == 0 && s->end[0] == kernel &&
           s->end[1] == kernel;
}

// ------------------------------------------------------------------ forward

typedef struct maximum {
    v8 value;
    v8 tap;
    v8 nan; // mask
} maximum;

WSR_INLINE void maximum_take(maximum *m, v8 x, float tap)
{
    const v8 more = above8(x, m->value);
    m->value = select8(more, x, m->value);
    m->tap = select8(more, splat8(tap), m->tap);
    m->nan = or8(m->nan, unordered8(x, x));
}

/// Taps [begin, end) of the window at `corner`; constant bounds are unrolled.
WSR_INLINE maximum maximum_of(const float *corner, int64_t pitch,
                              int64_t kernel, const span *s)
{
    const float first = (float)(s->begin[0] * kernel + s->begin[1]);
    maximum m = {
        .value = splat8(-INFINITY), .tap = splat8(first), .nan = splat8(0.0f)};
    for (int64_t ky = s->begin[0]; ky < s->end[0]; ky++) {
        for (int64_t kx = s->begin[1]; kx < s->end[1]; kx++) {
            maximum_take(&m, ld8(corner + ky * pitch + kx * WSR__BLOCK),
                         (float)(ky * kernel + kx));
        }
    }
    return m;
}

WSR_INLINE maximum maximum_3x3(const float *corner, int64_t pitch)
{
    maximum m = {.value = ld8(corner), .tap = splat8(0.0f)};
    m.nan = unordered8(m.value, m.value);
    WSR_UNROLL
    for (int k = 1; k < 9; k++) {
        maximum_take(&m, ld8(corner + k / 3 * pitch + k % 3 * WSR__BLOCK),
                     (float)k);
    }
    return m;
}

static void max_plane(const call *c, const plane *at)
{
    const wsr__pool *const p = c->p;
    const int64_t pitch = p->w * WSR__BLOCK;
    const v8 nan = splat8(NAN);
    for (int64_t i = 0; i < p->oh * p->ow; i++) {
        const span s = span_of(p, i / p->ow, i % p->ow);
        const float *const corner = c->src + at->in + s.top * pitch +
                                    s.left * WSR__BLOCK;
        const maximum m = p->kernel == 3 && whole(&s, 3)
                              ? maximum_3x3(corner, pitch)
                              : maximum_of(corner, pitch, p->kernel, &s);
        st8(c->dst + at->out + i * WSR__BLOCK, select8(m.nan, nan, m.value));
        if (c->index != NULL) {
            st8_bytes(c->index + at->index + i * WSR__BLOCK, m.tap);
        }
    }
}

/// What the sum over a window is multiplied with.
WSR_INLINE float share_of(const wsr__pool *p, const span *s)
{
    const int64_t area = p->count_pad ? p->kernel * p->kernel
                                      : (s->end[0] - s->begin[0]) *
                                            (s->end[1] - s->begin[1]);
    return 1.0f / (float)area;
}

static void avg_plane(const call *c, const plane *at)
{
    const wsr__pool *const p = c->p;
    const int64_t pitch = p->w * WSR__BLOCK;
    for (int64_t i = 0; i < p->oh * p->ow; i++) {
        const span s = span_of(p, i / p->ow, i % p->ow);
        const float *const corner = c->src + at->in + s.top * pitch +
                                    s.left * WSR__BLOCK;
        v8 sum = splat8(0.0f);
        if (p->kernel == 3 && whole(&s, 3)) {
            WSR_UNROLL
            for (int k = 0; k < 9; k++) {
                sum =
                    add8(sum, ld8(corner + k / 3 * pitch + k % 3 * WSR__BLOCK));
            }
        } else {
            for (int64_t ky = s.begin[0]; ky < s.end[0]; ky++) {
                for (int64_t kx = s.begin[1]; kx < s.end[1]; kx++) {
                    sum = add8(sum, ld8(corner + ky * pitch + kx * WSR__BLOCK));
                }
            }
        }
        st8(c->dst + at->out + i * WSR__BLOCK,
            mul8(sum, splat8(share_of(p, &s))));
    }
}

WSR_INLINE void forward_planes(const call *c, int64_t begin, int64_t end,
                               void (*one)(const call *c, const plane *at))
{
    const wsr__pool *const p = c->p;
    const int64_t pixels = p->oh * p->ow;
    for (int64_t i = begin; i < end; i++) {
        const plane at = plane_of(c, i);
        one(c, &at);
        if (c->moments != NULL) {
            const int64_t item = moments_item(i / c->blocks, at.block, p->c,
                                              p->dst_step, pixels);
            WSR_NAME(wsr__plane_moments)
            (c->moments + item * 2 * WSR__BLOCK, c->dst + at.out, pixels);
        }
    }
}

static void max_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    forward_planes(ctx, begin, end, max_plane);
}

static void avg_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    forward_planes(ctx, begin, end, avg_plane);
}

static void max_forward(float *dst, uint8_t *index, const wsr__pool *p,
                        const float *src, double *moments)
{
    call c = call_of(p);
    c.src = src;
    c.dst = dst;
    c.index = index;
    c.moments = moments;
    wsr__parallel(p->n * c.blocks, max_body, &c);
}

static void avg_forward(float *dst, const wsr__pool *p, const float *src,
                        double *moments)
{
    call c = call_of(p);
    c.src = src;
    c.dst = dst;
    c.moments = moments;
    wsr__parallel(p->n * c.blocks, avg_body, &c);
}

// ----------------------------------------------------------------- backward

WSR_INLINE void add_to(float *p, v8 v)
{
    st8(p, add8(ld8(p), v));
}

WSR_INLINE void scatter_max(float *corner, int64_t pitch, const span *s,
                            int64_t kernel, v8 g, v8 tap)
{
    for (int64_t ky = s->begin[0]; ky < s->end[0]; ky++) {
        for (int64_t kx = s->begin[1]; kx < s->end[1]; kx++) {
            const v8 here = equal8(tap, splat8((float)(ky * kernel + kx)));
            add_to(corner + ky * pitch + kx * WSR__BLOCK, keep8(here, g));
        }
    }
}

WSR_INLINE void scatter_max_3x3(float *corner, int64_t pitch, v8 g, v8 tap)
{
    WSR_UNROLL
    for (int k = 0; k < 9; k++) {
        add_to(corner + k / 3 * pitch + k % 3 * WSR__BLOCK,
               keep8(equal8(tap, splat8((float)k)), g));
    }
}

WSR_INLINE void scatter_avg(float *corner, int64_t pitch, const span *s, v8 g)
{
    for (int64_t ky = s->begin[0]; ky < s->end[0]; ky++) {
        for (int64_t kx = s->begin[1]; kx < s->end[1]; kx++) {
            add_to(corner + ky * pitch + kx * WSR__BLOCK, g);
        }
    }
}

WSR_INLINE void scatter_avg_3x3(float *corner, int64_t pitch, v8 g)
{
    WSR_UNROLL
    for (int k = 0; k < 9; k++) {
        add_to(corner + k / 3 * pitch + k % 3 * WSR__BLOCK, g);
    }
}

/// The gradient of one dst pixel, read through the norm behind the pool.
WSR_INLINE v8 gradient(const call *c, int64_t offset, const affine8 *a)
{
    const v8 g = ld8(c->src + offset);
    return a->on ? affine_apply(g, ld8(c->affine->dst + offset), a) : g;
}

static void backward_plane(const call *c, const plane *at)
{
    const wsr__pool *const p = c->p;
    const int64_t pitch = p->w * WSR__BLOCK;
    const affine8 a = affine_of(c->affine, at->block);
    if (!c->accumulate) {
        memset(c->dst + at->in, 0, (size_t)(p->h * pitch) * sizeof(*c->dst));
    }
    for (int64_t i = 0; i < p->oh * p->ow; i++) {
        const span s = span_of(p, i / p->ow, i % p->ow);
        const bool fast = p->kernel == 3 && whole(&s, 3);
        float *const corner = c->dst + at->in + s.top * pitch +
                              s.left * WSR__BLOCK;
        v8 g = gradient(c, at->out + i * WSR__BLOCK, &a);
        if (c->saved == NULL) {
            g = mul8(g, splat8(share_of(p, &s)));
            if (fast) {
                scatter_avg_3x3(corner, pitch, g);
            } else {
                scatter_avg(corner, pitch, &s, g);
            }
            continue;
        }
        const v8 tap = ld8_bytes(c->saved + at->index + i * WSR__BLOCK);
        if (fast) {
            scatter_max_3x3(corner, pitch, g, tap);
        } else {
            scatter_max(corner, pitch, &s, p->kernel, g, tap);
        }
    }
}

static void backward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        const plane at = plane_of(c, i);
        backward_plane(c, &at);
    }
}

static void max_backward(float *diff_src, const wsr__pool *p,
                         const float *diff_dst, const uint8_t *index,
                         const wsr__affine *affine, bool accumulate)
{
    call c = call_of(p);
    c.src = diff_dst;
    c.dst = diff_src;
    c.saved = index;
    c.affine = affine;
    c.accumulate = accumulate;
    wsr__parallel(p->n * c.blocks, backward_body, &c);
}

static void avg_backward(float *diff_src, const wsr__pool *p,
                         const float *diff_dst, const wsr__affine *affine,
                         bool accumulate)
{
    max_backward(diff_src, p, diff_dst, NULL, affine, accumulate);
}

// ----------------------------------------------------------- global average

typedef struct global {
    const wsr__dims *d;
    int64_t blocks;
    int64_t pixels;
    const float *src;
    float *dst;
    bool accumulate;
} global;

static void global_forward_body(void *ctx, int64_t begin, int64_t end,
                                size_t part)
{
    (void)part;
    const global *const c = ctx;
    const wsr__dims *const d = c->d;
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / c->blocks;
        const int64_t first = i % c->blocks * WSR__BLOCK;
        const float *const src = c->src +
                                 n * step_of(d->src_step, d->c, c->pixels) +
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

static void global_forward(float *dst, const wsr__dims *d, const float *src)
{
    global c = {.d = d,
                .blocks = wsr__blocks(d->c),
                .pixels = d->h * d->w,
                .src = src,
                .dst = dst};
    wsr__parallel(d->n * c.blocks, global_forward_body, &c);
}

static void global_backward_body(void *ctx, int64_t begin, int64_t end,
                                 size_t part)
{
    (void)part;
    const global *const c = ctx;
    const wsr__dims *const d = c->d;
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / c->blocks;
        const int64_t first = i % c->blocks * WSR__BLOCK;
        float *const dst = c->dst + n * step_of(d->dst_step, d->c, c->pixels) +
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

static void global_backward(float *diff_src, const wsr__dims *d,
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

const wsr__native_pool WSR_NAME(wsr__native_pool) = {
    .max_forward = max_forward,
    .avg_forward = avg_forward,
    .max_backward = max_backward,
    .avg_backward = avg_backward,
    .global_forward = global_forward,
    .global_backward = global_backward,
};
