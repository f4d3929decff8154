// SPDX-License-Identifier: Apache-2.0
//
// What the tests of native convolutions share: the tensors of one convolution
// with everything that a call can take, and checks of all its passes against
// the reference. A test says how its convolution is computed. What the
// reference gives serves all instruction sets.

#ifndef WSR_TESTS_KERNEL_CONV_SCENE_H
#define WSR_TESTS_KERNEL_CONV_SCENE_H

#include "kernel/native_support.h"

typedef struct conv_kind conv_kind;

/// The first member of a test's own scene, which has the weights.
typedef struct conv_scene {
    const conv_kind *kind;
    wsr__conv conv; // sizes, and what the reference takes
    pair src;
    pair dst;
    pair diff_src;
    pair diff_dst;
    pair saved; // dst of the affine
    float *scale;
    float *shift;
    float *alpha;
    float *beta;
    float *gamma;
    wsr__pre pre;
    wsr__affine affine;
    double *sums; // moments, or those of a relu mask
} conv_scene;

/// How a convolution is computed. The first two are the reference, on plain
/// tensors; the others go from src.blocked to dst.blocked and from
/// diff_dst.blocked to diff_src.blocked.
struct conv_kind {
    void (*ref_forward)(float *dst, const conv_scene *s, const float *src,
                        const float *bias);
    void (*ref_backward)(float *diff_src, const conv_scene *s,
                         const float *diff_dst);
    void (*forward)(const conv_scene *s, const wsr__fwd *fwd);
    void (*backward)(const conv_scene *s, const wsr__bwd *bwd);
    /// Check the gradients of the weights with every instruction set. src and
    /// diff_dst are plain, `how` has been applied to them.
    void (*check_weights)(const conv_scene *s, const float *src,
                          const float *diff_dst, const wsr__wgrad *how,
                          const char *what);
    bool moments;       // forward makes them
    double moments_tol; // of these, relative
};

/// A depthwise convolution as the reference takes it.
static inline wsr__conv conv_of_dw(const wsr__dw *p)
{
    return (wsr__conv){.n = p->n,
                       .ci = p->c,
                       .h = p->h,
                       .w = p->w,
                       .co = p->c,
                       .oh = p->oh,
                       .ow = p->ow,
                       .kh = p->kernel,
                       .kw = p->kernel,
                       .sh = p->stride,
                       .sw = p->stride,
                       .ph = p->pad,
                       .pw = p->pad,
                       .dh = p->dilation,
                       .dw = p->dilation,
                       .groups = p->c};
}

/// Tensors of these sizes; with `view` all but `saved` are views.
static inline conv_scene conv_scene_new(const conv_kind *kind,
                                        const wsr__conv *c, bool view)
{
    conv_scene s = {.kind = kind, .conv = *c};
    s.src = pair_new(c->n, c->ci, c->h * c->w, view, 1);
    s.diff_src = pair_new(c->n, c->ci, c->h * c->w, view, 2);
    s.dst = pair_new(c->n, c->co, c->oh * c->ow, view, 3);
    s.diff_dst = pair_new(c->n, c->co, c->oh * c->ow, view, 4);
    s.saved = pair_new(c->n, c->co, c->oh * c->ow, !view, 5);
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

static inline void conv_scene_free(conv_scene *s)
{
    pair *const pairs[] = {&s->src, &s->dst, &s->diff_src, &s->diff_dst,
                           &s->saved};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        pair_free(pairs[i]);
    }
    wsr__free(s->scale);
    wsr__free(s->shift);
    wsr__free(s->alpha);
    wsr__free(s->beta);
    wsr__free(s->gamma);
    wsr__free(s->sums);
}

// What the last instruction set left there would pass as what the next made.
static inline void forget_sums(const conv_scene *s)
{
    for (int64_t i = 0; i < s->conv.n * (s->src.total + s->dst.total) * 16;
         i++) {
        s->sums[i] = (double)mark;
    }
}

// Moments made on the way are those of what was stored.
static inline void check_moments(const conv_scene *s)
{
    const wsr__conv *const c = &s->conv;
    const wsr__dims d = {.n = c->n,
                         .c = c->co,
                         .h = c->oh,
                         .w = c->ow,
                         .src_batch_stride = s->dst.batch_stride};
    double *const want = doubles(wsr__moments_size(&d));
    wsr__bn_moments(want, &d, s->dst.blocked);
    const int64_t blocks = wsr__blocks(c->co);
    for (int64_t i = 0; i < c->n * blocks * 16; i++) {
        const int64_t at =
            (i / 16 / blocks * s->dst.total + i / 16 % blocks) * 16 + i % 16;
        const double off = fabs(s->sums[at] - want[at]);
        ck_assert_msg(off <= s->kind->moments_tol * (1.0 + fabs(want[at])),
                      "%s: moment %g, not %g", wsr__native_name(), s->sums[at],
                      want[at]);
    }
    wsr__free(want);
}

static inline void check_forward(const conv_scene *s, const wsr__fwd *fwd,
                                 const char *what)
{
    static const wsr__fwd plain = {0};
    const wsr__fwd *const how = fwd != NULL ? fwd : &plain;
    const wsr__pre none = {0};
    const int64_t count = plain_size(&s->dst);
    float *const read = floats(plain_size(&s->src));
    float *const want = floats(count);
    plain_pre(read, &s->src, how->pre != NULL ? how->pre : &none);
    s->kind->ref_forward(want, s, read, how->bias);
    for (int64_t i = 0; how->accumulate && i < count; i++) {
        want[i] += s->dst.plain[i];
    }
    for (size_t v = 0; next_variant(&v);) {
        pair_block(&s->dst);
        forget_sums(s);
        s->kind->forward(s, fwd);
        check_blocked(&s->dst, want, what);
        if (how->moments != NULL) {
            check_moments(s);
        }
    }
    wsr__free(read);
    wsr__free(want);
}

/// diff_dst as it is read through an affine, owned.
static inline float *read_diff(const conv_scene *s, const wsr__affine *affine)
{
    const int64_t count = plain_size(&s->diff_dst);
    float *const diff = floats(count);
    memcpy(diff, s->diff_dst.plain, (size_t)count * sizeof(*diff));
    if (affine != NULL) {
        plain_affine(diff, &s->diff_dst, &s->saved, affine);
    }
    return diff;
}

// The reductions that a relu mask makes on the way are those of its result.
static inline void check_mask_sums(const conv_scene *s,
                                   const wsr__relu_mask *mask)
{
    for (int64_t i = 0; i < s->conv.n * s->src.c; i++) {
        const int64_t n = i / s->src.c;
        const int64_t c = i % s->src.c;
        double want[2] = {0};
        double size[2] = {1.0, 1.0};
        for (int64_t k = 0; k < s->src.pixels; k++) {
            const int64_t at = blocked_at(&s->src, i * s->src.pixels + k);
            const double g = (double)s->diff_src.blocked[at];
            const double by = (double)s->src.blocked[at] -
                              (double)mask->mean[c];
            want[0] += g;
            want[1] += g * by;
            size[0] += fabs(g);
            size[1] += fabs(g * by);
        }
        const double *const sum = mask->sums +
                                  (n * s->src.total + c / WSR__BLOCK) * 16 +
                                  c % WSR__BLOCK;
        ck_assert_double_eq_tol(sum[0], want[0], 1e-6 * size[0]);
        ck_assert_double_eq_tol(sum[WSR__BLOCK], want[1], 1e-6 * size[1]);
    }
}

static inline void check_backward(const conv_scene *s, const wsr__bwd *bwd,
                                  const char *what)
{
    static const wsr__bwd plain = {0};
    const wsr__bwd *const how = bwd != NULL ? bwd : &plain;
    const int64_t count = plain_size(&s->src);
    float *const diff = read_diff(s, how->affine);
    float *const want = floats(count);
    s->kind->ref_backward(want, s, diff);
    if (how->relu_mask != NULL) {
        plain_relu_mask(want, &s->src, &how->relu_mask->pre);
    }
    for (int64_t i = 0; how->accumulate && i < count; i++) {
        want[i] += s->diff_src.plain[i];
    }
    for (size_t v = 0; next_variant(&v);) {
        pair_block(&s->diff_src);
        forget_sums(s);
        s->kind->backward(s, bwd);
        check_blocked(&s->diff_src, want, what);
        if (how->relu_mask != NULL && how->relu_mask->sums != NULL) {
            check_mask_sums(s, how->relu_mask);
        }
    }
    wsr__free(diff);
    wsr__free(want);
}

/// Backward with a relu mask that asks for its reductions.
static inline void check_sums(const conv_scene *s)
{
    const wsr__relu_mask mask = {.src = s->src.blocked,
                                 .pre = s->pre,
                                 .mean = s->shift,
                                 .sums = s->sums};
    check_backward(s, &(wsr__bwd){.relu_mask = &mask}, "relu mask, sums");
}

static inline void check_weights(const conv_scene *s, const wsr__wgrad *how,
                                 const char *what)
{
    const wsr__pre none = {0};
    float *const read = floats(plain_size(&s->src));
    float *const diff = read_diff(s, how->affine);
    plain_pre(read, &s->src, how->pre != NULL ? how->pre : &none);
    s->kind->check_weights(s, read, diff, how, what);
    wsr__free(read);
    wsr__free(diff);
}

/// Every pass with all options.
static inline void check_passes(const conv_scene *s)
{
    const wsr__pre relu = {.relu = true};
    const wsr__relu_mask relu_alone = {.src = s->src.blocked, .pre = relu};
    const wsr__relu_mask mask = {.src = s->src.blocked, .pre = s->pre};
    double *const moments = s->kind->moments ? s->sums : NULL;
    check_forward(s, NULL, "forward");
    check_forward(s, &(wsr__fwd){.pre = &relu, .moments = moments},
                  "forward, relu, moments");
    check_forward(s, &(wsr__fwd){.bias = s->gamma, .moments = moments},
                  "forward, bias, moments");
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
    check_weights(s, &(wsr__wgrad){0}, "backward weights");
    check_weights(s, &(wsr__wgrad){.pre = &s->pre, .affine = &s->affine},
                  "backward weights, all");
}

#endif
