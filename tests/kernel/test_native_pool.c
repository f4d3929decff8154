// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

typedef struct scene {
    wsr__pool p;
    wsr__ref_pool ref;
    pair src;
    pair dst;
    pair diff_src;
    pair diff_dst;
    pair saved;
    uint8_t *index;
    float *alpha;
    float *beta;
    float *gamma;
    wsr__affine affine;
    double *moments;
    double *expected;
    wsr__dims out; // dst's shape
} scene;

static wsr__ref_pool ref_of(const wsr__pool *p)
{
    return (wsr__ref_pool){.n = p->n,
                           .c = p->c,
                           .h = p->h,
                           .w = p->w,
                           .oh = p->oh,
                           .ow = p->ow,
                           .kernel = p->kernel,
                           .stride = p->stride,
                           .pad = p->pad};
}

static scene scene_new(const int64_t shape[7], bool view)
{
    scene s;
    memset(&s, 0, sizeof(s));
    wsr__pool *const p = &s.p;
    *p = (wsr__pool){.n = shape[0],
                     .c = shape[1],
                     .h = shape[2],
                     .w = shape[3],
                     .kernel = shape[4],
                     .stride = shape[5],
                     .pad = shape[6]};
    p->oh = wsr__out_size(p->h, p->kernel, p->stride, p->pad, 1);
    p->ow = wsr__out_size(p->w, p->kernel, p->stride, p->pad, 1);
    s.ref = ref_of(p);
    s.src = pair_new(p->n, p->c, p->h * p->w, view, 1);
    s.diff_src = pair_new(p->n, p->c, p->h * p->w, view, 2);
    s.dst = pair_new(p->n, p->c, p->oh * p->ow, view, 3);
    s.diff_dst = pair_new(p->n, p->c, p->oh * p->ow, view, 4);
    s.saved = pair_new(p->n, p->c, p->oh * p->ow, !view, 5);
    p->src_batch_stride = view ? s.src.batch_stride : 0;
    p->dst_batch_stride = view ? s.dst.batch_stride : 0;
    // Ties, of which the first must win.
    for (int64_t i = 0; i < p->n * p->c * p->h * p->w; i++) {
        s.src.plain[i] = roundf(s.src.plain[i]);
    }
    pair_block(&s.src);
    s.index = wsr__alloc((size_t)(p->n * wsr__blocks(p->c) * p->oh * p->ow),
                         WSR__BLOCK);
    s.alpha = random_channels(p->c, 1.0f, 6);
    s.beta = random_channels(p->c, 0.0f, 7);
    s.gamma = random_channels(p->c, 0.0f, 8);
    s.affine = (wsr__affine){.alpha = s.alpha,
                             .beta = s.beta,
                             .gamma = s.gamma,
                             .dst = s.saved.blocked,
                             .batch_stride = s.saved.batch_stride};
    s.out = (wsr__dims){.n = p->n,
                        .c = p->c,
                        .h = p->oh,
                        .w = p->ow,
                        .src_batch_stride = p->dst_batch_stride};
    s.moments = doubles(wsr__moments_size(&s.out));
    s.expected = doubles(wsr__moments_size(&s.out));
    return s;
}

static void scene_free(scene *s)
{
    pair_free(&s->src);
    pair_free(&s->dst);
    pair_free(&s->diff_src);
    pair_free(&s->diff_dst);
    pair_free(&s->saved);
    wsr__free(s->index);
    wsr__free(s->alpha);
    wsr__free(s->beta);
    wsr__free(s->gamma);
    wsr__free(s->moments);
    wsr__free(s->expected);
}

static void check_moments(scene *s)
{
    wsr__bn_moments(s->expected, &s->out, s->dst.blocked);
    ck_assert_mem_eq(s->moments, s->expected,
                     wsr__moments_size(&s->out) * sizeof(double));
}

static void check_diff(scene *s, bool max, bool affine, bool accumulate)
{
    float *const diff = floats(plain_size(&s->dst));
    float *const want = floats(plain_size(&s->src));
    memcpy(diff, s->diff_dst.plain,
           (size_t)plain_size(&s->dst) * sizeof(*diff));
    if (affine) {
        plain_affine(diff, &s->diff_dst, &s->saved, &s->affine);
    }
    const wsr__affine *const a = affine ? &s->affine : NULL;
    pair_block(&s->diff_src);
    if (max) {
        wsr__ref_max_pool_backward(want, s->src.plain, diff, &s->ref);
        wsr__max_pool_backward(s->diff_src.blocked, &s->p, s->diff_dst.blocked,
                               s->index, a, accumulate);
    } else {
        wsr__ref_avg_pool_backward(want, diff, &s->ref);
        wsr__avg_pool_backward(s->diff_src.blocked, &s->p, s->diff_dst.blocked,
                               a, accumulate);
    }
    for (int64_t i = 0; accumulate && i < plain_size(&s->src); i++) {
        want[i] += s->diff_src.plain[i];
    }
    check_blocked(&s->diff_src, want, max ? "max, diff" : "average, diff");
    wsr__free(diff);
    wsr__free(want);
}

static void check_scene(const int64_t shape[7], bool view)
{
    scene s = scene_new(shape, view);
    float *const want = floats(plain_size(&s.dst));
    wsr__ref_max_pool_forward(want, s.src.plain, &s.ref);
    wsr__max_pool_forward(s.dst.blocked, s.index, &s.p, s.src.blocked,
                          s.moments);
    check_blocked(&s.dst, want, "max");
    check_moments(&s);
    check_diff(&s, true, false, false);
    check_diff(&s, true, true, true);
    for (int i = 0; i < 2; i++) {
        s.p.count_pad = s.ref.count_pad = i == 1;
        wsr__ref_avg_pool_forward(want, s.src.plain, &s.ref);
        wsr__avg_pool_forward(s.dst.blocked, &s.p, s.src.blocked, s.moments);
        check_blocked(&s.dst, want, "average");
        check_moments(&s);
        check_diff(&s, false, false, true);
        check_diff(&s, false, true, false);
    }
    wsr__free(want);
    scene_free(&s);
}

static void check_all(void)
{
    static const int64_t shapes[][7] = {
        {1, 1, 1, 1, 3, 1, 1},   {3, 3, 5, 5, 3, 1, 1},
        {1, 7, 31, 31, 3, 2, 1}, {3, 17, 5, 31, 3, 1, 1},
        {2, 16, 8, 8, 3, 2, 1},  {1, 3, 9, 7, 5, 3, 2},
        {2, 9, 6, 6, 2, 2, 0},   {1, 4, 16, 16, 15, 1, 7},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_scene(shapes[i], i % 2 == 1);
    }
}

START_TEST(pools_agree_with_the_reference)
{
    each_variant(check_all);
}
END_TEST

static void check_nan(void)
{
    const int64_t shape[7] = {1, 8, 4, 4, 3, 1, 1};
    scene s = scene_new(shape, false);
    s.src.plain[5] = NAN;
    pair_block(&s.src);
    wsr__max_pool_forward(s.dst.blocked, NULL, &s.p, s.src.blocked, NULL);
    for (int64_t i = 0; i < 16; i++) {
        const bool near = i / 4 <= 2 && i % 4 <= 2;
        ck_assert(isnan(s.dst.blocked[i * WSR__BLOCK]) == near);
        ck_assert(!isnan(s.dst.blocked[i * WSR__BLOCK + 1]));
    }
    scene_free(&s);
}

// Where windows hold several, the gradient goes to the first.
static void check_nan_index(void)
{
    static const int64_t shapes[][7] = {
        {1, 8, 6, 6, 3, 1, 1}, {1, 8, 6, 7, 3, 2, 1}, {1, 8, 6, 6, 2, 2, 0}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        scene s = scene_new(shapes[i], false);
        s.src.plain[1] = NAN;
        s.src.plain[2] = NAN;
        s.src.plain[15] = NAN;
        pair_block(&s.src);
        wsr__max_pool_forward(s.dst.blocked, s.index, &s.p, s.src.blocked,
                              NULL);
        check_diff(&s, true, false, false);
        scene_free(&s);
    }
}

START_TEST(the_first_nan_is_where_the_maximum_lies)
{
    each_variant(check_nan_index);
}
END_TEST

START_TEST(a_nan_is_the_maximum_of_its_windows)
{
    each_variant(check_nan);
}
END_TEST

static void check_global(void)
{
    const int64_t dims[4] = {3, 17, 5, 7};
    for (int view = 0; view < 2; view++) {
        pair src = pair_new(3, 17, 35, view == 1, 1);
        float *const want = floats(plain_size(&src));
        float *const got = floats(3 * 17);
        float *const diff = random_floats(3 * 17, 2);
        const int64_t step = view == 1 ? src.batch_stride : 0;
        const wsr__dims d = {.n = 3,
                             .c = 17,
                             .h = 5,
                             .w = 7,
                             .src_batch_stride = step,
                             .dst_batch_stride = step};
        wsr__ref_global_avg_forward(want, src.plain, dims);
        wsr__global_avg_forward(got, &d, src.blocked);
        check_close(got, want, 3 * 17, "global average");
        wsr__ref_global_avg_backward(want, diff, dims);
        for (int64_t i = 0; i < plain_size(&src); i++) {
            want[i] += src.plain[i];
        }
        wsr__global_avg_backward(src.blocked, &d, diff, true);
        check_blocked(&src, want, "global average, diff, add");
        wsr__ref_global_avg_backward(want, diff, dims);
        wsr__global_avg_backward(src.blocked, &d, diff, false);
        check_blocked(&src, want, "global average, diff");
        pair_free(&src);
        wsr__free(want);
        wsr__free(got);
        wsr__free(diff);
    }
}

START_TEST(global_average_agrees_with_the_reference)
{
    each_variant(check_global);
}
END_TEST

static void fill_all(float *out, void *ctx)
{
    scene *const s = ctx;
    wsr__max_pool_forward(out, s->index, &s->p, s->src.blocked, s->moments);
    wsr__max_pool_backward(out + s->dst.n * s->dst.batch_stride, &s->p,
                           s->diff_dst.blocked, s->index, NULL, false);
}

static void check_thread_counts(void)
{
    const int64_t shape[7] = {3, 17, 13, 11, 3, 1, 1};
    scene s = scene_new(shape, false);
    check_threads(fill_all, &s,
                  s.dst.n * s.dst.batch_stride + s.src.n * s.src.batch_stride,
                  "pools");
    scene_free(&s);
}

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    each_variant(check_thread_counts);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        pools_agree_with_the_reference,
        a_nan_is_the_maximum_of_its_windows,
        the_first_nan_is_where_the_maximum_lies,
        global_average_agrees_with_the_reference,
        the_number_of_threads_does_not_change_a_bit,
        NULL,
    };
    return suite_of("native_pool", tests);
}
