// SPDX-License-Identifier: Apache-2.0

#include "kernel/native.h"
#include "support/gradcheck.h"

#include <math.h>

enum { X, IH, HH, BIAS_IH, BIAS_HH };

static grad_case lstm_case(int64_t n, int64_t l, int64_t i, int64_t h)
{
    return (grad_case){
        .op = "lstm",
        .n = 5,
        .src = {[X] = {.shape = {3, {n, l, i}}},
                [IH] = {.shape = {2, {4 * h, i}}, .weights = true},
                [HH] = {.shape = {2, {4 * h, h}}, .weights = true},
                [BIAS_IH] = {.shape = {1, {4 * h}}, .weights = true},
                [BIAS_HH] = {.shape = {1, {4 * h}}, .weights = true}},
        .ref_tol = 1e-5};
}

START_TEST(one_step_is_the_definition)
{
    const float x[] = {2};
    const float ih[] = {0.5f, -1, 0.25f, 1}; // i, f, g, o
    const float hh[] = {9, 9, 9, 9};         // meets a zero state
    const float b[] = {0.5f, 0, 0, -1};
    const float zero[] = {0, 0, 0, 0};
    const op_value srcs[] = {{{3, {1, 1, 1}}, x},
                             {{2, {4, 1}}, ih},
                             {{2, {4, 1}}, hh},
                             {{1, {4}}, b},
                             {{1, {4}}, zero}};
    const double i = 1 / (1 + exp(-1.5));
    const double g = tanh(0.5);
    const double o = 1 / (1 + exp(-1));
    float y[1];
    op_forward(y, "lstm", NULL, srcs, 5);
    ck_assert_double_eq_tol((double)y[0], o * tanh(i * g), 1e-6);
}
END_TEST

START_TEST(the_second_step_sees_the_first)
{
    const float x[] = {2, -1};
    const float ih[] = {0.5f, -1, 0.25f, 1};
    const float hh[] = {1, -0.5f, 2, 0.25f};
    const float b[] = {0.5f, 0, 0, -1};
    const float c[] = {0, 0.5f, 0, 0};
    const op_value srcs[] = {{{3, {1, 2, 1}}, x},
                             {{2, {4, 1}}, ih},
                             {{2, {4, 1}}, hh},
                             {{1, {4}}, b},
                             {{1, {4}}, c}};
    double h = 0;
    double cell = 0;
    for (size_t t = 0; t < 2; t++) {
        double z[4];
        for (size_t j = 0; j < 4; j++) {
            z[j] = (double)ih[j] * (double)x[t] + (double)hh[j] * h +
                   (double)b[j] + (double)c[j];
        }
        cell = cell / (1 + exp(-z[1])) + tanh(z[2]) / (1 + exp(-z[0]));
        h = tanh(cell) / (1 + exp(-z[3]));
    }
    float y[1];
    op_forward(y, "lstm", NULL, srcs, 5);
    ck_assert_double_eq_tol((double)y[0], h, 1e-6);
}
END_TEST

START_TEST(gradients_are_right)
{
    static const int64_t sizes[][4] = {{1, 1, 1, 1},  {3, 5, 7, 3},
                                       {17, 3, 1, 5}, {8, 4, 8, 16},
                                       {25, 2, 3, 1}, {2, 31, 3, 7}};
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        const grad_case c =
            lstm_case(sizes[k][0], sizes[k][1], sizes[k][2], sizes[k][3]);
        gradcheck(&c);
    }
}
END_TEST

START_TEST(every_instruction_set_agrees_with_the_reference)
{
    static const char *const names[] = {"base", "avx2", "avx512"};
    for (size_t k = 0; k < 3; k++) {
        if (wsr__native_force(names[k]) == WSR_OK) {
            const grad_case c = lstm_case(19, 6, 5, 6);
            gradcheck(&c);
        }
    }
    ck_assert_ok(wsr__native_force(NULL));
}
END_TEST

START_TEST(large_values_saturate_and_nan_spoils_its_sequence_alone)
{
    const float x[] = {1e30f, -1e30f, NAN, 100};
    const float ones[] = {1, 1, 1, 1};
    const float zero[] = {0, 0, 0, 0};
    const op_value srcs[] = {{{3, {4, 1, 1}}, x},
                             {{2, {4, 1}}, ones},
                             {{2, {4, 1}}, ones},
                             {{1, {4}}, zero},
                             {{1, {4}}, zero}};
    float y[4];
    op_forward(y, "lstm", NULL, srcs, 5);
    ck_assert_double_eq_tol((double)y[0], tanh(1), 1e-6);
    ck_assert_double_eq_tol((double)y[1], 0, 1e-6);
    ck_assert(isnan(y[2]));
    ck_assert_double_eq_tol((double)y[3], tanh(1), 1e-6);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    wsr_shape shapes[] = {
        {3, {2, 3, 4}}, {2, {8, 4}}, {2, {8, 2}}, {1, {8}}, {1, {8}}};
    shapes[4].dims[0] = 4;
    op_refuses(WSR_SHAPE, "(4)", "lstm", NULL, shapes, 5);
    shapes[2].dims[1] = 3;
    op_refuses(WSR_SHAPE, "(8, 3)", "lstm", NULL, shapes, 5);
    shapes[1].dims[1] = 5;
    op_refuses(WSR_SHAPE, "(8, 5)", "lstm", NULL, shapes, 5);
    shapes[0].ndims = 2;
    op_refuses(WSR_SHAPE, "(2, 3)", "lstm", NULL, shapes, 5);
    op_refuses(WSR_ARG, "4 sources", "lstm", NULL, shapes, 4);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        one_step_is_the_definition,
        the_second_step_sees_the_first,
        gradients_are_right,
        every_instruction_set_agrees_with_the_reference,
        large_values_saturate_and_nan_spoils_its_sequence_alone,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("lstm", tests);
}
