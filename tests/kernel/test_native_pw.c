// SPDX-License-Identifier: Apache-2.0

#include "kernel/conv_scene.h"

// One pointwise convolution. With `parts`, src is a concatenation of parts,
// each padded to whole blocks: its channels are those that lie there, the
// padding is zero.
typedef struct scene {
    conv_scene t;
    wsr__pw p;
    float *weights; // (co, ci)
    float *lying;   // (co, channels of src as they lie)
    float *packed;
    float *transposed;
} scene;

typedef struct shape {
    int64_t n;
    int64_t ci;
    int64_t co;
    int64_t h;
    int64_t w;
    int64_t stride;
    int64_t shift;
    int64_t parts;
    bool view;
} shape;

static void pack(scene *s)
{
    const wsr__pw *const p = &s->p;
    s->packed = floats((int64_t)wsr__pw_weights_size(p));
    s->transposed = floats((int64_t)wsr__pw_transposed_size(p));
    wsr__pw_pack(s->packed, p, s->weights, NULL);
    wsr__pw_pack_transposed(s->transposed, p, s->weights, NULL);
}

// Where weight i is in rows of as many weights as there are channels that lie
// in src.
static int64_t lying_at(const scene *s, int64_t i)
{
    const wsr__pw *const p = &s->p;
    const int64_t part = p->ci_part != 0 ? p->ci_part : p->ci;
    const int64_t c = i % p->ci;
    return i / p->ci * s->t.conv.ci +
           c / part * wsr__blocks(part) * WSR__BLOCK + c % part;
}

// The same convolution for the reference: channels as they lie, and the
// offset of the first pixel as padding that is negative.
static wsr__conv reference(const wsr__pw *p)
{
    return (wsr__conv){
        .n = p->n,
        .ci = p->ci_part != 0 ? wsr__pw_src_blocks(p) * WSR__BLOCK : p->ci,
        .h = p->h,
        .w = p->w,
        .co = p->co,
        .oh = p->oh,
        .ow = p->ow,
        .kh = 1,
        .kw = 1,
        .sh = p->stride,
        .sw = p->stride,
        .ph = -p->oy,
        .pw = -p->ox,
        .dh = 1,
        .dw = 1,
        .groups = 1};
}

static void ref_forward(float *dst, const conv_scene *t, const float *src,
                        const float *bias)
{
    const scene *const s = (const scene *)t;
    wsr__ref_conv_forward(dst, src, s->lying, bias, &t->conv);
}

static void ref_backward(float *diff_src, const conv_scene *t,
                         const float *diff_dst)
{
    const scene *const s = (const scene *)t;
    wsr__ref_conv_backward_data(diff_src, diff_dst, s->lying, &t->conv);
}

static void forward(const conv_scene *t, const wsr__fwd *fwd)
{
    const scene *const s = (const scene *)t;
    wsr__pw_forward(t->dst.blocked, &s->p, t->src.blocked, s->packed, fwd);
}

static void backward(const conv_scene *t, const wsr__bwd *bwd)
{
    const scene *const s = (const scene *)t;
    const float *const data[2] = {NULL, t->diff_dst.blocked};
    const wsr__pw_grads grads = {.src = t->diff_src.blocked};
    wsr__pw_backward(&grads, &s->p, data, s->transposed, bwd);
}

// Both kinds of gradients in one pass are bit for bit those of two passes.
static void check_together(const scene *s, const wsr__pw_grads *weights,
                           const wsr__bwd *bwd)
{
    const size_t size = wsr__pw_weights_size(&s->p);
    const float *const data[2] = {s->t.src.blocked, s->t.diff_dst.blocked};
    pair src[2];
    for (int i = 0; i < 2; i++) {
        src[i] = pair_new(s->t.src.n, s->t.src.c, s->t.src.pixels,
                          s->t.src.total > wsr__blocks(s->t.src.c), 2);
    }
    float *const packed = floats((int64_t)size);
    wsr__pw_grads grads = {.src = src[0].blocked};
    wsr__pw_backward(&grads, &s->p, data, s->transposed, bwd);
    grads = *weights;
    grads.src = src[1].blocked;
    grads.weights = packed;
    wsr__pw_backward(&grads, &s->p, data, s->transposed, bwd);
    ck_assert_mem_eq(packed, weights->weights, size * sizeof(*packed));
    ck_assert_mem_eq(src[0].whole, src[1].whole,
                     (size_t)(src[0].n * src[0].batch_stride) * sizeof(float));
    wsr__free(packed);
    pair_free(&src[0]);
    pair_free(&src[1]);
}

static void weights(const conv_scene *t, const float *src, const float *diff,
                    const wsr__wgrad *how, const char *what)
{
    const scene *const s = (const scene *)t;
    const int64_t count = s->p.co * s->p.ci;
    float *const lying = floats(s->p.co * t->conv.ci);
    float *const want = floats(count);
    float *const packed = floats((int64_t)wsr__pw_weights_size(&s->p));
    float *const scratch = floats((int64_t)wsr__pw_weights_scratch(&s->p));
    const wsr__bwd bwd = {.affine = how->affine};
    const wsr__pw_grads grads = {
        .weights = packed, .pre = how->pre, .scratch = scratch};
    const float *const data[2] = {t->src.blocked, t->diff_dst.blocked};
    wsr__ref_conv_backward_weights(lying, NULL, src, diff, &t->conv);
    for (int64_t i = 0; i < count; i++) {
        want[i] = 1.0f + lying[lying_at(s, i)];
    }
    for (size_t v = 0; next_variant(&v);) {
        float *const got = constant_floats(count, 1.0f);
        wsr__pw_backward(&grads, &s->p, data, s->transposed, &bwd);
        check_together(s, &grads, &bwd);
        wsr__pw_unpack_add(got, &s->p, packed);
        check_close(got, want, count, what);
        wsr__free(got);
    }
    wsr__free(lying);
    wsr__free(want);
    wsr__free(packed);
    wsr__free(scratch);
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
    scene s = {.p = {.n = z->n,
                     .ci = z->ci,
                     .co = z->co,
                     .h = z->h,
                     .w = z->w,
                     .oh = (z->h + z->stride - 1) / z->stride,
                     .ow = (z->w + z->stride - 1) / z->stride,
                     .stride = z->stride,
                     .oy = z->shift,
                     .ox = z->shift}};
    wsr__pw *const p = &s.p;
    p->ci_part = z->parts > 1 ? z->ci / z->parts : 0;
    const wsr__conv c = reference(p);
    s.t = conv_scene_new(&kind, &c, z->view);
    p->src_batch_stride = z->view ? s.t.src.batch_stride : 0;
    p->dst_batch_stride = z->view ? s.t.dst.batch_stride : 0;
    s.weights = random_floats(p->co * p->ci, 6);
    s.lying = floats(p->co * c.ci);
    for (int64_t i = 0; i < p->co * p->ci; i++) {
        s.lying[lying_at(&s, i)] = s.weights[i];
    }
    pack(&s);
    return s;
}

static void scene_free(scene *s)
{
    conv_scene_free(&s->t);
    wsr__free(s->weights);
    wsr__free(s->lying);
    wsr__free(s->packed);
    wsr__free(s->transposed);
}

static void check_shapes(const shape *shapes, size_t n)
{
    wsr_set_threads(1); // small work
    for (size_t i = 0; i < n; i++) {
        scene s = scene_new(&shapes[i]);
        check_passes(&s.t);
        scene_free(&s);
    }
}

START_TEST(all_variants_agree_with_the_reference_on_odd_sizes)
{
    static const shape shapes[] = {
        {1, 1, 1, 1, 1, 1, 0, 1, false},    {3, 3, 7, 5, 5, 1, 0, 1, true},
        {1, 7, 17, 31, 31, 1, 0, 1, false}, {3, 17, 3, 5, 31, 1, 0, 1, true},
        {2, 16, 16, 9, 8, 1, 0, 1, false},  {1, 160, 24, 7, 9, 1, 0, 1, false},
        {2, 600, 9, 3, 9, 1, 0, 1, true},   {17, 5, 9, 2, 3, 1, 0, 1, false},
    };
    check_shapes(shapes, sizeof(shapes) / sizeof(shapes[0]));
}
END_TEST

// Tiles hold up to sixteen pixels, and a run is divided into such tiles.
START_TEST(runs_of_any_length_agree_with_the_reference)
{
    for (int64_t w = 1; w <= 35; w++) {
        const shape z = {1, 9, 19, 1, w, 1, 0, 1, false};
        check_shapes(&z, 1);
    }
}
END_TEST

START_TEST(strides_and_offsets_agree_with_the_reference)
{
    static const shape shapes[] = {
        {1, 1, 1, 1, 1, 2, 0, 1, false},   {3, 7, 17, 8, 8, 2, 1, 1, true},
        {1, 17, 3, 31, 31, 2, 1, 1, true}, {2, 8, 9, 16, 12, 2, 0, 1, false},
        {1, 3, 3, 7, 8, 3, 2, 1, false},
    };
    check_shapes(shapes, sizeof(shapes) / sizeof(shapes[0]));
}
END_TEST

START_TEST(concatenated_parts_with_padding_are_read_in_place)
{
    static const shape shapes[] = {
        {2, 4 * 9, 11, 5, 6, 1, 0, 4, false},
        {1, 3 * 5, 16, 6, 6, 2, 1, 3, true},
    };
    check_shapes(shapes, sizeof(shapes) / sizeof(shapes[0]));
}
END_TEST

static void fill_all(float *out, void *ctx)
{
    scene *const s = ctx;
    const wsr__relu_mask mask = {.src = s->t.src.blocked, .pre = s->t.pre};
    const int64_t dst = s->t.dst.n * s->t.dst.batch_stride;
    const int64_t src = s->t.src.n * s->t.src.batch_stride;
    float *const scratch = floats((int64_t)wsr__pw_weights_scratch(&s->p));
    wsr__pw_forward(out, &s->p, s->t.src.blocked, s->packed,
                    &(wsr__fwd){.pre = &s->t.pre, .moments = s->t.sums});
    const float *const data[2] = {s->t.src.blocked, s->t.diff_dst.blocked};
    const wsr__bwd bwd = {.relu_mask = &mask};
    wsr__pw_grads grads = {.src = out + dst};
    wsr__pw_backward(&grads, &s->p, data, s->transposed, &bwd);
    grads = (wsr__pw_grads){
        .weights = out + dst + src, .pre = &s->t.pre, .scratch = scratch};
    wsr__pw_backward(&grads, &s->p, data, s->transposed, &bwd);
    float *const rest = out + dst + src + (int64_t)wsr__pw_weights_size(&s->p);
    for (int64_t i = 0; i < s->p.n * s->t.dst.total * 16; i++) {
        rest[i] = (float)s->t.sums[i];
    }
    wsr__free(scratch);
}

static void check_thread_counts(void)
{
    const shape z = {5, 17, 19, 13, 11, 1, 0, 1, false};
    scene s = scene_new(&z);
    check_threads(
        fill_all, &s,
        s.t.dst.n * s.t.dst.batch_stride + s.t.src.n * s.t.src.batch_stride +
            (int64_t)wsr__pw_weights_size(&s.p) + s.p.n * s.t.dst.total * 16,
        "pointwise");
    scene_free(&s);
}

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    each_variant(check_thread_counts);
}
END_TEST

START_TEST(a_factor_per_channel_is_folded_into_packed_weights)
{
    const shape z = {1, 11, 19, 3, 3, 1, 0, 1, false};
    scene s = scene_new(&z);
    float *const scaled = floats(s.p.co * s.p.ci);
    for (int64_t i = 0; i < s.p.co * s.p.ci; i++) {
        scaled[i] = s.weights[i] * s.t.alpha[i / s.p.ci];
    }
    float *const want = floats((int64_t)wsr__pw_weights_size(&s.p));
    wsr__pw_pack(want, &s.p, scaled, NULL);
    wsr__pw_pack(s.packed, &s.p, s.weights, s.t.alpha);
    ck_assert_mem_eq(s.packed, want,
                     wsr__pw_weights_size(&s.p) * sizeof(float));
    float *const back = floats((int64_t)wsr__pw_transposed_size(&s.p));
    wsr__pw_pack_transposed(back, &s.p, scaled, NULL);
    wsr__pw_pack_transposed(s.transposed, &s.p, s.weights, s.t.alpha);
    ck_assert_mem_eq(s.transposed, back,
                     wsr__pw_transposed_size(&s.p) * sizeof(float));
    wsr__free(scaled);
    wsr__free(want);
    wsr__free(back);
    scene_free(&s);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_variants_agree_with_the_reference_on_odd_sizes,
        runs_of_any_length_agree_with_the_reference,
        strides_and_offsets_agree_with_the_reference,
        concatenated_parts_with_padding_are_read_in_place,
        the_number_of_threads_does_not_change_a_bit,
        a_factor_per_channel_is_folded_into_packed_weights,
        NULL,
    };
    return suite_of("native_pw", tests);
}
