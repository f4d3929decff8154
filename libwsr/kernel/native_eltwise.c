// SPDX-License-Identifier: Apache-2.0
//
// Elementwise kernels on flat arrays, and copies between layouts and views.
//
// Flat arrays need not be aligned and may have any length: a loop over vectors
// is followed by one over the numbers that are left. Threads take chunks of the
// same size whatever their number. No kernel here reduces over elements, so the
// division into chunks does not change results.

#include "kernel/native_plane.h"

enum { CHUNK = 4096 }; // floats of one work item

// The arguments of a call. Each body reads those that its kernel sets.
typedef struct call {
    float *dst;
    const float *src;
    const float *diff;
    const float *const *many; // sources of a sum
    const float *weights;
    size_t count; // of these sources
    int64_t n;
    float a;
    bool accumulate;
    const wsr__dims *d;
} call;

// Run a body over the chunks of n floats. The body gets numbers of chunks and
// asks bound() where these begin and end. Few of them take no longer than
// waking the threads.
static void over_chunks(const call *c, wsr__body body)
{
    enum { FEW = 4 };
    call copy = *c;
    const int64_t chunks = (c->n + CHUNK - 1) / CHUNK;
    if (chunks <= FEW) {
        body(&copy, 0, chunks, 0);
    } else {
        wsr__parallel(chunks, body, &copy);
    }
}

// The first float of a chunk; the last chunk may be shorter.
WSR_INLINE int64_t bound(const call *c, int64_t chunk)
{
    return min64(c->n, chunk * CHUNK);
}

// dst = max(0, src). A NaN stays a NaN, in vectors and after them.
static void relu_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    int64_t i = bound(c, begin);
    const int64_t last = bound(c, end);
    for (; i + WSR__BLOCK <= last; i += WSR__BLOCK) {
        stu8(c->dst + i, relu8(ldu8(c->src + i)));
    }
    for (; i < last; i++) {
        c->dst[i] = c->src[i] < 0.0f ? 0.0f : c->src[i];
    }
}

void WSR_NAME(wsr__relu_forward)(float *dst, const float *src, int64_t n)
{
    over_chunks(&(call){.dst = dst, .src = src, .n = n}, relu_body);
}

// dst (+)= diff where src > 0. src may be what relu read or what it wrote:
// both are positive at the same places.
static void relu_backward_body(void *ctx, int64_t begin, int64_t end,
                               size_t part)
{
    (void)part;
    const call *const c = ctx;
    int64_t i = bound(c, begin);
    const int64_t last = bound(c, end);
    for (; i + WSR__BLOCK <= last; i += WSR__BLOCK) {
        const v8 g = open8(ldu8(c->src + i), ldu8(c->diff + i));
        stu8(c->dst + i, c->accumulate ? add8(ldu8(c->dst + i), g) : g);
    }
    for (; i < last; i++) {
        const float g = c->src[i] > 0.0f ? c->diff[i] : 0.0f;
        c->dst[i] = c->accumulate ? c->dst[i] + g : g;
    }
}

void WSR_NAME(wsr__relu_backward)(float *diff_src, const float *dst,
                                  const float *diff_dst, int64_t n,
                                  bool accumulate)
{
    over_chunks(&(call){.dst = diff_src,
                        .src = dst,
                        .diff = diff_dst,
                        .n = n,
                        .accumulate = accumulate},
                relu_backward_body);
}

static void relu6_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    int64_t i = bound(c, begin);
    const int64_t last = bound(c, end);
    for (; i + WSR__BLOCK <= last; i += WSR__BLOCK) {
        stu8(c->dst + i, min8(splat8(6.0f), relu8(ldu8(c->src + i))));
    }
    for (; i < last; i++) {
        const float low = c->src[i] < 0.0f ? 0.0f : c->src[i];
        c->dst[i] = low > 6.0f ? 6.0f : low;
    }
}

void WSR_NAME(wsr__relu6_forward)(float *dst, const float *src, int64_t n)
{
    over_chunks(&(call){.dst = dst, .src = src, .n = n}, relu6_body);
}

// src is what relu6 wrote: where it cut off, that is exactly 0 or 6.
static void relu6_backward_body(void *ctx, int64_t begin, int64_t end,
                                size_t part)
{
    (void)part;
    const call *const c = ctx;
    int64_t i = bound(c, begin);
    const int64_t last = bound(c, end);
    for (; i + WSR__BLOCK <= last; i += WSR__BLOCK) {
        const v8 y = ldu8(c->src + i);
        const v8 g = open8(sub8(splat8(6.0f), y), open8(y, ldu8(c->diff + i)));
        stu8(c->dst + i, c->accumulate ? add8(ldu8(c->dst + i), g) : g);
    }
    for (; i < last; i++) {
        const bool open = c->src[i] > 0.0f && c->src[i] < 6.0f;
        const float g = open ? c->diff[i] : 0.0f;
        c->dst[i] = c->accumulate ? c->dst[i] + g : g;
    }
}

void WSR_NAME(wsr__relu6_backward)(float *diff_src, const float *dst,
                                   const float *diff_dst, int64_t n,
                                   bool accumulate)
{
    over_chunks(&(call){.dst = diff_src,
                        .src = dst,
                        .diff = diff_dst,
                        .n = n,
                        .accumulate = accumulate},
                relu6_backward_body);
}

// The sources are added in their order for every element, so a sum does not
// depend on where a vector or a chunk begins.
static void weighted_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    int64_t i = bound(c, begin);
    const int64_t last = bound(c, end);
    for (; i + WSR__BLOCK <= last; i += WSR__BLOCK) {
        v8 sum = splat8(0.0f);
        for (size_t k = 0; k < c->count; k++) {
            const v8 x = ldu8(c->many[k] + i);
            sum = c->weights != NULL ? fma8(splat8(c->weights[k]), x, sum)
                                     : add8(sum, x);
        }
        stu8(c->dst + i, sum);
    }
    for (; i < last; i++) {
        float sum = 0.0f;
        for (size_t k = 0; k < c->count; k++) {
            const float x = c->many[k][i];
            sum += c->weights != NULL ? c->weights[k] * x : x;
        }
        c->dst[i] = sum;
    }
}

void WSR_NAME(wsr__sum)(float *dst, const float *const *src,
                        const float *weights, size_t count, int64_t n)
{
    over_chunks(&(call){.dst = dst,
                        .many = src,
                        .weights = weights,
                        .count = count,
                        .n = n},
                weighted_body);
}

static void axpy_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    int64_t i = bound(c, begin);
    const int64_t last = bound(c, end);
    for (; i + WSR__BLOCK <= last; i += WSR__BLOCK) {
        stu8(c->dst + i,
             fma8(splat8(c->a), ldu8(c->src + i), ldu8(c->dst + i)));
    }
    for (; i < last; i++) {
        c->dst[i] += c->a * c->src[i];
    }
}

void WSR_NAME(wsr__axpy)(float *dst, float a, const float *src, int64_t n)
{
    over_chunks(&(call){.dst = dst, .src = src, .a = a, .n = n}, axpy_body);
}

// dst may be src: each number is read before it is written.
static void scale_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    int64_t i = bound(c, begin);
    const int64_t last = bound(c, end);
    for (; i + WSR__BLOCK <= last; i += WSR__BLOCK) {
        stu8(c->dst + i, mul8(splat8(c->a), ldu8(c->src + i)));
    }
    for (; i < last; i++) {
        c->dst[i] = c->a * c->src[i];
    }
}

void WSR_NAME(wsr__scale)(float *dst, float a, const float *src, int64_t n)
{
    over_chunks(&(call){.dst = dst, .src = src, .a = a, .n = n}, scale_body);
}

// Add a[i] * b[i], or a[i] where b is NULL, to the lane i % 8. Returns how many
// numbers that were.
WSR_INLINE int64_t add_lanes(double *lanes, const float *a, const float *b,
                             int64_t n)
{
    enum { RUN = 256, SUMS = 4, STEP = SUMS * WSR__BLOCK };
    int64_t i = 0;
    for (; i + STEP <= n;) {
        const int64_t last = min64(n, i + RUN);
        v8 sum[SUMS] = {splat8(0.0f), splat8(0.0f), splat8(0.0f), splat8(0.0f)};
        for (; i + STEP <= last; i += STEP) {
            WSR_UNROLL
            for (int k = 0; k < SUMS; k++) {
                const int64_t at = i + k * WSR__BLOCK;
                const v8 v = ldu8(a + at);
                sum[k] = b == NULL ? add8(v, sum[k])
                                   : fma8(v, ldu8(b + at), sum[k]);
            }
        }
        add_d8(lanes, add8(add8(sum[0], sum[1]), add8(sum[2], sum[3])));
    }
    return i;
}

void WSR_NAME(wsr__lane_sums)(double *lanes, const float *src, int64_t n)
{
    for (int64_t i = add_lanes(lanes, src, NULL, n); i < n; i++) {
        lanes[i % WSR__BLOCK] += (double)src[i];
    }
}

void WSR_NAME(wsr__inner_product)(double *dst, const float *a, const float *b,
                                  int64_t n)
{
    double lanes[WSR__BLOCK] = {0};
    for (int64_t i = add_lanes(lanes, a, b, n); i < n; i++) {
        lanes[i % WSR__BLOCK] += (double)a[i] * (double)b[i];
    }
    *dst = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
           ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// ------------------------------------------------------------------ layouts

// Work items are planes: one channel block of one image.
static void images_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__dims *const d = c->d;
    const int64_t blocks = wsr__blocks(d->c);
    const int64_t plane = d->h * d->w * WSR__BLOCK;
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / blocks;
        const int64_t at = i % blocks * plane;
        const float *const src =
            c->src +
            n * batch_stride_of(d->src_batch_stride, d->c, d->h * d->w) + at;
        float *const dst =
            c->dst +
            n * batch_stride_of(d->dst_batch_stride, d->c, d->h * d->w) + at;
        const v8 a = splat8(c->weights != NULL ? c->weights[n] : 1.0f);
        for (int64_t k = 0; k < plane; k += WSR__BLOCK) {
            const v8 y = mul8(a, ld8(src + k));
            st8(dst + k, c->accumulate ? add8(ld8(dst + k), y) : y);
        }
    }
}

void WSR_NAME(wsr__scale_images)(float *dst, const wsr__dims *d,
                                 const float *src, const float *factor,
                                 bool accumulate)
{
    call c = {.dst = dst,
              .d = d,
              .src = src,
              .weights = factor,
              .accumulate = accumulate};
    wsr__parallel(d->n * wsr__blocks(d->c), images_body, &c);
}

// Floats from one plain image to the next.
static int64_t plain_stride(int64_t stride, const wsr__dims *d)
{
    return stride != 0 ? stride : d->c * d->h * d->w;
}

// Work items are planes of dst. The lanes beyond the last channel get zeros,
// and with accumulate nothing is added to them.
static void to_blocked_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__dims *const d = c->d;
    const int64_t blocks = wsr__blocks(d->c);
    const int64_t pixels = d->h * d->w;
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / blocks;
        const int64_t first = i % blocks * WSR__BLOCK;
        const int64_t lanes = min64(WSR__BLOCK, d->c - first);
        const float *const src =
            c->src + n * plain_stride(d->src_batch_stride, d) + first * pixels;
        float *const dst =
            c->dst + n * batch_stride_of(d->dst_batch_stride, d->c, pixels) +
            first * pixels;
        for (int64_t k = 0; k < pixels; k++) {
            float v[WSR__BLOCK] = {0};
            for (int64_t j = 0; j < lanes; j++) {
                v[j] = src[j * pixels + k];
            }
            float *const to = dst + k * WSR__BLOCK;
            st8(to, c->accumulate ? add8(ld8(to), ldu8(v)) : ldu8(v));
        }
    }
}

void WSR_NAME(wsr__to_blocked)(float *dst, const wsr__dims *d, const float *src,
                               bool accumulate)
{
    call c = {.dst = dst, .d = d, .src = src, .accumulate = accumulate};
    wsr__parallel(d->n * wsr__blocks(d->c), to_blocked_body, &c);
}

// Work items are channels of images; one is a lane of a blocked plane.
static void to_plain_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__dims *const d = c->d;
    const int64_t pixels = d->h * d->w;
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / d->c;
        const int64_t channel = i % d->c;
        const float *const src =
            c->src + n * batch_stride_of(d->src_batch_stride, d->c, pixels) +
            channel / WSR__BLOCK * pixels * WSR__BLOCK + channel % WSR__BLOCK;
        float *const dst = c->dst + n * plain_stride(d->dst_batch_stride, d) +
                           channel * pixels;
        for (int64_t k = 0; k < pixels; k++) {
            const float x = src[k * WSR__BLOCK];
            dst[k] = c->accumulate ? dst[k] + x : x;
        }
    }
}

void WSR_NAME(wsr__to_plain)(float *dst, const wsr__dims *d, const float *src,
                             bool accumulate)
{
    call c = {.dst = dst, .d = d, .src = src, .accumulate = accumulate};
    wsr__parallel(d->n * d->c, to_plain_body, &c);
}
