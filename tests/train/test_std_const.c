// SPDX-License-Identifier: Apache-2.0

#include "train/each_trainer.h"
#include "train/train_step.h"

static void open_with_base(step_bench *b, const char *trainer)
{
    char spec[TRAINER_SPEC + 64];
    (void)snprintf(spec, sizeof(spec), "%s,base=%s", trainer,
                   each_trainer_base(step_network));
    step_open(b, spec);
}

START_TEST(the_loss_is_that_of_the_formula)
{
    step_bench b;
    open_with_base(&b, "std_const:eps=0.05,steps=2,lambda=0.5,rho=0.2");
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    const double c = b.step.constraint;
    const double over = fmax(c, 0);
    ck_assert_double_eq_tol(b.step.loss, 0.5 * c + 0.1 * over * over, 1e-9);
    ck_assert(!b.step.skip);
    step_close(&b);
}
END_TEST

// lambda grows by rho times the mean constraint of the epoch that is done.
START_TEST(the_multiplier_follows_the_constraint)
{
    step_bench b;
    double c[2];
    open_with_base(&b, "std_const:eps=0.05,steps=2,lambda=0.5,rho=0.2");
    for (size_t i = 0; i < 2; i++) {
        b.labels[0] = (int32_t)i;
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        c[i] = b.step.constraint;
    }
    b.step.epoch = 1;
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    const double now = b.step.constraint;
    const double lambda = 0.5 + 0.2 * (c[0] + c[1]) / 2;
    const double over = fmax(now, 0);
    ck_assert_double_eq_tol(b.step.loss, lambda * now + 0.1 * over * over,
                            1e-7);
    step_close(&b);
}
END_TEST

START_TEST(the_second_update_is_under_attack)
{
    step_bench b;
    open_with_base(&b, "std_const:eps=0.05,steps=3");
    ck_assert_uint_eq(b.trainer->updates(b.options), 2);
    b.step.update = 1;
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    const float far = step_farthest(&b);
    ck_assert(far > 0.04F && far <= 0.05F);
    step_close(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_loss_is_that_of_the_formula,
                                  the_multiplier_follows_the_constraint,
                                  the_second_update_is_under_attack, NULL};
    return suite_of("std_const", tests);
}
