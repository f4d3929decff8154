// SPDX-License-Identifier: Apache-2.0

#include "train/lesson.h"

START_TEST(clean_images_are_learned_from_in_one_pass)
{
    lesson_bench b;
    double loss = 0;
    size_t right = 0;
    lesson_open(&b, "natural");
    const float before = lesson_tracked(&b);
    ck_assert_ok(b.trainer->batch(&b.lesson, b.options));
    ck_assert_float_eq(lesson_tracked(&b), before + 1);
    ck_assert(b.lesson.clean_known);
    ck_assert_uint_eq(b.lesson.clean, b.lesson.right);
    ck_assert_ptr_nonnull(wsr_params_grad(wsr_net_params(b.net), 0));
    // The same images have the same loss, for the batch's statistics count.
    ck_assert_ok(
        wsr__lesson_pass(&loss, &right, &b.lesson, b.x, (wsr__pass){1, 0}));
    ck_assert_double_eq_tol(loss, b.lesson.loss, 1e-6);
    lesson_close(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {clean_images_are_learned_from_in_one_pass,
                                  NULL};
    return suite_of("natural", tests);
}
