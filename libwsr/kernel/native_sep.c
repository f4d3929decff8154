// SPDX-License-Identifier: Apache-2.0
//
// Depthwise and pointwise convolution in one pass.
//
// Forward, a few rows of the depthwise result of all channel blocks are formed
// in a buffer that the cache holds, and the pointwise product takes them from
// there. Backward data does the reverse: rows of the pointwise product with
// the transposed weights go into the padded ring from which the depthwise
// backward reads. So only src and dst meet the memory. Backward weights forms
// both intermediate results again, rows at a time.

#include "kernel/native_gemm.h"
#include "kernel/native_reverse.h"

/// Everything that the workers of one call share.
typedef struct call {
    const wsr__sep *p;
    wsr__sep_layout l;
    int64_t ins;  // channel blocks of src
    int64_t outs; // of dst
    int64_t src_step;
    int64_t dst_step;
    int64_t src_plane; // floats
    int64_t dst_plane;
    int64_t bands; // that an image is cut into for the sake of the threads
    const float *src;
    const float *diff;
    const wsr__sep_weights *weights;
    float *out;
    float *dw_out;
    float *sums[2]; // gradients per group: depthwise, pointwise
    const wsr__fwd *fwd;
    const wsr__bwd *bwd;
    const wsr__wgrad *grad;
    int64_t slots;
} call;

static call call_of(const wsr__sep *p, const wsr__sep_weights *weights)
{
    const wsr__dw *const d = &p->dw;
    call c = {.p = p,
              .l = wsr__sep_layout_of(p),
              .ins = wsr__blocks(d->c),
              .outs = wsr__blocks(p->co),
              .bands = 1,
              .weights = weights,
              .slots = p->slots};
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
    int64_t bands = 1;
    while (n < 4 * c->slots && n * bands % c->slots != 0 && bands < 8) {
        bands++;
    }
    return min64(bands, rows);
}

/// First row of a band; band `bands` starts behind the last row.
static int64_t band_begin(const call *c, int64_t band, int64_t rows)
{
    return band * rows / c->bands;
}

/// Share of slot i in a number of items.
static int64_t slot_begin(const call *c, int64_t slot, int64_t items)
{
    return slot * items / c->slots;
}

static int64_t dw_taps(const call *c)
{
    return c->p->dw.kernel * c->p->dw.kernel * WSR__BLOCK;
}

// ------------------------------------------------- depthwise rows of an image

/// Rings of all channel blocks of src in a slot.
typedef struct source {
    window win;
    int64_t n;          // image
    const float *image; // of src
    float *rings;
    int64_t pitch; // from ring to ring
    int64_t next;  // first row that the rings lack
} source;

/// Filling never touches the padding, which is cleared once.
static source source_make(float *slot, const call *c)
{
    const wsr__dw *const d = &c->p->dw;
    source s = {.win = window_forward(d, 0, d->ow),
                .rings = slot,
                .pitch = c->l.forward_ring};
    for (int64_t b = 0; b < c->ins; b++) {
        (void)ring_make(slot + b * s.pitch, &s.win);
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

static ring source_ring(const source *s, int64_t block)
{
    return (ring){.data = s->rings + block * s->pitch,
                  .rows = s->win.reach,
                  .pitch = s->win.width * WSR__BLOCK,
                  .next = s->next};
}

/// Fill a ring up to what dst row y needs; returns the topmost row of it.
WSR_INLINE int64_t source_fill(ring *r, const source *s, const wsr__dw *d,
                               const float *plane, int64_t y, const pre8 *pre)
{
    const int64_t top = y * d->stride - d->pad;
    const int64_t end = min64(d->h, top + s->win.reach);
    for (r->next = max64(r->next, top); r->next < end; r->next++) {
        ring_fill(r, &s->win, plane + r->next * d->w * WSR__BLOCK, pre);
    }
    return top;
}

/// What is done with the depthwise rows of one channel block.
typedef struct rows_job {
    float *out;        // NULL, or where depthwise(pre(src)) goes
    int64_t pitch;     // from block to block
    const float *diff; // NULL, or diff of it, for the gradient
    float *grad;       // depthwise gradients of all blocks
} rows_job;

/// Rows [y, y + rows) of all channel blocks.
static void source_rows(source *s, const call *c, const wsr__pre *pre,
                        const rows_job *job, const int64_t rows[2])
{
    const wsr__dw *const d = &c->p->dw;
    const row_kernel row =
        WSR_NAME(wsr__row_kernel)(d->kernel, d->dilation, d->stride);
    const grad_kernel grad =
        WSR_NAME(wsr__grad_kernel)(d->kernel, d->dilation, d->stride);
    const int64_t pitch = d->ow * WSR__BLOCK;
    finish f;
    finish_none(&f);
    int64_t next = s->next;
    for (int64_t b = 0; b < c->ins; b++) {
        ring r = source_ring(s, b);
        const pre8 one = pre_of(pre, b);
        for (int64_t i = 0; i < rows[1]; i++) {
            const int64_t top = source_fill(
                &r, s, d, s->image + b * c->src_plane, rows[0] + i, &one);
            const int64_t at = b * job->pitch + i * pitch;
            if (job->out != NULL) {
                taps t;
                taps_forward(&t, d, &r, c->weights->dw + b * dw_taps(c), top);
                row(job->out + at, WSR__BLOCK, &t, d->ow, &f);
            }
            if (job->diff != NULL) {
                grad_taps t;
                taps_gradient(&t, d, &r, job->grad + b * dw_taps(c), top);
                grad(&t, job->diff + at, d->ow);
            }
        }
        next = r.next;
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
    gemm g = {.pixels = rows[1] * d->ow,
              .ins = c->ins,
              .src = from,
              .src_pitch = pitch,
              .dst_pitch = c->dst_plane,
              .accumulate = c->fwd->accumulate};
    for (int64_t b = 0; b < c->outs; b += 2) {
        g.ahead[0] = b == 0 ? source_ahead(s, c) : (gemm_ahead){0};
        g.weights = c->weights->pw + b * c->ins * WSR__BLOCK * WSR__BLOCK;
        g.first = c->out + n * c->dst_step + b * c->dst_plane;
        g.dst = c->out + n * c->dst_step + b * c->dst_plane +
                rows[0] * d->ow * WSR__BLOCK;
        g.half = b + 1 == c->outs;
        if (c->fwd->bias != NULL) {
            g.bias = c->fwd->bias + b * WSR__BLOCK;
        }
        if (c->fwd->moments != NULL) {
            g.kind = GEMM_MOMENTS;
            g.sums = c->fwd->moments + (item + b) * 2 * WSR__BLOCK;
        }
        WSR_NAME(wsr__gemm)(&g);
    }
}

/// Rows [begin, end) of dst of image n.
static void forward_band(const call *c, source *s, int64_t n, int64_t begin,
                         int64_t end)
{
    const wsr__dw *const d = &c->p->dw;
    float *const buffer = s->rings + c->ins * c->l.forward_ring;
    source_start(s, c, n, begin);
    for (int64_t y = begin; y < end; y += c->l.rows) {
        const int64_t rows[2] = {y, min64(c->l.rows, end - y)};
        rows_job job = {.out = buffer, .pitch = rows[1] * d->ow * WSR__BLOCK};
        if (c->dw_out != NULL) {
            job.out = c->dw_out + n * c->ins * c->dst_plane +
                      y * d->ow * WSR__BLOCK;
            job.pitch = c->dst_plane;
        }
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
        WSR_NAME(wsr__gemm_moments)
        (sums + b * 2 * WSR__BLOCK, c->out + n * c->dst_step + b * c->dst_plane,
         pixels);
    }
}

static void forward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const int64_t rows = c->p->dw.oh;
    const int64_t items = c->p->dw.n * c->bands;
    for (int64_t k = begin; k < end; k++) {
        source s = source_make(c->weights->scratch + k * c->l.forward, c);
        for (int64_t i = slot_begin(c, k, items);
             i < slot_begin(c, k + 1, items); i++) {
            if (c->bands == 1) {
                forward_image(c, &s, i);
            } else {
                const int64_t band = i % c->bands;
                forward_band(c, &s, i / c->bands, band_begin(c, band, rows),
                             band_begin(c, band + 1, rows));
            }
        }
    }
}

static void forward(float *dst, float *dw_out, const wsr__sep *p,
                    const float *src, const wsr__sep_weights *weights,
                    const wsr__fwd *fwd)
{
    static const wsr__fwd none = {0};
    call c = call_of(p, weights);
    c.src = src;
    c.out = dst;
    c.dw_out = dw_out;
    c.fwd = fwd != NULL ? fwd : &none;
    if (c.fwd->moments == NULL) {
        c.bands = bands_of(&c, p->dw.oh);
    }
    wsr__parallel(c.slots, forward_body, &c);
}

// ------------------------------------------------------------ backward data

/// Rings of rows of the gradient between the two convolutions.
typedef struct between {
    reverse v;
    window win;
    ring first;     // of the first channel block
    float *weights; // reversed, of all blocks
    float *diff;    // a row of diff_dst behind its norm, all blocks
} between;

static between between_make(float *slot, const call *c)
{
    const wsr__dw *const d = &c->p->dw;
    between m = {.v = reverse_of(d)};
    const int64_t ni = (d->w + d->stride - 1) / d->stride;
    m.win = window_make(m.v.low, ni + m.v.high - m.v.low, d->ow,
                        m.v.high - m.v.low + 1 + c->l.rows);
    m.first = (ring){
        .data = slot, .rows = m.win.reach, .pitch = m.win.width * WSR__BLOCK};
    m.weights = slot + c->ins * c->l.backward_ring;
    m.diff = m.weights + c->ins * dw_taps(c);
    for (int64_t b = 0; b < c->ins; b++) {
        (void)ring_make(slot + b * c->l.backward_ring, &m.win);
        reverse_weights(m.weights + b * dw_taps(c), &m.v, d,
                        c->weights->dw + b * dw_taps(c));
    }
    return m;
}

/// Row y of diff_dst, from its column `first` on, all channel blocks.
static const float *diff_row(float *buffer, int64_t *pitch, const call *c,
                             const wsr__affine *affine, const int64_t at[4])
{
    const int64_t n = at[0];
    const wsr__dw *const d = &c->p->dw;
    const int64_t offset = (at[1] * d->ow + at[2]) * WSR__BLOCK;
    const float *const diff = c->diff + n * c->dst_step + offset;
    *pitch = c->dst_plane;
    if (affine == NULL) {
        return diff;
    }
    const float *const saved =
        affine->dst + saved_at(affine, n, c->p->co, d->oh * d->ow) + offset;
    *pitch = at[3] * WSR__BLOCK;
    for (int64_t b = 0; b < c->outs; b++) {
        const affine8 one = affine_of(affine, b);
        read_diff(buffer + b * *pitch, diff + b * c->dst_plane,
                  saved + b * c->dst_plane, at[3], &one);
    }
    return buffer;
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
    const int64_t row = ((last ? 0 : y + 1) * d->ow + m->win.first) *
                        WSR__BLOCK;
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
    if (ready < 0 || ready >= d->h) {
        return;
    }
    const int64_t at = n * c->src_step + ready * d->w * WSR__BLOCK;
    a = (gemm_ahead){.pitch = c->src_plane,
                     .blocks = c->ins,
                     .scale = d->stride * d->stride};
    if (c->bwd->gate != NULL) {
        a.from = c->bwd->gate->src + at;
        ahead[2] = a;
    }
    a.from = c->out + at;
    a.write = true;
    ahead[3] = a;
}

/// Product of row y of diff_dst with the transposed weights into the rings.
static void between_fill(between *m, const call *c, int64_t n, int64_t y)
{
    const int64_t at[4] = {n, y, m->win.first, m->win.n};
    gemm g = {
        .pixels = m->win.n, .ins = c->outs, .dst_pitch = c->l.backward_ring};
    if (g.pixels == 0) {
        return;
    }
    g.src = diff_row(m->diff, &g.src_pitch, c, c->bwd->affine, at);
    between_ahead(g.ahead, m, c, n, y);
    for (int64_t b = 0; b < c->ins; b += 2) {
        g.weights = c->weights->transposed +
                    b * c->outs * WSR__BLOCK * WSR__BLOCK;
        g.dst = ring_row(&m->first, y) + b * c->l.backward_ring +
                m->win.at * WSR__BLOCK;
        g.half = b + 1 == c->ins;
        WSR_NAME(wsr__gemm)(&g);
        memset(g.ahead, 0, sizeof(g.ahead)); // asked for
    }
}

/// Rows of diff_src of one channel block.
static void backward_rows(const call *c, const between *m, int64_t n, int64_t b,
                          const int64_t rows[2])
{
    const wsr__gate *const gate = c->bwd->gate;
    const int64_t plane = n * c->src_step + b * c->src_plane;
    reversing r = {.p = &c->p->dw,
                   .r = &m->v,
                   .rows = m->first,
                   .weights = m->weights + b * dw_taps(c),
                   .out = c->out + plane,
                   .gate = gate != NULL ? gate->src + plane : NULL,
                   .ni = m->win.width};
    r.rows.data += b * c->l.backward_ring;
    finish f;
    finish_backward(&f, c->bwd, b);
    for (int64_t y = rows[0]; y < rows[0] + rows[1]; y++) {
        reverse_row(&r, y, &f);
    }
    if (gate != NULL && f.summed) {
        double *const sums = gate->sums + plane / c->src_plane * 2 * WSR__BLOCK;
        for (int k = 0; k < 2 * WSR__BLOCK; k++) {
            sums[k] += f.sums[k / WSR__BLOCK][k % WSR__BLOCK];
        }
    }
}

/// Rows [begin, end) of diff_src of image n.
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
            between_fill(m, c, n, m->first.next);
        }
        for (int64_t b = 0; b < c->ins; b++) {
            backward_rows(c, m, n, b, rows);
        }
    }
}

static void backward_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const int64_t rows = c->p->dw.h;
    const int64_t items = c->p->dw.n * c->bands;
    const wsr__gate *const gate = c->bwd->gate;
    for (int64_t s = begin; s < end; s++) {
        between m = between_make(c->weights->scratch + s * c->l.backward, c);
        for (int64_t i = slot_begin(c, s, items);
             i < slot_begin(c, s + 1, items); i++) {
            const int64_t n = i / c->bands;
            if (gate != NULL && gate->sums != NULL) {
                memset(gate->sums +
                           n * c->src_step / c->src_plane * 2 * WSR__BLOCK,
                       0, (size_t)(c->ins * 2 * WSR__BLOCK) * sizeof(double));
            }
            backward_band(c, &m, n, band_begin(c, i % c->bands, rows),
                          band_begin(c, i % c->bands + 1, rows));
        }
    }
}

static void backward_data(float *diff_src, const wsr__sep *p,
                          const float *diff_dst,
                          const wsr__sep_weights *weights, const wsr__bwd *bwd)
{
    static const wsr__bwd none = {0};
    call c = call_of(p, weights);
    c.diff = diff_dst;
    c.out = diff_src;
    c.bwd = bwd != NULL ? bwd : &none;
    if (c.bwd->gate == NULL || c.bwd->gate->sums == NULL) {
        c.bands = bands_of(&c, p->dw.h);
    }
    wsr__parallel(c.slots, backward_body, &c);
}

// --------------------------------------------------------- backward weights

/// Buffers of a slot for a run of rows.
typedef struct buffers {
    float *result;  // depthwise(pre(src))
    float *between; // diff of it
    float *diff;    // diff_dst behind its norm
    int64_t pitch;  // from block to block
} buffers;

/// The gradient between the convolutions, of a run of rows.
static void between_run(const buffers *u, const call *c, const float *diff,
                        int64_t pitch, int64_t pixels)
{
    gemm g = {.pixels = pixels,
              .ins = c->outs,
              .src = diff,
              .src_pitch = pitch,
              .dst_pitch = u->pitch};
    for (int64_t b = 0; b < c->ins; b += 2) {
        g.weights = c->weights->transposed +
                    b * c->outs * WSR__BLOCK * WSR__BLOCK;
        g.dst = u->between + b * u->pitch;
        g.half = b + 1 == c->ins;
        WSR_NAME(wsr__gemm)(&g);
    }
}

static void product_grad(float *sum, const buffers *u, const call *c,
                         const float *diff, const int64_t run[2])
{
    gemm_grad g = {.pixels = run[1],
                   .ins = c->ins,
                   .src = u->result,
                   .src_pitch = u->pitch,
                   .diff_pitch = run[0]};
    for (int64_t b = 0; b < c->outs; b += 2) {
        g.diff = diff + b * run[0];
        g.half = b + 1 == c->outs;
        g.weights = sum + b * c->ins * WSR__BLOCK * WSR__BLOCK;
        WSR_NAME(wsr__gemm_grad)(&g);
    }
}

/// What image n adds to the gradients dw and pw; either may be NULL.
static void grad_image(float *dw, float *pw, const call *c, source *s,
                       int64_t n)
{
    const wsr__dw *const d = &c->p->dw;
    const int64_t most = c->l.rows * d->ow * WSR__BLOCK;
    buffers u = {.result = s->rings + c->ins * c->l.forward_ring};
    source_start(s, c, n, 0);
    u.between = u.result + c->ins * most;
    u.diff = u.between + c->ins * most;
    for (int64_t y = 0; y < d->oh; y += c->l.rows) {
        const int64_t rows[2] = {y, min64(c->l.rows, d->oh - y)};
        const int64_t pixels = rows[1] * d->ow;
        const int64_t at[4] = {n, y, 0, pixels};
        int64_t pitch = 0;
        u.pitch = pixels * WSR__BLOCK;
        const float *const diff =
            diff_row(u.diff, &pitch, c, c->grad->affine, at);
        if (dw != NULL) {
            between_run(&u, c, diff, pitch, pixels);
        }
        const rows_job job = {.out = pw != NULL ? u.result : NULL,
                              .pitch = u.pitch,
                              .diff = dw != NULL ? u.between : NULL,
                              .grad = dw};
        source_rows(s, c, c->grad->pre, &job, rows);
        if (pw != NULL) {
            const int64_t run[2] = {pitch, pixels};
            product_grad(pw, &u, c, diff, run);
        }
    }
}

/// Clear the sums of a group, and return them.
static float *group_sums(float *sums, int64_t group, int64_t size)
{
    if (sums == NULL) {
        return NULL;
    }
    float *const own = sums + group * size;
    memset(own, 0, (size_t)size * sizeof(*own));
    return own;
}

static void grad_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__pw pw = wsr__sep_pw(c->p);
    const int64_t n = c->p->dw.n;
    const int64_t groups = wsr__pw_groups(n);
    const int64_t dw_size = (int64_t)wsr__dw_weights_size(&c->p->dw);
    const int64_t pw_size = (int64_t)wsr__pw_weights_size(&pw);
    for (int64_t k = begin; k < end; k++) {
        source s = source_make(c->weights->scratch + k * c->l.weights, c);
        for (int64_t g = slot_begin(c, k, groups);
             g < slot_begin(c, k + 1, groups); g++) {
            float *const dw = group_sums(c->sums[0], g, dw_size);
            float *const products = group_sums(c->sums[1], g, pw_size);
            for (int64_t i = g * n / groups; i < (g + 1) * n / groups; i++) {
                grad_image(dw, products, c, &s, i);
            }
        }
    }
}

static void backward_weights(float *diff_dw, float *diff_pw, const wsr__sep *p,
                             const float *const data[2],
                             const wsr__sep_weights *weights,
                             const wsr__wgrad *opt)
{
    const wsr__pw pw = wsr__sep_pw(p);
    const int64_t groups = wsr__pw_groups(p->dw.n);
    const int64_t dw_size = (int64_t)wsr__dw_weights_size(&p->dw);
    call c = call_of(p, weights);
    float *const sums = weights->scratch + c.slots * c.l.weights;
    c.src = data[0];
    c.diff = data[1];
    c.grad = opt;
    c.sums[0] = diff_dw != NULL ? sums : NULL;
    c.sums[1] = diff_pw != NULL ? sums + groups * dw_size : NULL;
    wsr__parallel(c.slots, grad_body, &c);
    if (diff_dw != NULL) {
        WSR_NAME(wsr__sum_images)(diff_dw, c.sums[0], groups, dw_size);
    }
    if (diff_pw != NULL) {
        WSR_NAME(wsr__sum_images)
        (diff_pw, c.sums[1], groups, (int64_t)wsr__pw_weights_size(&pw));
    }
}

const wsr__native_sep WSR_NAME(wsr__native_sep) = {
    .forward = forward,
    .backward_data = backward_data,
    .backward_weights = backward_weights,
};
