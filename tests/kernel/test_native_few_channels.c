// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

typedef struct shape {
    int64_t n;
    int64_t t;
    int64_t c;
    int64_t h; // of the side with few channels
    int64_t w;
    int64_t kernel;
    int64_t pad; // of the convolution
    bool few_dst;
    bool view;
} shape;

// One such convolution with everything that a call can take.
typedef struct scene {
    wsr__few_channels p;
    wsr__conv conv; // the same for the reference
    pair many;      // src or diff_dst
    pair masked;    // what the relu mask is made of
    pair saved;     // the norm's src behind it
    pair out;       // dst or diff_src
    float *few;     // (n, t, h, w)
    float *weights; // plain
    float *packed;
    float *vectors[5]; // scale, shift, alpha, beta, gamma
    wsr__pre pre;
    wsr__affine affine;
    wsr__relu_mask mask;
} scene;

static wsr__conv conv_of(const shape *z, const wsr__few_channels *p)
{
    wsr__conv conv = {.n = z->n,
                      .ci = z->t,
                      .h = z->h,
                      .w = z->w,
                      .co = z->c,
                      .oh = p->oh,
                      .ow = p->ow,
                      .kh = z->kernel,
                      .kw = z->kernel,
                      .sh = 1,
                      .sw = 1,
                      .ph = z->pad,
                      .pw = z->pad,
                      .dh = 1,
                      .dw = 1,
                      .groups = 1};
    if (z->few_dst) {
        conv.ci = z->c;
        conv.co = z->t;
        conv.h = p->oh;
        conv.w = p->ow;
        conv.oh = z->h;
        conv.ow = z->w;
    }
    return conv;
}

static scene scene_new(const shape *z)
{
    scene s;
    memset(&s, 0, sizeof(s));
    const int64_t grow = 2 * z->pad - z->kernel + 1;
    s.p =
        (wsr__few_channels){.n = z->n,
                            .few = z->t,
                            .many = z->c,
                            .h = z->h,
                            .w = z->w,
                            .oh = z->h + (z->few_dst ? -grow : grow),
                            .ow = z->w + (z->few_dst ? -grow : grow),
                            .kernel = z->kernel,
                            .pad = z->few_dst ? z->kernel - 1 - z->pad : z->pad,
                            .few_dst = z->few_dst};
    s.conv = conv_of(z, &s.p);
    const int64_t pixels = s.p.oh * s.p.ow;
    s.many = pair_new(z->n, z->c, pixels, z->view, 1);
    s.masked = pair_new(z->n, z->c, pixels, z->view, 2);
    s.saved = pair_new(z->n, z->c, pixels, !z->view, 3);
    s.out = pair_new(z->n, z->c, pixels, z->view, 3);
    s.p.batch_stride = z->view ? s.many.batch_stride : 0;
    s.few = random_floats(z->n * z->t * z->h * z->w, 4);
    s.weights = random_floats(z->c * z->t * z->kernel * z->kernel, 5);
    s.packed = floats((int64_t)wsr__few_channels_weights_size(&s.p));
    wsr__few_channels_pack(s.packed, &s.p, s.weights);
    for (uint32_t i = 0; i < 5; i++) {
        s.vectors[i] = random_channels(z->c, i % 2 == 0 ? 1.0f : 0.0f, 6 + i);
    }
    s.pre = (wsr__pre){s.vectors[0], s.vectors[1], true};
    s.affine = (wsr__affine){s.vectors[2], s.vectors[3], s.vectors[4],
                             s.saved.blocked, s.saved.batch_stride};
    s.mask = (wsr__relu_mask){.src = s.masked.blocked, .pre = s.pre};
    return s;
}

static void scene_free(scene *s)
{
    pair_free(&s->many);
    pair_free(&s->masked);
    pair_free(&s->saved);
    pair_free(&s->out);
    wsr__free(s->few);
    wsr__free(s->weights);
    wsr__free(s->packed);
    for (size_t i = 0; i < 5; i++) {
        wsr__free(s->vectors[i]);
    }
}

static int64_t many_size(const scene *s)
{
    return s->many.n * s->many.c * s->many.pixels;
}

static int64_t few_size(const scene *s)
{
    return s->p.n * s->p.few * s->p.h * s->p.w;
}

// The side with many channels as it is read; NULL for as it is.
static float *read_many(const scene *s, const wsr__pre *pre,
                        const wsr__affine *affine)
{
    const wsr__pre none = {0};
    float *const read = floats(many_size(s));
    plain_pre(read, &s->many, pre != NULL ? pre : &none);
    if (affine != NULL) {
        plain_affine(read, &s->many, &s->saved, affine);
    }
    return read;
}

// What a pass that writes the side with many channels has left there.
static void check_many(scene *s, float *want, bool accumulate, const char *what)
{
    for (int64_t i = 0; accumulate && i < many_size(s); i++) {
        want[i] += s->out.plain[i];
    }
    check_blocked(&s->out, want, what);
    wsr__free(want);
}

// The same of the side with few channels, which held 3 before.
static void check_few(const scene *s, float *want, float *got, bool accumulate,
                      const char *what)
{
    for (int64_t i = 0; accumulate && i < few_size(s); i++) {
        want[i] += 3.0f;
    }
    check_close(got, want, few_size(s), what);
    wsr__free(want);
    wsr__free(got);
}

static void check_forward(scene *s, const wsr__fwd *fwd, const char *what)
{
    const wsr__fwd o = fwd != NULL ? *fwd : (wsr__fwd){0};
    if (s->p.few_dst) {
        float *const read = read_many(s, o.pre, NULL);
        float *const want = floats(few_size(s));
        float *const got = constant_floats(few_size(s), 3);
        wsr__ref_conv_forward(want, read, s->weights, o.bias, &s->conv);
        wsr__few_channels_forward(got, &s->p, s->many.blocked, s->packed, fwd);
        check_few(s, want, got, o.accumulate, what);
        wsr__free(read);
        return;
    }
    float *const want = floats(many_size(s));
    wsr__ref_conv_forward(want, s->few, s->weights, o.bias, &s->conv);
    pair_block(&s->out);
    wsr__few_channels_forward(s->out.blocked, &s->p, s->few, s->packed, fwd);
    check_many(s, want, o.accumulate, what);
}

static void check_backward_data(scene *s, const wsr__bwd *bwd, const char *what)
{
    const wsr__bwd o = bwd != NULL ? *bwd : (wsr__bwd){0};
    if (!s->p.few_dst) {
        float *const read = read_many(s, NULL, o.affine);
        float *const want = floats(few_size(s));
        float *const got = constant_floats(few_size(s), 3);
        wsr__ref_conv_backward_data(want, read, s->weights, &s->conv);
        wsr__few_channels_backward_data(got, &s->p, s->many.blocked, s->packed,
                                        bwd);
        check_few(s, want, got, o.accumulate, what);
        wsr__free(read);
        return;
    }
    float *const want = floats(many_size(s));
    wsr__ref_conv_backward_data(want, s->few, s->weights, &s->conv);
    if (o.relu_mask != NULL) {
        plain_relu_mask(want, &s->masked, &o.relu_mask->pre);
    }
    pair_block(&s->out);
    wsr__few_channels_backward_data(s->out.blocked, &s->p, s->few, s->packed,
                                    bwd);
    check_many(s, want, o.accumulate, what);
}

static void check_backward_weights(const scene *s, const wsr__pre *pre,
                                   const wsr__affine *affine, const char *what)
{
    const int64_t count = s->p.many * s->p.few * s->p.kernel * s->p.kernel;
    const int64_t size = (int64_t)wsr__few_channels_weights_size(&s->p);
    float *const read = read_many(s, pre, affine);
    float *const want = floats(count);
    float *const got = floats(count);
    float *const packed = floats(size);
    float *const scratch = floats((int64_t)wsr__few_channels_scratch(&s->p));
    const wsr__wgrad opt = {.pre = pre, .affine = affine, .scratch = scratch};
    const bool few_dst = s->p.few_dst;
    wsr__ref_conv_backward_weights(want, NULL, few_dst ? read : s->few,
                                   few_dst ? s->few : read, &s->conv);
    wsr__few_channels_backward_weights(
        packed, &s->p, few_dst ? s->many.blocked : s->few,
        few_dst ? s->few : s->many.blocked, &opt);
    for (int64_t i = 0; i < count; i++) {
        got[i] = 1.0f;
        want[i] += 1.0f;
    }
    wsr__few_channels_unpack_add(got, &s->p, packed);
    check_close(got, want, count, what);
    wsr__free(read);
    wsr__free(want);
    wsr__free(got);
    wsr__free(packed);
    wsr__free(scratch);
}

// Both gradients in one pass are the bits of one after the other.
static void check_both(scene *s)
{
    const int64_t size = (int64_t)wsr__few_channels_weights_size(&s->p);
    const int64_t src = s->out.batch_stride * (s->out.n - 1) +
                        wsr__blocks(s->out.c) * s->out.pixels * WSR__BLOCK;
    const wsr__bwd bwd = {.relu_mask = &s->mask, .accumulate = true};
    float *const want = floats(size);
    float *const got = floats(size);
    float *const scratch = floats((int64_t)wsr__few_channels_scratch(&s->p));
    float *const before = floats(src);
    pair_block(&s->out);
    memcpy(before, s->out.blocked, (size_t)src * sizeof(float));
    wsr__few_channels_backward_data(s->out.blocked, &s->p, s->few, s->packed,
                                    &bwd);
    wsr__few_channels_backward_weights(
        want, &s->p, s->many.blocked, s->few,
        &(wsr__wgrad){.pre = &s->pre, .scratch = scratch});
    wsr__few_channels_backward(
        &(wsr__few_channels_grads){.src = before,
                                   .src_batch_stride = s->p.batch_stride,
                                   .weights = got,
                                   .pre = &s->pre,
                                   .scratch = scratch},
        &s->p, (const float *const[]){s->many.blocked, s->few}, s->packed,
        &bwd);
    ck_assert_mem_eq(before, s->out.blocked, (size_t)src * sizeof(float));
    ck_assert_mem_eq(got, want, (size_t)size * sizeof(float));
    wsr__free(want);
    wsr__free(got);
    wsr__free(scratch);
    wsr__free(before);
}

static void check_options_few_dst(scene *s)
{
    check_both(s);
    const float bias[WSR__FEW_CHANNELS] = {1, -2, 3, -4, 5, -6, 7, -8, 9};
    check_forward(s, &(wsr__fwd){.pre = &s->pre, .bias = bias},
                  "forward, prologue and bias");
    check_backward_data(s, &(wsr__bwd){.relu_mask = &s->mask},
                        "backward data, relu mask");
    check_backward_weights(s, &s->pre, NULL, "backward weights, prologue");
}

static void check_options_few_src(scene *s)
{
    check_forward(s, &(wsr__fwd){.bias = s->vectors[1]}, "forward, bias");
    check_backward_data(s,
                        &(wsr__bwd){.affine = &s->affine, .accumulate = true},
                        "backward data, affine, add");
    check_backward_weights(s, NULL, &s->affine, "backward weights, affine");
}

static void check_scene(const shape *z)
{
    scene s = scene_new(z);
    check_forward(&s, NULL, "forward");
    check_forward(&s, &(wsr__fwd){.accumulate = true}, "forward, add");
    check_backward_data(&s, NULL, "backward data");
    check_backward_data(&s, &(wsr__bwd){.accumulate = true},
                        "backward data, add");
    check_backward_weights(&s, NULL, NULL, "backward weights");
    if (z->few_dst) {
        check_options_few_dst(&s);
    } else {
        check_options_few_src(&s);
    }
    scene_free(&s);
}

static const shape shapes[] = {
    {1, 1, 1, 1, 1, 3, 1, false, false},
    {2, 3, 7, 5, 31, 3, 1, false, true},
    {17, 3, 48, 9, 8, 3, 1, false, false},
    {1, 4, 17, 31, 130, 3, 1, false, false}, // wider than a strip
    {3, 2, 24, 6, 13, 5, 2, false, true},
    {1, 1, 9, 9, 9, 7, 3, false, false},
    {2, 3, 16, 8, 8, 3, 0, false, false},
    {2, 3, 16, 8, 8, 5, 4, false, false},
    {1, 1, 1, 1, 1, 3, 1, true, false},
    {2, 1, 100, 28, 28, 3, 1, true, false},
    {2, 3, 17, 5, 70, 5, 2, true, true},
    {1, 2, 8, 7, 9, 7, 1, true, false},
    {2, 7, 68, 9, 33, 3, 1, false, true}, // more than four on the few side
    {1, 9, 64, 6, 66, 5, 0, false, false},
    {2, 6, 70, 5, 8, 3, 1, true, true},
    {1, 5, 64, 9, 9, 7, 2, true, false},
};

static void check_all(void)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_scene(&shapes[i]);
    }
}

START_TEST(all_variants_agree_with_the_reference_on_odd_sizes)
{
    each_variant(check_all);
}
END_TEST

static void fill(float *out, void *ctx)
{
    scene *const s = ctx;
    float *const scratch = floats((int64_t)wsr__few_channels_scratch(&s->p));
    const wsr__wgrad opt = {.scratch = scratch};
    wsr__few_channels_backward_data(out, &s->p, s->many.blocked, s->packed,
                                    NULL);
    float *const packed =
        floats((int64_t)wsr__few_channels_weights_size(&s->p));
    wsr__few_channels_backward_weights(packed, &s->p, s->few, s->many.blocked,
                                       &opt);
    memcpy(out + few_size(s), packed,
           wsr__few_channels_weights_size(&s->p) * sizeof(*packed));
    wsr__free(scratch);
    wsr__free(packed);
}

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    scene s = scene_new(&shapes[2]);
    check_threads(fill, &s,
                  few_size(&s) + (int64_t)wsr__few_channels_weights_size(&s.p),
                  "few channels");
    scene_free(&s);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_variants_agree_with_the_reference_on_odd_sizes,
        the_number_of_threads_does_not_change_a_bit,
        NULL,
    };
    return suite_of("native_few_channels", tests);
}
