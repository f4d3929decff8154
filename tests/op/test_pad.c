// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(borders_are_those_of_numpy)
{
    const float x[] = {1, 2, 3, 4, 5, 6}; // (1, 1, 2, 3)
    const op_value src = {{4, {1, 1, 2, 3}}, x};
    const float zeros[] = {0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0};
    const float nines[] = {1, 2, 3, 9, 9, 4, 5, 6, 9, 9};
    const float reflected[] = {6, 5, 4, 5, 6, 5, 3, 2, 1,
                               2, 3, 2, 6, 5, 4, 5, 6, 5};
    const float edge[] = {1, 1, 1, 2, 3, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6};
    const float wrapped[] = {5, 6, 4, 5, 6, 2, 3, 1, 2, 3};
    const float cut[] = {0, 5, 6, 0};
    float y[32];
    op_forward(y, "pad", "pads=[0,0,1,1,0,0,0,1]", &src, 1);
    ck_assert_mem_eq(y, zeros, sizeof(zeros));
    op_forward(y, "pad", "pads=[0,0,0,0,0,2],value=9", &src, 1);
    ck_assert_mem_eq(y, nines, sizeof(nines));
    op_forward(y, "pad", "pads=[0,1,2,0,0,1],mode=reflect", &src, 1);
    ck_assert_mem_eq(y, reflected, sizeof(reflected));
    op_forward(y, "pad", "pads=[0,1,2,0,0,0],mode=edge", &src, 1);
    ck_assert_mem_eq(y, edge, sizeof(edge));
    op_forward(y, "pad", "pads=[0,1,2,0,-1,0],mode=wrap", &src, 1);
    ck_assert_mem_eq(y, wrapped, 5 * sizeof(*wrapped));
    op_forward(y, "pad", "pads=[0,-1,-1,0,0,1]", &src, 1);
    ck_assert_float_eq(y[0], 5);
    ck_assert_float_eq(y[1], 6);
    ck_assert_float_eq(y[2], cut[0]);
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {
        "pads=[0,1,2,0,2,1]",
        "pads=[0,0,1,1,0,0,0,1],value=3",
        "pads=[1,4,2,1,1,2],mode=reflect",
        "pads=[2,1,7,0,3,1],mode=edge",
        "pads=[1,4,2,1,1,2],mode=wrap",
        "pads=[-2,1,-1,0,-1,1]",
        "pads=[0,0,0,0,0,0]",
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        grad_case c = {.op = "pad",
                       .options = options[i],
                       .n = 1,
                       .src = {{.shape = {4, {2, 7, 5, 3}}}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
    gradcheck(&(grad_case){.op = "pad",
                           .options = "pads=[3,2]",
                           .n = 1,
                           .src = {{.shape = {2, {3, 17}}}}});
}
END_TEST

START_TEST(widths_that_do_not_fit_are_refused)
{
    const wsr_shape shape = {4, {2, 3, 4, 5}};
    op_refuses(WSR_SHAPE, "two numbers for each axis", "pad", "pads=[1,1]",
               &shape, 1);
    op_refuses(WSR_SHAPE, "batch", "pad", "pads=[1,0,0,0,0,0,0,0]", &shape, 1);
    op_refuses(WSR_SHAPE, "smaller", "pad", "pads=[0,0,5,0,0,0],mode=reflect",
               &shape, 1);
    op_refuses(WSR_SHAPE, "nothing is left", "pad", "pads=[0,-2,0,0,-2,0]",
               &shape, 1);
    op_refuses(WSR_CONFIG, "mode", "pad", "mode=mirror", &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        borders_are_those_of_numpy,
        gradients_are_right,
        widths_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("pad", tests);
}
