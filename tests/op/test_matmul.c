// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(products_are_those_of_the_definition)
{
    const float a[] = {1, 2, 3, 4, 5, 6};
    const float b[] = {1, 0, 2, -1, 1, 1};
    const float want[] = {8, 1, 20, 1}; // (2, 3) times (3, 2)
    const op_value srcs[] = {{{3, {1, 2, 3}}, a}, {{3, {1, 3, 2}}, b}};
    float y[4];
    op_forward(y, "matmul", NULL, srcs, 2);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(transposed_sources_are_used_transposed)
{
    const float a[] = {1, 4, 2, 5, 3, 6};  // (3, 2)
    const float b[] = {1, 2, 1, 0, -1, 1}; // (2, 3)
    const float want[] = {8, 1, 20, 1};
    const op_value srcs[] = {{{3, {1, 3, 2}}, a}, {{3, {1, 2, 3}}, b}};
    float y[4];
    op_forward(y, "matmul", "transpose_a=true,transpose_b=true", srcs, 2);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(batched_gradients_are_right)
{
    static const struct {
        const char *options;
        wsr_shape a;
        wsr_shape b;
    } cases[] = {
        {NULL, {3, {3, 5, 7}}, {3, {3, 7, 2}}},
        {"transpose_a=true", {3, {3, 7, 5}}, {3, {3, 7, 2}}},
        {"transpose_b=true", {3, {3, 5, 7}}, {3, {3, 2, 7}}},
        {"transpose_a=true,transpose_b=true", {3, {3, 7, 5}}, {3, {3, 2, 7}}},
        {NULL, {3, {2, 1, 1}}, {3, {2, 1, 1}}},
        {NULL, {3, {2, 31, 3}}, {3, {2, 3, 1}}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const grad_case c = {
            .op = "matmul",
            .options = cases[i].options,
            .n = 2,
            .src = {{.shape = cases[i].a}, {.shape = cases[i].b}}};
        gradcheck(&c);
    }
}
END_TEST

START_TEST(gradients_of_a_product_with_a_parameter_are_right)
{
    grad_case c = {.op = "matmul",
                   .n = 2,
                   .src = {{.shape = {2, {5, 7}}},
                           {.shape = {2, {7, 3}}, .weights = true}}};
    gradcheck(&c);
    c.options = "transpose_b=true";
    c.src[1].shape = (wsr_shape){2, {3, 7}};
    gradcheck(&c);
}
END_TEST

START_TEST(axes_in_front_are_broadcast)
{
    static const struct {
        wsr_shape a;
        wsr_shape b;
        bool a_weights;
        bool b_weights;
    } cases[] = {
        {{4, {2, 3, 5, 7}}, {4, {2, 3, 7, 4}}, false, false}, // heads
        {{4, {2, 3, 5, 7}}, {4, {2, 1, 7, 4}}, false, false},
        {{4, {2, 1, 5, 7}}, {4, {2, 3, 7, 4}}, false, false},
        {{3, {2, 5, 7}}, {2, {7, 4}}, false, true}, // tokens
        {{4, {2, 3, 5, 7}}, {2, {7, 4}}, false, true},
        {{4, {2, 3, 5, 7}}, {3, {3, 7, 4}}, false, true},
        {{3, {2, 5, 7}}, {3, {1, 7, 4}}, false, true},
        {{2, {5, 7}}, {3, {2, 7, 4}}, true, false},
        {{3, {3, 5, 7}}, {4, {2, 3, 7, 4}}, true, false},
        {{5, {2, 3, 2, 5, 4}}, {5, {2, 1, 2, 4, 3}}, false, false},
    };
    for (size_t i = 0; i < 4 * sizeof(cases) / sizeof(cases[0]); i++) {
        static const char *const options[] = {
            NULL, "transpose_a=true", "transpose_b=true",
            "transpose_a=true,transpose_b=true"};
        grad_case c = {.op = "matmul", .options = options[i % 4], .n = 2};
        c.src[0] = (grad_source){.shape = cases[i / 4].a,
                                 .weights = cases[i / 4].a_weights};
        c.src[1] = (grad_source){.shape = cases[i / 4].b,
                                 .weights = cases[i / 4].b_weights};
        for (size_t s = 0; s < 2; s++) {
            wsr_shape *const shape = &c.src[s].shape;
            int64_t *const last = &shape->dims[shape->ndims - 2];
            if ((i % 4 >> s & 1) != 0) {
                const int64_t rows = last[0];
                last[0] = last[1];
                last[1] = rows;
            }
        }
        gradcheck(&c);
    }
}
END_TEST

START_TEST(a_square_gets_both_gradients)
{
    static const char *const options[] = {NULL, "transpose_b=true"};
    for (size_t i = 0; i < 2; i++) {
        const grad_case c = {
            .op = "matmul",
            .options = options[i],
            .n = 2,
            .src = {{.shape = {3, {2, 4, 4}}}, {.shape = {3, {2, 4, 4}}}},
            .same = true};
        gradcheck(&c);
    }
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape inner[] = {{3, {2, 3, 4}}, {3, {2, 3, 4}}};
    op_refuses(WSR_SHAPE, "inner sizes", "matmul", NULL, inner, 2);
    const wsr_shape batch[] = {{3, {2, 3, 4}}, {3, {3, 4, 5}}};
    op_refuses(WSR_SHAPE, "same batch", "matmul", NULL, batch, 2);
    const wsr_shape ndims[] = {{3, {2, 3, 4}}, {1, {4}}};
    op_refuses(WSR_SHAPE, "(2, 3, 4) and (4)", "matmul", NULL, ndims, 2);
    const wsr_shape flat[] = {{2, {4, 4}}, {2, {4, 4}}};
    op_refuses(WSR_SHAPE, "mix samples", "matmul", "transpose_a=true", flat, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        products_are_those_of_the_definition,
        transposed_sources_are_used_transposed,
        batched_gradients_are_right,
        gradients_of_a_product_with_a_parameter_are_right,
        axes_in_front_are_broadcast,
        a_square_gets_both_gradients,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("matmul", tests);
}
