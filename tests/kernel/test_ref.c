// SPDX-License-Identifier: Apache-2.0
//
// The references themselves are checked against hand-made numbers, and their
// backward passes against what defines them: a linear map's backward is its
// adjoint, and any backward agrees with finite differences.

#include "kernel/native_support.h"

static double dot(const float *a, const float *b, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

START_TEST(a_small_convolution_has_the_expected_numbers)
{
    // Two groups, stride (1, 2), pad (1, 0), dilation (1, 1), kernel (2, 1).
    const wsr__conv p = {.n = 1,
                         .ci = 2,
                         .h = 2,
                         .w = 3,
                         .co = 2,
                         .oh = 3,
                         .ow = 2,
                         .kh = 2,
                         .kw = 1,
                         .sh = 1,
                         .sw = 2,
                         .ph = 1,
                         .pw = 0,
                         .dh = 1,
                         .dw = 1,
                         .groups = 2};
    const float src[12] = {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};
    const float weights[4] = {1, 10, 2, 100};
    const float bias[2] = {0.5f, -1};
    const float want[12] = {10.5f, 30.5f, 41.5f, 63.5f, 4.5f, 6.5f,
                            999,   2999,  4019,  6059,  79,   119};
    float dst[12];
    wsr__ref_conv_forward(dst, src, weights, bias, &p);
    for (int i = 0; i < 12; i++) {
        ck_assert_msg(dst[i] == want[i], "%d: %g", i, (double)dst[i]);
    }
}
END_TEST

static void check_adjoint(const wsr__conv *p)
{
    const int64_t in = p->n * p->ci * p->h * p->w;
    const int64_t out = p->n * p->co * p->oh * p->ow;
    const int64_t taps = p->co * p->ci / p->groups * p->kh * p->kw;
    float *const src = random_floats(in, 1);
    float *const weights = random_floats(taps, 2);
    float *const diff_dst = random_floats(out, 3);
    float *const ones = floats(p->co);
    float *const dst = floats(out);
    float *const diff_src = floats(in);
    float *const diff_weights = floats(taps);
    float *const diff_bias = floats(p->co);
    wsr__ref_conv_forward(dst, src, weights, NULL, p);
    wsr__ref_conv_backward_data(diff_src, diff_dst, weights, p);
    wsr__ref_conv_backward_weights(diff_weights, diff_bias, src, diff_dst, p);
    const double want = dot(dst, diff_dst, out);
    const double tol = 1e-4 * sqrt((double)out * (double)taps);
    ck_assert_double_eq_tol(dot(src, diff_src, in), want, tol);
    ck_assert_double_eq_tol(dot(weights, diff_weights, taps), want, tol);
    for (int64_t o = 0; o < p->co; o++) {
        ones[o] = 1.0f;
    }
    wsr__ref_conv_forward(dst, src, weights, ones, p);
    ck_assert_double_eq_tol(dot(dst, diff_dst, out) - want,
                            dot(ones, diff_bias, p->co), tol);
    float *const all[] = {src, weights,  diff_dst,     ones,
                          dst, diff_src, diff_weights, diff_bias};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        wsr__free(all[i]);
    }
}

START_TEST(convolution_backward_is_the_adjoint)
{
    // n, ci, h, w, co, oh, ow, then kernel, stride, pad, dilation; groups
    static const wsr__conv shapes[] = {
        {2, 3, 7, 5, 4, 7, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1},
        {1, 6, 9, 8, 4, 5, 2, 3, 2, 2, 3, 2, 0, 2, 3, 2},
        {2, 5, 6, 6, 5, 6, 3, 1, 7, 1, 2, 0, 3, 1, 1, 5},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_adjoint(&shapes[i]);
    }
}
END_TEST

START_TEST(a_max_pool_takes_the_first_maximum)
{
    const wsr__ref_pool p = {.n = 1,
                             .c = 1,
                             .h = 2,
                             .w = 3,
                             .oh = 2,
                             .ow = 3,
                             .kernel = 3,
                             .stride = 1,
                             .pad = 1};
    const float src[6] = {5, 1, 5, 2, 5, -1};
    const float diff[6] = {1, 10, 100, 1000, 10000, 100000};
    const float want[6] = {11011, 0, 100100, 0, 0, 0};
    float dst[6];
    float diff_src[6];
    wsr__ref_max_pool_forward(dst, src, &p);
    for (int i = 0; i < 6; i++) {
        ck_assert(dst[i] == 5.0f);
    }
    wsr__ref_max_pool_backward(diff_src, src, diff, &p);
    for (int i = 0; i < 6; i++) {
        ck_assert_msg(diff_src[i] == want[i], "%d: %g", i, (double)diff_src[i]);
    }
}
END_TEST

START_TEST(an_average_pool_divides_by_what_it_saw)
{
    wsr__ref_pool p = {.n = 1,
                       .c = 1,
                       .h = 2,
                       .w = 2,
                       .oh = 1,
                       .ow = 1,
                       .kernel = 3,
                       .stride = 2,
                       .pad = 1};
    const float src[4] = {1, 2, 3, 6};
    const float diff[1] = {36};
    float dst[1];
    float back[4];
    wsr__ref_avg_pool_forward(dst, src, &p);
    ck_assert(dst[0] == 3.0f);
    wsr__ref_avg_pool_backward(back, diff, &p);
    ck_assert(back[0] == 9.0f && back[3] == 9.0f);
    p.count_pad = true;
    wsr__ref_avg_pool_forward(dst, src, &p);
    ck_assert(fabsf(dst[0] - 12.0f / 9.0f) < 1e-6f);
    wsr__ref_avg_pool_backward(back, diff, &p);
    ck_assert(back[0] == 4.0f && back[3] == 4.0f);
}
END_TEST

START_TEST(global_average_is_the_mean_of_a_plane)
{
    const int64_t dims[4] = {1, 2, 1, 3};
    const float src[6] = {1, 2, 6, -1, 0, 4};
    const float diff[2] = {6, 9};
    float dst[2];
    float back[6];
    wsr__ref_global_avg_forward(dst, src, dims);
    ck_assert(dst[0] == 3.0f && dst[1] == 1.0f);
    wsr__ref_global_avg_backward(back, diff, dims);
    ck_assert(back[0] == 2.0f && back[2] == 2.0f && back[5] == 3.0f);
}
END_TEST

enum { IMAGES = 3, CHANNELS = 2, SIDE = 4, ALL = IMAGES * CHANNELS * SIDE };
static const int64_t bn_dims[4] = {IMAGES, CHANNELS, 2, 2};

// Sum of weighted results of a training-mode norm.
static double bn_loss(const float *src, const float *weights,
                      const wsr__ref_norm *norm)
{
    float dst[ALL];
    float mean[CHANNELS];
    float var[CHANNELS];
    wsr__ref_bn_train_forward(dst, mean, var, src, norm, bn_dims);
    return dot(dst, weights, ALL);
}

START_TEST(batch_norm_backward_agrees_with_finite_differences)
{
    float *const src = random_floats(ALL, 1);
    float *const diff = random_floats(ALL, 2);
    float gamma[CHANNELS] = {1.5f, -0.5f};
    float beta[CHANNELS] = {0.25f, 2.0f};
    const wsr__ref_norm norm = {.gamma = gamma, .beta = beta, .tol = 1e-3};
    const float *const data[2] = {src, diff};
    float diff_src[ALL];
    float diff_gamma[CHANNELS];
    float diff_beta[CHANNELS];
    wsr__ref_bn_train_backward(diff_src, diff_gamma, diff_beta, data, &norm,
                               bn_dims);
    float *const places[3] = {src, gamma, beta};
    const float *const gradients[3] = {diff_src, diff_gamma, diff_beta};
    const int counts[3] = {ALL, CHANNELS, CHANNELS};
    const float step = 1.0f / 128;
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < counts[k]; i++) {
            const float kept = places[k][i];
            places[k][i] = kept + step;
            const double up = bn_loss(src, diff, &norm);
            places[k][i] = kept - step;
            const double down = bn_loss(src, diff, &norm);
            places[k][i] = kept;
            ck_assert_double_eq_tol((up - down) * 64.0, (double)gradients[k][i],
                                    2e-3);
        }
    }
    wsr__free(src);
    wsr__free(diff);
}
END_TEST

START_TEST(batch_norm_centres_scales_and_evaluates_alike)
{
    float *const src = random_floats(ALL, 1);
    const wsr__ref_norm norm = {.tol = 0.0};
    float dst[ALL];
    float again[ALL];
    float mean[CHANNELS];
    float var[CHANNELS];
    wsr__ref_bn_train_forward(dst, mean, var, src, &norm, bn_dims);
    double sum = 0.0;
    double square = 0.0;
    for (int i = 0; i < ALL; i++) {
        if (i / 4 % CHANNELS == 1) {
            sum += (double)dst[i];
            square += (double)dst[i] * (double)dst[i];
        }
    }
    ck_assert_double_eq_tol(sum, 0.0, 1e-5);
    ck_assert_double_eq_tol(square, IMAGES * 4, 1e-4);
    const float *const stats[2] = {mean, var};
    wsr__ref_bn_eval_forward(again, src, stats, &norm, bn_dims);
    check_close(again, dst, ALL, "evaluation mode");
    wsr__ref_bn_eval_backward(again, src, stats, &norm, bn_dims);
    for (int i = 0; i < ALL; i++) {
        ck_assert_double_eq_tol(
            (double)again[i],
            (double)src[i] / sqrt((double)var[i / 4 % CHANNELS]), 1e-5);
    }
    wsr__free(src);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_small_convolution_has_the_expected_numbers,
        convolution_backward_is_the_adjoint,
        a_max_pool_takes_the_first_maximum,
        an_average_pool_divides_by_what_it_saw,
        global_average_is_the_mean_of_a_plane,
        batch_norm_backward_agrees_with_finite_differences,
        batch_norm_centres_scales_and_evaluates_alike,
        NULL,
    };
    return suite_of("ref", tests);
}
