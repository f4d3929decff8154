// SPDX-License-Identifier: Apache-2.0
//
// Pointwise convolutions, forward and both kinds of gradients, as products
// over runs of pixels (native_gemm.h).
//
// A run is short enough for its source channels to stay in the first cache
// while all pairs of destination blocks pass over it. A product reads src where
// it lies if it can. With a prologue, a norm or a stride, the kernel first
// gathers a run into a buffer.
//
// The file is long because all three passes share the division into runs and
// the ways of gathering one.

#include "kernel/native_gemm.h"
#include "kernel/native_plane.h"

#include <assert.h>

enum {
    RUN = 64,                  // most pixels of a run
    BUFFER = WSR__PW_CHANNELS, // floats of the buffer of a run
    CACHED = 6 * (1 << 10)     // floats of a run that the first cache holds
};

// What all threads of one call read. Sizes are those of the product: `ins`
// channel blocks are read, `outs` are written.
typedef struct call {
    const wsr__pw *p;
    int64_t ins;
    int64_t outs;
    int64_t in_step; // floats from image to image of what is read
    int64_t out_step;
    int64_t run;    // pixels
    int64_t runs;   // per image
    int64_t pixels; // of dst per image
    bool dense;     // pixel i of dst comes from pixel i of src
    bool direct;    // src is read as it lies
    const float *src;
    const float *diff;
    const float *weights;
    float *out; // NULL: not wanted
    const wsr__fwd *fwd;
    const wsr__bwd *bwd;
    const wsr__pw_grads *grads;
} call;

// The longest run whose channels fit, in whole tiles while it can.
static int64_t run_of(int64_t blocks)
{
    int64_t run = CACHED / (blocks * WSR__BLOCK) / 16 * 16;
    run = max64(run, 16);
    run = min64(run, BUFFER / (blocks * WSR__BLOCK));
    return min64(max64(run, 1), RUN);
}

// Whether pixel i of dst comes from pixel i of src.
static bool is_dense(const wsr__pw *p)
{
    return p->stride == 1 && p->oy == 0 && p->ox == 0 && p->oh == p->h &&
           p->ow == p->w;
}

static call call_of(const wsr__pw *p, bool forward)
{
    call c = {.p = p, .pixels = p->oh * p->ow, .dense = is_dense(p)};
    const int64_t src = wsr__pw_src_blocks(p);
    const int64_t dst = wsr__blocks(p->co);
    const int64_t src_batch_stride = p->src_batch_stride != 0
                                         ? p->src_batch_stride
                                         : src * p->h * p->w * WSR__BLOCK;
    const int64_t dst_batch_stride =
        batch_stride_of(p->dst_batch_stride, p->co, c.pixels);
    c.ins = forward ? src : dst;
    c.outs = forward ? dst : src;
    c.in_step = forward ? src_batch_stride : dst_batch_stride;
    c.out_step = forward ? dst_batch_stride : src_batch_stride;
    assert(c.ins * WSR__BLOCK <= BUFFER);
    c.run = run_of(c.ins);
    c.runs = (c.pixels + c.run - 1) / c.run;
    return c;
}

// A stretch of a run that lies in one row, and where src has it.
typedef struct stretch {
    int64_t n;      // pixels
    int64_t inside; // of them, those before src's edge
    int64_t first;  // pixel of src
} stretch;

// The stretch that starts with pixel i of dst and ends before pixel `end`.
static stretch stretch_of(const wsr__pw *p, int64_t i, int64_t end)
{
    const int64_t x = i % p->ow;
    const int64_t sy = i / p->ow * p->stride + p->oy;
    const int64_t sx = x * p->stride + p->ox;
    const int64_t columns = max64(p->w - sx + p->stride - 1, 0) / p->stride;
    stretch s = {.n = min64(p->ow - x, end - i), .first = sy * p->w + sx};
    s.inside = sy < p->h ? min64(s.n, columns) : 0;
    return s;
}

// A run of dst's pixels as src has them, of one channel block.
static void gather(float *to, const wsr__pw *p, const float *src,
                   const int64_t run[2], const preb *pre)
{
    const int64_t end = run[0] + run[1];
    stretch s;
    for (int64_t i = run[0]; i < end; i += s.n) {
        s = stretch_of(p, i, end);
        read_pixels(to, src + s.first * WSR__BLOCK, p->stride * WSR__BLOCK,
                    s.inside, pre);
        memset(to + s.inside * WSR__BLOCK, 0,
               (size_t)((s.n - s.inside) * WSR__BLOCK) * sizeof(*to));
        to += s.n * WSR__BLOCK;
    }
}

// A run of block b of src, in the order of dst's pixels.
WSR_INLINE void read_block(float *to, const call *c, const wsr__pre *pre,
                           const float *image, int64_t b, const int64_t run[2])
{
    const wsr__pw *const p = c->p;
    const preb one = preb_of(pre, b, 1);
    const float *const src = image + b * p->h * p->w * WSR__BLOCK;
    if (c->dense) {
        read_pixels(to, src + run[0] * WSR__BLOCK, WSR__BLOCK, run[1], &one);
    } else {
        gather(to, p, src, run, &one);
    }
}

// A run of diff_dst through the norm behind it, all blocks of it.
static void read_dst(float *buffer, const call *c, const wsr__affine *affine,
                     int64_t n, const int64_t run[2])
{
    const float *const diff = c->diff + n * c->in_step;
    const float *const saved = affine->dst +
                               saved_at(affine, n, c->p->co, c->pixels);
    for (int64_t b = 0; b < wsr__blocks(c->p->co); b++) {
        const affineb one = affineb_of(affine, b, 1);
        const int64_t at = (b * c->pixels + run[0]) * WSR__BLOCK;
        read_diff(buffer + b * run[1] * WSR__BLOCK, diff + at, saved + at,
                  run[1], &one);
    }
}

// The run after this one of what is read, which may be the next image's.
static gemm_ahead run_ahead(const call *c, const float *from, int64_t step,
                            int64_t n, const int64_t run[2])
{
    gemm_ahead a = {
        .pitch = c->pixels * WSR__BLOCK, .blocks = c->ins, .scale = 1};
    const int64_t next = run[0] + run[1];
    if (next < c->pixels) {
        a.from = from + n * step + next * WSR__BLOCK;
    } else if (n + 1 < c->p->n) {
        a.from = from + (n + 1) * step;
    }
    return a;
}

// ------------------------------------------------------------------ forward

// Pixels [first, first + run) of image n, all channels of dst.
static void forward_run(const call *c, int64_t n, int64_t first)
{
    _Alignas(64) float buffer[BUFFER];
    const int64_t run[2] = {first, min64(c->run, c->pixels - first)};
    const float *const image = c->src + n * c->in_step;
    const int64_t plane = c->pixels * WSR__BLOCK;
    float *const dst = c->out + n * c->out_step;
    gemm g;
    gemm_clear(&g);
    g.pixels = run[1];
    g.ins = c->ins;
    g.outs = c->outs;
    g.weights = c->weights;
    g.dst = dst + first * WSR__BLOCK;
    g.dst_pitch = plane;
    g.accumulate = c->fwd->accumulate;
    g.bias = c->fwd->bias;
    g.first = dst;
    if (c->direct) {
        g.src = image + first * WSR__BLOCK;
        g.src_pitch = plane;
    } else {
        g.src = buffer;
        g.src_pitch = run[1] * WSR__BLOCK;
        for (int64_t b = 0; b < c->ins; b++) {
            read_block(buffer + b * g.src_pitch, c, c->fwd->pre, image, b, run);
        }
    }
    if (c->dense) {
        g.ahead[0] = run_ahead(c, c->src, c->in_step, n, run);
    }
    if (c->fwd->moments != NULL) {
        const int64_t item =
            moments_item(n, 0, c->p->co, c->p->dst_batch_stride, c->pixels);
        g.kind = GEMM_MOMENTS;
        g.sums = c->fwd->moments + item * 2 * WSR__BLOCK;
    }
    WSR_NAME(wsr__gemm_blocked)(&g);
}

// Work items are runs, when nothing is summed over an image.
static void forward_runs(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        forward_run(c, i / c->runs, i % c->runs * c->run);
    }
}

// Whole images, whose moments are gathered run by run.
static void forward_images(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t n = begin; n < end; n++) {
        const int64_t item =
            moments_item(n, 0, c->p->co, c->p->dst_batch_stride, c->pixels);
        double *const sums = c->fwd->moments + item * 2 * WSR__BLOCK;
        memset(sums, 0, (size_t)(c->outs * 2 * WSR__BLOCK) * sizeof(*sums));
        for (int64_t i = 0; i < c->pixels; i += c->run) {
            forward_run(c, n, i);
        }
        for (int64_t b = 0; b < c->outs; b++) {
            WSR_NAME(wsr__gemm_blocked_moments)
            (sums + b * 2 * WSR__BLOCK,
             c->out + n * c->out_step + b * c->pixels * WSR__BLOCK, c->pixels);
        }
    }
}

void WSR_NAME(wsr__pw_forward)(float *dst, const wsr__pw *p, const float *src,
                               const float *weights, const wsr__fwd *fwd)
{
    static const wsr__fwd none = {0};
    call c = call_of(p, true);
    c.src = src;
    c.weights = weights;
    c.out = dst;
    c.fwd = fwd != NULL ? fwd : &none;
    c.direct = c.fwd->pre == NULL && c.dense;
    if (c.fwd->moments != NULL) {
        wsr__parallel(p->n, forward_images, &c);
    } else {
        wsr__parallel(p->n * c.runs, forward_runs, &c);
    }
}

// ----------------------------------------------------------------- backward

// Prepare the mask, for pixels from `offset` of diff_src on.
static void add_mask(gemm *g, const call *c, int64_t n, int64_t offset)
{
    const wsr__relu_mask *const mask = c->bwd->relu_mask;
    if (mask == NULL) {
        return;
    }
    g->mask = mask->src + offset;
    g->mask_ahead = c->run * WSR__BLOCK;
    g->relu = mask->pre.relu;
    g->scale = mask->pre.scale;
    g->shift = mask->pre.shift;
    if (mask->sums != NULL) {
        const int64_t plane = c->p->h * c->p->w * WSR__BLOCK;
        g->kind = GEMM_PRODUCTS;
        g->mean = mask->mean;
        g->sums = mask->sums + n * (c->out_step / plane) * 2 * WSR__BLOCK;
    }
}

// Point the product at its source, through `buffer` where it is not read as
// it lies.
static void backward_source(gemm *g, float *buffer, const call *c, int64_t n,
                            const int64_t run[2])
{
    const wsr__affine *const affine = c->bwd->affine;
    g->pixels = run[1];
    g->ins = c->ins;
    g->outs = c->outs;
    g->weights = c->weights;
    g->ahead[0] = run_ahead(c, c->diff, c->in_step, n, run);
    if (affine != NULL) {
        g->ahead[1] = run_ahead(
            c, affine->dst, saved_at(affine, 1, c->p->co, c->pixels), n, run);
    }
    if (affine == NULL) {
        g->src = c->diff + n * c->in_step + run[0] * WSR__BLOCK;
        g->src_pitch = c->pixels * WSR__BLOCK;
    } else {
        read_dst(buffer, c, affine, n, run);
        g->src = buffer;
        g->src_pitch = run[1] * WSR__BLOCK;
    }
}

// What a run adds to the gradient of the weights; `product` is that of the
// run, whose source is diff_dst. Blocks of src pass by one after the other.
static void grad_run(const call *c, float *sums, const gemm *product, int64_t n,
                     const int64_t run[2])
{
    _Alignas(64) float buffer[RUN * WSR__BLOCK];
    const float *const image = c->src + n * c->out_step;
    gemm_grad g = {.pixels = run[1],
                   .ins = 1,
                   .outs = c->ins,
                   .src = buffer,
                   .diff = product->src,
                   .diff_pitch = product->src_pitch,
                   .weights = sums,
                   .weights_pitch = c->outs * WSR__BLOCK * 2 * WSR__BLOCK};
    for (int64_t b = 0; b < c->outs; b++) {
        if (c->direct) {
            g.src = image + (b * c->pixels + run[0]) * WSR__BLOCK;
        } else {
            read_block(buffer, c, c->grads->pre, image, b, run);
        }
        WSR_NAME(wsr__gemm_blocked_grad)(&g);
        g.weights += WSR__BLOCK * 2 * WSR__BLOCK;
    }
}

// A run of diff_dst into diff_src and, where sums is not NULL, the gradient
// of the weights.
static void backward_run(const call *c, float *sums, int64_t n, int64_t first)
{
    _Alignas(64) float buffer[BUFFER];
    const int64_t run[2] = {first, min64(c->run, c->pixels - first)};
    const int64_t plane = c->p->h * c->p->w * WSR__BLOCK;
    gemm g;
    gemm_clear(&g);
    g.dst_pitch = plane;
    g.accumulate = c->bwd->accumulate;
    backward_source(&g, buffer, c, n, run);
    if (c->out != NULL) {
        const int64_t offset = n * c->out_step + first * WSR__BLOCK;
        g.dst = c->out + offset;
        add_mask(&g, c, n, offset);
        WSR_NAME(wsr__gemm_blocked)(&g);
    }
    if (sums != NULL) {
        grad_run(c, sums, &g, n, run);
    }
}

// Add or store a run of a product where src's pixels lie, of the bundle from
// block b on of an image at `offset`: rows of a convolution with one tap of
// weight one.
static void scatter(const call *c, const float *from, int64_t offset, int64_t b,
                    const int64_t run[2])
{
    _Alignas(64) float one[BUNDLE];
    stb(one, splatb(1.0f));
    const wsr__pw *const p = c->p;
    const row_kernel row = WSR_NAME(wsr__row_kernel)(1, 1, 1);
    const int64_t plane = p->h * p->w * WSR__BLOCK;
    const int64_t end = run[0] + run[1];
    const wsr__relu_mask *const mask = c->bwd->relu_mask;
    finish f;
    finish_backward(&f, c->bwd, b, bundle_count(b, c->outs), plane);
    stretch s;
    for (int64_t i = run[0]; i < end; i += s.n) {
        s = stretch_of(p, i, end);
        const taps t = {
            .count = 1, .row = {from + (i - run[0]) * BUNDLE}, .weight = {one}};
        const int64_t at = offset + b * plane + s.first * WSR__BLOCK;
        f.mask = mask != NULL ? mask->src + at : NULL;
        row(c->out + at, p->stride * WSR__BLOCK, &t, s.inside, &f);
    }
    finish_flush(&f);
    finish_add_sums(&f, mask, offset / plane + b);
}

// Clear rows [begin, end) of diff_src in all blocks of an image.
static void clear_rows(const call *c, float *image, int64_t begin, int64_t end)
{
    const int64_t pitch = c->p->w * WSR__BLOCK;
    for (int64_t b = 0; b < c->outs; b++) {
        memset(image + (b * c->p->h + begin) * pitch, 0,
               (size_t)((end - begin) * pitch) * sizeof(*image));
    }
}

// One image of a strided convolution, through a buffer of its own. Rows are
// cleared just before the run that reaches them.
static void backward_strided(const call *c, float *sums, int64_t n)
{
    _Alignas(64) float buffer[BUFFER];
    _Alignas(64) float product[BUFFER];
    const wsr__pw *const p = c->p;
    const int64_t offset = n * c->out_step;
    int64_t cleared = c->out == NULL || c->bwd->accumulate ? p->h : 0;
    for (int64_t i = 0; i < c->pixels; i += c->run) {
        const int64_t run[2] = {i, min64(c->run, c->pixels - i)};
        const int64_t next = (i + run[1] - 1) / p->ow + 1; // row of dst
        const int64_t rows =
            next == p->oh ? p->h : min64(next * p->stride + p->oy, p->h);
        if (cleared < rows) {
            clear_rows(c, c->out + offset, cleared, rows);
            cleared = rows;
        }
        gemm g;
        gemm_clear(&g);
        g.dst = product;
        g.dst_pitch = run[1] * BUNDLE;
        g.bundled = true;
        backward_source(&g, buffer, c, n, run);
        if (c->out != NULL) {
            WSR_NAME(wsr__gemm_blocked)(&g);
            for (int64_t k = 0; k < bundles(c->outs); k++) {
                scatter(c, product + k * g.dst_pitch, offset, k * BUNDLE_BLOCKS,
                        run);
            }
        }
        if (sums != NULL) {
            grad_run(c, sums, &g, n, run);
        }
    }
}

static void backward_image(const call *c, float *sums, int64_t n)
{
    const int64_t plane = c->p->h * c->p->w * WSR__BLOCK;
    const wsr__relu_mask *const mask = c->bwd->relu_mask;
    if (c->out != NULL && mask != NULL && mask->sums != NULL) {
        memset(mask->sums + n * (c->out_step / plane) * 2 * WSR__BLOCK, 0,
               (size_t)(c->outs * 2 * WSR__BLOCK) * sizeof(double));
    }
    if (!c->dense) {
        backward_strided(c, sums, n);
        return;
    }
    for (int64_t i = 0; i < c->pixels; i += c->run) {
        backward_run(c, sums, n, i);
    }
}

// Work items are runs, when nothing is summed over an image.
static void runs_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t i = begin; i < end; i++) {
        backward_run(c, NULL, i / c->runs, i % c->runs * c->run);
    }
}

// Work items are images: with sums of a norm, or a stride.
static void images_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    for (int64_t n = begin; n < end; n++) {
        backward_image(c, NULL, n);
    }
}

// Groups of images, each with weights' gradients of its own.
static void groups_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const int64_t groups = wsr__image_groups(c->p->n);
    const size_t size = wsr__pw_weights_size(c->p);
    for (int64_t g = begin; g < end; g++) {
        float *const sums = c->grads->scratch + g * (int64_t)size;
        memset(sums, 0, size * sizeof(*sums));
        const int64_t last = (g + 1) * c->p->n / groups;
        for (int64_t n = g * c->p->n / groups; n < last; n++) {
            backward_image(c, sums, n);
        }
    }
}

void WSR_NAME(wsr__pw_backward)(const wsr__pw_grads *grads, const wsr__pw *p,
                                const float *const data[2],
                                const float *transposed, const wsr__bwd *bwd)
{
    static const wsr__bwd none = {0};
    call c = call_of(p, false);
    c.src = data[0];
    c.diff = data[1];
    c.weights = transposed;
    c.out = grads->src;
    c.bwd = bwd != NULL ? bwd : &none;
    c.grads = grads;
    c.direct = grads->pre == NULL && c.dense;
    const bool summed = c.bwd->relu_mask != NULL &&
                        c.bwd->relu_mask->sums != NULL;
    if (!c.dense) { // a run of diff_src goes through a buffer, too
        c.run = min64(c.run, run_of(bundles(c.outs) * BUNDLE_BLOCKS));
        c.runs = (c.pixels + c.run - 1) / c.run;
    }
    if (grads->weights != NULL) {
        const int64_t groups = wsr__image_groups(p->n);
        wsr__parallel(groups, groups_body, &c);
        WSR_NAME(wsr__sum_images)
        (grads->weights, grads->scratch, groups,
         (int64_t)wsr__pw_weights_size(p));
    } else if (summed || !c.dense) {
        wsr__parallel(p->n, images_body, &c);
    } else {
        wsr__parallel(p->n * c.runs, runs_body, &c);
    }
}
