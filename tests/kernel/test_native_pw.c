// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

// One pointwise convolution with everything that a call can take. With
// `parts`, src is a concatenation of parts, each padded to whole blocks.
typedef struct scene {
    wsr__pw p;
    wsr__conv conv;
    pair src; // parts: channels as they lie, those of the padding are zero
    pair dst;
    pair diff_src;
    pair diff_dst;
    pair saved;
    float *weights; // (co, ci)
    float *lying;   // (co, channels of src as they lie)
    float *packed;
    float *transposed;
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

// The same convolution for the reference: channels as they lie, and the
// offset of the first pixel as padding that is negative.
static void reference(scene *s)
{
    const wsr__pw *const p = &s->p;
    const int64_t lie = s->src.c;
    const int64_t part = p->ci_part != 0 ? p->ci_part : p->ci;
    s->lying = floats(p->co * lie);
    for (int64_t i = 0; i < p->co * p->ci; i++) {
        const int64_t c = i % p->ci;
        const int64_t at = c / part * wsr__blocks(part) * WSR__BLOCK + c % part;
        s->lying[i / p->ci * lie + at] = s->weights[i];
    }
    s->conv = (wsr__conv){.n = p->n,
                          .ci = lie,
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

static scene scene_new(const shape *z)
{
    scene s;
    memset(&s, 0, sizeof(s));
    wsr__pw *const p = &s.p;
    *p = (wsr__pw){.n = z->n,
                   .ci = z->ci,
                   .co = z->co,
                   .h = z->h,
                   .w = z->w,
                   .oh = (z->h + z->stride - 1) / z->stride,
                   .ow = (z->w + z->stride - 1) / z->stride,
                   .stride = z->stride,
                   .oy = z->shift,
                   .ox = z->shift};
    p->ci_part = z->parts > 1 ? z->ci / z->parts : 0;
    const int64_t lie = z->parts > 1 ? wsr__pw_src_blocks(p) * WSR__BLOCK
                                     : z->ci;
    s.src = pair_new(p->n, lie, p->h * p->w, z->view, 1);
    s.diff_src = pair_new(p->n, lie, p->h * p->w, z->view, 2);
    s.dst = pair_new(p->n, p->co, p->oh * p->ow, z->view, 3);
    s.diff_dst = pair_new(p->n, p->co, p->oh * p->ow, z->view, 4);
    s.saved = pair_new(p->n, p->co, p->oh * p->ow, !z->view, 5);
    p->src_batch_stride = z->view ? s.src.batch_stride : 0;
    p->dst_batch_stride = z->view ? s.dst.batch_stride : 0;
    s.weights = random_floats(p->co * p->ci, 6);
    pack(&s);
    reference(&s);
    s.scale = random_channels(lie, 1.0f, 7);
    s.shift = random_channels(lie, 0.0f, 8);
    s.alpha = random_channels(p->co, 1.0f, 9);
    s.beta = random_channels(p->co, 0.0f, 10);
    s.gamma = random_channels(p->co, 0.0f, 11);
    s.pre = (wsr__pre){.scale = s.scale, .shift = s.shift, .relu = true};
    s.affine = (wsr__affine){.alpha = s.alpha,
                             .beta = s.beta,
                             .gamma = s.gamma,
                             .dst = s.saved.blocked,
                             .batch_stride = s.saved.batch_stride};
    s.sums = doubles((size_t)(p->n * (s.src.total + s.dst.total) * 16));
    return s;
}

static void scene_free(scene *s)
{
    pair *const pairs[] = {&s->src, &s->dst, &s->diff_src, &s->diff_dst,
                           &s->saved};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        pair_free(pairs[i]);
    }
    float *const arrays[] = {s->weights,    s->lying, s->packed,
                             s->transposed, s->scale, s->shift,
                             s->alpha,      s->beta,  s->gamma};
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
    const wsr__dims d = {.n = s->p.n,
                         .c = s->p.co,
                         .h = s->p.oh,
                         .w = s->p.ow,
                         .src_batch_stride = s->p.dst_batch_stride};
    double *const want = doubles(wsr__moments_size(&d));
    wsr__bn_moments(want, &d, s->dst.blocked);
    const int64_t step = s->dst.total * 16;
    for (int64_t i = 0; i < s->p.n * wsr__blocks(s->p.co) * 16; i++) {
        const int64_t at = i / 16 / wsr__blocks(s->p.co) * step +
                           i / 16 % wsr__blocks(s->p.co) * 16 + i % 16;
        ck_assert_double_eq_tol(s->sums[at], want[at],
                                1e-5 * (1.0 + fabs(want[at])));
    }
    wsr__free(want);
}

static void check_forward(scene *s, const wsr__fwd *fwd, const char *what)
{
    float *const read = floats(plain_size(&s->src));
    float *const want = floats(plain_size(&s->dst));
    const wsr__pre none = {0};
    plain_pre(read, &s->src,
              fwd != NULL && fwd->pre != NULL ? fwd->pre : &none);
    wsr__ref_conv_forward(want, read, s->lying, fwd != NULL ? fwd->bias : NULL,
                          &s->conv);
    for (int64_t i = 0;
         fwd != NULL && fwd->accumulate && i < plain_size(&s->dst); i++) {
        want[i] += s->dst.plain[i];
    }
    pair_block(&s->dst);
    wsr__pw_forward(s->dst.blocked, &s->p, s->src.blocked, s->packed, fwd);
    check_blocked(&s->dst, want, what);
    if (fwd != NULL && fwd->moments != NULL) {
        check_moments(s);
    }
    wsr__free(read);
    wsr__free(want);
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
    wsr__ref_conv_backward_data(want, diff, s->lying, &s->conv);
    if (bwd != NULL && bwd->relu_mask != NULL) {
        plain_relu_mask(want, &s->src, &bwd->relu_mask->pre);
    }
    for (int64_t i = 0;
         bwd != NULL && bwd->accumulate && i < plain_size(&s->src); i++) {
        want[i] += s->diff_src.plain[i];
    }
    pair_block(&s->diff_src);
    const float *const data[2] = {NULL, s->diff_dst.blocked};
    const wsr__pw_grads grads = {.src = s->diff_src.blocked};
    wsr__pw_backward(&grads, &s->p, data, s->transposed, bwd);
    check_blocked(&s->diff_src, want, what);
    wsr__free(diff);
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
    for (int64_t i = 0; i < s->p.n * s->src.c; i++) {
        const int64_t n = i / s->src.c;
        const int64_t c = i % s->src.c;
        double want[2] = {0};
        for (int64_t k = 0; k < s->src.pixels; k++) {
            const int64_t at = blocked_at(&s->src, i * s->src.pixels + k);
            const double g = (double)s->diff_src.blocked[at];
            want[0] += g;
            want[1] += g * ((double)s->src.blocked[at] - (double)s->shift[c]);
        }
        const double *const sum =
            s->sums + (n * s->src.total + c / WSR__BLOCK) * 16 + c % WSR__BLOCK;
        const double tol = 1e-5 * (double)(s->src.pixels * s->p.co);
        ck_assert_double_eq_tol(sum[0], want[0], tol);
        ck_assert_double_eq_tol(sum[WSR__BLOCK], want[1], tol);
    }
}

// Both kinds of gradients in one pass are bit for bit those of two passes.
static void check_together(scene *s, const wsr__pw_grads *weights,
                           const wsr__bwd *bwd)
{
    const size_t size = wsr__pw_weights_size(&s->p);
    const float *const data[2] = {s->src.blocked, s->diff_dst.blocked};
    pair src[2];
    for (int i = 0; i < 2; i++) {
        src[i] = pair_new(s->src.n, s->src.c, s->src.pixels,
                          s->src.total > wsr__blocks(s->src.c), 2);
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

static void check_weights(scene *s, const wsr__pre *pre,
                          const wsr__affine *affine, const char *what)
{
    const int64_t count = s->p.co * s->p.ci;
    const int64_t lie = s->src.c;
    float *const read = floats(plain_size(&s->src));
    float *const diff = floats(plain_size(&s->diff_dst));
    float *const want = floats(s->p.co * lie);
    float *const got = floats(count);
    float *const packed = floats((int64_t)wsr__pw_weights_size(&s->p));
    float *const scratch = floats((int64_t)wsr__pw_weights_scratch(&s->p));
    const wsr__pre none = {0};
    plain_pre(read, &s->src, pre != NULL ? pre : &none);
    memcpy(diff, s->diff_dst.plain,
           (size_t)plain_size(&s->diff_dst) * sizeof(*diff));
    if (affine != NULL) {
        plain_affine(diff, &s->diff_dst, &s->saved, affine);
    }
    wsr__ref_conv_backward_weights(want, NULL, read, diff, &s->conv);
    const wsr__bwd bwd = {.affine = affine};
    const wsr__pw_grads grads = {
        .weights = packed, .pre = pre, .scratch = scratch};
    const float *const data[2] = {s->src.blocked, s->diff_dst.blocked};
    wsr__pw_backward(&grads, &s->p, data, s->transposed, &bwd);
    check_together(s, &grads, &bwd);
    const int64_t part = s->p.ci_part != 0 ? s->p.ci_part : s->p.ci;
    for (int64_t i = 0; i < count; i++) {
        const int64_t c = i % s->p.ci;
        want[i] = 1.0f +
                  want[i / s->p.ci * lie +
                       c / part * wsr__blocks(part) * WSR__BLOCK + c % part];
        got[i] = 1.0f;
    }
    wsr__pw_unpack_add(got, &s->p, packed);
    check_close(got, want, count, what);
    wsr__free(read);
    wsr__free(diff);
    wsr__free(want);
    wsr__free(got);
    wsr__free(packed);
    wsr__free(scratch);
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
    check_backward(&s, &(wsr__bwd){.accumulate = true}, "backward data, add");
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
        {1, 1, 1, 1, 1, 1, 0, 1, false},    {3, 3, 7, 5, 5, 1, 0, 1, true},
        {1, 7, 17, 31, 31, 1, 0, 1, false}, {3, 17, 3, 5, 31, 1, 0, 1, true},
        {2, 16, 16, 9, 8, 1, 0, 1, false},  {1, 160, 24, 7, 9, 1, 0, 1, false},
        {2, 600, 9, 3, 9, 1, 0, 1, true},   {17, 5, 9, 2, 3, 1, 0, 1, false},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_scene(&shapes[i]);
    }
}

START_TEST(all_variants_agree_with_the_reference_on_odd_sizes)
{
    each_variant(check_all);
}
END_TEST

static void check_strided(void)
{
    static const shape shapes[] = {
        {1, 1, 1, 1, 1, 2, 0, 1, false},   {3, 7, 17, 8, 8, 2, 1, 1, true},
        {1, 17, 3, 31, 31, 2, 1, 1, true}, {2, 8, 9, 16, 12, 2, 0, 1, false},
        {1, 3, 3, 7, 8, 3, 2, 1, false},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_scene(&shapes[i]);
    }
}

START_TEST(strides_and_offsets_agree_with_the_reference)
{
    each_variant(check_strided);
}
END_TEST

static void check_parts(void)
{
    static const shape shapes[] = {
        {2, 4 * 9, 11, 5, 6, 1, 0, 4, false},
        {1, 3 * 5, 16, 6, 6, 2, 1, 3, true},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_scene(&shapes[i]);
    }
}

START_TEST(concatenated_parts_with_padding_are_read_in_place)
{
    each_variant(check_parts);
}
END_TEST

static void fill_all(float *out, void *ctx)
{
    scene *const s = ctx;
    const wsr__relu_mask mask = {.src = s->src.blocked, .pre = s->pre};
    const int64_t dst = s->dst.n * s->dst.batch_stride;
    const int64_t src = s->src.n * s->src.batch_stride;
    float *const scratch = floats((int64_t)wsr__pw_weights_scratch(&s->p));
    wsr__pw_forward(out, &s->p, s->src.blocked, s->packed,
                    &(wsr__fwd){.pre = &s->pre, .moments = s->sums});
    const float *const data[2] = {s->src.blocked, s->diff_dst.blocked};
    const wsr__bwd bwd = {.relu_mask = &mask};
    wsr__pw_grads grads = {.src = out + dst};
    wsr__pw_backward(&grads, &s->p, data, s->transposed, &bwd);
    grads = (wsr__pw_grads){
        .weights = out + dst + src, .pre = &s->pre, .scratch = scratch};
    wsr__pw_backward(&grads, &s->p, data, s->transposed, &bwd);
    float *const rest = out + dst + src + (int64_t)wsr__pw_weights_size(&s->p);
    for (int64_t i = 0; i < s->p.n * s->dst.total * 16; i++) {
        rest[i] = (float)s->sums[i];
    }
    wsr__free(scratch);
}

static void check_thread_counts(void)
{
    const shape z = {5, 17, 19, 13, 11, 1, 0, 1, false};
    scene s = scene_new(&z);
    check_threads(fill_all, &s,
                  s.dst.n * s.dst.batch_stride + s.src.n * s.src.batch_stride +
                      (int64_t)wsr__pw_weights_size(&s.p) +
                      s.p.n * s.dst.total * 16,
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
        scaled[i] = s.weights[i] * s.alpha[i / s.p.ci];
    }
    float *const want = floats((int64_t)wsr__pw_weights_size(&s.p));
    wsr__pw_pack(want, &s.p, scaled, NULL);
    wsr__pw_pack(s.packed, &s.p, s.weights, s.alpha);
    ck_assert_mem_eq(s.packed, want,
                     wsr__pw_weights_size(&s.p) * sizeof(float));
    float *const back = floats((int64_t)wsr__pw_transposed_size(&s.p));
    wsr__pw_pack_transposed(back, &s.p, scaled, NULL);
    wsr__pw_pack_transposed(s.transposed, &s.p, s.weights, s.alpha);
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
        strides_and_offsets_agree_with_the_reference,
        concatenated_parts_with_padding_are_read_in_place,
        the_number_of_threads_does_not_change_a_bit,
        a_factor_per_channel_is_folded_into_packed_weights,
        NULL,
    };
    return suite_of("native_pw", tests);
}
