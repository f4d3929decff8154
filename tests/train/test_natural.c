// SPDX-License-Identifier: Apache-2.0

#include "train/train_step.h"

START_TEST(clean_images_are_learned_from_in_one_pass)
{
    step_bench b;
    double loss = 0;
    size_t correct = 0;
    step_open(&b, "natural");
    const float before = step_tracked(&b);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_float_eq(step_tracked(&b), before + 1);
    ck_assert(b.step.clean_known);
    ck_assert_uint_eq(b.step.clean, b.step.correct);
    ck_assert_ptr_nonnull(wsr_params_grad(wsr_net_params(b.net), 0));
    // The same images have the same loss, for the batch's statistics count.
    ck_assert_ok(
        wsr__train_step_pass(&loss, &correct, &b.step, b.x, (wsr__pass){1, 0}));
    ck_assert_double_eq_tol(loss, b.step.loss, 1e-6);
    step_close(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {clean_images_are_learned_from_in_one_pass,
                                  NULL};
    return suite_of("natural", tests);
}
