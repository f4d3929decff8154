// SPDX-License-Identifier: Apache-2.0
//
// Depthwise and pointwise convolution in one pass: backward.
//
// Rows of diff_dst are read one after the other. The kernel multiplies each by
// the transposed pointwise weights and puts the product, a row of the gradient
// between the two convolutions, into padded rings that the cache holds. From
// these the depthwise backward pass computes rows of diff_src. For the
// gradients of the weights, the same row of diff_dst meets the depthwise
// result, which is computed again rather than stored by forward. Only src,
// diff_src and diff_dst meet the memory.

#include "kernel/native_reverse.h"
#include "kernel/native_sep.h"

// The gradient between the two convolutions, in the scratch of one thread:
//
//   rings    [bundle][row of the ring][padded column][BUNDLE]
//   weights  [bundle][column phase][ky][tap][BUNDLE], reversed
//   diff     [block][row of the run][column][8]
//   src      the depthwise result again, if gradients of weights are wanted
//
// Row y of the gradient is in place y modulo the ring's rows. The rings hold
// as many rows as the rows of diff_src that are computed together depend on.
typedef struct between {
    reverse v;
    window win;
    ring first;    // that of the first bundle
    int64_t pitch; // floats from ring to ring
    float *weights;
    float *diff; // diff_dst read through bwd->affine
    source src;
    float *sums[2]; // NULL, or gradients of packed weights, added to:
                    // depthwise, pointwise
} between;

static bool wants_weights(const call *c)
{
    return c->sums[0] != NULL || c->sums[1] != NULL;
}

// A run is l.rows rows whose depthwise results lie together, so that one
// product adds them to the gradient of the pointwise weights. Floats from
// block to block of a run.
static int64_t run_pitch(const call *c)
{
    return c->l.rows * c->p->dw.ow * WSR__BLOCK;
}

// Lay out the scratch of a thread. As in source_make, the zeros of the padding
// are written here alone.
static between between_make(float *scratch, const call *c)
{
    const wsr__dw *const d = &c->p->dw;
    between m = {.v = reverse_of(d)};
    const int64_t ni = (d->w + d->stride - 1) / d->stride;
    const int64_t nj = (d->h + d->stride - 1) / d->stride;
    // Some rows and columns of diff_dst may reach no pixel of diff_src; the
    // gradients of the weights need them nevertheless.
    m.v.low = min64(m.v.low, 0);
    m.v.high = max64(m.v.high, max64(d->ow - ni, d->oh - nj));
    m.win = window_make(m.v.low, ni + m.v.high - m.v.low, d->ow,
                        m.v.high - m.v.low + 1 + c->l.rows);
    m.first = (ring){
        .data = scratch, .rows = m.win.reach, .pitch = m.win.width * BUNDLE};
    m.pitch = c->l.backward_ring * BUNDLE;
    m.weights = scratch + c->bundles * m.pitch;
    m.diff = m.weights + c->bundles * dw_taps(c, BUNDLE);
    for (int64_t k = 0; k < c->bundles; k++) {
        (void)ring_make(scratch + k * m.pitch, &m.win, BUNDLE);
        reverse_weights(m.weights + k * dw_taps(c, BUNDLE), &m.v, d,
                        dw_weights(c, k),
                        bundle_count(k * BUNDLE_BLOCKS, c->ins));
    }
    if (wants_weights(c)) {
        m.src = source_make(scratch + c->l.backward, c);
    }
    return m;
}

// Row y of diff_dst of image n read through bwd->affine, all channel blocks,
// `pitch` floats apart. Without affine it is diff_dst itself.
static const float *diff_row(const between *m, int64_t *pitch, const call *c,
                             int64_t n, int64_t y)
{
    const wsr__dw *const d = &c->p->dw;
    const wsr__affine *const affine = c->bwd->affine;
    const int64_t offset = y * d->ow * WSR__BLOCK;
    const float *const diff = c->diff + n * c->dst_batch_stride + offset;
    *pitch = c->dst_plane;
    if (affine == NULL) {
        return diff;
    }
    const float *const saved =
        affine->dst + saved_at(affine, n, c->p->co, d->oh * d->ow) + offset;
    float *const to = m->diff + y % c->l.rows * d->ow * WSR__BLOCK;
    *pitch = run_pitch(c);
    for (int64_t b = 0; b < c->outs; b++) {
        const affineb one = affineb_of(affine, b, 1);
        read_diff(to + b * *pitch, diff + b * c->dst_plane,
                  saved + b * c->dst_plane, d->ow, &one);
    }
    return to;
}

// What the product of row y of diff_dst prefetches: the next row of diff_dst,
// what affine reads with it, and the rows of diff_src that can be computed as
// soon as row y is there, with the src of their relu mask.
static void between_ahead(gemm_ahead *ahead, const between *m, const call *c,
                          int64_t n, int64_t y)
{
    const wsr__dw *const d = &c->p->dw;
    const int64_t pixels = d->oh * d->ow;
    const bool last = y + 1 == d->oh;
    const int64_t image = last ? n + 1 : n;
    const int64_t row = (last ? 0 : y + 1) * d->ow * WSR__BLOCK;
    gemm_ahead a = {.pitch = c->dst_plane, .blocks = c->outs, .scale = 1};
    if (image < d->n) {
        a.from = c->diff + image * c->dst_batch_stride + row;
        ahead[0] = a;
    }
    const wsr__affine *const affine = c->bwd->affine;
    if (image < d->n && affine != NULL) {
        a.from = affine->dst + saved_at(affine, image, c->p->co, pixels) + row;
        ahead[1] = a;
    }
    const int64_t ready = (y - m->v.high) * d->stride;
    if (c->out == NULL || ready < 0 || ready >= d->h) {
        return;
    }
    const int64_t at = n * c->src_batch_stride + ready * d->w * WSR__BLOCK;
    a = (gemm_ahead){.pitch = c->src_plane,
                     .blocks = c->ins,
                     .scale = d->stride * d->stride};
    if (c->bwd->relu_mask != NULL) {
        a.from = c->bwd->relu_mask->src + at;
        ahead[2] = a;
    }
    a.from = c->out + at;
    a.write = true;
    ahead[3] = a;
}

// Multiply a row of diff_dst by the transposed pointwise weights, into row y
// of all rings; at is the image and y.
static void between_fill(const between *m, const call *c, const float *diff,
                         int64_t pitch, const int64_t at[2])
{
    const int64_t y = at[1];
    gemm g;
    gemm_clear(&g);
    g.pixels = c->p->dw.ow;
    g.ins = c->outs;
    g.outs = c->ins;
    g.src = diff;
    g.src_pitch = pitch;
    g.weights = c->weights->transposed;
    g.dst = ring_row(&m->first, y) + m->win.at * BUNDLE;
    g.dst_pitch = m->pitch;
    g.bundled = true;
    between_ahead(g.ahead, m, c, at[0], y);
    WSR_NAME(wsr__gemm_blocked)(&g);
}

// Add a run of `rows` rows to the gradient of the pointwise weights: the
// product of the depthwise result and diff_dst over all pixels.
static void product_grad(const between *m, const call *c, const float *diff,
                         int64_t pitch, int64_t rows)
{
    const gemm_grad g = {.pixels = rows * c->p->dw.ow,
                         .ins = c->ins,
                         .outs = c->outs,
                         .src = m->src.result,
                         .src_pitch = run_pitch(c),
                         .diff = diff,
                         .diff_pitch = pitch,
                         .weights = m->sums[1],
                         .weights_pitch = c->ins * WSR__BLOCK * 2 * WSR__BLOCK};
    WSR_NAME(wsr__gemm_blocked_grad)(&g);
}

// Use row y of diff_dst of image n for all but diff_src: fill the rings, add
// to the gradient of the depthwise weights, and at the end of a run to that of
// the pointwise weights.
static void backward_row(between *m, const call *c, int64_t n, int64_t y)
{
    const int64_t row = c->p->dw.ow * WSR__BLOCK;
    const int64_t before = y % c->l.rows; // rows of the run
    const int64_t at[2] = {n, y};
    int64_t pitch = 0;
    const float *const diff = diff_row(m, &pitch, c, n, y);
    if (c->out != NULL || m->sums[0] != NULL) {
        between_fill(m, c, diff, pitch, at);
    }
    if (!wants_weights(c)) {
        return;
    }
    const rows_task task = {
        .out = m->sums[1] != NULL ? m->src.result + before * row : NULL,
        .pitch = run_pitch(c),
        .diff = ring_row(&m->first, y) + m->win.at * BUNDLE,
        .diff_pitch = m->pitch,
        .grad = m->sums[0]};
    source_rows(&m->src, c, c->pre, &task, (const int64_t[]){y, 1});
    const bool last = before + 1 == c->l.rows || y + 1 == c->p->dw.oh;
    if (m->sums[1] != NULL && last) {
        product_grad(m, c, diff - before * row, pitch, before + 1);
    }
}

// rows[1] rows of diff_src of image n from row rows[0] on, of bundle k: the
// depthwise backward pass over the ring.
static void backward_rows(const call *c, const between *m, int64_t n, int64_t k,
                          const int64_t rows[2])
{
    const wsr__relu_mask *const mask = c->bwd->relu_mask;
    const int64_t b = k * BUNDLE_BLOCKS;
    const int64_t plane = n * c->src_batch_stride + b * c->src_plane;
    reversing r = {.p = &c->p->dw,
                   .r = &m->v,
                   .rows = m->first,
                   .weights = m->weights + k * dw_taps(c, BUNDLE),
                   .out = c->out + plane,
                   .mask = mask != NULL ? mask->src + plane : NULL,
                   .ni = m->win.width};
    r.rows.data += k * m->pitch;
    finish f;
    finish_backward(&f, c->bwd, b, bundle_count(b, c->ins), c->src_plane);
    for (int64_t y = rows[0]; y < rows[0] + rows[1]; y++) {
        reverse_row(&r, y, &f);
    }
    finish_add_sums(&f, mask, plane / c->src_plane);
}

// Rows [begin, end) of diff_src of image n, and what the rows of diff_dst that
// they depend on add to the gradients of the weights. Each row of diff_dst is
// used once, in order; a band other than the first begins with the first row
// that its own rows depend on.
static void backward_band(const call *c, between *m, int64_t n, int64_t begin,
                          int64_t end)
{
    const wsr__dw *const d = &c->p->dw;
    const reverse *const v = &m->v;
    m->first.next = max64(0, over_stride(v, begin) + v->low);
    for (int64_t y = begin; y < end; y += c->l.rows) {
        const int64_t rows[2] = {y, min64(c->l.rows, end - y)};
        const int64_t last = over_stride(v, y + rows[1] - 1) + v->high + 1;
        m->first.next = max64(m->first.next, over_stride(v, y) + v->low);
        for (; m->first.next < min64(d->oh, last); m->first.next++) {
            backward_row(m, c, n, m->first.next);
        }
        for (int64_t k = 0; c->out != NULL && k < c->bundles; k++) {
            backward_rows(c, m, n, k, rows);
        }
    }
}

// One work item: a band of an image. The sums of the relu mask's norm are per
// image, so that an image with sums is one band.
static void backward_image(const call *c, between *m, int64_t item)
{
    const int64_t n = item / c->bands;
    const int64_t rows = c->p->dw.h;
    const wsr__relu_mask *const mask = c->bwd->relu_mask;
    if (c->out != NULL && mask != NULL && mask->sums != NULL) {
        memset(mask->sums +
                   n * c->src_batch_stride / c->src_plane * 2 * WSR__BLOCK,
               0, (size_t)(c->ins * 2 * WSR__BLOCK) * sizeof(double));
    }
    if (wants_weights(c)) {
        source_start(&m->src, c, n, 0);
    }
    backward_band(c, m, n, band_begin(c, item % c->bands, rows),
                  band_begin(c, item % c->bands + 1, rows));
}

static void data_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    between m = between_make(scratch_of(c, part), c);
    for (int64_t i = begin; i < end; i++) {
        backward_image(c, &m, i);
    }
}

// Clear the sums of a group of images, and return them.
static float *group_sums(float *sums, int64_t group, size_t size)
{
    if (sums == NULL) {
        return NULL;
    }
    float *const own = sums + group * (int64_t)size;
    memset(own, 0, size * sizeof(*own));
    return own;
}

// Work items are groups of images. Their number does not depend on that of the
// threads, and neither does the order of any sum.
static void weights_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    const wsr__pw pw = wsr__sep_pw(c->p);
    const int64_t n = c->p->dw.n;
    const int64_t groups = wsr__image_groups(n);
    between m = between_make(scratch_of(c, part), c);
    for (int64_t g = begin; g < end; g++) {
        m.sums[0] = group_sums(c->sums[0], g, wsr__dw_weights_size(&c->p->dw));
        m.sums[1] = group_sums(c->sums[1], g, wsr__pw_weights_size(&pw));
        for (int64_t i = g * n / groups; i < (g + 1) * n / groups; i++) {
            backward_image(c, &m, i);
        }
    }
}

// Sum the gradients of the weights per group of images, then over the groups
// in their order.
static void backward_weights(call *c, const wsr__sep_grads *grads)
{
    const wsr__pw pw = wsr__sep_pw(c->p);
    const int64_t groups = wsr__image_groups(c->p->dw.n);
    const int64_t dw_size = (int64_t)wsr__dw_weights_size(&c->p->dw);
    float *const sums = c->weights->scratch;
    c->sums[0] = grads->dw != NULL ? sums : NULL;
    c->sums[1] = grads->pw != NULL ? sums + groups * dw_size : NULL;
    wsr__parallel_among(groups, c->weights->threads.count, weights_body, c);
    if (grads->dw != NULL) {
        WSR_NAME(wsr__sum_images)(grads->dw, c->sums[0], groups, dw_size);
    }
    if (grads->pw != NULL) {
        WSR_NAME(wsr__sum_images)
        (grads->pw, c->sums[1], groups, (int64_t)wsr__pw_weights_size(&pw));
    }
}

void WSR_NAME(wsr__sep_backward)(const wsr__sep_grads *grads, const wsr__sep *p,
                                 const float *const data[2],
                                 const wsr__sep_weights *weights,
                                 const wsr__bwd *bwd)
{
    static const wsr__bwd none = {0};
    call c = call_of(p, weights);
    c.src = data[0];
    c.diff = data[1];
    c.out = grads->src;
    c.bwd = bwd != NULL ? bwd : &none;
    c.pre = grads->pre;
    if (grads->dw != NULL || grads->pw != NULL) {
        backward_weights(&c, grads);
        return;
    }
    if (c.bwd->relu_mask == NULL || c.bwd->relu_mask->sums == NULL) {
        c.bands = bands_of(&c, p->dw.h);
    }
    wsr__parallel_among(p->dw.n * c.bands, weights->threads.count, data_body,
                        &c);
}
