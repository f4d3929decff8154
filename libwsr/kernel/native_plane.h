// SPDX-License-Identifier: Apache-2.0
//
// Connects tensors to row kernels: a ring of padded source rows, and the
// options of forward and backward calls for one bundle of blocks.

#ifndef WSR_KERNEL_NATIVE_PLANE_H
#define WSR_KERNEL_NATIVE_PLANE_H

#include "kernel/native_row.h"

#include <string.h>

/// The source columns that a strip of results needs, and how they lie in a
/// padded row.
typedef struct window {
    int64_t width; // of the padded row, pixels
    int64_t reach; // rows that a result row spans
    int64_t first; // first source column that exists
    int64_t n;     // number of them
    int64_t at;    // where they start in the padded row
} window;

/// Padded rows hold the columns from `first` on; src has `size` of them.
WSR_INLINE window window_make(int64_t first, int64_t width, int64_t size,
                              int64_t reach)
{
    const int64_t begin = min64(max64(first, 0), size);
    const int64_t end = min64(max64(first + width, begin), size);
    return (window){.width = width,
                    .reach = reach,
                    .first = begin,
                    .n = end - begin,
                    .at = begin - first};
}

/// For the results [x, x + n) of a forward convolution.
WSR_INLINE window window_forward(const wsr__dw *p, int64_t x, int64_t n)
{
    const int64_t span = (p->kernel - 1) * p->dilation + 1;
    return window_make(x * p->stride - p->pad, (n - 1) * p->stride + span, p->w,
                       span);
}

/// As many padded rows as a result row spans; row y lies at y modulo that.
typedef struct ring {
    float *data;
    int64_t rows;
    int64_t pitch; // floats per row
    int64_t next;  // first row not filled yet
} ring;

/// Clears the rows, of which filling touches only what is not padding. A pixel
/// has `size` floats: BUNDLE for row kernels.
WSR_INLINE ring ring_make(float *data, const window *win, int64_t size)
{
    ring r = {.data = data,
              .rows = win->reach,
              .pitch = win->width * size,
              .next = 0};
    memset(data, 0, (size_t)(r.rows * r.pitch) * sizeof(*data));
    return r;
}

WSR_INLINE float *ring_row(const ring *r, int64_t y)
{
    return r->data + y % r->rows * r->pitch;
}

enum { FILL_AFFINE = 1, FILL_RELU = 2 };

/// What a prologue does, as a constant.
WSR_INLINE vb fill_bundle(vb v, const preb *pre, const int how)
{
    if (how & FILL_AFFINE) {
        v = fmab(v, pre->scale, pre->shift);
    }
    return how & FILL_RELU ? relub(v) : v;
}

/// n bundles, each step[0] floats behind the one before and its blocks step[1]
/// apart, side by side.
WSR_INLINE void fill_bundles(float *to, const float *from,
                             const int64_t step[2], int64_t n, const preb *pre,
                             const int how)
{
    const preb one = *pre;
    for (int64_t i = 0; i < n; i++) {
        const vb v = load_blocks(from + i * step[0], step[1]);
        stbu(to + i * BUNDLE, fill_bundle(v, &one, how));
    }
}

WSR_INLINE void read_bundles(float *to, const float *from,
                             const int64_t step[2], int64_t n, const preb *pre)
{
    if (pre->affine && pre->relu) {
        fill_bundles(to, from, step, n, pre, FILL_AFFINE | FILL_RELU);
    } else if (pre->affine) {
        fill_bundles(to, from, step, n, pre, FILL_AFFINE);
    } else if (pre->relu) {
        fill_bundles(to, from, step, n, pre, FILL_RELU);
    } else {
        fill_bundles(to, from, step, n, pre, 0);
    }
}

/// n pixels of a block, `step` floats apart, through a prologue.
WSR_INLINE void read_pixels(float *to, const float *from, int64_t step,
                            int64_t n, const preb *pre)
{
    const int64_t steps[2] = {BUNDLE_BLOCKS * step, step};
    const int64_t whole = n / BUNDLE_BLOCKS * BUNDLE_BLOCKS;
    read_bundles(to, from, steps, n / BUNDLE_BLOCKS, pre);
    if (whole < n) {
        const vb last = load_blocks(from + whole * step, 0);
        store_blocks(to + whole * WSR__BLOCK, 0, preb_apply(last, pre));
    }
}

/// A bundle's planes that a ring is filled from.
typedef struct ring_source {
    const float *plane; // of the first block
    int64_t pitch;      // floats from block to block
    preb pre;
} ring_source;

/// Fill the ring up to what row y of a forward convolution needs.
WSR_INLINE void ring_advance(ring *r, const window *win, const wsr__dw *p,
                             const ring_source *src, int64_t y)
{
    const int64_t step[2] = {WSR__BLOCK, src->pitch};
    const int64_t top = y * p->stride - p->pad;
    const int64_t end = min64(p->h, top + win->reach);
    for (r->next = max64(r->next, top); r->next < end; r->next++) {
        const int64_t first = r->next * p->w + win->first;
        read_bundles(ring_row(r, r->next) + win->at * BUNDLE,
                     src->plane + first * WSR__BLOCK, step, win->n, &src->pre);
    }
}

/// wsr__affine for a bundle.
typedef struct affineb {
    bool on;
    vb alpha;
    vb beta;
    vb gamma;
} affineb;

WSR_INLINE affineb affineb_of(const wsr__affine *affine, int64_t block,
                              int count)
{
    affineb a = {.on = affine != NULL};
    if (a.on) {
        a.alpha = load_channels(affine->alpha + block * WSR__BLOCK, count);
        a.beta = load_channels(affine->beta + block * WSR__BLOCK, count);
        a.gamma = load_channels(affine->gamma + block * WSR__BLOCK, count);
    }
    return a;
}

WSR_INLINE vb affineb_apply(vb diff, vb dst, const affineb *a)
{
    return fmab(a->alpha, diff, fmab(a->beta, dst, a->gamma));
}

/// Where image n begins in what a gradient of c channels is read with.
WSR_INLINE int64_t saved_at(const wsr__affine *affine, int64_t n, int64_t c,
                            int64_t pixels)
{
    return affine == NULL
               ? 0
               : n * batch_stride_of(affine->batch_stride, c, pixels);
}

/// n pixels of a gradient of one block; dst is not read without affine.
WSR_INLINE void read_diff(float *to, const float *diff, const float *dst,
                          int64_t n, const affineb *a)
{
    if (!a->on) {
        memcpy(to, diff, (size_t)(n * WSR__BLOCK) * sizeof(*to));
        return;
    }
    const affineb one = *a;
    int64_t i = 0;
    for (; i + BUNDLE <= n * WSR__BLOCK; i += BUNDLE) {
        stbu(to + i, affineb_apply(ldbu(diff + i), ldbu(dst + i), &one));
    }
    if (i < n * WSR__BLOCK) {
        const vb v = load_blocks(diff + i, 0);
        store_blocks(to + i, 0,
                     affineb_apply(v, load_blocks(dst + i, 0), &one));
    }
}

/// The same for bundles whose blocks lie `pitch` apart, side by side.
WSR_INLINE void read_diffs(float *to, const float *diff, const float *dst,
                           int64_t pitch, int64_t n, const affineb *a)
{
    const affineb one = *a;
    for (int64_t i = 0; i < n; i++) {
        vb v = load_blocks(diff + i * WSR__BLOCK, pitch);
        if (one.on) {
            const vb saved = load_blocks(dst + i * WSR__BLOCK, pitch);
            v = affineb_apply(v, saved, &one);
        }
        stb(to + i * BUNDLE, v);
    }
}

/// The kernel rows [begin, end) that meet the image when the topmost lies at
/// row `top`.
typedef struct meeting {
    int64_t begin;
    int64_t end;
    int64_t ring_row; // of the first in the ring, in rows
} meeting;

WSR_INLINE meeting meeting_of(const wsr__dw *p, const ring *r, int64_t top)
{
    meeting m = {.begin = 0, .end = p->kernel};
    while (m.begin < m.end && top + m.begin * p->dilation < 0) {
        m.begin++;
    }
    while (m.end > m.begin && top + (m.end - 1) * p->dilation >= p->h) {
        m.end--;
    }
    // A row above the image has no place, and none meets it then.
    m.ring_row = m.begin < m.end ? (top + m.begin * p->dilation) % r->rows : 0;
    return m;
}

/// Go `step` rows down in the ring.
WSR_INLINE int64_t next_ring_row(int64_t ring_row, int64_t step, const ring *r)
{
    const int64_t next = ring_row + step;
    return next >= r->rows ? next - r->rows : next;
}

/// Weights of a bundle as row kernels read them: [ky][kx][BUNDLE].
WSR_INLINE void spread_weights(float *to, const wsr__dw *p,
                               const float *weights, int count)
{
    const int64_t area = p->kernel * p->kernel;
    const int64_t pitch = count > 1 ? area * WSR__BLOCK : 0;
    for (int64_t k = 0; k < area; k++) {
        stb(to + k * BUNDLE, load_blocks(weights + k * WSR__BLOCK, pitch));
    }
}

WSR_INLINE void taps_forward(taps *t, const wsr__dw *p, const ring *r,
                             const float *weights, int64_t top)
{
    const meeting m = meeting_of(p, r, top);
    int64_t ring_row = m.ring_row;
    t->count = (int)(m.end - m.begin);
    for (int64_t k = 0; k < m.end - m.begin; k++) {
        t->row[k] = r->data + ring_row * r->pitch;
        t->weight[k] = weights + (m.begin + k) * p->kernel * BUNDLE;
        ring_row = next_ring_row(ring_row, p->dilation, r);
    }
}

/// The same for the gradient, which goes to sum.
WSR_INLINE void taps_gradient(grad_taps *t, const wsr__dw *p, const ring *r,
                              float *sum, int64_t top, int count)
{
    const meeting m = meeting_of(p, r, top);
    int64_t ring_row = m.ring_row;
    t->count = (int)(m.end - m.begin);
    t->pitch = count > 1 ? p->kernel * p->kernel * WSR__BLOCK : 0;
    for (int64_t k = 0; k < m.end - m.begin; k++) {
        t->row[k] = r->data + ring_row * r->pitch;
        t->sum[k] = sum + (m.begin + k) * p->kernel * WSR__BLOCK;
        ring_row = next_ring_row(ring_row, p->dilation, r);
    }
}

/// Mean and sum of squared deviations from it, per channel of one block.
void WSR_NAME(wsr__plane_moments)(double moments[2 * WSR__BLOCK],
                                  const float *plane, int64_t pixels);

// --------------------------------------------------------------- finishing

/// Fields that a switched-off part would use are left alone. The result's
/// blocks lie `pitch` floats apart.
WSR_INLINE void finish_none(finish *f, int count, int64_t pitch)
{
    f->count = count;
    f->pitch = count > 1 ? pitch : 0;
    f->accumulate = false;
    f->masked = false;
    f->summed = false;
    f->mask = NULL;
    f->bias = splatb(0.0f);
}

WSR_INLINE void finish_forward(finish *f, const wsr__fwd *fwd, int64_t block,
                               int count, int64_t pitch)
{
    finish_none(f, count, pitch);
    if (fwd->bias != NULL) {
        f->bias = load_channels(fwd->bias + block * WSR__BLOCK, count);
    }
    f->accumulate = fwd->accumulate;
}

WSR_INLINE void finish_backward(finish *f, const wsr__bwd *bwd, int64_t block,
                                int count, int64_t pitch)
{
    finish_none(f, count, pitch);
    f->accumulate = bwd->accumulate;
    if (bwd->relu_mask == NULL) {
        return;
    }
    const preb pre = preb_of(&bwd->relu_mask->pre, block, count);
    f->masked = pre.relu;
    f->scale = pre.scale;
    f->shift = pre.shift;
    f->summed = bwd->relu_mask->sums != NULL;
    if (f->summed) {
        f->mean =
            load_channels(bwd->relu_mask->mean + block * WSR__BLOCK, count);
        f->sum = splatb(0.0f);
        f->product = splatb(0.0f);
        memset(f->sums, 0, sizeof(f->sums));
    }
}

/// Rows are summed in float, what is above them in double.
WSR_INLINE void finish_flush(finish *f)
{
    if (!f->summed) {
        return;
    }
    for (int k = 0; k < BUNDLE_BLOCKS; k++) {
        add_d8(f->sums[k][0], block_of(f->sum, k));
        add_d8(f->sums[k][1], block_of(f->product, k));
    }
    f->sum = splatb(0.0f);
    f->product = splatb(0.0f);
}

/// Store the sums of a bundle; item counts the planes of the sums' tensor.
WSR_INLINE void finish_sums(const finish *f, const wsr__relu_mask *mask,
                            int64_t item)
{
    if (f->summed) {
        memcpy(mask->sums + item * 2 * WSR__BLOCK, f->sums,
               (size_t)f->count * sizeof(f->sums[0]));
    }
}

/// Or add them.
WSR_INLINE void finish_add_sums(const finish *f, const wsr__relu_mask *mask,
                                int64_t item)
{
    for (int b = 0; mask != NULL && f->summed && b < f->count; b++) {
        double *const to = mask->sums + (item + b) * 2 * WSR__BLOCK;
        for (int k = 0; k < WSR__BLOCK; k++) {
            to[k] += f->sums[b][0][k];
            to[WSR__BLOCK + k] += f->sums[b][1][k];
        }
    }
}

/// The plane of a moments or sums array for a tensor with `stride` floats per
/// image (0: dense) of `pixels` each.
WSR_INLINE int64_t moments_item(int64_t n, int64_t block, int64_t c,
                                int64_t stride, int64_t pixels)
{
    return n * (batch_stride_of(stride, c, pixels) / (pixels * WSR__BLOCK)) +
           block;
}

#endif
