// SPDX-License-Identifier: Apache-2.0

#include "kernel/conv_scene.h"

// A depthwise and a pointwise convolution.
typedef struct scene {
    conv_scene t;
    wsr__sep p;
    wsr__conv dw;
    wsr__conv pw;
    float *weights[2]; // plain
    float *packed[3];  // depthwise, pointwise, transposed
    float *threads;
    float *scratch;
    wsr__sep_weights all;
} scene;

typedef struct shape {
    int64_t n;
    int64_t c;
    int64_t co;
    int64_t h;
    int64_t w;
    int64_t kernel;
    int64_t stride;
    int64_t dilation;
    bool view;
} shape;

static void scene_convolutions(scene *s, const shape *z)
{
    wsr__dw *const d = &s->p.dw;
    *d = (wsr__dw){.n = z->n,
                   .c = z->c,
                   .h = z->h,
                   .w = z->w,
                   .kernel = z->kernel,
                   .stride = z->stride,
                   .pad = z->kernel / 2 * z->dilation,
                   .dilation = z->dilation};
    d->oh = wsr__out_size(d->h, d->kernel, d->stride, d->pad, d->dilation);
    d->ow = wsr__out_size(d->w, d->kernel, d->stride, d->pad, d->dilation);
    s->p.co = z->co;
    s->dw = conv_of_dw(d);
    s->pw = (wsr__conv){.n = d->n,
                        .ci = d->c,
                        .h = d->oh,
                        .w = d->ow,
                        .co = z->co,
                        .oh = d->oh,
                        .ow = d->ow,
                        .kh = 1,
                        .kw = 1,
                        .sh = 1,
                        .sw = 1,
                        .dh = 1,
                        .dw = 1,
                        .groups = 1};
}

static void scene_weights(scene *s)
{
    const wsr__dw *const d = &s->p.dw;
    const wsr__pw pw = wsr__sep_pw(&s->p);
    s->weights[0] = random_floats(d->c * d->kernel * d->kernel, 6);
    s->weights[1] = random_floats(d->c * s->p.co, 7);
    s->packed[0] = floats((int64_t)wsr__dw_weights_size(d));
    s->packed[1] = floats((int64_t)wsr__pw_weights_size(&pw));
    s->packed[2] = floats((int64_t)wsr__pw_transposed_size(&pw));
    wsr__dw_pack(s->packed[0], d, s->weights[0], NULL);
    wsr__pw_pack(s->packed[1], &pw, s->weights[1], NULL);
    wsr__pw_pack_transposed(s->packed[2], &pw, s->weights[1], NULL);
    const int64_t per_thread = (int64_t)wsr__sep_thread_scratch(&s->p, true);
    s->threads = random_floats(3 * per_thread, 8);
    s->scratch = random_floats((int64_t)wsr__sep_weights_scratch(&s->p), 9);
    s->all = (wsr__sep_weights){.dw = s->packed[0],
                                .pw = s->packed[1],
                                .transposed = s->packed[2],
                                .threads = {s->threads, per_thread, 3},
                                .scratch = s->scratch};
}

// What lies between the two convolutions.
static int64_t between_size(const scene *s)
{
    return s->pw.n * s->pw.ci * s->pw.h * s->pw.w;
}

static void ref_forward(float *dst, const conv_scene *t, const float *src,
                        const float *bias)
{
    const scene *const s = (const scene *)t;
    float *const between = floats(between_size(s));
    wsr__ref_conv_forward(between, src, s->weights[0], NULL, &s->dw);
    wsr__ref_conv_forward(dst, between, s->weights[1], bias, &s->pw);
    wsr__free(between);
}

static void ref_backward(float *diff_src, const conv_scene *t,
                         const float *diff_dst)
{
    const scene *const s = (const scene *)t;
    float *const between = floats(between_size(s));
    wsr__ref_conv_backward_data(between, diff_dst, s->weights[1], &s->pw);
    wsr__ref_conv_backward_data(diff_src, between, s->weights[0], &s->dw);
    wsr__free(between);
}

static void forward(const conv_scene *t, const wsr__fwd *fwd)
{
    const scene *const s = (const scene *)t;
    wsr__sep_forward(t->dst.blocked, &s->p, t->src.blocked, &s->all, fwd);
}

static void backward(const conv_scene *t, const wsr__bwd *bwd)
{
    const scene *const s = (const scene *)t;
    const float *const data[2] = {NULL, t->diff_dst.blocked};
    const wsr__sep_grads grads = {.src = t->diff_src.blocked};
    wsr__sep_backward(&grads, &s->p, data, &s->all, bwd);
}

static void check_same(const float *got, const float *want, size_t size)
{
    if (got != NULL) {
        ck_assert_mem_eq(got, want, size * sizeof(*got));
    }
}

// One kind of gradient alone, or all in one pass, are bit for bit the same.
static void check_together(const scene *s, float *const want[2],
                           const wsr__bwd *bwd, const wsr__pre *pre)
{
    const wsr__pw pw = wsr__sep_pw(&s->p);
    const size_t size[2] = {wsr__dw_weights_size(&s->p.dw),
                            wsr__pw_weights_size(&pw)};
    const float *const data[2] = {s->t.src.blocked, s->t.diff_dst.blocked};
    float *const got[2] = {floats((int64_t)size[0]), floats((int64_t)size[1])};
    pair src = pair_new(s->t.src.n, s->t.src.c, s->t.src.pixels,
                        s->t.src.total > wsr__blocks(s->t.src.c), 2);
    const size_t whole = (size_t)(src.n * src.batch_stride);
    float *const alone = floats((int64_t)whole);
    const wsr__sep_grads some[] = {
        {.src = src.blocked},
        {.dw = got[0], .pre = pre},
        {.pw = got[1], .pre = pre},
        {.src = src.blocked, .dw = got[0], .pw = got[1], .pre = pre},
        {.src = src.blocked, .pw = got[1], .pre = pre},
    };
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        memset(got[0], 0, size[0] * sizeof(float));
        memset(got[1], 0, size[1] * sizeof(float));
        pair_block(&src);
        wsr__sep_backward(&some[i], &s->p, data, &s->all, bwd);
        if (i == 0) {
            memcpy(alone, src.whole, whole * sizeof(float));
        }
        check_same(some[i].dw, want[0], size[0]);
        check_same(some[i].pw, want[1], size[1]);
        check_same(some[i].src != NULL ? src.whole : NULL, alone, whole);
    }
    wsr__free(got[0]);
    wsr__free(got[1]);
    wsr__free(alone);
    pair_free(&src);
}

// Both gradients by the reference, depthwise first.
static void ref_weights(float *const want[2], const scene *s, const float *src,
                        const float *diff)
{
    float *const between = floats(between_size(s));
    float *const diff_between = floats(between_size(s));
    wsr__ref_conv_forward(between, src, s->weights[0], NULL, &s->dw);
    wsr__ref_conv_backward_data(diff_between, diff, s->weights[1], &s->pw);
    wsr__ref_conv_backward_weights(want[0], NULL, src, diff_between, &s->dw);
    wsr__ref_conv_backward_weights(want[1], NULL, between, diff, &s->pw);
    wsr__free(between);
    wsr__free(diff_between);
}

static void weights(const conv_scene *t, const float *src, const float *diff,
                    const wsr__wgrad *how, const char *what)
{
    const scene *const s = (const scene *)t;
    const wsr__pw pw = wsr__sep_pw(&s->p);
    const int64_t count[2] = {s->p.dw.c * s->dw.kh * s->dw.kw,
                              s->p.dw.c * s->p.co};
    float *const want[2] = {floats(count[0]), floats(count[1])};
    float *const packed[2] = {floats((int64_t)wsr__dw_weights_size(&s->p.dw)),
                              floats((int64_t)wsr__pw_weights_size(&pw))};
    const float *const data[2] = {t->src.blocked, t->diff_dst.blocked};
    const wsr__bwd bwd = {.affine = how->affine};
    const wsr__sep_grads grads = {
        .dw = packed[0], .pw = packed[1], .pre = how->pre};
    ref_weights(want, s, src, diff);
    for (size_t v = 0; next_variant(&v);) {
        float *const got[2] = {floats(count[0]), floats(count[1])};
        wsr__sep_backward(&grads, &s->p, data, &s->all, &bwd);
        wsr__dw_unpack_add(got[0], &s->p.dw, packed[0]);
        wsr__pw_unpack_add(got[1], &pw, packed[1]);
        check_close(got[0], want[0], count[0], what);
        check_close(got[1], want[1], count[1], what);
        check_together(s, packed, &bwd, how->pre);
        wsr__free(got[0]);
        wsr__free(got[1]);
    }
    for (size_t i = 0; i < 2; i++) {
        wsr__free(want[i]);
        wsr__free(packed[i]);
    }
}

static const conv_kind kind = {.ref_forward = ref_forward,
                               .ref_backward = ref_backward,
                               .forward = forward,
                               .backward = backward,
                               .check_weights = weights,
                               .moments = true,
                               .moments_tol = 1e-5};

static scene scene_new(const shape *z)
{
    scene s;
    memset(&s, 0, sizeof(s));
    scene_convolutions(&s, z);
    wsr__conv both = s.dw; // the sizes outside
    both.co = s.p.co;
    s.t = conv_scene_new(&kind, &both, z->view);
    s.p.dw.src_batch_stride = z->view ? s.t.src.batch_stride : 0;
    s.p.dst_batch_stride = z->view ? s.t.dst.batch_stride : 0;
    scene_weights(&s);
    return s;
}

static void scene_free(scene *s)
{
    float *const arrays[] = {s->weights[0], s->weights[1], s->packed[0],
                             s->packed[1],  s->packed[2],  s->scratch,
                             s->threads};
    conv_scene_free(&s->t);
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        wsr__free(arrays[i]);
    }
}

START_TEST(all_variants_agree_with_the_references_one_after_the_other)
{
    static const shape shapes[] = {
        {1, 1, 1, 1, 1, 3, 1, 1, false},     {3, 3, 7, 5, 5, 3, 1, 1, true},
        {1, 7, 17, 31, 31, 5, 1, 2, false},  {3, 17, 3, 5, 31, 5, 2, 1, true},
        {2, 16, 16, 16, 16, 3, 2, 2, false}, {1, 16, 16, 32, 32, 7, 1, 1, true},
        {2, 9, 24, 8, 8, 5, 2, 2, false},    {1, 40, 17, 8, 8, 7, 2, 1, false},
        {1, 3, 5, 6, 100, 3, 1, 2, false},   {1, 2, 3, 100, 5, 7, 1, 2, true},
        {17, 5, 9, 4, 4, 3, 1, 1, false},
    };
    wsr_set_threads(1); // small work
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        scene s = scene_new(&shapes[i]);
        check_passes(&s.t);
        scene_free(&s);
    }
}
END_TEST

static void fill_all(float *out, void *ctx)
{
    scene *const s = ctx;
    const wsr__relu_mask mask = {.src = s->t.src.blocked, .pre = s->t.pre};
    const int64_t dst = s->t.dst.n * s->t.dst.batch_stride;
    const int64_t src = s->t.src.n * s->t.src.batch_stride;
    const float *const data[2] = {s->t.src.blocked, s->t.diff_dst.blocked};
    wsr__sep_forward(out, &s->p, s->t.src.blocked, &s->all,
                     &(wsr__fwd){.pre = &s->t.pre});
    wsr__sep_forward(out + dst, &s->p, s->t.src.blocked, &s->all,
                     &(wsr__fwd){.pre = &s->t.pre, .moments = s->t.sums});
    const wsr__bwd bwd = {.relu_mask = &mask};
    wsr__sep_grads wanted = {.src = out + 2 * dst};
    wsr__sep_backward(&wanted, &s->p, data, &s->all, &bwd);
    float *const grads = out + 2 * dst + src;
    float *const more = grads + (int64_t)wsr__dw_weights_size(&s->p.dw);
    const wsr__pw pw = wsr__sep_pw(&s->p);
    wanted = (wsr__sep_grads){.dw = grads, .pw = more, .pre = &s->t.pre};
    wsr__sep_backward(&wanted, &s->p, data, &s->all, &bwd);
    float *const rest = more + (int64_t)wsr__pw_weights_size(&pw);
    for (int64_t i = 0; i < s->p.dw.n * s->t.dst.total * 16; i++) {
        rest[i] = (float)s->t.sums[i];
    }
}

static int64_t filled(const scene *s)
{
    const wsr__pw pw = wsr__sep_pw(&s->p);
    return 2 * s->t.dst.n * s->t.dst.batch_stride +
           s->t.src.n * s->t.src.batch_stride +
           (int64_t)wsr__dw_weights_size(&s->p.dw) +
           (int64_t)wsr__pw_weights_size(&pw) + s->p.dw.n * s->t.dst.total * 16;
}

// One image is cut into bands, five are not.
static void check_thread_counts(void)
{
    for (int64_t n = 1; n <= 5; n += 4) {
        const shape z = {n, 17, 19, 13, 11, 5, 1, 2, false};
        scene s = scene_new(&z);
        check_threads(fill_all, &s, filled(&s), "separable");
        float *const some = floats(filled(&s));
        float *const other = floats(filled(&s));
        fill_all(some, &s);
        s.all.threads.count = 1;
        fill_all(other, &s);
        ck_assert_mem_eq(some, other, (size_t)filled(&s) * sizeof(*some));
        wsr__free(some);
        wsr__free(other);
        scene_free(&s);
    }
}

START_TEST(neither_threads_nor_slots_change_a_bit)
{
    each_variant(check_thread_counts);
}
END_TEST

START_TEST(unsupported_sizes_are_told_apart)
{
    wsr__sep p = {.dw = {.kernel = 5, .stride = 2, .dilation = 2}};
    ck_assert(wsr__sep_supported(&p));
    p.dw.kernel = 4;
    ck_assert(!wsr__sep_supported(&p));
    p.dw.kernel = 3;
    p.dw.stride = 3;
    ck_assert(!wsr__sep_supported(&p));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_variants_agree_with_the_references_one_after_the_other,
        neither_threads_nor_slots_change_a_bit,
        unsupported_sizes_are_told_apart,
        NULL,
    };
    return suite_of("native_sep", tests);
}
