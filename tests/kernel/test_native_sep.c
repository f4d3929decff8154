// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

// A depthwise and a pointwise convolution with everything a call can take.
typedef struct scene {
    wsr__sep p;
    wsr__conv dw;
    wsr__conv pw;
    pair src;
    pair between; // of the two convolutions
    pair dst;
    pair diff_src;
    pair diff_dst;
    pair saved;
    float *weights[2]; // plain
    float *packed[3];  // depthwise, pointwise, transposed
    float *threads;
    float *scratch;
    float *scale;
    float *shift;
    float *alpha;
    float *beta;
    float *gamma;
    wsr__pre pre;
    wsr__affine affine;
    wsr__sep_weights all;
    double *sums;
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
    s->dw = (wsr__conv){.n = d->n,
                        .ci = d->c,
                        .h = d->h,
                        .w = d->w,
                        .co = d->c,
                        .oh = d->oh,
                        .ow = d->ow,
                        .kh = d->kernel,
                        .kw = d->kernel,
                        .sh = d->stride,
                        .sw = d->stride,
                        .ph = d->pad,
                        .pw = d->pad,
                        .dh = d->dilation,
                        .dw = d->dilation,
                        .groups = d->c};
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

static scene scene_new(const shape *z)
{
    scene s;
    memset(&s, 0, sizeof(s));
    scene_convolutions(&s, z);
    const wsr__dw *const d = &s.p.dw;
    s.src = pair_new(d->n, d->c, d->h * d->w, z->view, 1);
    s.diff_src = pair_new(d->n, d->c, d->h * d->w, z->view, 2);
    s.between = pair_new(d->n, d->c, d->oh * d->ow, false, 9);
    s.dst = pair_new(d->n, s.p.co, d->oh * d->ow, z->view, 3);
    s.diff_dst = pair_new(d->n, s.p.co, d->oh * d->ow, z->view, 4);
    s.saved = pair_new(d->n, s.p.co, d->oh * d->ow, !z->view, 5);
    s.p.dw.src_batch_stride = z->view ? s.src.batch_stride : 0;
    s.p.dst_batch_stride = z->view ? s.dst.batch_stride : 0;
    scene_weights(&s);
    s.scale = random_channels(d->c, 1.0f, 10);
    s.shift = random_channels(d->c, 0.0f, 11);
    s.alpha = random_channels(s.p.co, 1.0f, 12);
    s.beta = random_channels(s.p.co, 0.0f, 13);
    s.gamma = random_channels(s.p.co, 0.0f, 14);
    s.pre = (wsr__pre){.scale = s.scale, .shift = s.shift, .relu = true};
    s.affine = (wsr__affine){.alpha = s.alpha,
                             .beta = s.beta,
                             .gamma = s.gamma,
                             .dst = s.saved.blocked,
                             .batch_stride = s.saved.batch_stride};
    s.sums = doubles((size_t)(d->n * (s.src.total + s.dst.total) * 16));
    return s;
}

static void scene_free(scene *s)
{
    pair *const pairs[] = {&s->src,      &s->dst,   &s->between,
                           &s->diff_src, &s->saved, &s->diff_dst};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        pair_free(pairs[i]);
    }
    float *const arrays[] = {s->weights[0], s->weights[1], s->packed[0],
                             s->packed[1],  s->packed[2],  s->scratch,
                             s->threads,    s->scale,      s->shift,
                             s->alpha,      s->beta,       s->gamma};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        wsr__free(arrays[i]);
    }
    wsr__free(s->sums);
}

static int64_t plain_size(const pair *t)
{
    return t->n * t->c * t->pixels;
}

// Moments made on the way are those of what was stored.
static void check_moments(const scene *s)
{
    const wsr__dims d = {.n = s->p.dw.n,
                         .c = s->p.co,
                         .h = s->p.dw.oh,
                         .w = s->p.dw.ow,
                         .src_batch_stride = s->p.dst_batch_stride};
    double *const want = doubles(wsr__moments_size(&d));
    wsr__bn_moments(want, &d, s->dst.blocked);
    const int64_t blocks = wsr__blocks(s->p.co);
    for (int64_t i = 0; i < d.n * blocks * 16; i++) {
        const int64_t at = i / 16 / blocks * s->dst.total * 16 +
                           i / 16 % blocks * 16 + i % 16;
        ck_assert_double_eq_tol(s->sums[at], want[at],
                                1e-5 * (1.0 + fabs(want[at])));
    }
    wsr__free(want);
}

static void check_forward(scene *s, const wsr__fwd *fwd, const char *what)
{
    float *const read = floats(plain_size(&s->src));
    float *const between = floats(plain_size(&s->between));
    float *const want = floats(plain_size(&s->dst));
    const wsr__pre none = {0};
    plain_pre(read, &s->src,
              fwd != NULL && fwd->pre != NULL ? fwd->pre : &none);
    wsr__ref_conv_forward(between, read, s->weights[0], NULL, &s->dw);
    wsr__ref_conv_forward(want, between, s->weights[1],
                          fwd != NULL ? fwd->bias : NULL, &s->pw);
    for (int64_t i = 0;
         fwd != NULL && fwd->accumulate && i < plain_size(&s->dst); i++) {
        want[i] += s->dst.plain[i];
    }
    pair_block(&s->dst);
    wsr__sep_forward(s->dst.blocked, &s->p, s->src.blocked, &s->all, fwd);
    check_blocked(&s->dst, want, what);
    if (fwd != NULL && fwd->moments != NULL) {
        check_moments(s);
    }
    wsr__free(read);
    wsr__free(between);
    wsr__free(want);
}

static void read_diff(float *diff, const scene *s, const wsr__affine *affine)
{
    memcpy(diff, s->diff_dst.plain,
           (size_t)plain_size(&s->diff_dst) * sizeof(*diff));
    if (affine != NULL) {
        plain_affine(diff, &s->diff_dst, &s->saved, affine);
    }
}

static void check_backward(scene *s, const wsr__bwd *bwd, const char *what)
{
    float *const diff = floats(plain_size(&s->diff_dst));
    float *const between = floats(plain_size(&s->between));
    float *const want = floats(plain_size(&s->src));
    read_diff(diff, s, bwd != NULL ? bwd->affine : NULL);
    wsr__ref_conv_backward_data(between, diff, s->weights[1], &s->pw);
    wsr__ref_conv_backward_data(want, between, s->weights[0], &s->dw);
    if (bwd != NULL && bwd->relu_mask != NULL) {
        plain_relu_mask(want, &s->src, &bwd->relu_mask->pre);
    }
    for (int64_t i = 0;
         bwd != NULL && bwd->accumulate && i < plain_size(&s->src); i++) {
        want[i] += s->diff_src.plain[i];
    }
    pair_block(&s->diff_src);
    const float *const data[2] = {NULL, s->diff_dst.blocked};
    const wsr__sep_grads grads = {.src = s->diff_src.blocked};
    wsr__sep_backward(&grads, &s->p, data, &s->all, bwd);
    check_blocked(&s->diff_src, want, what);
    wsr__free(diff);
    wsr__free(between);
    wsr__free(want);
}

// The reductions that a relu mask makes on the way are those of its result.
static void check_sums(scene *s)
{
    const wsr__relu_mask mask = {.src = s->src.blocked,
                                 .pre = s->pre,
                                 .mean = s->shift,
                                 .sums = s->sums};
    check_backward(s, &(wsr__bwd){.relu_mask = &mask}, "relu mask, sums");
    const wsr__dims d = {.n = s->p.dw.n,
                         .c = s->p.dw.c,
                         .h = s->p.dw.h,
                         .w = s->p.dw.w,
                         .src_batch_stride = s->p.dw.src_batch_stride,
                         .dst_batch_stride = s->p.dw.src_batch_stride};
    double *const want = doubles(wsr__moments_size(&d));
    const wsr__reduction one = {want, s->src.blocked, s->shift};
    wsr__bn_reduce(&d, s->diff_src.blocked, &one, 1);
    const int64_t blocks = wsr__blocks(d.c);
    for (int64_t i = 0; i < d.n * blocks * 16; i++) {
        const int64_t at = i / 16 / blocks * s->src.total * 16 +
                           i / 16 % blocks * 16 + i % 16;
        const double tol = 1e-5 * (double)(d.h * d.w * s->p.co * s->dw.kh);
        ck_assert_double_eq_tol(s->sums[at], want[at], tol);
    }
    wsr__free(want);
}

static void check_same(const float *got, const float *want, size_t size)
{
    if (got != NULL) {
        ck_assert_mem_eq(got, want, size * sizeof(*got));
    }
}

// One kind of gradient alone, or all in one pass, are bit for bit the same.
static void check_together(scene *s, float *const want[2], const wsr__bwd *bwd,
                           const wsr__pre *pre)
{
    const wsr__pw pw = wsr__sep_pw(&s->p);
    const size_t size[2] = {wsr__dw_weights_size(&s->p.dw),
                            wsr__pw_weights_size(&pw)};
    const float *const data[2] = {s->src.blocked, s->diff_dst.blocked};
    float *const got[2] = {floats((int64_t)size[0]), floats((int64_t)size[1])};
    pair src = pair_new(s->src.n, s->src.c, s->src.pixels,
                        s->src.total > wsr__blocks(s->src.c), 2);
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

static void check_weights(scene *s, const wsr__pre *pre,
                          const wsr__affine *affine, const char *what)
{
    const wsr__pw pw = wsr__sep_pw(&s->p);
    const int64_t count[2] = {s->p.dw.c * s->dw.kh * s->dw.kw,
                              s->p.dw.c * s->p.co};
    float *const read = floats(plain_size(&s->src));
    float *const diff = floats(plain_size(&s->diff_dst));
    float *const between = floats(plain_size(&s->between));
    float *const diff_between = floats(plain_size(&s->between));
    float *const want[2] = {floats(count[0]), floats(count[1])};
    float *const got[2] = {floats(count[0]), floats(count[1])};
    float *const packed[2] = {floats((int64_t)wsr__dw_weights_size(&s->p.dw)),
                              floats((int64_t)wsr__pw_weights_size(&pw))};
    const wsr__pre none = {0};
    plain_pre(read, &s->src, pre != NULL ? pre : &none);
    read_diff(diff, s, affine);
    wsr__ref_conv_forward(between, read, s->weights[0], NULL, &s->dw);
    wsr__ref_conv_backward_data(diff_between, diff, s->weights[1], &s->pw);
    wsr__ref_conv_backward_weights(want[0], NULL, read, diff_between, &s->dw);
    wsr__ref_conv_backward_weights(want[1], NULL, between, diff, &s->pw);
    const float *const data[2] = {s->src.blocked, s->diff_dst.blocked};
    const wsr__bwd bwd = {.affine = affine};
    wsr__sep_backward(
        &(wsr__sep_grads){.dw = packed[0], .pw = packed[1], .pre = pre}, &s->p,
        data, &s->all, &bwd);
    wsr__dw_unpack_add(got[0], &s->p.dw, packed[0]);
    wsr__pw_unpack_add(got[1], &pw, packed[1]);
    check_close(got[0], want[0], count[0], what);
    check_close(got[1], want[1], count[1], what);
    check_together(s, packed, &bwd, pre);
    float *const all[] = {read,    diff,   between, diff_between, want[0],
                          want[1], got[0], got[1],  packed[0],    packed[1]};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        wsr__free(all[i]);
    }
}

static void check_scene(const shape *z)
{
    scene s = scene_new(z);
    const wsr__pre relu = {.relu = true};
    const wsr__relu_mask relu_alone = {.src = s.src.blocked, .pre = relu};
    const wsr__relu_mask mask = {.src = s.src.blocked, .pre = s.pre};
    check_forward(&s, NULL, "forward");
    check_forward(&s, &(wsr__fwd){.pre = &relu, .moments = s.sums},
                  "forward, relu, moments");
    check_forward(&s, &(wsr__fwd){.moments = s.sums, .bias = s.gamma},
                  "forward, bias, moments");
    check_forward(
        &s, &(wsr__fwd){.pre = &s.pre, .bias = s.gamma, .accumulate = true},
        "forward, all");
    check_backward(&s, NULL, "backward data");
    check_backward(&s, &(wsr__bwd){.relu_mask = &relu_alone},
                   "backward data, relu");
    check_backward(&s,
                   &(wsr__bwd){.relu_mask = &mask,
                               .affine = &s.affine,
                               .accumulate = true},
                   "backward data, all");
    check_sums(&s);
    check_weights(&s, NULL, NULL, "backward weights");
    check_weights(&s, &s.pre, &s.affine, "backward weights, all");
    scene_free(&s);
}

static void check_all(void)
{
    static const shape shapes[] = {
        {1, 1, 1, 1, 1, 3, 1, 1, false},     {3, 3, 7, 5, 5, 3, 1, 1, true},
        {1, 7, 17, 31, 31, 5, 1, 2, false},  {3, 17, 3, 5, 31, 5, 2, 1, true},
        {2, 16, 16, 16, 16, 3, 2, 2, false}, {1, 16, 16, 32, 32, 7, 1, 1, true},
        {2, 9, 24, 8, 8, 5, 2, 2, false},    {1, 40, 17, 8, 8, 7, 2, 1, false},
        {1, 3, 5, 6, 100, 3, 1, 2, false},   {1, 2, 3, 100, 5, 7, 1, 2, true},
        {17, 5, 9, 4, 4, 3, 1, 1, false},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_scene(&shapes[i]);
    }
}

START_TEST(all_variants_agree_with_the_references_one_after_the_other)
{
    each_variant(check_all);
}
END_TEST

static void fill_all(float *out, void *ctx)
{
    scene *const s = ctx;
    const wsr__relu_mask mask = {.src = s->src.blocked, .pre = s->pre};
    const int64_t dst = s->dst.n * s->dst.batch_stride;
    const int64_t src = s->src.n * s->src.batch_stride;
    const float *const data[2] = {s->src.blocked, s->diff_dst.blocked};
    wsr__sep_forward(out, &s->p, s->src.blocked, &s->all,
                     &(wsr__fwd){.pre = &s->pre});
    wsr__sep_forward(out + dst, &s->p, s->src.blocked, &s->all,
                     &(wsr__fwd){.pre = &s->pre, .moments = s->sums});
    const wsr__bwd bwd = {.relu_mask = &mask};
    wsr__sep_grads wanted = {.src = out + 2 * dst};
    wsr__sep_backward(&wanted, &s->p, data, &s->all, &bwd);
    float *const grads = out + 2 * dst + src;
    float *const more = grads + (int64_t)wsr__dw_weights_size(&s->p.dw);
    const wsr__pw pw = wsr__sep_pw(&s->p);
    wanted = (wsr__sep_grads){.dw = grads, .pw = more, .pre = &s->pre};
    wsr__sep_backward(&wanted, &s->p, data, &s->all, &bwd);
    float *const rest = more + (int64_t)wsr__pw_weights_size(&pw);
    for (int64_t i = 0; i < s->p.dw.n * s->dst.total * 16; i++) {
        rest[i] = (float)s->sums[i];
    }
}

static int64_t filled(const scene *s)
{
    const wsr__pw pw = wsr__sep_pw(&s->p);
    return 2 * s->dst.n * s->dst.batch_stride + s->src.n * s->src.batch_stride +
           (int64_t)wsr__dw_weights_size(&s->p.dw) +
           (int64_t)wsr__pw_weights_size(&pw) + s->p.dw.n * s->dst.total * 16;
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
