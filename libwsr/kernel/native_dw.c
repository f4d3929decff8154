// SPDX-License-Identifier: Apache-2.0
//
// Depthwise convolutions, forward and both backward directions.
//
// A kernel walks the planes of a bundle (one or two channel blocks of one
// image) row by row. It keeps the source rows that a row of the result needs in
// a ring, padded with zeros and with the prologue applied once per pixel; row
// kernels (native_row.h) therefore see neither borders nor prologues. Backward
// data with stride 1 is the forward convolution with the kernel flipped; with
// stride 2 each of the four classes of pixels (even or odd row and column) is
// such a convolution with those taps that meet it. Sizes without a row kernel
// go through the functions named *_any, pixel by pixel.

#include "kernel/native_reverse.h"

enum { ROW_FLOATS = 80 * BUNDLE, RING_ROWS = 13 };

// What all threads of one call read. Work items are the bundles of images.
typedef struct call {
    const wsr__dw *p;
    int64_t blocks;
    const float *src;  // forward, weights
    const float *diff; // backward
    const float *weights;
    float *out;
    const wsr__fwd *fwd;
    const wsr__bwd *bwd;
    const wsr__wgrad *grad;
    const wsr__affine *affine; // what diff is read through
} call;

// The planes of one bundle of a call.
typedef struct plane {
    int64_t block; // the first
    int count;
    int64_t src_pitch; // floats from block to block, 0 if there is one
    int64_t dst_pitch;
    int64_t src;   // offset of the first plane in src
    int64_t dst;   // offset of the first plane in dst
    int64_t saved; // in what its gradient is read with
    int64_t sums;  // of the first plane in arrays of sums of src's tensor
} plane;

static plane plane_of(const call *c, int64_t item)
{
    const wsr__dw *const p = c->p;
    const int64_t n = item / bundles(c->blocks);
    const int64_t b = item % bundles(c->blocks) * BUNDLE_BLOCKS;
    const int64_t in = p->h * p->w * WSR__BLOCK;
    const int64_t out = p->oh * p->ow * WSR__BLOCK;
    const int count = bundle_count(b, c->blocks);
    return (plane){
        .block = b,
        .count = count,
        .src_pitch = count > 1 ? in : 0,
        .dst_pitch = count > 1 ? out : 0,
        .src = n * batch_stride_of(p->src_batch_stride, p->c, p->h * p->w) +
               b * in,
        .dst = n * batch_stride_of(p->dst_batch_stride, p->c, p->oh * p->ow) +
               b * out,
        .saved = saved_at(c->affine, n, p->c, p->oh * p->ow) + b * out,
        .sums = moments_item(n, b, p->c, p->src_batch_stride, p->h * p->w),
    };
}

// Packed weights of the first block.
static const float *weights_of(const call *c, const plane *at)
{
    return c->weights + at->block * c->p->kernel * c->p->kernel * WSR__BLOCK;
}

static ring_source source_of(const call *c, const plane *at,
                             const wsr__pre *pre)
{
    return (ring_source){.plane = c->src + at->src,
                         .pitch = at->src_pitch,
                         .pre = preb_of(pre, at->block, at->count)};
}

static bool has_row_kernel(const wsr__dw *p)
{
    return p->kernel >= 3 &&
           WSR_NAME(wsr__row_kernel)(p->kernel, p->dilation, p->stride) != NULL;
}

// Finish and store one result: a row kernel without taps yields its bias.
WSR_INLINE void store_one(float *out, vb acc, finish *f)
{
    const taps none = {.count = 0};
    f->bias = acc;
    WSR_NAME(wsr__row_kernel)(1, 1, 1)(out, WSR__BLOCK, &none, 1, f);
}

// ------------------------------------------------------------------ forward

// Columns [x0, x0 + nx) of dst, all rows. The ring of a strip and its weights
// are on the stack, small enough for the first cache.
static void forward_strip(const call *c, const plane *at, finish *f, int64_t x0,
                          int64_t nx)
{
    const wsr__dw *const p = c->p;
    _Alignas(64) float data[RING_ROWS * ROW_FLOATS];
    _Alignas(64) float weights[ROW_TAPS * ROW_TAPS * BUNDLE];
    const window win = window_forward(p, x0, nx);
    ring r = ring_make(data, &win, BUNDLE);
    const row_kernel row =
        WSR_NAME(wsr__row_kernel)(p->kernel, p->dilation, p->stride);
    const ring_source src = source_of(c, at, c->fwd->pre);
    spread_weights(weights, p, weights_of(c, at), at->count);
    for (int64_t y = 0; y < p->oh; y++) {
        ring_advance(&r, &win, p, &src, y);
        taps t;
        taps_forward(&t, p, &r, weights, y * p->stride - p->pad);
        row(c->out + at->dst + (y * p->ow + x0) * WSR__BLOCK, WSR__BLOCK, &t,
            nx, f);
    }
}

// The planes of one bundle, strip by strip.
static void forward_plane(const call *c, const plane *at)
{
    const wsr__dw *const p = c->p;
    finish f;
    finish_forward(&f, c->fwd, at->block, at->count, at->dst_pitch);
    const int64_t strip = ROW_STRIP / p->stride;
    for (int64_t x = 0; x < p->ow; x += strip) {
        forward_strip(c, at, &f, x, min64(strip, p->ow - x));
    }
}

// Any kernel side, stride and dilation, straight from the definition.
static void forward_plane_any(const call *c, const plane *at)
{
    const wsr__dw *const p = c->p;
    finish f;
    finish_forward(&f, c->fwd, at->block, at->count, at->dst_pitch);
    const vb bias = f.bias;
    const preb pre = preb_of(c->fwd->pre, at->block, at->count);
    const int64_t area = p->kernel * p->kernel;
    const int64_t pitch = at->count > 1 ? area * WSR__BLOCK : 0;
    for (int64_t i = 0; i < p->oh * p->ow; i++) {
        const int64_t top = i / p->ow * p->stride - p->pad;
        const int64_t left = i % p->ow * p->stride - p->pad;
        vb acc = bias;
        for (int64_t k = 0; k < area; k++) {
            const int64_t y = top + k / p->kernel * p->dilation;
            const int64_t x = left + k % p->kernel * p->dilation;
            if (y >= 0 && y < p->h && x >= 0 && x < p->w) {
                const vb v =
                    load_blocks(c->src + at->src + (y * p->w + x) * WSR__BLOCK,
                                at->src_pitch);
                acc =
                    fmab(load_blocks(weights_of(c, at) + k * WSR__BLOCK, pitch),
                         preb_apply(v, &pre), acc);
            }
        }
        store_one(c->out + at->dst + i * WSR__BLOCK, acc, &f);
    }
}

static void forward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const bool fast = has_row_kernel(c->p);
    for (int64_t i = begin; i < end; i++) {
        const plane at = plane_of(c, i);
        if (fast) {
            forward_plane(c, &at);
        } else {
            forward_plane_any(c, &at);
        }
    }
}

void WSR_NAME(wsr__dw_forward)(float *dst, const wsr__dw *p, const float *src,
                               const float *weights, const wsr__fwd *fwd)
{
    static const wsr__fwd none = {0};
    call c = {.p = p,
              .blocks = wsr__blocks(p->c),
              .src = src,
              .weights = weights,
              .out = dst,
              .fwd = fwd != NULL ? fwd : &none};
    wsr__parallel(p->n * bundles(c.blocks), forward_body, &c);
}

// ------------------------------------------------------------ backward data

// Columns stride * i0 and so on of diff_src, ni of each column phase, all
// rows. Rows of diff_dst enter the ring through bwd->affine.
static void backward_strip(const call *c, const plane *at, const reverse *v,
                           finish *f, int64_t i0, int64_t ni)
{
    const wsr__dw *const p = c->p;
    _Alignas(64) float data[RING_ROWS * ROW_FLOATS];
    _Alignas(64) float weights[ROW_TAPS * ROW_TAPS * BUNDLE];
    const window win = window_make(i0 + v->low, ni + v->high - v->low, p->ow,
                                   v->high - v->low + 1);
    reverse_weights(weights, v, p, weights_of(c, at), at->count);
    reversing m = {.p = p,
                   .r = v,
                   .rows = ring_make(data, &win, BUNDLE),
                   .weights = weights,
                   .out = c->out + at->src,
                   .mask = c->bwd->relu_mask != NULL
                               ? c->bwd->relu_mask->src + at->src
                               : NULL,
                   .i0 = i0,
                   .ni = ni};
    ring *const r = &m.rows;
    const affineb read = affineb_of(c->affine, at->block, at->count);
    const float *const diff = c->diff + at->dst;
    const float *const saved = read.on ? c->affine->dst + at->saved : diff;
    for (int64_t y = 0; y < p->h; y++) {
        const int64_t i = over_stride(v, y);
        const int64_t end = min64(p->oh, i + v->high + 1);
        for (r->next = max64(r->next, i + v->low); r->next < end; r->next++) {
            const int64_t o = (r->next * p->ow + win.first) * WSR__BLOCK;
            read_diffs(ring_row(r, r->next) + win.at * BUNDLE, diff + o,
                       saved + o, at->dst_pitch, win.n, &read);
        }
        reverse_row(&m, y, f);
    }
}

// The planes of one bundle. The sums of the relu mask's norm run over all
// strips of a plane and are stored once.
static void backward_plane(const call *c, const plane *at)
{
    const wsr__dw *const p = c->p;
    const reverse v = reverse_of(p);
    finish f;
    finish_backward(&f, c->bwd, at->block, at->count, at->src_pitch);
    const int64_t ni = (p->w + p->stride - 1) / p->stride;
    for (int64_t i = 0; i < ni; i += ROW_STRIP) {
        backward_strip(c, at, &v, &f, i, min64(ROW_STRIP, ni - i));
    }
    finish_sums(&f, c->bwd->relu_mask, at->sums);
}

// Any kernel side, stride and dilation, straight from the definition.
static void backward_plane_any(const call *c, const plane *at)
{
    const wsr__dw *const p = c->p;
    const wsr__relu_mask *const mask = c->bwd->relu_mask;
    finish f;
    finish_backward(&f, c->bwd, at->block, at->count, at->src_pitch);
    const affineb read = affineb_of(c->affine, at->block, at->count);
    const float *const diff = c->diff + at->dst;
    const float *const saved = read.on ? c->affine->dst + at->saved : diff;
    const int64_t area = p->kernel * p->kernel;
    const int64_t pitch = at->count > 1 ? area * WSR__BLOCK : 0;
    for (int64_t i = 0; i < p->h * p->w; i++) {
        vb acc = splatb(0.0f);
        for (int64_t k = 0; k < area; k++) {
            const int64_t y = i / p->w + p->pad - k / p->kernel * p->dilation;
            const int64_t x = i % p->w + p->pad - k % p->kernel * p->dilation;
            if (y < 0 || y % p->stride != 0 || y / p->stride >= p->oh ||
                x < 0 || x % p->stride != 0 || x / p->stride >= p->ow) {
                continue;
            }
            const int64_t o = (y / p->stride * p->ow + x / p->stride) *
                              WSR__BLOCK;
            _Alignas(64) float g[BUNDLE];
            read_diffs(g, diff + o, saved + o, at->dst_pitch, 1, &read);
            acc = fmab(load_blocks(weights_of(c, at) + k * WSR__BLOCK, pitch),
                       ldb(g), acc);
        }
        const int64_t offset = at->src + i * WSR__BLOCK;
        f.mask = mask != NULL ? mask->src + offset : NULL;
        store_one(c->out + offset, acc, &f);
        finish_flush(&f);
    }
    finish_sums(&f, mask, at->sums);
}

static void backward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const bool fast = has_row_kernel(c->p);
    for (int64_t i = begin; i < end; i++) {
        const plane at = plane_of(c, i);
        if (fast) {
            backward_plane(c, &at);
        } else {
            backward_plane_any(c, &at);
        }
    }
}

void WSR_NAME(wsr__dw_backward_data)(float *diff_src, const wsr__dw *p,
                                     const float *diff_dst,
                                     const float *weights, const wsr__bwd *bwd)
{
    static const wsr__bwd none = {0};
    call c = {.p = p,
              .blocks = wsr__blocks(p->c),
              .diff = diff_dst,
              .weights = weights,
              .out = diff_src,
              .bwd = bwd != NULL ? bwd : &none};
    c.affine = c.bwd->affine;
    wsr__parallel(p->n * bundles(c.blocks), backward_body, &c);
}

// --------------------------------------------------------- backward weights

// Add to the gradient what columns [x0, x0 + nx) of diff_dst contribute.
static void grad_strip(const call *c, const plane *at, float *sum, int64_t x0,
                       int64_t nx)
{
    const wsr__dw *const p = c->p;
    _Alignas(64) float data[RING_ROWS * ROW_FLOATS];
    _Alignas(64) float diff[ROW_STRIP * BUNDLE];
    const window win = window_forward(p, x0, nx);
    ring r = ring_make(data, &win, BUNDLE);
    const ring_source src = source_of(c, at, c->grad->pre);
    const affineb read = affineb_of(c->affine, at->block, at->count);
    const float *const saved = read.on ? c->affine->dst + at->saved
                                       : c->diff + at->dst;
    const grad_kernel kernel =
        WSR_NAME(wsr__grad_kernel)(p->kernel, p->dilation, p->stride);
    for (int64_t y = 0; y < p->oh; y++) {
        ring_advance(&r, &win, p, &src, y);
        const int64_t o = (y * p->ow + x0) * WSR__BLOCK;
        read_diffs(diff, c->diff + at->dst + o, saved + o, at->dst_pitch, nx,
                   &read);
        grad_taps t;
        taps_gradient(&t, p, &r, sum, y * p->stride - p->pad, at->count);
        kernel(&t, diff, nx);
    }
}

// Any kernel side, stride and dilation, straight from the definition.
static void grad_plane_any(const call *c, const plane *at, float *sum)
{
    const wsr__dw *const p = c->p;
    const preb pre = preb_of(c->grad->pre, at->block, at->count);
    const affineb read = affineb_of(c->affine, at->block, at->count);
    const float *const diff = c->diff + at->dst;
    const float *const saved = read.on ? c->affine->dst + at->saved : diff;
    const int64_t area = p->kernel * p->kernel;
    const int64_t pitch = at->count > 1 ? area * WSR__BLOCK : 0;
    for (int64_t i = 0; i < p->oh * p->ow; i++) {
        _Alignas(64) float g[BUNDLE];
        const int64_t o = i * WSR__BLOCK;
        read_diffs(g, diff + o, saved + o, at->dst_pitch, 1, &read);
        for (int64_t k = 0; k < area; k++) {
            const int64_t y = i / p->ow * p->stride - p->pad +
                              k / p->kernel * p->dilation;
            const int64_t x = i % p->ow * p->stride - p->pad +
                              k % p->kernel * p->dilation;
            if (y >= 0 && y < p->h && x >= 0 && x < p->w) {
                const vb v =
                    load_blocks(c->src + at->src + (y * p->w + x) * WSR__BLOCK,
                                at->src_pitch);
                float *const s = sum + k * WSR__BLOCK;
                store_blocks(
                    s, pitch,
                    fmab(ldb(g), preb_apply(v, &pre), load_blocks(s, pitch)));
            }
        }
    }
}

// Work items are images. Each writes its gradient into its own place in
// scratch; wsr__sum_images adds them in the order of the images.
static void grad_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__dw *const p = c->p;
    const int64_t size = p->kernel * p->kernel * WSR__BLOCK;
    const int64_t strip = ROW_STRIP / p->stride;
    const bool fast =
        WSR_NAME(wsr__grad_kernel)(p->kernel, p->dilation, p->stride) != NULL;
    for (int64_t i = begin; i < end; i++) {
        const plane at = plane_of(c, i);
        const int64_t n = i / bundles(c->blocks);
        float *const sum = c->out + (n * c->blocks + at.block) * size;
        memset(sum, 0, (size_t)(at.count * size) * sizeof(*sum));
        for (int64_t x = 0; fast && x < p->ow; x += strip) {
            grad_strip(c, &at, sum, x, min64(strip, p->ow - x));
        }
        if (!fast) {
            grad_plane_any(c, &at, sum);
        }
    }
}

void WSR_NAME(wsr__dw_backward_weights)(float *diff_weights, const wsr__dw *p,
                                        const float *src, const float *diff_dst,
                                        const wsr__wgrad *opt)
{
    call c = {.p = p,
              .blocks = wsr__blocks(p->c),
              .src = src,
              .diff = diff_dst,
              .out = opt->scratch,
              .grad = opt,
              .affine = opt->affine};
    wsr__parallel(p->n * bundles(c.blocks), grad_body, &c);
    const int64_t size = c.blocks * p->kernel * p->kernel * WSR__BLOCK;
    WSR_NAME(wsr__sum_images)(diff_weights, opt->scratch, p->n, size);
}
