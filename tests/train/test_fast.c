// SPDX-License-Identifier: Apache-2.0

#include "train/train_step.h"

START_TEST(images_are_in_the_ball_and_starts_differ)
{
    step_bench b;
    float first[STEP_FLOATS];
    step_open(&b, "fast:eps=0.05");
    const float before = step_tracked(&b);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_float_eq(step_tracked(&b), before + 2);
    const float far = step_farthest(&b);
    ck_assert(far > 0.049F && far <= 0.05F);
    memcpy(first, b.x_adv, sizeof(first));
    b.step.id = 1000;
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert(!same_bits(first, b.x_adv, sizeof(first)));
    step_close(&b);
}
END_TEST

// A pixel that starts at -eps ends at -eps or at alpha - eps.
START_TEST(the_step_is_longer_than_the_strength)
{
    static float noise[STEP_FLOATS];
    size_t up = 0;
    step_bench b;
    step_open(&b, "fast:eps=0.04");
    for (size_t i = 0; i < STEP_FLOATS; i++) {
        noise[i] = -0.04F;
        b.x[i] = 0.2F + b.x[i] / 2;
    }
    b.step.start_noise = noise;
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    for (size_t i = 0; i < STEP_FLOATS; i++) {
        const float d = b.x_adv[i] - b.x[i];
        ck_assert(fabsf(d + 0.04F) < 1e-6F || fabsf(d - 0.01F) < 1e-6F);
        up += d > 0;
    }
    ck_assert_uint_gt(up, STEP_FLOATS / 10);
    step_close(&b);
}
END_TEST

// With all the label's share given away no class is better than another, so the
// gradient points elsewhere.
START_TEST(labels_are_smoothed_in_the_attack_too)
{
    float plain[STEP_FLOATS];
    for (size_t i = 0; i < 2; i++) {
        step_bench b;
        step_open(&b, "fast");
        b.step.smoothing = i == 0 ? 0 : 0.99;
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        if (i == 0) {
            memcpy(plain, b.x_adv, sizeof(plain));
        } else {
            ck_assert(!same_bits(plain, b.x_adv, sizeof(plain)));
        }
        step_close(&b);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {images_are_in_the_ball_and_starts_differ,
                                  the_step_is_longer_than_the_strength,
                                  labels_are_smoothed_in_the_attack_too, NULL};
    return suite_of("fast", tests);
}
