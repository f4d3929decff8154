// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(samples_get_the_lengths_asked_for)
{
    const float z[] = {3, -4, 0, 0, 0, 0};
    const float tau[] = {10, 2};
    const op_value srcs[] = {{{2, {2, 3}}, z}, {{2, {2, 1}}, tau}};
    float y[6];
    op_forward(y, "l2_normalize", NULL, srcs, 2);
    ck_assert(y[0] == 6 && y[1] == -8 && y[2] == 0);
    ck_assert(isnan(y[3])); // a zero sample has no direction
    op_forward(y, "l2_normalize", "guard=1e-6", srcs, 2);
    ck_assert(y[3] == 0 && y[4] == 0);
    ck_assert_float_eq_tol(y[0], 6, 1e-5f);
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {NULL, "guard=0.5"};
    for (size_t i = 0; i < 2; i++) {
        grad_case c = {.op = "l2_normalize",
                       .options = options[i],
                       .n = 2,
                       .src = {{.shape = {4, {3, 7, 2, 3}}},
                               {.shape = {2, {3, 1}}, .low = 0.5, .high = 2}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
        c.src[0].shape = (wsr_shape){2, {3, 5}};
        c.src[1].shape = (wsr_shape){1, {3}};
        gradcheck(&c);
    }
}
END_TEST

START_TEST(lengths_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{2, {3, 4}}, {2, {3, 2}}};
    op_refuses(WSR_SHAPE, "(3, 2)", "l2_normalize", NULL, shapes, 2);
    const wsr_shape batches[] = {{2, {3, 4}}, {2, {1, 3}}};
    op_refuses(WSR_SHAPE, "(1, 3)", "l2_normalize", NULL, batches, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        samples_get_the_lengths_asked_for,
        gradients_are_right,
        lengths_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("l2_normalize", tests);
}
