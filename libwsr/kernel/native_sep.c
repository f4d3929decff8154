// SPDX-License-Identifier: Apache-2.0
//
// Depthwise and pointwise convolution in one pass.
//
// Forward, a few rows of the depthwise result of all channel blocks are formed
// in a buffer that the cache holds, and the pointwise product takes them from
// there. Backward does the reverse: rows of the pointwise product with the
// transposed weights go into the padded ring from which the depthwise backward
// reads. So only src and dst meet the memory. The weights' gradients come from
// the same pass, which then forms the depthwise result again, rows at a time.

#include "kernel/native_gemm.h"
#include "kernel/native_reverse.h"

/// Everything that the workers of one call share.
typedef struct call {
    const wsr__sep *p;
    wsr__sep_layout l;
    int64_t ins;     // channel blocks of src
    int64_t bundles; // of them
    int64_t outs;    // channel blocks of dst
    int64_t src_step;
    int64_t dst_step;
    int64_t src_plane; // floats
    int64_t dst_plane;
    int64_t bands; // that an image is cut into for the sake of the threads
    const float *src;
    const float *diff;
    const wsr__sep_weights *weights;
    float *out;
    float *sums[2]; // gradients per group: depthwise, pointwise
    const wsr__fwd *fwd;
    const wsr__bwd *bwd;
    const wsr__pre *pre; // of src, for the weights' gradients
} call;

static call call_of(const wsr__sep *p, const wsr__sep_weights *weights)
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
    c.src_step = step_of(d->src_step, d->c, d->h * d->w);
    c.dst_step = step_of(p->dst_step, p->co, d->oh * d->ow);
    return c;
}

/// Cut images into bands when there are few for the threads. Bands do not
/// change results as long as nothing is summed over an image.
static int64_t bands_of(const call *c, int64_t rows)
{
    const int64_t n = c->p->dw.n;
    const int64_t slots = c->weights->slots.count;
    int64_t bands = 1;
    while (n < 4 * slots && n * bands % slots != 0 && bands < 8) {
        bands++;
    }
    return min64(bands, rows);
}

/// First row of a band; band `bands` starts behind the last row.
static int64_t band_begin(const call *c, int64_t band, int64_t rows)
{
    return band * rows / c->bands;
}

static float *slot_of(const call *c, size_t part)
{
    const wsr__slots *const slots = &c->weights->slots;
    return slots->data + (int64_t)part * slots->step;
}

/// Floats of the depthwise weights of a block or bundle of `channels`.
static int64_t dw_taps(const call *c, int64_t channels)
{
    return c->p->dw.kernel * c->p->dw.kernel * channels;
}

/// Packed depthwise weights of the first block of bundle k.
static const float *dw_weights(const call *c, int64_t k)
{
    return c->weights->dw + k * BUNDLE_BLOCKS * dw_taps(c, WSR__BLOCK);
}

// ------------------------------------------------- depthwise rows of an image

/// Rings of all bundles of src in a slot.
typedef struct source {
    window win;
    int64_t n;          // image
    const float *image; // of src
    float *rings;
    float *weights; // of all bundles
    float *result;  // depthwise rows, all blocks
    int64_t pitch;  // from ring to ring
    int64_t next;   // first row that the rings lack
    row_kernel row;
    grad_kernel grad;
} source;

/// Filling never touches the padding, which is cleared once.
static source source_make(float *slot, const call *c)
{
    const wsr__dw *const d = &c->p->dw;
    source s = {
        .win = window_forward(d, 0, d->ow),
        .rings = slot,
        .pitch = c->l.forward_ring * BUNDLE,
        .row = WSR_NAME(wsr__row_kernel)(d->kernel, d->dilation, d->stride),
        .grad = WSR_NAME(wsr__grad_kernel)(d->kernel, d->dilation, d->stride)};
    s.weights = s.rings + c->bundles * s.pitch;
    s.result = s.weights + c->bundles * dw_taps(c, BUNDLE);
    for (int64_t k = 0; k < c->bundles; k++) {
        (void)ring_make(slot + k * s.pitch, &s.win, BUNDLE);
        spread_weights(s.weights + k * dw_taps(c, BUNDLE), d, dw_weights(c, k),
                       bundle_count(k * BUNDLE_BLOCKS, c->ins));
    }
    return s;
}

/// Start with row y of the results of image n.
static void source_start(source *s, const call *c, int64_t n, int64_t y)
{
    const wsr__dw *const d = &c->p->dw;
    s->n = n;
    s->image = c->src + n * c->src_step;
    s->next = max64(0, y * d->stride - d->pad);
}

/// One bundle of a source: its ring, and what that is filled with.
typedef struct feed {
    int64_t k; // bundle
    int count; // of its blocks
    ring ring;
    ring_source src;
} feed;

WSR_INLINE feed feed_of(const source *s, const call *c, const wsr__pre *pre,
                        int64_t k)
{
    const int64_t b = k * BUNDLE_BLOCKS;
    const int count = bundle_count(b, c->ins);
    return (feed){.k = k,
                  .count = count,
                  .ring = {.data = s->rings + k * s->pitch,
                           .rows = s->win.reach,
                           .pitch = s->win.width * BUNDLE,
                           .next = s->next},
                  .src = {.plane = s->image + b * c->src_plane,
                          .pitch = count > 1 ? c->src_plane : 0,
                          .pre = preb_of(pre, b, count)}};
}

/// What is done with the depthwise rows.
typedef struct rows_job {
    float *out;        // NULL, or where depthwise(pre(src)) goes
    int64_t pitch;     // from block to block
    const float *diff; // diff of it in bundles, for the gradient
    int64_t diff_pitch;
    float *grad; // NULL, or depthwise gradients of all blocks
} rows_job;

/// Row y of dst, the i-th of the job.
WSR_INLINE void feed_row(const feed *f, const source *s, const call *c,
                         const rows_job *job, const int64_t row[2])
{
    const wsr__dw *const d = &c->p->dw;
    const int64_t b = f->k * BUNDLE_BLOCKS;
    const int64_t top = row[0] * d->stride - d->pad;
    const int64_t at = row[1] * d->ow; // pixels
    if (job->out != NULL) {
        finish end;
        finish_none(&end, f->count, job->pitch);
        taps t;
        taps_forward(&t, d, &f->ring, s->weights + f->k * dw_taps(c, BUNDLE),
                     top);
        s->row(job->out + b * job->pitch + at * WSR__BLOCK, WSR__BLOCK, &t,
               d->ow, &end);
    }
    if (job->grad != NULL) {
        grad_taps t;
        taps_gradient(&t, d, &f->ring, job->grad + b * dw_taps(c, WSR__BLOCK),
                      top, f->count);
        s->grad(&t, job->diff + f->k * job->diff_pitch + at * BUNDLE, d->ow);
    }
}

/// Rows [y, y + rows) of all bundles.
static void source_rows(source *s, const call *c, const wsr__pre *pre,
                        const rows_job *job, const int64_t rows[2])
{
    int64_t next = s->next;
    for (int64_t k = 0; k < c->bundles; k++) {
        feed f = feed_of(s, c, pre, k);
        for (int64_t i = 0; i < rows[1]; i++) {
            ring_advance(&f.ring, &s->win, &c->p->dw, &f.src, rows[0] + i);
            feed_row(&f, s, c, job, (const int64_t[]){rows[0] + i, i});
        }
        next = f.ring.next;
    }
    s->next = next;
}

// ------------------------------------------------------------------ forward

/// The rows of src that are filled in after this product, or the first ones of
/// the next image.
static gemm_ahead source_ahead(const source *s, const call *c)
{
    const wsr__dw *const d = &c->p->dw;
    gemm_ahead a = {.pitch = c->src_plane,
                    .blocks = c->ins,
                    .scale = d->stride * d->stride};
    if (s->next < d->h) {
        a.from = s->image + s->next * d->w * WSR__BLOCK;
    } else if (s->n + 1 < d->n) {
        a.from = s->image + c->src_step;
    }
    return a;
}

static void forward_product(const call *c, const source *s, const float *from,
                            int64_t pitch, const int64_t rows[2])
{
    const wsr__dw *const d = &c->p->dw;
    const int64_t n = s->n;
    const int64_t item =
        moments_item(n, 0, c->p->co, c->p->dst_step, d->oh * d->ow);
    float *const image = c->out + n * c->dst_step;
    gemm g = {.pixels = rows[1] * d->ow,
              .ins = c->ins,
              .outs = c->outs,
              .src = from,
              .src_pitch = pitch,
              .weights = c->weights->pw,
              .dst = image + rows[0] * d->ow * WSR__BLOCK,
              .dst_pitch = c->dst_plane,
              .bias = c->fwd->bias,
              .accumulate = c->fwd->accumulate,
              .first = image,
              .ahead = {source_ahead(s, c)}};
    if (c->fwd->moments != NULL) {
        g.kind = GEMM_MOMENTS;
        g.sums = c->fwd->moments + item * 2 * WSR__BLOCK;
    }
    WSR_NAME(wsr__gemm_blocked)(&g);
}

/// Rows [begin, end) of dst of image n.
static void forward_band(const call *c, source *s, int64_t n, int64_t begin,
                         int64_t end)
{
    const wsr__dw *const d = &c->p->dw;
    source_start(s, c, n, begin);
    for (int64_t y = begin; y < end; y += c->l.rows) {
        const int64_t rows[2] = {y, min64(c->l.rows, end - y)};
        const rows_job job = {.out = s->result,
                              .pitch = rows[1] * d->ow * WSR__BLOCK};
        source_rows(s, c, c->fwd->pre, &job, rows);
        forward_product(c, s, job.out, job.pitch, rows);
    }
}

static void forward_image(const call *c, source *s, int64_t n)
{
    const wsr__dw *const d = &c->p->dw;
    const int64_t pixels = d->oh * d->ow;
    double *sums = NULL;
    if (c->fwd->moments != NULL) {
        sums = c->fwd->moments +
               moments_item(n, 0, c->p->co, c->p->dst_step, pixels) * 2 *
                   WSR__BLOCK;
        memset(sums, 0, (size_t)(c->outs * 2 * WSR__BLOCK) * sizeof(*sums));
    }
    forward_band(c, s, n, 0, d->oh);
    for (int64_t b = 0; sums != NULL && b < c->outs; b++) {
        WSR_NAME(wsr__gemm_blocked_moments)
        (sums + b * 2 * WSR__BLOCK, c->out + n * c->dst_step + b * c->dst_plane,
         pixels);
    }
}

static void forward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    const int64_t rows = c->p->dw.oh;
    source s = source_make(slot_of(c, part), c);
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
    if (c.fwd->moments == NULL) {
        c.bands = bands_of(&c, p->dw.oh);
    }
    wsr__parallel_among(p->dw.n * c.bands, weights->slots.count, forward_body,
                        &c);
}

// ----------------------------------------------------------------- backward

/// What a slot works in. Rows of diff_dst come one after the other. Each is
/// multiplied into rings of rows of the gradient between the two convolutions,
/// from which rows of diff_src are made; for the weights' gradients it also
/// meets the depthwise result, which is formed again.
typedef struct between {
    reverse v;
    window win;
    ring first;     // of the first bundle
    int64_t pitch;  // from ring to ring
    float *weights; // reversed, of all bundles
    float *diff;    // a run of rows of diff_dst behind its norm, all blocks
    source src;
    float *sums[2]; // of the depthwise and pointwise gradients, or NULL
} between;

static bool wants_weights(const call *c)
{
    return c->sums[0] != NULL || c->sums[1] != NULL;
}

/// Floats from block to block of a run of rows.
static int64_t run_pitch(const call *c)
{
    return c->l.rows * c->p->dw.ow * WSR__BLOCK;
}

static between between_make(float *slot, const call *c)
{
    const wsr__dw *const d = &c->p->dw;
    between m = {.v = reverse_of(d)};
    const int64_t ni = (d->w + d->stride - 1) / d->stride;
    const int64_t nj = (d->h + d->stride - 1) / d->stride;
    // The weights need all of diff_dst.
    m.v.low = min64(m.v.low, 0);
    m.v.high = max64(m.v.high, max64(d->ow - ni, d->oh - nj));
    m.win = window_make(m.v.low, ni + m.v.high - m.v.low, d->ow,
                        m.v.high - m.v.low + 1 + c->l.rows);
    m.first = (ring){
        .data = slot, .rows = m.win.reach, .pitch = m.win.width * BUNDLE};
    m.pitch = c->l.backward_ring * BUNDLE;
    m.weights = slot + c->bundles * m.pitch;
    m.diff = m.weights + c->bundles * dw_taps(c, BUNDLE);
    for (int64_t k = 0; k < c->bundles; k++) {
        (void)ring_make(slot + k * m.pitch, &m.win, BUNDLE);
        reverse_weights(m.weights + k * dw_taps(c, BUNDLE), &m.v, d,
                        dw_weights(c, k),
                        bundle_count(k * BUNDLE_BLOCKS, c->ins));
    }
    if (wants_weights(c)) {
        m.src = source_make(slot + c->l.backward, c);
    }
    return m;
}

/// Row y of diff_dst of image n behind its norm, all channel blocks.
static const float *diff_row(const between *m, int64_t *pitch, const call *c,
                             int64_t n, int64_t y)
{
    const wsr__dw *const d = &c->p->dw;
    const wsr__affine *const affine = c->bwd->affine;
    const int64_t offset = y * d->ow * WSR__BLOCK;
    const float *const diff = c->diff + n * c->dst_step + offset;
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

/// What is read after the product of row y of diff_dst: the next row, and the
/// rows of src that become complete with this one; and what is written there.
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
        a.from = c->diff + image * c->dst_step + row;
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
    const int64_t at = n * c->src_step + ready * d->w * WSR__BLOCK;
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

/// Product of a row of diff_dst with the transposed weights into row y of the
/// rings.
static void between_fill(const between *m, const call *c, const float *diff,
                         int64_t pitch, const int64_t at[2])
{
    const int64_t y = at[1];
    gemm g = {.pixels = c->p->dw.ow,
              .ins = c->outs,
              .outs = c->ins,
              .src = diff,
              .src_pitch = pitch,
              .weights = c->weights->transposed,
              .dst = ring_row(&m->first, y) + m->win.at * BUNDLE,
              .dst_pitch = m->pitch,
              .bundled = true};
    between_ahead(g.ahead, m, c, at[0], y);
    WSR_NAME(wsr__gemm_blocked)(&g);
}

/// What a run of rows adds to the gradient of the pointwise weights.
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
                         .weights = m->sums[1]};
    WSR_NAME(wsr__gemm_blocked_grad)(&g);
}

/// Everything that row y of diff_dst of image n is for, except diff_src.
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
    const rows_job job = {
        .out = m->sums[1] != NULL ? m->src.result + before * row : NULL,
        .pitch = run_pitch(c),
        .diff = ring_row(&m->first, y) + m->win.at * BUNDLE,
        .diff_pitch = m->pitch,
        .grad = m->sums[0]};
    source_rows(&m->src, c, c->pre, &job, (const int64_t[]){y, 1});
    const bool last = before + 1 == c->l.rows || y + 1 == c->p->dw.oh;
    if (m->sums[1] != NULL && last) {
        product_grad(m, c, diff - before * row, pitch, before + 1);
    }
}

/// Rows of diff_src of bundle k.
static void backward_rows(const call *c, const between *m, int64_t n, int64_t k,
                          const int64_t rows[2])
{
    const wsr__gate *const mask = c->bwd->relu_mask;
    const int64_t b = k * BUNDLE_BLOCKS;
    const int64_t plane = n * c->src_step + b * c->src_plane;
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

/// Rows [begin, end) of diff_src of image n, and what the image adds to the
/// gradients of the weights.
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

static void backward_image(const call *c, between *m, int64_t item)
{
    const int64_t n = item / c->bands;
    const int64_t rows = c->p->dw.h;
    const wsr__gate *const mask = c->bwd->relu_mask;
    if (c->out != NULL && mask != NULL && mask->sums != NULL) {
        memset(mask->sums + n * c->src_step / c->src_plane * 2 * WSR__BLOCK, 0,
               (size_t)(c->ins * 2 * WSR__BLOCK) * sizeof(double));
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
    between m = between_make(slot_of(c, part), c);
    for (int64_t i = begin; i < end; i++) {
        backward_image(c, &m, i);
    }
}

/// Clear the sums of a group of images, and return them.
static float *group_sums(float *sums, int64_t group, size_t size)
{
    if (sums == NULL) {
        return NULL;
    }
    float *const own = sums + group * (int64_t)size;
    memset(own, 0, size * sizeof(*own));
    return own;
}

static void weights_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const call *const c = ctx;
    const wsr__pw pw = wsr__sep_pw(c->p);
    const int64_t n = c->p->dw.n;
    const int64_t groups = wsr__image_groups(n);
    between m = between_make(slot_of(c, part), c);
    for (int64_t g = begin; g < end; g++) {
        m.sums[0] = group_sums(c->sums[0], g, wsr__dw_weights_size(&c->p->dw));
        m.sums[1] = group_sums(c->sums[1], g, wsr__pw_weights_size(&pw));
        for (int64_t i = g * n / groups; i < (g + 1) * n / groups; i++) {
            backward_image(c, &m, i);
        }
    }
}

/// The weights' gradients are summed per group of images, and then over those.
static void backward_weights(call *c, const wsr__sep_grads *grads)
{
    const wsr__pw pw = wsr__sep_pw(c->p);
    const int64_t groups = wsr__image_groups(c->p->dw.n);
    const int64_t dw_size = (int64_t)wsr__dw_weights_size(&c->p->dw);
    float *const sums = c->weights->scratch;
    c->sums[0] = grads->dw != NULL ? sums : NULL;
    c->sums[1] = grads->pw != NULL ? sums + groups * dw_size : NULL;
    wsr__parallel_among(groups, c->weights->slots.count, weights_body, c);
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
    wsr__parallel_among(p->dw.n * c.bands, weights->slots.count, data_body, &c);
}
