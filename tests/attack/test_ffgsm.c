// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(without_a_step_it_is_noise_in_the_ball)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "ffgsm:alpha=0", "stop=false", 0.04f);
    double mean = 0;
    for (size_t i = 0; i < TOY_N; i++) {
        mean += (double)wsr_attack_result_l1(r, 0)[i] / (TOY_N * TOY_D);
    }
    // Half of the strength, less at the edge of the range (28 % of pixels).
    ck_assert_double_eq_tol(mean, 0.0168, 0.0008);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(a_long_step_reaches_the_corner_that_fgsm_finds)
{
    toy_world *const w = toy_begin(7);
    // Where the gradient has the same sign: nearly everywhere in a small ball.
    wsr_attack_result *const a =
        toy_run(w, "ffgsm:alpha=2", "stop=false", 0.001f);
    wsr_attack_result *const b = toy_run(w, "fgsm", "stop=false", 0.001f);
    size_t same = 0;
    for (size_t i = 0; i < TOY_N * TOY_D; i++) {
        const float difference = wsr_attack_result_images(a, 0)[i] -
                                 wsr_attack_result_images(b, 0)[i];
        same += fabsf(difference) < 1e-6f;
    }
    ck_assert_uint_gt(same, TOY_N * TOY_D * 95 / 100);
    wsr_attack_result_free(a);
    wsr_attack_result_free(b);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        without_a_step_it_is_noise_in_the_ball,
        a_long_step_reaches_the_corner_that_fgsm_finds, NULL};
    return suite_of("ffgsm", tests);
}
