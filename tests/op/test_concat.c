// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(sources_stand_side_by_side)
{
    const float a[] = {1, 2, 3, 4};
    const float b[] = {10, 20};
    const float want[] = {1, 2, 10, 3, 4, 20};
    const op_value srcs[] = {{{2, {2, 2}}, a}, {{2, {2, 1}}, b}};
    float y[6];
    op_forward(y, "concat", NULL, srcs, 2);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_along_channels_are_right)
{
    static const int64_t channels[][3] = {
        {8, 16, 8}, {8, 3, 8}, {1, 7, 17}, {16, 8, 3}, {11, 11, 11}};
    static const int64_t sizes[][2] = {{1, 1}, {5, 3}, {1, 31}};
    for (size_t i = 0; i < 15; i++) {
        grad_case c = {.op = "concat", .n = 3};
        for (size_t s = 0; s < 3; s++) {
            c.src[s].shape = wsr__shape4(2, channels[i % 5][s], sizes[i / 5][0],
                                         sizes[i / 5][1]);
        }
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(gradients_along_other_axes_are_right)
{
    grad_case c = {
        .op = "concat",
        .options = "axis=3",
        .n = 2,
        .src = {{.shape = {4, {2, 7, 5, 3}}}, {.shape = {4, {2, 7, 5, 1}}}}};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
    c.src[0].shape.dims[1] = 8;
    c.src[1].shape.dims[1] = 8;
    gradcheck(&c);
    c.options = "axis=2";
    c.src[0].shape = (wsr_shape){3, {2, 7, 5}};
    c.src[1].shape = (wsr_shape){3, {2, 7, 1}};
    gradcheck(&c);
}
END_TEST

START_TEST(batches_follow_each_other)
{
    const float a[] = {1, 2, 3, 4};
    const float b[] = {10, 20};
    const float want[] = {1, 2, 3, 4, 10, 20};
    const op_value srcs[] = {{{2, {2, 2}}, a}, {{2, {1, 2}}, b}};
    float y[6];
    op_forward(y, "concat", "axis=0", srcs, 2);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_along_the_batch_are_right)
{
    grad_case c = {
        .op = "concat",
        .options = "axis=0",
        .n = 2,
        .src = {{.shape = {4, {2, 7, 5, 3}}}, {.shape = {4, {2, 7, 5, 3}}}},
        .mixes = true};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
}
END_TEST

START_TEST(a_source_may_come_twice)
{
    grad_case c = {
        .op = "concat",
        .n = 2,
        .src = {{.shape = {4, {2, 8, 3, 3}}}, {.shape = {4, {2, 8, 3, 3}}}},
        .same = true};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{3, {2, 3, 4}}, {3, {2, 3, 5}}};
    op_refuses(WSR_SHAPE, "(2, 3, 5)", "concat", NULL, shapes, 2);
    op_refuses(WSR_SHAPE, "axis", "concat", "axis=3", shapes, 2);
    op_refuses(WSR_SHAPE, "(2, 3, 5)", "concat", "axis=0", shapes, 2);
    op_refuses(WSR_CONFIG, "-1 is outside", "concat", "axis=-1", shapes, 2);
    const wsr_shape ndims[] = {{3, {2, 3, 4}}, {2, {2, 3}}};
    op_refuses(WSR_SHAPE, "(2, 3)", "concat", NULL, ndims, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        sources_stand_side_by_side,
        gradients_along_channels_are_right,
        gradients_along_other_axes_are_right,
        batches_follow_each_other,
        gradients_along_the_batch_are_right,
        a_source_may_come_twice,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("concat", tests);
}
