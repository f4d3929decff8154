// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(without_a_random_step_it_is_fgsm)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "rfgsm:alpha=0", "fgsm", 0.04f);
    toy_end(w);
}
END_TEST

START_TEST(several_steps_stay_in_the_ball)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "rfgsm:steps=5", "stop=false", 0.04f);
    for (size_t i = 0; i < TOY_N; i++) {
        ck_assert_float_le(wsr_attack_result_linf(r, 0)[i], 0.04f);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(the_random_step_goes_both_ways)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "rfgsm:alpha=1", "stop=false", 0.04f);
    size_t up = 0;
    size_t down = 0;
    for (size_t i = 0; i < TOY_N * TOY_D; i++) {
        const float moved = wsr_attack_result_images(r, 0)[i] - w->x[i];
        up += moved > 0.0399f;
        down += moved < -0.0399f;
    }
    ck_assert_uint_gt(up, TOY_N * TOY_D / 3);
    ck_assert_uint_gt(down, TOY_N * TOY_D / 3);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {without_a_random_step_it_is_fgsm,
                                  several_steps_stay_in_the_ball,
                                  the_random_step_goes_both_ways, NULL};
    return suite_of("rfgsm", tests);
}
