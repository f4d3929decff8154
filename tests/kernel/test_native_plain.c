// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

// Of sizes, kernels and so on the first is along the height.
typedef struct shape {
    int64_t n;
    int64_t ci;
    int64_t co;
    int64_t size[2];
    int64_t kernel[2];
    int64_t stride[2];
    int64_t pad[2];
    int64_t dilation[2];
} shape;

static const shape shapes[] = {
    {1, 1, 1, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 1}},
    {3, 3, 3, {32, 32}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {18, 3, 10, {32, 32}, {5, 5}, {4, 4}, {0, 0}, {1, 1}},
    {2, 4, 4, {9, 31}, {3, 3}, {2, 2}, {1, 1}, {1, 1}},
    {2, 2, 7, {13, 5}, {7, 3}, {3, 1}, {3, 1}, {1, 1}},
    {1, 16, 16, {11, 8}, {3, 3}, {2, 2}, {1, 1}, {1, 1}},
    {2, 1, 6, {6, 7}, {2, 2}, {3, 3}, {0, 0}, {1, 1}}, // pixels between taps
    {2, 3, 2, {12, 17}, {3, 3}, {2, 1}, {2, 4}, {2, 3}},
    {1, 5, 9, {10, 10}, {5, 1}, {8, 8}, {4, 0}, {1, 1}},
    {1, 3, 3, {70, 300}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, // several bands
    {1, 3, 4, {60, 400}, {9, 9}, {8, 8}, {4, 4}, {1, 1}},
    {2, 3, 3, {9, 9}, {3, 3}, {1, 1}, {-1, -2}, {1, 1}},   // cut off
    {2, 2, 3, {4, 4}, {3, 3}, {1, 1}, {5, 5}, {1, 1}},     // nothing but zeros
    {2, 100, 3, {32, 32}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, // several chunks
    {2, 3, 100, {32, 32}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {1, 13, 29, {33, 41}, {4, 3}, {2, 3}, {1, 1}, {1, 1}},
    {1, 11, 2, {40, 150}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, // and bands
    {1, 2, 2, {3, 5000}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
};

static wsr__conv conv_of(const shape *z)
{
    wsr__conv p = {.n = z->n,
                   .ci = z->ci,
                   .h = z->size[0],
                   .w = z->size[1],
                   .co = z->co,
                   .kh = z->kernel[0],
                   .kw = z->kernel[1],
                   .sh = z->stride[0],
                   .sw = z->stride[1],
                   .ph = z->pad[0],
                   .pw = z->pad[1],
                   .dh = z->dilation[0],
                   .dw = z->dilation[1],
                   .groups = 1};
    p.oh = wsr__out_size(p.h, p.kh, p.sh, p.ph, p.dh);
    p.ow = wsr__out_size(p.w, p.kw, p.sw, p.pw, p.dw);
    ck_assert(wsr__plain_supported(&p));
    return p;
}

// One such convolution, random tensors and memory for the threads.
typedef struct scene {
    wsr__conv p;
    int64_t src_size;
    int64_t dst_size;
    int64_t weights_size;
    float *src;
    float *dst; // or diff_dst
    float *weights;
    float *bias;
    float *scratch;
    wsr__thread_scratch threads;
} scene;

// Memory that kernels shall not take for zeros.
static float *dirty_floats(int64_t n)
{
    return constant_floats(n, NAN);
}

static scene scene_new(const shape *z)
{
    scene s = {.p = conv_of(z)};
    const wsr__conv *const p = &s.p;
    s.src_size = p->n * p->ci * p->h * p->w;
    s.dst_size = p->n * p->co * p->oh * p->ow;
    s.weights_size = p->co * p->ci * p->kh * p->kw;
    s.src = random_floats(s.src_size, 1);
    s.dst = random_floats(s.dst_size, 2);
    s.weights = random_floats(s.weights_size, 3);
    s.bias = random_floats(p->co, 4);
    s.scratch = dirty_floats((int64_t)wsr__plain_weights_scratch(p));
    s.threads.stride = (int64_t)wsr__plain_thread_scratch(p);
    s.threads.count = 3;
    s.threads.data = dirty_floats(s.threads.stride * s.threads.count);
    return s;
}

static void scene_free(scene *s)
{
    wsr__free(s->src);
    wsr__free(s->dst);
    wsr__free(s->weights);
    wsr__free(s->bias);
    wsr__free(s->scratch);
    wsr__free(s->threads.data);
}

static void check_forward(const scene *s, const float *bias)
{
    float *const want = floats(s->dst_size);
    float *const got = dirty_floats(s->dst_size);
    wsr__ref_conv_forward(want, s->src, s->weights, bias, &s->p);
    wsr__plain_forward(got, &s->p, s->src, s->weights, bias, &s->threads);
    check_close(got, want, s->dst_size, "forward");
    wsr__free(want);
    wsr__free(got);
}

static void check_backward_data(const scene *s, bool accumulate)
{
    float *const want = floats(s->src_size);
    float *const got = constant_floats(s->src_size, accumulate ? 3.0f : NAN);
    wsr__ref_conv_backward_data(want, s->dst, s->weights, &s->p);
    wsr__plain_backward_data(got, &s->p, s->dst, s->weights, accumulate,
                             &s->threads);
    for (int64_t i = 0; accumulate && i < s->src_size; i++) {
        want[i] += 3.0f;
    }
    check_close(got, want, s->src_size, "backward data");
    wsr__free(want);
    wsr__free(got);
}

static void check_backward_weights(const scene *s)
{
    const int64_t size = (int64_t)wsr__plain_gradients(&s->p);
    float *const want = floats(s->weights_size);
    float *const bias = floats(s->p.co);
    float *const got = dirty_floats(size);
    wsr__ref_conv_backward_weights(want, bias, s->src, s->dst, &s->p);
    wsr__plain_backward_weights(got, &s->p, s->src, s->dst, s->scratch,
                                &s->threads);
    check_close(got, want, s->weights_size, "backward weights");
    check_close(got + s->weights_size, bias, s->p.co, "backward bias");
    for (int64_t i = s->weights_size + s->p.co; i < size; i++) {
        ck_assert_float_eq(got[i], 0.0f);
    }
    wsr__free(want);
    wsr__free(bias);
    wsr__free(got);
}

static void check_all(void)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        scene s = scene_new(&shapes[i]);
        check_forward(&s, NULL);
        check_forward(&s, s.bias);
        check_backward_data(&s, false);
        check_backward_data(&s, true);
        check_backward_weights(&s);
        scene_free(&s);
    }
}

START_TEST(all_variants_agree_with_the_reference_on_odd_sizes)
{
    each_variant(check_all);
}
END_TEST

static void fill(float *out, void *ctx)
{
    const scene *const s = ctx;
    wsr__plain_forward(out, &s->p, s->src, s->weights, s->bias, &s->threads);
    out += s->dst_size;
    wsr__plain_backward_data(out, &s->p, s->dst, s->weights, false,
                             &s->threads);
    out += s->src_size;
    wsr__plain_backward_weights(out, &s->p, s->src, s->dst, s->scratch,
                                &s->threads);
}

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    for (size_t i = 1; i < 4; i++) {
        scene s = scene_new(&shapes[i]);
        check_threads(fill, &s,
                      s.dst_size + s.src_size +
                          (int64_t)wsr__plain_gradients(&s.p),
                      "plain");
        scene_free(&s);
    }
}
END_TEST

START_TEST(groups_are_not_supported)
{
    wsr__conv p = conv_of(&shapes[1]);
    p.groups = 3;
    ck_assert(!wsr__plain_supported(&p));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_variants_agree_with_the_reference_on_odd_sizes,
        the_number_of_threads_does_not_change_a_bit,
        groups_are_not_supported,
        NULL,
    };
    return suite_of("native_plain", tests);
}
