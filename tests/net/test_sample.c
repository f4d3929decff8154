// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/support.h"

#include <math.h>

enum { ROWS = 3, COLS = 4, SIZE = ROWS * COLS };

static const wsr__arch arch = {.rows = ROWS, .cols = COLS, .tau = 0.5};

START_TEST(gumbel_noise_has_its_mean_and_variance)
{
    enum { N = 200000 };
    static float g[N];
    double sum = 0;
    double squares = 0;
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_GUMBEL, 0, 0);
    wsr__gumbel_fill(g, N, &rng);
    for (size_t i = 0; i < N; i++) {
        ck_assert(isfinite(g[i]));
        sum += (double)g[i];
        squares += (double)g[i] * (double)g[i];
    }
    const double mean = sum / N;
    ck_assert_double_eq_tol(mean, 0.57721566, 0.01);
    ck_assert_double_eq_tol(squares / N - mean * mean, 1.6449341, 0.03);
}
END_TEST

START_TEST(the_number_zero_has_finite_noise)
{
    // The smallest number of the stream is half a step above zero.
    ck_assert_double_lt(fabs(-log(-log(0x1p-25))), 4);
}
END_TEST

START_TEST(alphas_start_small)
{
    enum { N = 20000 };
    static float alphas[N];
    double squares = 0;
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_INIT, 0, 0);
    wsr__alphas_fill(alphas, N, &rng);
    for (size_t i = 0; i < N; i++) {
        squares += (double)alphas[i] * (double)alphas[i];
    }
    ck_assert_double_eq_tol(sqrt(squares / N), 1e-3, 3e-5);
}
END_TEST

static void table(float *out, uint64_t seed)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < SIZE; i++) {
        out[i] = (float)wsr__rng_normal(&rng);
    }
}

START_TEST(weights_are_a_softmax_of_each_row)
{
    float alphas[SIZE];
    float g[SIZE];
    float w[SIZE];
    table(alphas, 1);
    table(g, 2);
    wsr__arch_weights(w, &arch, alphas, g);
    for (size_t r = 0; r < ROWS; r++) {
        double sum = 0;
        for (size_t k = 0; k < COLS; k++) {
            sum += exp(
                2 * ((double)alphas[r * COLS + k] + (double)g[r * COLS + k]));
        }
        for (size_t k = 0; k < COLS; k++) {
            const size_t i = r * COLS + k;
            const double want = exp(2 * ((double)alphas[i] + (double)g[i])) /
                                sum;
            ck_assert_double_eq_tol((double)w[i], want, 1e-7);
        }
    }
}
END_TEST

START_TEST(huge_alphas_do_not_overflow)
{
    float alphas[SIZE] = {3e38f, 1, -3e38f, 0};
    float w[SIZE];
    wsr__arch_weights(w, &arch, alphas, NULL);
    ck_assert(w[0] == 1 && w[1] == 0 && w[2] == 0 && w[3] == 0);
    ck_assert(w[4] == 0.25f);
}
END_TEST

START_TEST(the_first_largest_column_is_chosen)
{
    const float w[SIZE] = {0, 2, 2, 1, 3, 3, 3, 3, -2, -1, -3, -1};
    unsigned char choices[ROWS];
    float top[ROWS];
    wsr__arch_choose(choices, top, &arch, w);
    ck_assert_int_eq(choices[0], 1);
    ck_assert_int_eq(choices[1], 0);
    ck_assert_int_eq(choices[2], 1);
    ck_assert(top[0] == 2 && top[1] == 3 && top[2] == -1);
}
END_TEST

START_TEST(gradients_are_those_of_finite_differences)
{
    float alphas[SIZE];
    float g[SIZE];
    float dw[SIZE];
    float w[SIZE];
    float da[SIZE] = {0};
    table(alphas, 1);
    table(g, 2);
    table(dw, 3);
    wsr__arch_weights(w, &arch, alphas, g);
    wsr__arch_backward(da, &arch, w, dw);
    for (size_t i = 0; i < SIZE; i++) {
        const float step = 0x1p-7f;
        const float old = alphas[i];
        double sides[2];
        for (int s = 0; s < 2; s++) {
            alphas[i] = old + (s == 0 ? step : -step);
            wsr__arch_weights(w, &arch, alphas, g);
            sides[s] = 0;
            for (size_t k = 0; k < SIZE; k++) {
                sides[s] += (double)w[k] * (double)dw[k];
            }
        }
        alphas[i] = old;
        ck_assert_double_eq_tol(
            (double)da[i], (sides[0] - sides[1]) / (2 * (double)step), 1e-3);
    }
    wsr__arch_weights(w, &arch, alphas, g);
    const float before = da[0];
    wsr__arch_backward(da, &arch, w, dw);
    ck_assert_float_eq_tol(da[0], 2 * before, 1e-6f); // it accumulates
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {gumbel_noise_has_its_mean_and_variance,
                                  the_number_zero_has_finite_noise,
                                  alphas_start_small,
                                  weights_are_a_softmax_of_each_row,
                                  huge_alphas_do_not_overflow,
                                  the_first_largest_column_is_chosen,
                                  gradients_are_those_of_finite_differences,
                                  NULL};
    return suite_of("sample", tests);
}
