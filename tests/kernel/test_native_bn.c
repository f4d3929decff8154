// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

typedef struct scene {
    int64_t dims[4];
    wsr__dims d;
    pair src;
    pair diff;
    pair dst;
    float *gamma;
    float *beta;
    float *mean;
    float *var;
    float *inv_std;
    double *sums;
} scene;

// `far`: the mean lies a thousand standard deviations from zero.
static scene scene_new(const int64_t dims[4], bool view, bool far)
{
    scene s;
    memset(&s, 0, sizeof(s));
    memcpy(s.dims, dims, sizeof(s.dims));
    const int64_t pixels = dims[2] * dims[3];
    s.src = pair_new(dims[0], dims[1], pixels, view, 1);
    s.diff = pair_new(dims[0], dims[1], pixels, !view, 2);
    s.dst = pair_new(dims[0], dims[1], pixels, view, 3);
    for (int64_t i = 0; far && i < dims[0] * dims[1] * pixels; i++) {
        s.src.plain[i] += 1000.0f;
    }
    pair_block(&s.src);
    s.d = (wsr__dims){.n = dims[0],
                      .c = dims[1],
                      .h = dims[2],
                      .w = dims[3],
                      .src_batch_stride = view ? s.src.batch_stride : 0,
                      .dst_batch_stride = view ? s.dst.batch_stride : 0};
    s.gamma = random_channels(dims[1], 1.0f, 4);
    s.beta = random_channels(dims[1], 0.0f, 5);
    s.mean = random_channels(dims[1], 0.0f, 6);
    s.var = random_channels(dims[1], 0.0f, 7);
    s.inv_std = random_channels(dims[1], 0.0f, 8);
    s.sums = doubles(wsr__moments_size(&s.d));
    return s;
}

static void scene_free(scene *s)
{
    pair_free(&s->src);
    pair_free(&s->diff);
    pair_free(&s->dst);
    wsr__free(s->gamma);
    wsr__free(s->beta);
    wsr__free(s->mean);
    wsr__free(s->var);
    wsr__free(s->inv_std);
    wsr__free(s->sums);
}

static const float tol = 1e-5f;

static void stats(scene *s)
{
    wsr__bn_moments(s->sums, &s->d, s->src.blocked);
    wsr__bn_stats(s->mean, s->var, &s->d, s->sums);
    wsr__bn_inv_std(s->inv_std, s->d.c, s->var, tol);
}

static void check_forward(scene *s)
{
    const int64_t c = s->d.c;
    const int64_t count = s->d.n * c * s->src.pixels;
    float *const want = floats(count);
    float *const mean = floats(c);
    float *const var = floats(c);
    float *const scale = floats(wsr__blocks(c) * WSR__BLOCK);
    float *const shift = floats(wsr__blocks(c) * WSR__BLOCK);
    const wsr__ref_norm ref = {
        .gamma = s->gamma, .beta = s->beta, .tol = (double)tol};
    wsr__ref_bn_train_forward(want, mean, var, s->src.plain, &ref, s->dims);
    stats(s);
    check_close(s->mean, mean, c, "mean");
    check_close(s->var, var, c, "variance");
    const wsr__norm norm = {.mean = s->mean,
                            .inv_std = s->inv_std,
                            .gamma = s->gamma,
                            .beta = s->beta};
    wsr__bn_fold(scale, shift, c, &norm);
    const wsr__pre pre = {.scale = scale, .shift = shift};
    wsr__bn_apply(s->dst.blocked, &s->d, s->src.blocked, &pre, false);
    // With a far mean, the shift of a thousand costs three digits.
    if (fabs((double)mean[0]) < 100.0) {
        check_blocked(&s->dst, want, "batch norm");
        pair_block(&s->dst);
        const wsr__pre relu = {.scale = scale, .shift = shift, .relu = true};
        wsr__bn_apply(s->dst.blocked, &s->d, s->src.blocked, &relu, true);
        for (int64_t i = 0; i < count; i++) {
            want[i] = s->dst.plain[i] + (want[i] > 0.0f ? want[i] : 0.0f);
        }
        check_blocked(&s->dst, want, "batch norm, relu, add");
    }
    wsr__free(want);
    wsr__free(mean);
    wsr__free(var);
    wsr__free(scale);
    wsr__free(shift);
}

static void reduce(const scene *s)
{
    wsr__dims d = s->d;
    d.dst_batch_stride = s->diff.batch_stride;
    const wsr__reduction one = {s->sums, s->src.blocked, s->mean};
    wsr__bn_reduce(&d, s->diff.blocked, &one, 1);
    // Beside another, the same.
    const size_t size = wsr__moments_size(&d);
    double *const sums[2] = {doubles(size), doubles(size)};
    const wsr__reduction two[2] = {{sums[0], s->src.blocked, s->gamma},
                                   {sums[1], s->src.blocked, s->mean}};
    wsr__bn_reduce(&d, s->diff.blocked, two, 2);
    ck_assert_mem_eq(sums[1], s->sums, size * sizeof(*sums[1]));
    wsr__free(sums[0]);
    wsr__free(sums[1]);
}

static void check_backward(scene *s, bool affine, bool accumulate)
{
    const int64_t c = s->d.c;
    const int64_t count = s->d.n * c * s->src.pixels;
    const int64_t padded = wsr__blocks(c) * WSR__BLOCK;
    float *const want = floats(count);
    float *const diff[4] = {floats(c), floats(c), floats(c), floats(c)};
    float *const fold[3] = {floats(padded), floats(padded), floats(padded)};
    const wsr__ref_norm ref = {.gamma = affine ? s->gamma : NULL,
                               .beta = affine ? s->beta : NULL,
                               .tol = (double)tol};
    const float *const data[2] = {s->src.plain, s->diff.plain};
    wsr__ref_bn_train_backward(want, diff[0], diff[1], data, &ref, s->dims);
    stats(s);
    reduce(s);
    const wsr__norm norm = {.mean = s->mean,
                            .inv_std = s->inv_std,
                            .gamma = ref.gamma,
                            .beta = ref.beta};
    const wsr__bn_grad grad = {.alpha = fold[0],
                               .beta = fold[1],
                               .gamma = fold[2],
                               .diff_gamma = diff[2],
                               .diff_beta = diff[3]};
    wsr__bn_backward_fold(&grad, &s->d, s->sums, &norm);
    check_close(diff[2], diff[0], c, "diff_gamma");
    check_close(diff[3], diff[1], c, "diff_beta");
    const wsr__affine a = {.alpha = fold[0],
                           .beta = fold[1],
                           .gamma = fold[2],
                           .dst = s->src.blocked,
                           .batch_stride = s->src.batch_stride};
    wsr__dims d = s->d;
    d.src_batch_stride = s->diff.batch_stride;
    pair_block(&s->dst);
    wsr__bn_backward(s->dst.blocked, &d, s->diff.blocked, &a, accumulate);
    for (int64_t i = 0; accumulate && i < count; i++) {
        want[i] += s->dst.plain[i];
    }
    check_blocked(&s->dst, want, "backward");
    wsr__free(want);
    for (size_t i = 0; i < 4; i++) {
        wsr__free(diff[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        wsr__free(fold[i]);
    }
}

static const int64_t sizes[][4] = {
    {1, 1, 1, 3}, {3, 3, 5, 5}, {1, 7, 31, 31}, {3, 17, 5, 31}, {2, 16, 9, 9},
};

static void check_all(void)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        scene s = scene_new(sizes[i], i % 2 == 1, false);
        check_forward(&s);
        check_backward(&s, true, false);
        check_backward(&s, false, true);
        scene_free(&s);
    }
}

START_TEST(training_mode_agrees_with_the_reference)
{
    each_variant(check_all);
}
END_TEST

static void check_far(void)
{
    const int64_t dims[4] = {4, 9, 16, 16};
    scene s = scene_new(dims, false, true);
    check_forward(&s);
    scene_free(&s);
}

START_TEST(a_mean_far_from_zero_costs_the_variance_no_digits)
{
    each_variant(check_far);
}
END_TEST

static void check_sum(void)
{
    const int64_t dims[4] = {2, 11, 5, 3};
    scene s = scene_new(dims, true, false);
    scene t = scene_new(dims, true, false);
    const wsr__pre pre[3] = {
        {.scale = s.gamma, .shift = s.beta, .relu = true},
        {.scale = s.mean, .shift = s.var},
        {0},
    };
    const pair *const pairs[3] = {&s.src, &s.diff, &t.dst};
    wsr__summand summands[3];
    const int64_t count = 2 * 11 * 15;
    float *const want = floats(count);
    float *const one = floats(count);
    for (size_t k = 0; k < 3; k++) {
        summands[k] = (wsr__summand){pairs[k]->blocked, pairs[k]->batch_stride,
                                     k < 2 ? &pre[k] : NULL};
        plain_pre(one, pairs[k], &pre[k]);
        for (int64_t i = 0; i < count; i++) {
            want[i] += one[i];
        }
    }
    wsr__bn_apply_sum(s.dst.blocked, &s.d, summands, 3);
    check_blocked(&s.dst, want, "sum of sources");
    wsr__free(want);
    wsr__free(one);
    scene_free(&s);
    scene_free(&t);
}

START_TEST(a_sum_of_normalised_sources_is_formed_in_one_pass)
{
    each_variant(check_sum);
}
END_TEST

static void fill_all(float *out, void *ctx)
{
    scene *const s = ctx;
    const int64_t padded = wsr__blocks(s->d.c) * WSR__BLOCK;
    const wsr__norm norm = {.mean = s->mean, .inv_std = s->inv_std};
    const wsr__bn_grad grad = {.alpha = out + 2 * padded,
                               .beta = out + 3 * padded,
                               .gamma = out + 4 * padded};
    stats(s);
    memcpy(out, s->mean, (size_t)padded * sizeof(*out));
    memcpy(out + padded, s->var, (size_t)padded * sizeof(*out));
    reduce(s);
    wsr__bn_backward_fold(&grad, &s->d, s->sums, &norm);
}

static void check_thread_counts(void)
{
    const int64_t dims[4] = {5, 17, 13, 11};
    scene s = scene_new(dims, false, false);
    check_threads(fill_all, &s, 5 * 3 * WSR__BLOCK, "batch norm");
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
        training_mode_agrees_with_the_reference,
        a_mean_far_from_zero_costs_the_variance_no_digits,
        a_sum_of_normalised_sources_is_formed_in_one_pass,
        the_number_of_threads_does_not_change_a_bit,
        NULL,
    };
    return suite_of("native_bn", tests);
}
