// SPDX-License-Identifier: Apache-2.0
//
// One dense convolution and its checks, whichever kernel computes it.

#ifndef WSR_TESTS_KERNEL_DENSE_SCENE_H
#define WSR_TESTS_KERNEL_DENSE_SCENE_H

#include "kernel/conv_scene.h"

typedef struct scene {
    conv_scene t;
    const wsr__dense_method *m; // how it is computed
    wsr__dense p;
    float *weights; // (co, ci, kh, kw)
    float *packed;
    float *transposed;
    float *memory; // of the threads
    wsr__thread_scratch threads;
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
    s->m->pack_transposed(s->transposed, p, s->weights, NULL);
    const size_t stride = s->m->thread_scratch(p);
    s->memory = floats((int64_t)stride * THREADS);
    s->threads = (wsr__thread_scratch){
        .data = s->memory, .stride = (int64_t)stride, .count = THREADS};
}

static inline int64_t weights_count(const scene *s)
{
    const wsr__conv *const c = &s->p.conv;
    return c->co * c->ci * c->kh * c->kw;
}

static inline void ref_forward(float *dst, const conv_scene *t,
                               const float *src, const float *bias)
{
    const scene *const s = (const scene *)t;
    wsr__ref_conv_forward(dst, src, s->weights, bias, &t->conv);
}

static inline void ref_backward(float *diff_src, const conv_scene *t,
                                const float *diff_dst)
{
    const scene *const s = (const scene *)t;
    wsr__ref_conv_backward_data(diff_src, diff_dst, s->weights, &t->conv);
}

static inline void dense_forward(const conv_scene *t, const wsr__fwd *fwd)
{
    const scene *const s = (const scene *)t;
    s->m->forward(t->dst.blocked, &s->p, t->src.blocked, s->packed, &s->threads,
                  fwd);
}

static inline void dense_backward(const conv_scene *t, const wsr__bwd *bwd)
{
    const scene *const s = (const scene *)t;
    s->m->backward_data(t->diff_src.blocked, &s->p, t->diff_dst.blocked,
                        s->transposed, &s->threads, bwd);
}

static inline void dense_weights(const conv_scene *t, const float *src,
                                 const float *diff, const wsr__wgrad *how,
                                 const char *what)
{
    const scene *const s = (const scene *)t;
    const int64_t count = weights_count(s);
    float *const want = floats(count);
    float *const packed = floats((int64_t)wsr__dense_weights_size(&s->p));
    float *const scratch = floats((int64_t)s->m->weights_scratch(&s->p) + 1);
    wsr__wgrad opt = *how;
    opt.scratch = scratch;
    wsr__ref_conv_backward_weights(want, NULL, src, diff, &t->conv);
    for (int64_t i = 0; i < count; i++) {
        want[i] += 1.0f;
    }
    for (size_t v = 0; next_variant(&v);) {
        float *const got = constant_floats(count, 1.0f);
        s->m->backward_weights(packed, &s->p, t->src.blocked,
                               t->diff_dst.blocked, &s->threads, &opt);
        wsr__dense_unpack_add(got, &s->p, packed);
        check_close(got, want, count, what);
        wsr__free(got);
    }
    wsr__free(want);
    wsr__free(packed);
    wsr__free(scratch);
}

static const conv_kind dense_kind = {.ref_forward = ref_forward,
                                     .ref_backward = ref_backward,
                                     .forward = dense_forward,
                                     .backward = dense_backward,
                                     .check_weights = dense_weights,
                                     .moments = true};

static inline scene scene_new(const wsr__dense_method *m, const shape *z)
{
    scene s = {.m = m, .p.conv = conv_of(z)};
    s.t = conv_scene_new(&dense_kind, &s.p.conv, z->view);
    s.p.src_batch_stride = z->view ? s.t.src.batch_stride : 0;
    s.p.dst_batch_stride = z->view ? s.t.dst.batch_stride : 0;
    pack(&s);
    return s;
}

static inline void scene_free(scene *s)
{
    conv_scene_free(&s->t);
    wsr__free(s->weights);
    wsr__free(s->packed);
    wsr__free(s->transposed);
    wsr__free(s->memory);
}

/// Every pass of each of these shapes.
static inline void check_shapes(const wsr__dense_method *m, const shape *shapes,
                                size_t n)
{
    wsr_set_threads(1); // small work
    for (size_t i = 0; i < n; i++) {
        scene s = scene_new(m, &shapes[i]);
        check_passes(&s.t);
        scene_free(&s);
    }
}

/// All results of all passes, one after the other.
static inline void fill_all(float *out, void *ctx)
{
    scene *const s = ctx;
    const wsr__dense *const p = &s->p;
    const wsr__relu_mask mask = {.src = s->t.src.blocked,
                                 .pre = s->t.pre,
                                 .mean = s->t.shift,
                                 .sums = s->t.sums};
    float *const diff_src = out + s->t.dst.n * s->t.dst.batch_stride;
    float *const weights = diff_src + s->t.src.n * s->t.src.batch_stride;
    float *const sums = weights + weights_count(s);
    float *const packed = floats((int64_t)wsr__dense_weights_size(p));
    float *const scratch = floats((int64_t)s->m->weights_scratch(p) + 1);
    wsr__thread_scratch threads = s->threads;
    threads.count = (int64_t)wsr_threads();
    s->m->forward(out, p, s->t.src.blocked, s->packed, &threads,
                  &(wsr__fwd){.pre = &s->t.pre, .moments = s->t.sums});
    for (int64_t i = 0; i < p->conv.n * s->t.dst.total * 16; i++) {
        sums[i] = (float)s->t.sums[i];
    }
    s->m->backward_data(diff_src, p, s->t.diff_dst.blocked, s->transposed,
                        &threads, &(wsr__bwd){.relu_mask = &mask});
    for (int64_t i = 0; i < p->conv.n * s->t.src.total * 16; i++) {
        sums[p->conv.n * s->t.dst.total * 16 + i] = (float)s->t.sums[i];
    }
    s->m->backward_weights(packed, p, s->t.src.blocked, s->t.diff_dst.blocked,
                           &threads,
                           &(wsr__wgrad){.pre = &s->t.pre, .scratch = scratch});
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
                  s.t.dst.n * s.t.dst.batch_stride +
                      s.t.src.n * s.t.src.batch_stride + weights_count(&s) +
                      s.p.conv.n * (s.t.dst.total + s.t.src.total) * 16,
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
        scaled[i] = s.weights[i] * s.t.alpha[i / (count / z.co)];
    }
    float *const want = floats(size);
    m->pack(want, &s.p, scaled, NULL);
    m->pack(s.packed, &s.p, s.weights, s.t.alpha);
    check_close(s.packed, want, size, "folded weights");
    wsr__free(scaled);
    wsr__free(want);
    scene_free(&s);
}

#endif
