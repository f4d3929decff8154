// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

START_TEST(values_are_those_of_the_definition)
{
    norm_follows("instance_norm", 3, 2, 3);
}
END_TEST

START_TEST(gradients_are_right)
{
    norm_gradients("instance_norm", NULL, (wsr_shape){4, {2, 6, 3, 5}},
                   (wsr_shape){1, {6}});
    norm_gradients("instance_norm", "tol=0.1", (wsr_shape){3, {3, 2, 17}},
                   (wsr_shape){1, {2}});
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{3, {2, 3, 4}}, {1, {5}}};
    op_refuses(WSR_SHAPE, "weight must have shape", "instance_norm", NULL,
               shapes, 2);
    op_refuses(WSR_SHAPE, "(2, 3)", "instance_norm", NULL,
               &(wsr_shape){2, {2, 3}}, 1);
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
    return suite_of("instance_norm", tests);
}
