// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

// Two images of six numbers, in groups of 6, against the definition.
START_TEST(values_are_those_of_the_definition)
{
    const float x[] = {1, 2, 4, -3, 0.5f, 7, 1000, 1001, 1003, 5, 5, 5};
    const float weight[] = {0.5f, 2, -1};
    const float bias[] = {3, 0, 1};
    enum { SIZE = 6 };
    const op_value srcs[] = {
        {{3, {2, 2, 3}}, x}, {{1, {2}}, weight}, {{1, {2}}, bias}};
    float y[12];
    op_forward(y, "group_norm", "tol=0.01", srcs, 3);
    for (size_t i = 0; i < 12; i++) {
        const float *const group = x + i / SIZE * SIZE;
        const size_t at = i / 3 % 2;
        double mean = 0;
        double var = 0;
        for (size_t k = 0; k < SIZE; k++) {
            mean += (double)group[k] / SIZE;
        }
        for (size_t k = 0; k < SIZE; k++) {
            var += pow((double)group[k] - mean, 2) / SIZE;
        }
        const double want = ((double)x[i] - mean) / sqrt(var + 0.01) *
                                (double)weight[at] +
                            (double)bias[at];
        ck_assert_double_eq_tol((double)y[i], want, 1e-4);
    }
}
END_TEST

START_TEST(gradients_are_right)
{
    static const struct {
        const char *options;
        wsr_shape src;
        wsr_shape weight;
    } cases[] = {
        {"groups=3", {4, {2, 6, 3, 5}}, {1, {6}}},
        {NULL, {4, {2, 7, 3, 3}}, {1, {7}}},
        {"groups=2,tol=0.1", {2, {3, 16}}, {1, {16}}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        grad_case c = {.op = "group_norm",
                       .options = cases[i].options,
                       .n = 3,
                       .src = {{.shape = cases[i].src, .low = -2, .high = 2},
                               {.shape = cases[i].weight, .weights = true},
                               {.shape = cases[i].weight, .weights = true}},
                       .tol = 3e-3,
                       .ref_tol = 2e-5};
        for (c.n = 1; c.n <= 3; c.n++) {
            c.blocked = false;
            gradcheck(&c);
            c.blocked = true;
            gradcheck(&c);
        }
    }
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{3, {2, 3, 4}}, {1, {5}}};
    op_refuses(WSR_SHAPE, "weight must have shape", "group_norm", NULL, shapes,
               2);
    op_refuses(WSR_SHAPE, "(2, 3, 4)", "group_norm", "groups=2", shapes, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_those_of_the_definition,
        gradients_are_right,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("group_norm", tests);
}
