// SPDX-License-Identifier: Apache-2.0
//
// One dense convolution with everything that a call can take, and its checks
// against the reference, whichever kernel computes it.

#ifndef WSR_TESTS_KERNEL_DENSE_SCENE_H
#define WSR_TESTS_KERNEL_DENSE_SCENE_H

#include "kernel/native_support.h"

typedef struct scene {
    const wsr__dense_method *m; // how it is computed
    wsr__dense p;
    pair src;
    pair dst;
    pair diff_src;
    pair diff_dst;
    pair saved;
    float *weights; // (co, ci, kh, kw)
    float *packed;
    float *transposed;
    float *memory; // of the threads
    wsr__thread_scratch threads;
    float *scale;
    float *shift;
    float *alpha;
    float *beta;
    float *gamma;
    wsr__pre pre;
    wsr__affine affine;
    double *sums;
} scene;

typedef struct shape {
    int64_t n;
    int64_t ci;
    int64_t co;
    int64_t h;
    int64_t w;
    int64_t kernel[2];
    int64_t stride[2];
    int64_t pad[2];
    int64_t dilation;
    bool view;
} shape;

enum { THREADS = 4 };

static inline wsr__conv conv_of(const shape *z)
{
    const int64_t s[2] = {z->h, z->w};
    int64_t out[2];
    for (int i = 0; i < 2; i++) {
        out[i] = wsr__out_size(s[i], z->kernel[i], z->stride[i], z->pad[i],
                               z->dilation);
    }
    return (wsr__conv){.n = z->n,
                       .ci = z->ci,
                       .h = z->h,
                       .w = z->w,
                       .co = z->co,
                       .oh = out[0],
                       .ow = out[1],
                       .kh = z->kernel[0],
                       .kw = z->kernel[1],
                       .sh = z->stride[0],
                       .sw = z->stride[1],
                       .ph = z->pad[0],
                       .pw = z->pad[1],
                       .dh = z->dilation,
                       .dw = z->dilation,
                       .groups = 1};
}

static inline void pack(scene *s)
{
    const wsr__dense *const p = &s->p;
    const wsr__conv *const c = &p->conv;
    s->weights = random_floats(c->co * c->ci * c->kh * c->kw, 6);
    s->packed = floats((int64_t)s->m->weights_size(p));
    s->transposed = floats((int64_t)s->m->transposed_size(p));
    s->m->pack(s->packed, p, s->weights, NULL);
    s->m->pack_transposed(s->transposed, p, s->weights);
    const size_t stride = s->m->thread_scratch(p);
    s->memory = floats((int64_t)stride * THREADS);
    s->threads = (wsr__thread_scratch){
        .data = s->memory, .stride = (int64_t)stride, .count = THREADS};
}

static inline scene scene_new(const wsr__dense_method *m, const shape *z)
{
    scene s;
    memset(&s, 0, sizeof(s));
    s.m = m;
    s.p.conv = conv_of(z);
    const wsr__conv *const c = &s.p.conv;
    s.src = pair_new(c->n, c->ci, c->h * c->w, z->view, 1);
    s.diff_src = pair_new(c->n, c->ci, c->h * c->w, z->view, 2);
    s.dst = pair_new(c->n, c->co, c->oh * c->ow, z->view, 3);
    s.diff_dst = pair_new(c->n, c->co, c->oh * c->ow, z->view, 4);
    s.saved = pair_new(c->n, c->co, c->oh * c->ow, !z->view, 5);
    s.p.src_batch_stride = z->view ? s.src.batch_stride : 0;
    s.p.dst_batch_stride = z->view ? s.dst.batch_stride : 0;
    pack(&s);
    s.scale = random_channels(c->ci, 1.0f, 7);
    s.shift = random_channels(c->ci, 0.0f, 8);
    s.alpha = random_channels(c->co, 1.0f, 9);
    s.beta = random_channels(c->co, 0.0f, 10);
    s.gamma = random_channels(c->co, 0.0f, 11);
    s.pre = (wsr__pre){.scale = s.scale, .shift = s.shift, .relu = true};
    s.affine = (wsr__affine){.alpha = s.alpha,
                             .beta = s.beta,
                             .gamma = s.gamma,
                             .dst = s.saved.blocked,
                             .batch_stride = s.saved.batch_stride};
    s.sums = doubles((size_t)(c->n * (s.src.total + s.dst.total) * 16));
    return s;
}

static inline void scene_free(scene *s)
{
    pair *const pairs[] = {&s->src, &s->dst, &s->diff_src, &s->diff_dst,
                           &s->saved};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        pair_free(pairs[i]);
    }
    float *const arrays[] = {s->weights, s->packed, s->transposed,
                             s->memory,  s->scale,  s->shift,
                             s->alpha,   s->beta,   s->gamma};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        wsr__free(arrays[i]);
    }
    wsr__free(s->sums);
}

static inline int64_t plain_size(const pair *t)
{
    return t->n * t->c * t->pixels;
}

// Moments made on the way are those of what was stored.
static inline void check_moments(const scene *s)
{
    const wsr__conv *const c = &s->p.conv;
    const wsr__dims d = {.n = c->n,
                         .c = c->co,
                         .h = c->oh,
                         .w = c->ow,
                         .src_batch_stride = s->p.dst_batch_stride};
    double *const want = doubles(wsr__moments_size(&d));
    wsr__bn_moments(want, &d, s->dst.blocked);
    const int64_t blocks = wsr__blocks(c->co);
    for (int64_t i = 0; i < c->n * blocks * 16; i++) {
        const int64_t at =
            (i / 16 / blocks * s->dst.total + i / 16 % blocks) * 16 + i % 16;
        ck_assert_double_eq(s->sums[at], want[at]);
    }
    wsr__free(want);
}

static inline void check_forward(scene *s, const wsr__fwd *fwd,
                                 const char *what)
{
    float *const read = floats(plain_size(&s->src));
    float *const want = floats(plain_size(&s->dst));
    const wsr__pre none = {0};
    plain_pre(read, &s->src,
              fwd != NULL && fwd->pre != NULL ? fwd->pre : &none);
    wsr__ref_conv_forward(want, read, s->weights,
                          fwd != NULL ? fwd->bias : NULL, &s->p.conv);
    for (int64_t i = 0;
         fwd != NULL && fwd->accumulate && i < plain_size(&s->dst); i++) {
        want[i] += s->dst.plain[i];
    }
    pair_block(&s->dst);
    s->m->forward(s->dst.blocked, &s->p, s->src.blocked, s->packed, &s->threads,
                  fwd);
    check_blocked(&s->dst, want, what);
    if (fwd != NULL && fwd->moments != NULL) {
        check_moments(s);
    }
    wsr__free(read);
    wsr__free(want);
}

static inline void check_backward(scene *s, const wsr__bwd *bwd,
                                  const char *what)
{
    float *const diff = floats(plain_size(&s->diff_dst));
    float *const want = floats(plain_size(&s->src));
    memcpy(diff, s->diff_dst.plain,
           (size_t)plain_size(&s->diff_dst) * sizeof(*diff));
    if (bwd != NULL && bwd->affine != NULL) {
        plain_affine(diff, &s->diff_dst, &s->saved, bwd->affine);
    }
    wsr__ref_conv_backward_data(want, diff, s->weights, &s->p.conv);
    if (bwd != NULL && bwd->relu_mask != NULL) {
        plain_relu_mask(want, &s->src, &bwd->relu_mask->pre);
    }
    for (int64_t i = 0;
         bwd != NULL && bwd->accumulate && i < plain_size(&s->src); i++) {
        want[i] += s->diff_src.plain[i];
    }
    pair_block(&s->diff_src);
    s->m->backward_data(s->diff_src.blocked, &s->p, s->diff_dst.blocked,
                        s->transposed, &s->threads, bwd);
    check_blocked(&s->diff_src, want, what);
    wsr__free(diff);
    wsr__free(want);
}

// The reductions that a relu mask makes on the way are those of its result.
static inline void check_sums(scene *s)
{
    const wsr__relu_mask mask = {.src = s->src.blocked,
                                 .pre = s->pre,
                                 .mean = s->shift,
                                 .sums = s->sums};
    check_backward(s, &(wsr__bwd){.relu_mask = &mask}, "relu mask, sums");
    for (int64_t i = 0; i < s->p.conv.n * s->src.c; i++) {
        const int64_t n = i / s->src.c;
        const int64_t c = i % s->src.c;
        double want[2] = {0};
        double size[2] = {1.0, 1.0};
        for (int64_t k = 0; k < s->src.pixels; k++) {
            const int64_t at = blocked_at(&s->src, i * s->src.pixels + k);
            const double g = (double)s->diff_src.blocked[at];
            const double by = (double)s->src.blocked[at] - (double)s->shift[c];
            want[0] += g;
            want[1] += g * by;
            size[0] += fabs(g);
            size[1] += fabs(g * by);
        }
        const double *const sum =
            s->sums + (n * s->src.total + c / WSR__BLOCK) * 16 + c % WSR__BLOCK;
        ck_assert_double_eq_tol(sum[0], want[0], 1e-6 * size[0]);
        ck_assert_double_eq_tol(sum[WSR__BLOCK], want[1], 1e-6 * size[1]);
    }
}

static inline void check_weights(scene *s, const wsr__pre *pre,
                                 const wsr__affine *affine, const char *what)
{
    const wsr__conv *const c = &s->p.conv;
    const int64_t count = c->co * c->ci * c->kh * c->kw;
    float *const read = floats(plain_size(&s->src));
    float *const diff = floats(plain_size(&s->diff_dst));
    float *const want = floats(count);
    float *const got = constant_floats(count, 1.0f);
    float *const packed = floats((int64_t)wsr__dense_weights_size(&s->p));
    float *const scratch = floats((int64_t)s->m->weights_scratch(&s->p) + 1);
    const wsr__pre none = {0};
    plain_pre(read, &s->src, pre != NULL ? pre : &none);
    memcpy(diff, s->diff_dst.plain,
           (size_t)plain_size(&s->diff_dst) * sizeof(*diff));
    if (affine != NULL) {
        plain_affine(diff, &s->diff_dst, &s->saved, affine);
    }
    wsr__ref_conv_backward_weights(want, NULL, read, diff, c);
    for (int64_t i = 0; i < count; i++) {
        want[i] += 1.0f;
    }
    const wsr__wgrad opt = {.pre = pre, .affine = affine, .scratch = scratch};
    s->m->backward_weights(packed, &s->p, s->src.blocked, s->diff_dst.blocked,
                           &s->threads, &opt);
    wsr__dense_unpack_add(got, &s->p, packed);
    check_close(got, want, count, what);
    wsr__free(read);
    wsr__free(diff);
    wsr__free(want);
    wsr__free(got);
    wsr__free(packed);
    wsr__free(scratch);
}

/// Every pass with all options.
static inline void check_passes(scene *s)
{
    const wsr__pre relu = {.relu = true};
    const wsr__relu_mask relu_alone = {.src = s->src.blocked, .pre = relu};
    const wsr__relu_mask mask = {.src = s->src.blocked, .pre = s->pre};
    check_forward(s, NULL, "forward");
    check_forward(s, &(wsr__fwd){.pre = &relu, .moments = s->sums},
                  "forward, relu, moments");
    check_forward(
        s, &(wsr__fwd){.pre = &s->pre, .bias = s->gamma, .accumulate = true},
        "forward, all");
    check_backward(s, NULL, "backward data");
    check_backward(s, &(wsr__bwd){.accumulate = true}, "backward data, add");
    check_backward(s, &(wsr__bwd){.relu_mask = &relu_alone},
                   "backward data, relu");
    check_backward(s,
                   &(wsr__bwd){.relu_mask = &mask,
                               .affine = &s->affine,
                               .accumulate = true},
                   "backward data, all");
    check_sums(s);
    check_weights(s, NULL, NULL, "backward weights");
    check_weights(s, &s->pre, &s->affine, "backward weights, all");
}

static inline int64_t weights_count(const scene *s)
{
    const wsr__conv *const c = &s->p.conv;
    return c->co * c->ci * c->kh * c->kw;
}

/// All results of all passes, one after the other.
static inline void fill_all(float *out, void *ctx)
{
    scene *const s = ctx;
    const wsr__dense *const p = &s->p;
    const wsr__relu_mask mask = {.src = s->src.blocked,
                                 .pre = s->pre,
                                 .mean = s->shift,
                                 .sums = s->sums};
    float *const diff_src = out + s->dst.n * s->dst.batch_stride;
    float *const weights = diff_src + s->src.n * s->src.batch_stride;
    float *const sums = weights + weights_count(s);
    float *const packed = floats((int64_t)wsr__dense_weights_size(p));
    float *const scratch = floats((int64_t)s->m->weights_scratch(p) + 1);
    wsr__thread_scratch threads = s->threads;
    threads.count = (int64_t)wsr_threads();
    s->m->forward(out, p, s->src.blocked, s->packed, &threads,
                  &(wsr__fwd){.pre = &s->pre, .moments = s->sums});
    for (int64_t i = 0; i < p->conv.n * s->dst.total * 16; i++) {
        sums[i] = (float)s->sums[i];
    }
    s->m->backward_data(diff_src, p, s->diff_dst.blocked, s->transposed,
                        &threads, &(wsr__bwd){.relu_mask = &mask});
    for (int64_t i = 0; i < p->conv.n * s->src.total * 16; i++) {
        sums[p->conv.n * s->dst.total * 16 + i] = (float)s->sums[i];
    }
    s->m->backward_weights(packed, p, s->src.blocked, s->diff_dst.blocked,
                           &threads,
                           &(wsr__wgrad){.pre = &s->pre, .scratch = scratch});
    memset(weights, 0, (size_t)weights_count(s) * sizeof(*weights));
    wsr__dense_unpack_add(weights, p, packed);
    wsr__free(packed);
    wsr__free(scratch);
}

/// Any number of threads gives the same bits.
static inline void check_thread_counts(const wsr__dense_method *m,
                                       const shape *z, const char *what)
{
    scene s = scene_new(m, z);
    check_threads(fill_all, &s,
                  s.dst.n * s.dst.batch_stride + s.src.n * s.src.batch_stride +
                      weights_count(&s) +
                      s.p.conv.n * (s.dst.total + s.src.total) * 16,
                  what);
    scene_free(&s);
}

/// A factor per channel is folded into packed weights.
static inline void check_factor(const wsr__dense_method *m)
{
    const shape z = {1, 11, 19, 3, 3, {3, 3}, {1, 1}, {1, 1}, 1, false};
    scene s = scene_new(m, &z);
    const int64_t count = weights_count(&s);
    const int64_t size = (int64_t)m->weights_size(&s.p);
    float *const scaled = floats(count);
    for (int64_t i = 0; i < count; i++) {
        scaled[i] = s.weights[i] * s.alpha[i / (count / z.co)];
    }
    float *const want = floats(size);
    m->pack(want, &s.p, scaled, NULL);
    m->pack(s.packed, &s.p, s.weights, s.alpha);
    check_close(s.packed, want, size, "folded weights");
    wsr__free(scaled);
    wsr__free(want);
    scene_free(&s);
}

#endif
