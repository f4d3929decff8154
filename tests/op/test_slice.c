// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(a_range_of_the_axis_is_kept)
{
    const float x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}; // (2, 3, 2)
    const float middle[] = {2, 3, 8, 9};
    const float rest[] = {1, 3, 5, 7, 9, 11};
    const op_value src = {{3, {2, 3, 2}}, x};
    float y[12];
    op_forward(y, "slice", "begin=1,end=2", &src, 1);
    ck_assert_mem_eq(y, middle, sizeof(middle));
    op_forward(y, "slice", "axis=2,begin=1", &src, 1);
    ck_assert_mem_eq(y, rest, sizeof(rest));
    op_forward(y, "slice", NULL, &src, 1);
    ck_assert_mem_eq(y, x, sizeof(x));
}
END_TEST

START_TEST(steps_leave_elements_out)
{
    const float x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    const op_value src = {{2, {1, 10}}, x};
    static const struct {
        const char *options;
        float want[10];
        size_t n;
    } cases[] = {
        {"step=3", {0, 3, 6, 9}, 4},
        {"begin=1,end=9,step=3", {1, 4, 7}, 3},
        {"step=-1", {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, 10},
        {"begin=2,end=9,step=-3", {8, 5, 2}, 3},
        {"begin=3,end=9,step=-3", {8, 5}, 2},
        {"step=-100", {9}, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        float y[10];
        op_forward(y, "slice", cases[i].options, &src, 1);
        ck_assert_mem_eq(y, cases[i].want, cases[i].n * sizeof(*y));
    }
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {
        "axis=1,begin=2,end=6",  "axis=2,end=1",
        "axis=3,begin=2",        "axis=1",
        "axis=1,begin=1,step=2", "axis=3,step=-2",
        "axis=2,begin=1,step=-1"};
    for (size_t i = 0; i < 7; i++) {
        grad_case c = {.op = "slice",
                       .options = options[i],
                       .n = 1,
                       .src = {{.shape = {4, {3, 7, 5, 3}}}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
    gradcheck(&(grad_case){.op = "slice",
                           .options = "axis=1,begin=16,end=17",
                           .n = 1,
                           .src = {{.shape = {2, {3, 17}}}}});
}
END_TEST

START_TEST(ranges_outside_are_refused)
{
    const wsr_shape shape = {3, {2, 3, 4}};
    op_refuses(WSR_SHAPE, "[0, 4) of axis 1", "slice", "end=4", &shape, 1);
    op_refuses(WSR_SHAPE, "[3, 3) of axis 1", "slice", "begin=3", &shape, 1);
    op_refuses(WSR_SHAPE, "[2, 1)", "slice", "begin=2,end=1", &shape, 1);
    op_refuses(WSR_SHAPE, "axis 3", "slice", "axis=3,end=1", &shape, 1);
    op_refuses(WSR_SHAPE, "axis 3", "slice", "axis=3", &shape, 1);
    op_refuses(WSR_CONFIG, "0 is outside", "slice", "axis=0", &shape, 1);
    op_refuses(WSR_CONFIG, "-1 is outside", "slice", "begin=-1", &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_range_of_the_axis_is_kept,
        steps_leave_elements_out,
        gradients_are_right,
        ranges_outside_are_refused,
        NULL,
    };
    return suite_of("slice", tests);
}
