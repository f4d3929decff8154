// SPDX-License-Identifier: Apache-2.0
//
// Functions that the passes of a dense convolution share: they read a block's
// rows into padded ones, list where the taps lie in these, and store results.

#ifndef WSR_KERNEL_NATIVE_DENSE_H
#define WSR_KERNEL_NATIVE_DENSE_H

#include "kernel/native_plane.h"

enum { PAIR = 2 * WSR__BLOCK };

/// The tensor that a pass reads: src through a prologue, or diff_dst through a
/// norm.
typedef struct input {
    const float *data;
    int64_t batch_stride;
    const wsr__pre *pre;
    const wsr__affine *affine;
} input;

/// The taps that the results of each phase meet, phase after phase.
typedef struct tap_list {
    int64_t begin[WSR__DENSE_STRIDE * WSR__DENSE_STRIDE + 1]; // of each phase
    int64_t at[WSR__DENSE_TAPS];     // in padded rows, floats
    int64_t weight[WSR__DENSE_TAPS]; // index of the tap's weights
} tap_list;

/// Where tap k along side `i` lies from a result of a phase; false: nowhere.
WSR_INLINE bool tap_distance(int64_t *at, const wsr__conv *c, bool forward,
                             int i, int64_t k, int64_t phase)
{
    const int64_t pad = i == 0 ? c->ph : c->pw;
    const int64_t reach = k * (i == 0 ? c->dh : c->dw) - pad;
    *at = reach;
    return forward ||
           wsr__dense_meets(at, phase - reach, i == 0 ? c->sh : c->sw);
}

/// Add the taps of one phase, in the order of the kernel's rows and columns,
/// from tap n of the list on; returns where they end.
WSR_INLINE int64_t taps_of_phase(tap_list *t, int64_t n, const wsr__conv *c,
                                 const wsr__dense_layout *l, bool forward,
                                 const int64_t phase[2])
{
    for (int64_t k = 0; k < c->kh * c->kw; k++) {
        int64_t y;
        int64_t x;
        if (!tap_distance(&y, c, forward, 0, k / c->kw, phase[0]) ||
            !tap_distance(&x, c, forward, 1, k % c->kw, phase[1])) {
            continue;
        }
        y -= l->first[0];
        x -= l->first[1];
        t->at[n] = y * l->pitch +
                   (x % l->stride[1] * l->columns + x / l->stride[1]) *
                       WSR__BLOCK;
        t->weight[n] = k;
        n++;
    }
    return n;
}

WSR_INLINE void taps_of_all(tap_list *t, const wsr__conv *c,
                            const wsr__dense_layout *l, bool forward)
{
    int64_t n = 0;
    for (int64_t i = 0; i < l->phases[0] * l->phases[1]; i++) {
        const int64_t phase[2] = {i / l->phases[1], i % l->phases[1]};
        t->begin[i] = n;
        n = taps_of_phase(t, n, c, l, forward, phase);
        t->begin[i + 1] = n;
    }
}

/// Clear n pixels of a padded row.
WSR_INLINE void clear_columns(float *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        st8(to + i * WSR__BLOCK, splat8(0.0f));
    }
}

/// many[0] pixels of one row of a block, many[1] pixels apart.
WSR_INLINE void read_columns(float *to, const float *from, const float *saved,
                             const int64_t many[2], const preb *pre,
                             const affineb *affine)
{
    const int64_t step = many[1] * WSR__BLOCK;
    if (affine->on) {
        read_diff(to, from, saved, many[0], affine);
    } else if (many[1] == 1) {
        read_pixels(to, from, step, many[0], pre);
    } else {
        for (int64_t i = 0; i < many[0]; i++) {
            const vb v = load_blocks(from + i * step, 0);
            st8(to + i * WSR__BLOCK, block_of(preb_apply(v, pre), 0));
        }
    }
}

/// `rows` padded rows of a block of an image, from row `first` on.
WSR_INLINE void read_padded(float *to, const input *in,
                            const wsr__dense_layout *l, const int64_t at[2],
                            int64_t first, int64_t rows)
{
    const int64_t plane = at[1] * l->h * l->w * WSR__BLOCK;
    const float *const data = in->data + at[0] * in->batch_stride + plane;
    const float *const saved =
        in->affine == NULL
            ? data
            : in->affine->dst + plane +
                  saved_at(in->affine, at[0], l->ins, l->h * l->w);
    const preb pre = preb_of(in->pre, at[1], 1);
    const affineb affine = affineb_of(in->affine, at[1], 1);
    const int64_t step = l->stride[1];
    for (int64_t y = first; y < first + rows; y++, to += l->pitch) {
        if (y < 0 || y >= l->h) {
            clear_columns(to, l->pitch / WSR__BLOCK);
            continue;
        }
        for (int64_t r = 0; r < step; r++) {
            // Columns left + i * step that exist: i in [begin, end).
            const int64_t left = l->first[1] + r;
            const int64_t begin =
                min64(max64((step - 1 - left) / step, 0), l->columns);
            const int64_t end = max64(
                begin, min64((l->w - left + step - 1) / step, l->columns));
            const int64_t from = (y * l->w + left + begin * step) * WSR__BLOCK;
            float *const row = to + r * l->columns * WSR__BLOCK;
            clear_columns(row, begin);
            read_columns(row + begin * WSR__BLOCK, data + from, saved + from,
                         (const int64_t[]){end - begin, step}, &pre, &affine);
            clear_columns(row + end * WSR__BLOCK, l->columns - end);
        }
    }
}

// ------------------------------------------------------------------ results

/// Where results go: dst, or diff_src.
typedef struct output {
    float *data;
    int64_t step;        // floats from image to image
    int64_t plane;       // floats of a block
    int64_t width;       // pixels of a row
    int64_t blocks;      // of an image
    const wsr__fwd *fwd; // one of both is NULL
    const wsr__bwd *bwd;
} output;

WSR_INLINE output output_forward(const wsr__dense *p, float *dst,
                                 const wsr__fwd *fwd)
{
    const wsr__conv *const c = &p->conv;
    const int64_t pixels = c->oh * c->ow;
    return (output){.data = dst,
                    .step = batch_stride_of(p->dst_batch_stride, c->co, pixels),
                    .plane = pixels * WSR__BLOCK,
                    .width = c->ow,
                    .blocks = wsr__blocks(c->co),
                    .fwd = fwd};
}

WSR_INLINE output output_backward(const wsr__dense *p, float *diff_src,
                                  const wsr__bwd *bwd)
{
    const wsr__conv *const c = &p->conv;
    const int64_t pixels = c->h * c->w;
    return (output){.data = diff_src,
                    .step = batch_stride_of(p->src_batch_stride, c->ci, pixels),
                    .plane = pixels * WSR__BLOCK,
                    .width = c->w,
                    .blocks = wsr__blocks(c->ci),
                    .bwd = bwd};
}

WSR_INLINE input input_forward(const wsr__dense *p, const float *src,
                               const wsr__pre *pre)
{
    const wsr__conv *const c = &p->conv;
    return (input){.data = src,
                   .batch_stride =
                       batch_stride_of(p->src_batch_stride, c->ci, c->h * c->w),
                   .pre = pre};
}

WSR_INLINE input input_backward(const wsr__dense *p, const float *diff_dst,
                                const wsr__affine *affine)
{
    const wsr__conv *const c = &p->conv;
    return (input){.data = diff_dst,
                   .batch_stride = batch_stride_of(p->dst_batch_stride, c->co,
                                                   c->oh * c->ow),
                   .affine = affine};
}

/// Take from the options how to finish each of the `n` bundles of results from
/// block b on; bundles beyond the last block get count 0.
WSR_INLINE void finish_bundles(finish *f, const output *o, int64_t b, int n)
{
    for (int i = 0; i < n; i++, b += BUNDLE_BLOCKS) {
        f[i].count = 0;
        if (b >= o->blocks) {
            continue;
        }
        const int count = bundle_count(b, o->blocks);
        if (o->fwd != NULL) {
            finish_forward(&f[i], o->fwd, b, count, o->plane);
        } else {
            finish_backward(&f[i], o->bwd, b, count, o->plane);
        }
    }
}

WSR_INLINE void flush_bundles(finish *f, int n)
{
    for (int i = 0; i < n; i++) {
        if (f[i].count > 0) {
            finish_flush(&f[i]);
        }
    }
}

/// What results are masked by; it lies like them.
WSR_INLINE const float *mask_of(const output *o)
{
    return o->bwd != NULL && o->bwd->relu_mask != NULL ? o->bwd->relu_mask->src
                                                       : o->data;
}

/// One pixel of a bundle, at `at` of the results and of the mask.
WSR_INLINE void store_result(float *to, const float *mask, int64_t at, vb v,
                             finish *f)
{
    v = addb(v, f->bias);
    if (f->masked || f->summed) {
        const vb src = load_blocks(mask + at, f->pitch);
        if (f->masked) {
            v = mask_apply(v, src, f);
        }
        if (f->summed) {
            f->sum = addb(f->sum, v);
            f->product = fmab(v, subb(src, f->mean), f->product);
        }
    }
    if (f->accumulate) {
        v = addb(load_blocks(to + at, f->pitch), v);
    }
    store_blocks(to + at, f->pitch, v);
}

/// The plane of block b of image n in arrays of moments and sums.
WSR_INLINE int64_t output_item(const output *o, int64_t n, int64_t b)
{
    return n * (o->step / o->plane) + b;
}

/// Clear the sums of blocks [first, last) of image n, if any are wanted.
WSR_INLINE void clear_sums(const output *o, int64_t n, int64_t first,
                           int64_t last)
{
    if (o->bwd != NULL && o->bwd->relu_mask != NULL &&
        o->bwd->relu_mask->sums != NULL) {
        memset(o->bwd->relu_mask->sums +
                   output_item(o, n, first) * 2 * WSR__BLOCK,
               0, (size_t)((last - first) * 2 * WSR__BLOCK) * sizeof(double));
    }
}

/// Add those of `n` bundles from block b on.
WSR_INLINE void add_sums(const output *o, const finish *f, int64_t image,
                         int64_t b, int n)
{
    for (int i = 0; i < n; i++, b += BUNDLE_BLOCKS) {
        if (f[i].count > 0 && o->bwd != NULL) {
            finish_add_sums(&f[i], o->bwd->relu_mask, output_item(o, image, b));
        }
    }
}

/// The moments of blocks [first, last) of image n, if they are wanted.
WSR_INLINE void output_moments(const output *o, int64_t n, int64_t first,
                               int64_t last)
{
    for (int64_t b = first;
         o->fwd != NULL && o->fwd->moments != NULL && b < last; b++) {
        WSR_NAME(wsr__plane_moments)
        (o->fwd->moments + output_item(o, n, b) * 2 * WSR__BLOCK,
         o->data + n * o->step + b * o->plane, o->plane / WSR__BLOCK);
    }
}

// -------------------------------------------------------------------- items

/// How images, and groups of destination blocks, are divided among items. Each
/// result is computed the same way however they are.
typedef struct division {
    int64_t n;      // images
    int64_t images; // of one item
    int64_t groups;
    int64_t parts; // that share the groups of the same images
} division;

/// Items of `images` images; where they leave threads idle, the groups are
/// shared as well.
WSR_INLINE division division_of(int64_t n, int64_t images, int64_t groups,
                                int64_t threads)
{
    const int64_t items = (n + images - 1) / images;
    const bool enough = items >= 4 * threads || items % threads == 0;
    return (division){.n = n,
                      .images = images,
                      .groups = groups,
                      .parts = enough ? 1 : min64(groups, threads)};
}

WSR_INLINE int64_t division_items(const division *d)
{
    return (d->n + d->images - 1) / d->images * d->parts;
}

/// The images and the groups of item i, each [first, last).
WSR_INLINE void division_item(int64_t images[2], int64_t groups[2],
                              const division *d, int64_t i)
{
    const int64_t part = i % d->parts;
    images[0] = i / d->parts * d->images;
    images[1] = min64(images[0] + d->images, d->n);
    groups[0] = part * d->groups / d->parts;
    groups[1] = (part + 1) * d->groups / d->parts;
}

#endif
