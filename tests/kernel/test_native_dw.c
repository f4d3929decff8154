// SPDX-License-Identifier: Apache-2.0

#include "kernel/conv_scene.h"

typedef struct scene {
    conv_scene t;
    wsr__dw p;
    float *weights;
    float *packed;
} scene;

static void ref_forward(float *dst, const conv_scene *t, const float *src,
                        const float *bias)
{
    const scene *const s = (const scene *)t;
    wsr__ref_conv_forward(dst, src, s->weights, bias, &t->conv);
}

static void ref_backward(float *diff_src, const conv_scene *t,
                         const float *diff_dst)
{
    const scene *const s = (const scene *)t;
    wsr__ref_conv_backward_data(diff_src, diff_dst, s->weights, &t->conv);
}

static void forward(const conv_scene *t, const wsr__fwd *fwd)
{
    const scene *const s = (const scene *)t;
    wsr__dw_forward(t->dst.blocked, &s->p, t->src.blocked, s->packed, fwd);
}

static void backward(const conv_scene *t, const wsr__bwd *bwd)
{
    const scene *const s = (const scene *)t;
    wsr__dw_backward_data(t->diff_src.blocked, &s->p, t->diff_dst.blocked,
                          s->packed, bwd);
}

static void weights(const conv_scene *t, const float *src, const float *diff,
                    const wsr__wgrad *how, const char *what)
{
    const scene *const s = (const scene *)t;
    const int64_t taps = s->p.c * s->p.kernel * s->p.kernel;
    float *const want = floats(taps);
    float *const packed = floats((int64_t)wsr__dw_weights_size(&s->p));
    float *const scratch =
        floats((int64_t)wsr__dw_backward_weights_scratch(&s->p));
    wsr__wgrad opt = *how;
    opt.scratch = scratch;
    wsr__ref_conv_backward_weights(want, NULL, src, diff, &t->conv);
    for (int64_t i = 0; i < taps; i++) {
        want[i] += 1.0f;
    }
    for (size_t v = 0; next_variant(&v);) {
        float *const got = constant_floats(taps, 1.0f);
        memset(packed, 0, wsr__dw_weights_size(&s->p) * sizeof(*packed));
        wsr__dw_backward_weights(packed, &s->p, t->src.blocked,
                                 t->diff_dst.blocked, &opt);
        wsr__dw_unpack_add(got, &s->p, packed);
        check_close(got, want, taps, what);
        wsr__free(got);
    }
    wsr__free(want);
    wsr__free(packed);
    wsr__free(scratch);
}

static const conv_kind kind = {.ref_forward = ref_forward,
                               .ref_backward = ref_backward,
                               .forward = forward,
                               .backward = backward,
                               .check_weights = weights};

static scene scene_new(const int64_t shape[8], bool view)
{
    scene s = {.p = {.n = shape[0],
                     .c = shape[1],
                     .h = shape[2],
                     .w = shape[3],
                     .kernel = shape[4],
                     .stride = shape[5],
                     .pad = shape[6],
                     .dilation = shape[7]}};
    wsr__dw *const p = &s.p;
    p->oh = wsr__out_size(p->h, p->kernel, p->stride, p->pad, p->dilation);
    p->ow = wsr__out_size(p->w, p->kernel, p->stride, p->pad, p->dilation);
    const wsr__conv c = conv_of_dw(p);
    s.t = conv_scene_new(&kind, &c, view);
    p->src_batch_stride = view ? s.t.src.batch_stride : 0;
    p->dst_batch_stride = view ? s.t.dst.batch_stride : 0;
    s.weights = random_floats(p->c * p->kernel * p->kernel, 6);
    s.packed = floats((int64_t)wsr__dw_weights_size(p));
    wsr__dw_pack(s.packed, p, s.weights, NULL);
    return s;
}

static void scene_free(scene *s)
{
    conv_scene_free(&s->t);
    wsr__free(s->weights);
    wsr__free(s->packed);
}

static void check_scene(const int64_t shape[8], bool view)
{
    scene s = scene_new(shape, view);
    check_passes(&s.t);
    scene_free(&s);
}

// Kernels, strides, dilations that have row kernels, over odd sizes.
static void check_fast(void)
{
    static const int64_t sizes[][4] = {
        {1, 1, 1, 1},   {3, 3, 5, 5},  {1, 7, 31, 31},
        {3, 17, 5, 31}, {1, 8, 8, 16}, {2, 16, 13, 27},
    };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int64_t k = 0; k < 12; k++) {
            const int64_t kernel = 3 + k % 3 * 2;
            const int64_t stride = 1 + k / 3 % 2;
            const int64_t dilation = 1 + k / 6;
            const int64_t *const z = sizes[i];
            const int64_t shape[8] = {z[0],
                                      z[1],
                                      z[2],
                                      z[3],
                                      kernel,
                                      stride,
                                      kernel / 2 * dilation,
                                      dilation};
            check_scene(shape, i % 2 == 1);
        }
    }
}

START_TEST(all_variants_agree_with_the_reference_on_odd_sizes)
{
    wsr_set_threads(1); // small work
    check_fast();
}
END_TEST

// Other sides, strides, dilations and pads, and rows of several strips.
static void check_others(void)
{
    static const int64_t shapes[][8] = {
        {2, 3, 6, 7, 1, 1, 0, 1},   {1, 9, 6, 7, 2, 1, 1, 1},
        {1, 3, 12, 11, 4, 3, 1, 2}, {2, 3, 20, 19, 9, 1, 4, 1},
        {1, 8, 21, 20, 3, 3, 2, 3}, {1, 8, 9, 9, 3, 1, 0, 1},
        {1, 8, 9, 9, 5, 2, 1, 2},   {1, 2, 4, 150, 3, 1, 1, 1},
        {1, 2, 9, 151, 7, 2, 6, 2}, {1, 2, 9, 130, 5, 2, 2, 1},
        {1, 8, 9, 9, 3, 2, 3, 2},   {1, 8, 10, 9, 5, 2, 0, 2},
        {1, 9, 7, 9, 4, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_scene(shapes[i], i % 2 == 0);
    }
}

START_TEST(all_variants_agree_with_the_reference_on_unusual_geometry)
{
    wsr_set_threads(1); // small work
    check_others();
}
END_TEST

typedef struct threads_ctx {
    scene *s;
    float *packed;
    float *scratch;
} threads_ctx;

static void fill_all(float *out, void *ctx)
{
    const threads_ctx *const t = ctx;
    scene *const s = t->s;
    const wsr__relu_mask mask = {.src = s->t.src.blocked, .pre = s->t.pre};
    const int64_t dst = s->t.dst.n * s->t.dst.batch_stride;
    const int64_t src = s->t.src.n * s->t.src.batch_stride;
    wsr__dw_forward(out, &s->p, s->t.src.blocked, s->packed,
                    &(wsr__fwd){.pre = &s->t.pre});
    wsr__dw_backward_data(out + dst, &s->p, s->t.diff_dst.blocked, s->packed,
                          &(wsr__bwd){.relu_mask = &mask});
    const wsr__wgrad opt = {.pre = &s->t.pre, .scratch = t->scratch};
    wsr__dw_backward_weights(out + dst + src, &s->p, s->t.src.blocked,
                             s->t.diff_dst.blocked, &opt);
}

static void check_thread_counts(void)
{
    const int64_t shape[8] = {3, 17, 13, 11, 5, 1, 4, 2};
    scene s = scene_new(shape, false);
    threads_ctx t = {.s = &s};
    t.scratch = floats((int64_t)wsr__dw_backward_weights_scratch(&s.p));
    check_threads(fill_all, &t,
                  s.t.dst.n * s.t.dst.batch_stride +
                      s.t.src.n * s.t.src.batch_stride +
                      (int64_t)wsr__dw_weights_size(&s.p),
                  "depthwise");
    wsr__free(t.scratch);
    scene_free(&s);
}

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    each_variant(check_thread_counts);
}
END_TEST

START_TEST(a_factor_per_channel_is_folded_into_packed_weights)
{
    const int64_t shape[8] = {1, 11, 4, 4, 3, 1, 1, 1};
    scene s = scene_new(shape, false);
    float *const scaled = floats((int64_t)wsr__dw_weights_size(&s.p));
    wsr__dw_pack(scaled, &s.p, s.weights, s.t.scale);
    for (int64_t i = 0; i < (int64_t)wsr__dw_weights_size(&s.p); i++) {
        const int64_t c = i / (9 * WSR__BLOCK) * WSR__BLOCK + i % WSR__BLOCK;
        ck_assert(scaled[i] == (c < 11 ? s.packed[i] * s.t.scale[c] : 0.0f));
    }
    wsr__free(scaled);
    scene_free(&s);
}
END_TEST

START_TEST(an_unknown_instruction_set_is_refused)
{
    ck_assert_fails(wsr__native_force("sse9"), WSR_UNSUPPORTED, "sse9");
    ck_assert_ok(wsr__native_force("base"));
    ck_assert_str_eq(wsr__native_name(), "base");
    ck_assert_ok(wsr__native_force(NULL));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_variants_agree_with_the_reference_on_odd_sizes,
        all_variants_agree_with_the_reference_on_unusual_geometry,
        the_number_of_threads_does_not_change_a_bit,
        a_factor_per_channel_is_folded_into_packed_weights,
        an_unknown_instruction_set_is_refused,
        NULL,
    };
    return suite_of("native_dw", tests);
}
