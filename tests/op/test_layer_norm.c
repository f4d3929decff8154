// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

START_TEST(values_are_those_of_the_definition)
{
    norm_follows("layer_norm", 3, 3, 1);
}
END_TEST

START_TEST(gradients_are_right)
{
    norm_gradients("layer_norm", NULL, (wsr_shape){3, {3, 5, 70}},
                   (wsr_shape){1, {70}});
    norm_gradients("layer_norm", "axes=2", (wsr_shape){4, {2, 3, 5, 4}},
                   (wsr_shape){2, {5, 4}});
    norm_gradients("layer_norm", "tol=0.1", (wsr_shape){2, {3, 17}},
                   (wsr_shape){1, {17}});
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{3, {2, 3, 4}}, {1, {5}}};
    op_refuses(WSR_SHAPE, "weight must have shape", "layer_norm", NULL, shapes,
               2);
    op_refuses(WSR_SHAPE, "(2, 3, 4)", "layer_norm", "axes=3", shapes, 1);
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
    return suite_of("layer_norm", tests);
}
