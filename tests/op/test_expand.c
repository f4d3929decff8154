// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(elements_are_repeated)
{
    const float x[] = {1, 2, 3, 4};
    const float rows[] = {1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4};
    const op_value src = {{3, {2, 1, 2}}, x};
    float y[12];
    op_forward(y, "expand", "shape=[1,3,2]", &src, 1);
    ck_assert_mem_eq(y, rows, sizeof(rows));
    op_forward(y, "expand", "shape=[1,1,1]", &src, 1);
    ck_assert_mem_eq(y, x, sizeof(x));
}
END_TEST

START_TEST(gradients_are_sums)
{
    grad_case c = {.op = "expand",
                   .options = "shape=[1,3,5,2]",
                   .n = 1,
                   .src = {{.shape = {4, {2, 3, 1, 2}}}}};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
    c.options = "shape=[1,1,4,2]";
    gradcheck(&c);
}
END_TEST

// The token of a class in front of those of an image.
START_TEST(a_parameter_gets_the_batch_of_a_value)
{
    grad_case c = {.op = "expand",
                   .options = "shape=[1,2,5]",
                   .n = 2,
                   .src = {{.shape = {3, {1, 1, 5}}, .weights = true},
                           {.shape = {3, {3, 4, 5}}, .fixed = true}}};
    gradcheck(&c);
    c.src[0].shape = (wsr_shape){1, {5}};
    gradcheck(&c);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{3, {2, 3, 4}}, {2, {3, 4}}};
    op_refuses(WSR_SHAPE, "does not fit", "expand", "shape=[1,2,4]", shapes, 1);
    op_refuses(WSR_SHAPE, "axes", "expand", "shape=[3,4]", shapes, 1);
    op_refuses(WSR_SHAPE, "batch of its own", "expand", "shape=[1,3,4]", shapes,
               2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        elements_are_repeated,
        gradients_are_sums,
        a_parameter_gets_the_batch_of_a_value,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("expand", tests);
}
