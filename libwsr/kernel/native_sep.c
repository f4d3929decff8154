// SPDX-License-Identifier: Apache-2.0
//
// Depthwise and pointwise convolution in one pass: forward.
//
// The kernel computes a few rows of the depthwise result, all channel blocks,
// in a buffer that fits into the cache, and the pointwise product reads them
// from there. Only src and dst meet the memory. The next product's rows of src
// are prefetched while a product runs.

#include "kernel/native_sep.h"

// The rows of src that the rings need after this product, or the first rows of
// the next image.
static gemm_ahead source_ahead(const source *s, const call *c)
{
    const wsr__dw *const d = &c->p->dw;
    gemm_ahead a = {.pitch = c->src_plane,
                    .blocks = c->ins,
                    .scale = d->stride * d->stride};
    if (s->next < d->h) {
        a.from = s->image + s->next * d->w * WSR__BLOCK;
    } else if (s->n + 1 < d->n) {
        a.from = s->image + c->src_batch_stride;
    }
    return a;
}

// rows[1] rows of dst from row rows[0] on: the pointwise product of `from`,
// [block][row][column][8] with blocks `pitch` floats apart. Moments are summed
// around the first pixel of each plane.
static void forward_product(const call *c, const source *s, const float *from,
                            int64_t pitch, const int64_t rows[2])
{
    const wsr__dw *const d = &c->p->dw;
    const int64_t n = s->n;
    const int64_t item =
        moments_item(n, 0, c->p->co, c->p->dst_batch_stride, d->oh * d->ow);
    float *const image = c->out + n * c->dst_batch_stride;
    gemm g;
    gemm_clear(&g);
    g.pixels = rows[1] * d->ow;
    g.ins = c->ins;
    g.outs = c->outs;
    g.src = from;
    g.src_pitch = pitch;
    g.weights = c->weights->pw;
    g.dst = image + rows[0] * d->ow * WSR__BLOCK;
    g.dst_pitch = c->dst_plane;
    g.bias = c->fwd->bias;
    g.accumulate = c->fwd->accumulate;
    g.first = image;
    g.ahead[0] = source_ahead(s, c);
    if (c->fwd->moments != NULL) {
        g.kind = GEMM_MOMENTS;
        g.sums = c->fwd->moments + item * 2 * WSR__BLOCK;
    }
    WSR_NAME(wsr__gemm_blocked)(&g);
}

// Rows [begin, end) of dst of image n, as many at a time as the cache holds
// depthwise results for.
static void forward_band(const call *c, source *s, int64_t n, int64_t begin,
                         int64_t end)
{
    const wsr__dw *const d = &c->p->dw;
    source_start(s, c, n, begin);
    for (int64_t y = begin; y < end; y += c->l.rows) {
        const int64_t rows[2] = {y, min64(c->l.rows, end - y)};
        const rows_task task = {.out = s->result,
                                .pitch = rows[1] * d->ow * WSR__BLOCK};
        source_rows(s, c, c->fwd->pre, &task, rows);
        forward_product(c, s, task.out, task.pitch, rows);
    }
}

// All of image n, with the moments of its dst.
static void forward_image(const call *c, source *s, int64_t n)
{
    const wsr__dw *const d = &c->p->dw;
    const int64_t pixels = d->oh * d->ow;
    double *sums = NULL;
    if (c->fwd->moments != NULL) {
        sums = c->fwd->moments +
               moments_item(n, 0, c->p->co, c->p->dst_batch_stride, pixels) *
                   2 * WSR__BLOCK;
        memset(sums, 0, (size_t)(c->outs * 2 * WSR__BLOCK) * sizeof(*sums));
    }
    forward_band(c, s, n, 0, d->oh);
    for (int64_t b = 0; sums != NULL && b < c->outs; b++) {
        WSR_NAME(wsr__gemm_blocked_moments)
        (sums + b * 2 * WSR__BLOCK,
         c->out + n * c->dst_batch_stride + b * c->dst_plane, pixels);
    }
}

// Work items are bands of images; item i is band i % bands of image i / bands.
static void forward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    const int64_t rows = c->p->dw.oh;
    source s = source_make(scratch_of(c, part), c);
    for (int64_t i = begin; i < end; i++) {
        const int64_t band = i % c->bands;
        if (c->bands == 1) {
            forward_image(c, &s, i);
        } else {
            forward_band(c, &s, i / c->bands, band_begin(c, band, rows),
                         band_begin(c, band + 1, rows));
        }
    }
}

void WSR_NAME(wsr__sep_forward)(float *dst, const wsr__sep *p, const float *src,
                                const wsr__sep_weights *weights,
                                const wsr__fwd *fwd)
{
    static const wsr__fwd none = {0};
    call c = call_of(p, weights);
    c.src = src;
    c.out = dst;
    c.fwd = fwd != NULL ? fwd : &none;
    if (c.fwd->moments == NULL) { // moments are summed over an image
        c.bands = bands_of(&c, p->dw.oh);
    }
    wsr__parallel_among(p->dw.n * c.bands, weights->threads.count, forward_body,
                        &c);
}
