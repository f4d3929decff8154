// SPDX-License-Identifier: Apache-2.0

#include "kernel/native_support.h"

typedef double (*formula)(double x);
typedef void (*forward)(float *dst, const float *src, int64_t n);
typedef void (*backward)(float *diff_src, const float *diff_dst,
                         const float *src, int64_t n);

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static double silu(double x)
{
    return x * logistic(x);
}

static double silu_slope(double x)
{
    return logistic(x) * (1 + x * logistic(-x));
}

static double gelu(double x)
{
    return 0.5 * x * erfc(-x / sqrt(2.0));
}

static double gelu_slope(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0)) +
           x * exp(-x * x / 2) / sqrt(2 * 3.14159265358979323846);
}

// Points between -110 and 110, most of them near 0.
static double point(int64_t i, int64_t n)
{
    const double t = 2 * (double)i / (double)(n - 1) - 1;
    return (double)(float)(110 * t * t * t);
}

enum { POINTS = 20003 };

static void check_near(float got, double want, double tol, double x)
{
    // Numbers below the least normal one have fewer digits.
    ck_assert_msg(fabs((double)got - want) <= tol + 2e-38,
                  "at %.9g: %.9g, not %.9g", x, (double)got, want);
}

// Derivatives cancel where they pass through 0.
static void check_function(forward f, formula value, backward b, formula slope)
{
    float *const x = floats(POINTS);
    float *const y = floats(POINTS);
    for (int64_t i = 0; i < POINTS; i++) {
        x[i] = (float)point(i, POINTS);
    }
    f(y, x, POINTS);
    for (int64_t i = 0; i < POINTS; i++) {
        const double want = value((double)x[i]);
        check_near(y[i], want, 1e-6 * fabs(want), (double)x[i]);
    }
    float *const dy = constant_floats(POINTS, -2);
    b(y, dy, x, POINTS);
    for (int64_t i = 0; i < POINTS; i++) {
        const double want = -2 * slope((double)x[i]);
        check_near(y[i], want, 1e-6 * (0.5 + fabs(want)), (double)x[i]);
    }
    wsr__free(dy);
    wsr__free(y);
    wsr__free(x);
}

static void check_functions(void)
{
    check_function(wsr__silu_forward, silu, wsr__silu_backward, silu_slope);
    check_function(wsr__gelu_forward, gelu, wsr__gelu_backward, gelu_slope);
}

START_TEST(functions_are_those_of_the_formulas)
{
    each_variant(check_functions);
}
END_TEST

static void check_special(forward f)
{
    float x[] = {NAN, INFINITY, 0, 1e30f, -1e30f, 3, 4, 5, NAN};
    f(x, x, 9);
    ck_assert(isnan(x[0]) && isnan(x[8]));
    ck_assert(x[1] == INFINITY && x[2] == 0 && x[3] == 1e30f && x[4] == 0);
}

static void check_specials(void)
{
    check_special(wsr__silu_forward);
    check_special(wsr__gelu_forward);
}

START_TEST(special_numbers_are_right)
{
    each_variant(check_specials);
}
END_TEST

// A number has the same result alone and inside of a vector.
static void check_places(void)
{
    float *const x = random_floats(37, 1);
    float *const dy = random_floats(37, 2);
    float all[37];
    float one = 0;
    wsr__gelu_forward(all, x, 37);
    for (size_t i = 0; i < 37; i++) {
        wsr__gelu_forward(&one, x + i, 1);
        ck_assert_float_eq(one, all[i]);
    }
    wsr__silu_backward(all, dy, x, 37);
    for (size_t i = 0; i < 37; i++) {
        wsr__silu_backward(&one, dy + i, x + i, 1);
        ck_assert_float_eq(one, all[i]);
    }
    wsr__free(dy);
    wsr__free(x);
}

START_TEST(results_do_not_depend_on_the_place)
{
    each_variant(check_places);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        functions_are_those_of_the_formulas,
        special_numbers_are_right,
        results_do_not_depend_on_the_place,
        NULL,
    };
    return suite_of("native_activation", tests);
}
