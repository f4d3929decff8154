// SPDX-License-Identifier: Apache-2.0
//
// Types and functions that the forward and the backward pass of fused depthwise
// and pointwise convolutions share: the sizes of a call, and the depthwise
// result of an image row by row, which backward computes again for the
// gradients of the weights.

#ifndef WSR_KERNEL_NATIVE_SEP_H
#define WSR_KERNEL_NATIVE_SEP_H

#include "kernel/native_gemm.h"
#include "kernel/native_plane.h"

/// What all threads of one call read.
typedef struct call {
    const wsr__sep *p;
    wsr__sep_layout l;
    int64_t ins;              // channel blocks of src
    int64_t bundles;          // bundles that these blocks form
    int64_t outs;             // channel blocks of dst
    int64_t src_batch_stride; // floats from image to image
    int64_t dst_batch_stride; // the same
    int64_t src_plane;        // floats of one block of an image
    int64_t dst_plane;        // the same
    int64_t bands;            // parts of an image that are separate work items
    const float *src;
    const float *diff; // diff_dst
    const wsr__sep_weights *weights;
    float *out;     // dst, or diff_src, which may be NULL
    float *sums[2]; // NULL, or gradients [group of images][packed weights]:
                    // depthwise, pointwise
    const wsr__fwd *fwd;
    const wsr__bwd *bwd;
    const wsr__pre *pre; // of src, for the weights' gradients
} call;

WSR_INLINE call call_of(const wsr__sep *p, const wsr__sep_weights *weights)
{
    const wsr__dw *const d = &p->dw;
    call c = {.p = p,
              .l = wsr__sep_layout_of(p),
              .ins = wsr__blocks(d->c),
              .bundles = bundles(wsr__blocks(d->c)),
              .outs = wsr__blocks(p->co),
              .bands = 1,
              .weights = weights};
    c.src_plane = d->h * d->w * WSR__BLOCK;
    c.dst_plane = d->oh * d->ow * WSR__BLOCK;
    c.src_batch_stride =
        batch_stride_of(d->src_batch_stride, d->c, d->h * d->w);
    c.dst_batch_stride =
        batch_stride_of(p->dst_batch_stride, p->co, d->oh * d->ow);
    return c;
}

/// How many bands of rows an image is cut into. Whole images are the work items
/// unless their number leaves threads idle. A caller that sums over an image
/// (moments, gradients of weights) does not cut it: the sums would depend on
/// the number of threads.
WSR_INLINE int64_t bands_of(const call *c, int64_t rows)
{
    const int64_t n = c->p->dw.n;
    const int64_t threads = c->weights->threads.count;
    int64_t bands = 1;
    while (n < 4 * threads && n * bands % threads != 0 && bands < 8) {
        bands++;
    }
    return min64(bands, rows);
}

/// First row of a band of an image of `rows` rows. Band `bands` starts behind
/// the last row, so that band_begin(band + 1) is where `band` ends.
WSR_INLINE int64_t band_begin(const call *c, int64_t band, int64_t rows)
{
    return band * rows / c->bands;
}

/// The memory of one thread, of wsr__sep_thread_scratch() floats.
WSR_INLINE float *scratch_of(const call *c, size_t part)
{
    const wsr__thread_scratch *const threads = &c->weights->threads;
    return threads->data + (int64_t)part * threads->stride;
}

/// Floats of the depthwise weights of `channels` channels: those of a block, or
/// of a bundle.
WSR_INLINE int64_t dw_taps(const call *c, int64_t channels)
{
    return c->p->dw.kernel * c->p->dw.kernel * channels;
}

/// Packed depthwise weights of the first block of bundle k.
WSR_INLINE const float *dw_weights(const call *c, int64_t k)
{
    return c->weights->dw + k * BUNDLE_BLOCKS * dw_taps(c, WSR__BLOCK);
}

// ------------------------------------------------- depthwise rows of an image

/// The depthwise convolution of one image, in the scratch of one thread:
///
///   rings    [bundle][row of the ring][padded column][BUNDLE]
///   weights  [bundle][tap][BUNDLE]
///   result   [block][row of the run][column][8]
///
/// A ring holds the padded rows of pre(src) that the next rows of dst meet: row
/// y is in place y modulo the ring's rows. All rings advance together.
typedef struct source {
    window win;
    int64_t n;          // the image
    const float *image; // its src
    float *rings;
    float *weights;
    float *result;
    int64_t pitch; // floats from ring to ring
    int64_t next;  // the first row of src that the rings lack
    row_kernel row;
    grad_kernel grad;
} source;

/// Lay out the scratch of a thread. The zeros left and right of the rows are
/// written here alone: filling a ring never touches them.
WSR_INLINE source source_make(float *scratch, const call *c)
{
    const wsr__dw *const d = &c->p->dw;
    source s = {
        .win = window_forward(d, 0, d->ow),
        .rings = scratch,
        .pitch = c->l.forward_ring * BUNDLE,
        .row = WSR_NAME(wsr__row_kernel)(d->kernel, d->dilation, d->stride),
        .grad = WSR_NAME(wsr__grad_kernel)(d->kernel, d->dilation, d->stride)};
    s.weights = s.rings + c->bundles * s.pitch;
    s.result = s.weights + c->bundles * dw_taps(c, BUNDLE);
    for (int64_t k = 0; k < c->bundles; k++) {
        (void)ring_make(scratch + k * s.pitch, &s.win, BUNDLE);
        spread_weights(s.weights + k * dw_taps(c, BUNDLE), d, dw_weights(c, k),
                       bundle_count(k * BUNDLE_BLOCKS, c->ins));
    }
    return s;
}

/// Begin with row y of dst of image n: the rings hold nothing of this image.
WSR_INLINE void source_start(source *s, const call *c, int64_t n, int64_t y)
{
    const wsr__dw *const d = &c->p->dw;
    s->n = n;
    s->image = c->src + n * c->src_batch_stride;
    s->next = max64(0, y * d->stride - d->pad);
}

/// The ring of one bundle, and the plane of src that fills it.
typedef struct bundle_ring {
    int64_t k; // the bundle
    int count; // blocks that it has
    ring ring;
    ring_source src;
} bundle_ring;

WSR_INLINE bundle_ring bundle_ring_of(const source *s, const call *c,
                                      const wsr__pre *pre, int64_t k)
{
    const int64_t b = k * BUNDLE_BLOCKS;
    const int count = bundle_count(b, c->ins);
    return (bundle_ring){.k = k,
                         .count = count,
                         .ring = {.data = s->rings + k * s->pitch,
                                  .rows = s->win.reach,
                                  .pitch = s->win.width * BUNDLE,
                                  .next = s->next},
                         .src = {.plane = s->image + b * c->src_plane,
                                 .pitch = count > 1 ? c->src_plane : 0,
                                 .pre = preb_of(pre, b, count)}};
}

/// What is computed from rows of pre(src): the depthwise result, the gradient
/// of the depthwise weights, or both.
typedef struct rows_task {
    float *out;         // NULL, or depthwise(pre(src)), [block][row][column][8]
    int64_t pitch;      // of out, floats from block to block
    const float *diff;  // its gradient, [bundle][row][column][BUNDLE]
    int64_t diff_pitch; // floats from bundle to bundle
    float *grad;        // NULL, or [block][tap][8], added to
} rows_task;

/// One bundle of row row[0] of dst, which is row row[1] of the task's arrays.
WSR_INLINE void bundle_row(const bundle_ring *f, const source *s, const call *c,
                           const rows_task *task, const int64_t row[2])
{
    const wsr__dw *const d = &c->p->dw;
    const int64_t b = f->k * BUNDLE_BLOCKS;
    const int64_t top = row[0] * d->stride - d->pad;
    const int64_t at = row[1] * d->ow; // pixels
    if (task->out != NULL) {
        finish end;
        finish_none(&end, f->count, task->pitch);
        taps t;
        taps_forward(&t, d, &f->ring, s->weights + f->k * dw_taps(c, BUNDLE),
                     top);
        s->row(task->out + b * task->pitch + at * WSR__BLOCK, WSR__BLOCK, &t,
               d->ow, &end);
    }
    if (task->grad != NULL) {
        grad_taps t;
        taps_gradient(&t, d, &f->ring, task->grad + b * dw_taps(c, WSR__BLOCK),
                      top, f->count);
        s->grad(&t, task->diff + f->k * task->diff_pitch + at * BUNDLE, d->ow);
    }
}

/// Rows [rows[0], rows[0] + rows[1]) of dst, all bundles. Bundles are the outer
/// loop: the weights of one stay in registers and its ring in the first cache.
WSR_INLINE void source_rows(source *s, const call *c, const wsr__pre *pre,
                            const rows_task *task, const int64_t rows[2])
{
    int64_t next = s->next;
    for (int64_t k = 0; k < c->bundles; k++) {
        bundle_ring f = bundle_ring_of(s, c, pre, k);
        for (int64_t i = 0; i < rows[1]; i++) {
            ring_advance(&f.ring, &s->win, &c->p->dw, &f.src, rows[0] + i);
            bundle_row(&f, s, c, task, (const int64_t[]){rows[0] + i, i});
        }
        next = f.ring.next;
    }
    s->next = next;
}

#endif
