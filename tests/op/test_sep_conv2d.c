// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

typedef struct sep_case {
    const char *options;
    int64_t src[4];
    int64_t kernel;
    int64_t co;
} sep_case;

static void check(const sep_case *k)
{
    grad_case c = {.op = "sep_conv2d", .options = k->options, .n = 3};
    c.src[0].shape = wsr__shape4(k->src[0], k->src[1], k->src[2], k->src[3]);
    c.src[1].shape = wsr__shape4(k->src[1], 1, k->kernel, k->kernel);
    c.src[1].weights = true;
    c.src[2].shape = wsr__shape4(k->co, k->src[1], 1, 1);
    c.src[2].weights = true;
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
}

START_TEST(gradients_are_right)
{
    static const sep_case cases[] = {
        {"pad=1", {2, 3, 5, 5}, 3, 7},
        {"pad=1", {2, 17, 5, 7}, 3, 17},
        {"pad=2", {2, 8, 5, 31}, 5, 16},
        {"pad=2,dilation=2", {2, 7, 9, 5}, 3, 7},
        {"pad=4,dilation=2", {2, 16, 9, 9}, 5, 8},
        {"pad=1,stride=2", {2, 7, 9, 5}, 3, 3},
        {"pad=2,stride=2", {2, 8, 8, 8}, 5, 8},
        {"pad=2,dilation=2,stride=2", {2, 3, 9, 9}, 3, 17},
        {"pad=4,dilation=2,stride=2", {1, 16, 8, 8}, 5, 16},
        {"pad=3", {2, 3, 5, 9}, 7, 7},
        {"pad=1", {1, 1, 1, 1}, 3, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&cases[i]);
    }
}
END_TEST

START_TEST(sources_that_do_not_fit_are_refused)
{
    const wsr_shape wrong[] = {wsr__shape4(1, 3, 5, 5), wsr__shape4(3, 1, 3, 3),
                               wsr__shape4(4, 2, 1, 1)};
    const wsr_shape large[] = {wsr__shape4(1, 3, 5, 5), wsr__shape4(3, 1, 3, 3),
                               wsr__shape4(4, 3, 3, 3)};
    op_refuses(WSR_SHAPE, "pointwise", "sep_conv2d", "pad=1", wrong, 3);
    op_refuses(WSR_SHAPE, "pointwise", "sep_conv2d", "pad=1", large, 3);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("sep_conv2d");
    TCase *const t = tcase_create("sep_conv2d");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, gradients_are_right);
    tcase_add_test(t, sources_that_do_not_fit_are_refused);
    suite_add_tcase(s, t);
    return s;
}
