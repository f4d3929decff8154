// SPDX-License-Identifier: Apache-2.0

#include "train/train_step.h"

START_TEST(one_backward_pass_also_moves_the_perturbation)
{
    step_bench b;
    step_open(&b, "free:eps=0.05,alpha=0.03,repeats=3");
    ck_assert_uint_eq(b.trainer->updates(b.options), 3);
    ck_assert_uint_eq(b.trainer->state(b.options, NULL, STEP_N, STEP_PIXELS),
                      STEP_FLOATS);
    const float before = step_tracked(&b);
    for (size_t k = 0; k < 3; k++) {
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        const float far = step_farthest(&b);
        ck_assert_float_eq_tol(far, k == 0 ? 0 : k == 1 ? 0.03F : 0.05F, 1e-6F);
    }
    ck_assert_float_eq(step_tracked(&b), before + 3);
    ck_assert_ptr_nonnull(wsr_params_grad(wsr_net_params(b.net), 0));
    step_close(&b);
}
END_TEST

// The step goes up the loss: the same images, attacked, are harder.
START_TEST(the_perturbation_makes_images_harder)
{
    step_bench b;
    step_open(&b, "free:eps=0.05");
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    const double clean = b.step.loss;
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_double_gt(b.step.loss, clean + 1e-3);
    step_close(&b);
}
END_TEST

START_TEST(a_clipped_perturbation_leaves_images_in_their_range)
{
    step_bench b;
    step_open(&b, "free:eps=0.5,box=after");
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    for (size_t i = 0; i < STEP_FLOATS; i++) {
        const float v = b.x[i] + b.state[i];
        ck_assert(v >= -1e-6F && v <= 1 + 1e-6F);
        ck_assert(fabsf(b.state[i]) <= 0.5F);
    }
    step_close(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        one_backward_pass_also_moves_the_perturbation,
        the_perturbation_makes_images_harder,
        a_clipped_perturbation_leaves_images_in_their_range, NULL};
    return suite_of("free", tests);
}
