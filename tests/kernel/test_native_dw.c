// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

// One depthwise convolution with everything that a call can take.
typedef struct scene {
    wsr__dw p;
    wsr__conv conv;
    pair src;
    pair dst;
    pair diff_src; // same shape as src
    pair diff_dst;
    pair saved; // dst of the affine
    float *weights;
    float *packed;
    float *scale;
    float *shift;
    float *bias;
    wsr__pre pre;
    wsr__affine affine;
    double *sums; // of a relu mask
} scene;

static void scene_geometry(scene *s, const int64_t shape[8])
{
    wsr__dw *const p = &s->p;
    *p = (wsr__dw){.n = shape[0],
                   .c = shape[1],
                   .h = shape[2],
                   .w = shape[3],
                   .kernel = shape[4],
                   .stride = shape[5],
                   .pad = shape[6],
                   .dilation = shape[7]};
    p->oh = wsr__out_size(p->h, p->kernel, p->stride, p->pad, p->dilation);
    p->ow = wsr__out_size(p->w, p->kernel, p->stride, p->pad, p->dilation);
    s->conv = (wsr__conv){.n = p->n,
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

static scene scene_new(const int64_t shape[8], bool view)
{
    scene s;
    memset(&s, 0, sizeof(s));
    scene_geometry(&s, shape);
    wsr__dw *const p = &s.p;
    const int64_t in = p->h * p->w;
    const int64_t out = p->oh * p->ow;
    s.src = pair_new(p->n, p->c, in, view, 1);
    s.diff_src = pair_new(p->n, p->c, in, view, 2);
    s.dst = pair_new(p->n, p->c, out, view, 3);
    s.diff_dst = pair_new(p->n, p->c, out, view, 4);
    s.saved = pair_new(p->n, p->c, out, !view, 5);
    p->src_batch_stride = view ? s.src.batch_stride : 0;
    p->dst_batch_stride = view ? s.dst.batch_stride : 0;
    const int64_t taps = p->kernel * p->kernel;
    s.weights = random_floats(p->c * taps, 6);
    s.packed = floats((int64_t)wsr__dw_weights_size(p));
    wsr__dw_pack(s.packed, p, s.weights, NULL);
    s.scale = random_channels(p->c, 1.0f, 7);
    s.shift = random_channels(p->c, 0.0f, 8);
    s.bias = random_channels(p->c, 0.0f, 9);
    s.pre = (wsr__pre){.scale = s.scale, .shift = s.shift, .relu = true};
    s.affine = (wsr__affine){.alpha = s.scale,
                             .beta = s.shift,
                             .gamma = s.bias,
                             .dst = s.saved.blocked,
                             .batch_stride = s.saved.batch_stride};
    const wsr__dims d = {.n = p->n,
                         .c = p->c,
                         .h = p->h,
                         .w = p->w,
                         .src_batch_stride = p->src_batch_stride};
    s.sums = doubles(wsr__moments_size(&d));
    return s;
}

static void scene_free(scene *s)
{
    pair *const pairs[] = {&s->src, &s->dst, &s->diff_src, &s->diff_dst,
                           &s->saved};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        pair_free(pairs[i]);
    }
    wsr__free(s->weights);
    wsr__free(s->packed);
    wsr__free(s->scale);
    wsr__free(s->shift);
    wsr__free(s->bias);
    wsr__free(s->sums);
}

static int64_t plain_size(const pair *t)
{
    return t->n * t->c * t->pixels;
}

static void check_forward(scene *s, const wsr__fwd *fwd, const char *what)
{
    float *const read = floats(plain_size(&s->src));
    float *const want = floats(plain_size(&s->dst));
    const wsr__pre none = {0};
    plain_pre(read, &s->src,
              fwd != NULL && fwd->pre != NULL ? fwd->pre : &none);
    wsr__ref_conv_forward(want, read, s->weights,
                          fwd != NULL ? fwd->bias : NULL, &s->conv);
    if (fwd != NULL && fwd->accumulate) {
        for (int64_t i = 0; i < plain_size(&s->dst); i++) {
            want[i] += s->dst.plain[i];
        }
    }
    for (size_t i = 0; next_variant(&i);) {
        pair_block(&s->dst);
        wsr__dw_forward(s->dst.blocked, &s->p, s->src.blocked, s->packed, fwd);
        check_blocked(&s->dst, want, what);
    }
    wsr__free(read);
    wsr__free(want);
}

// What the last instruction set left there would pass as what the next made.
static void forget_sums(const scene *s)
{
    for (int64_t i = 0; i < s->p.n * s->src.total * 16; i++) {
        s->sums[i] = (double)mark;
    }
}

// The reductions that a relu mask makes on the way, where it is asked for them,
// are those of what was stored.
static void check_sums(const scene *s, const double *got)
{
    for (int64_t i = 0; got != NULL && i < s->p.n * s->p.c; i++) {
        const int64_t n = i / s->p.c;
        const int64_t c = i % s->p.c;
        double want[2] = {0};
        for (int64_t k = 0; k < s->src.pixels; k++) {
            const int64_t at = blocked_at(&s->src, i * s->src.pixels + k);
            const double g = (double)s->diff_src.blocked[at];
            want[0] += g;
            want[1] += g * ((double)s->src.blocked[at] - (double)s->bias[c]);
        }
        const double *const sum =
            got + (n * s->src.total + c / WSR__BLOCK) * 16 + c % WSR__BLOCK;
        ck_assert_double_eq_tol(sum[0], want[0], 1e-3);
        ck_assert_double_eq_tol(sum[WSR__BLOCK], want[1], 1e-3);
    }
}

static void check_backward(scene *s, const wsr__bwd *bwd, const char *what)
{
    float *const diff = floats(plain_size(&s->diff_dst));
    float *const want = floats(plain_size(&s->src));
    memcpy(diff, s->diff_dst.plain,
           (size_t)plain_size(&s->diff_dst) * sizeof(*diff));
    if (bwd != NULL && bwd->affine != NULL) {
        plain_affine(diff, &s->diff_dst, &s->saved, bwd->affine);
    }
    wsr__ref_conv_backward_data(want, diff, s->weights, &s->conv);
    if (bwd != NULL && bwd->relu_mask != NULL) {
        plain_relu_mask(want, &s->src, &bwd->relu_mask->pre);
    }
    if (bwd != NULL && bwd->accumulate) {
        for (int64_t i = 0; i < plain_size(&s->src); i++) {
            want[i] += s->diff_src.plain[i];
        }
    }
    for (size_t i = 0; next_variant(&i);) {
        pair_block(&s->diff_src);
        forget_sums(s);
        wsr__dw_backward_data(s->diff_src.blocked, &s->p, s->diff_dst.blocked,
                              s->packed, bwd);
        check_blocked(&s->diff_src, want, what);
        if (bwd != NULL && bwd->relu_mask != NULL) {
            check_sums(s, bwd->relu_mask->sums);
        }
    }
    wsr__free(diff);
    wsr__free(want);
}

static void check_weights(scene *s, const wsr__pre *pre,
                          const wsr__affine *affine, const char *what)
{
    const int64_t taps = s->p.c * s->p.kernel * s->p.kernel;
    float *const read = floats(plain_size(&s->src));
    float *const diff = floats(plain_size(&s->diff_dst));
    float *const want = floats(taps);
    float *const got = floats(taps);
    float *const packed = floats((int64_t)wsr__dw_weights_size(&s->p));
    float *const scratch =
        floats((int64_t)wsr__dw_backward_weights_scratch(&s->p));
    const wsr__pre none = {0};
    plain_pre(read, &s->src, pre != NULL ? pre : &none);
    memcpy(diff, s->diff_dst.plain,
           (size_t)plain_size(&s->diff_dst) * sizeof(*diff));
    if (affine != NULL) {
        plain_affine(diff, &s->diff_dst, &s->saved, affine);
    }
    wsr__ref_conv_backward_weights(want, NULL, read, diff, &s->conv);
    for (int64_t i = 0; i < taps; i++) {
        want[i] += 1.0f;
    }
    const wsr__wgrad opt = {.pre = pre, .affine = affine, .scratch = scratch};
    for (size_t v = 0; next_variant(&v);) {
        memset(packed, 0, wsr__dw_weights_size(&s->p) * sizeof(*packed));
        wsr__dw_backward_weights(packed, &s->p, s->src.blocked,
                                 s->diff_dst.blocked, &opt);
        for (int64_t i = 0; i < taps; i++) {
            got[i] = 1.0f;
        }
        wsr__dw_unpack_add(got, &s->p, packed);
        check_close(got, want, taps, what);
    }
    wsr__free(read);
    wsr__free(diff);
    wsr__free(want);
    wsr__free(got);
    wsr__free(packed);
    wsr__free(scratch);
}

static void check_scene(const int64_t shape[8], bool view)
{
    scene s = scene_new(shape, view);
    const wsr__pre relu = {.relu = true};
    const wsr__relu_mask relu_alone = {.src = s.src.blocked, .pre = relu};
    const wsr__relu_mask mask = {.src = s.src.blocked, .pre = s.pre};
    const wsr__relu_mask summed = {
        .src = s.src.blocked, .pre = s.pre, .mean = s.bias, .sums = s.sums};
    check_forward(&s, NULL, "forward");
    check_forward(&s, &(wsr__fwd){.pre = &relu}, "forward, relu");
    check_forward(
        &s, &(wsr__fwd){.pre = &s.pre, .bias = s.bias, .accumulate = true},
        "forward, all");
    check_backward(&s, NULL, "backward data");
    check_backward(&s, &(wsr__bwd){.accumulate = true}, "backward data, add");
    check_backward(&s, &(wsr__bwd){.relu_mask = &relu_alone},
                   "backward data, relu");
    check_backward(&s,
                   &(wsr__bwd){.relu_mask = &mask,
                               .affine = &s.affine,
                               .accumulate = true},
                   "backward data, all");
    check_backward(&s, &(wsr__bwd){.relu_mask = &summed}, "relu mask, sums");
    check_weights(&s, NULL, NULL, "backward weights");
    check_weights(&s, &s.pre, &s.affine, "backward weights, all");
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
    const wsr__relu_mask mask = {.src = s->src.blocked, .pre = s->pre};
    const int64_t dst = s->dst.n * s->dst.batch_stride;
    const int64_t src = s->src.n * s->src.batch_stride;
    wsr__dw_forward(out, &s->p, s->src.blocked, s->packed,
                    &(wsr__fwd){.pre = &s->pre});
    wsr__dw_backward_data(out + dst, &s->p, s->diff_dst.blocked, s->packed,
                          &(wsr__bwd){.relu_mask = &mask});
    const wsr__wgrad opt = {.pre = &s->pre, .scratch = t->scratch};
    wsr__dw_backward_weights(out + dst + src, &s->p, s->src.blocked,
                             s->diff_dst.blocked, &opt);
}

static void check_thread_counts(void)
{
    const int64_t shape[8] = {3, 17, 13, 11, 5, 1, 4, 2};
    scene s = scene_new(shape, false);
    threads_ctx t = {.s = &s};
    t.scratch = floats((int64_t)wsr__dw_backward_weights_scratch(&s.p));
    check_threads(fill_all, &t,
                  s.dst.n * s.dst.batch_stride + s.src.n * s.src.batch_stride +
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
    wsr__dw_pack(scaled, &s.p, s.weights, s.scale);
    for (int64_t i = 0; i < (int64_t)wsr__dw_weights_size(&s.p); i++) {
        const int64_t c = i / (9 * WSR__BLOCK) * WSR__BLOCK + i % WSR__BLOCK;
        ck_assert(scaled[i] == (c < 11 ? s.packed[i] * s.scale[c] : 0.0f));
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
