// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(of_one_copy_it_is_nifgsm)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "sinifgsm:steps=6,scales=1", "nifgsm:steps=6", 0.04f);
    toy_end(w);
}
END_TEST

// The gradient of CE(f(x / 2^i), y) by x, summed over three i.
static void summed(double sum[TOY_D], toy_world *w, size_t image)
{
    memset(sum, 0, TOY_D * sizeof(*sum));
    for (int k = 0; k < 3; k++) {
        const double scale = ldexp(1, -k);
        const wsr__loss_target target = {w->labels[image], -1, NULL};
        float x[TOY_D];
        float z[TOY_CLASSES];
        float dz[TOY_CLASSES] = {0};
        float dx[TOY_D];
        for (size_t i = 0; i < TOY_D; i++) {
            x[i] = (float)scale * w->x[image * TOY_D + i];
        }
        ck_assert_ok(toy_logits(z, x, 1, &w->of));
        (void)wsr__loss_ce(dz, NULL, z, &target, TOY_CLASSES);
        ck_assert_ok(toy_backward(dx, dz, 1, &w->of));
        for (size_t i = 0; i < TOY_D; i++) {
            sum[i] += scale * (double)dx[i];
        }
    }
}

START_TEST(a_step_goes_along_the_gradients_of_all_copies)
{
    const float eps = 0.01f;
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "sinifgsm:steps=1,scales=3", "stop=false", eps);
    size_t moved = 0;
    for (size_t n = 0; n < TOY_N; n++) {
        double sum[TOY_D];
        summed(sum, w, n);
        for (size_t i = 0; i < TOY_D && wsr_attack_result_clean(r)[n]; i++) {
            const float x0 = w->x[n * TOY_D + i];
            const float x = wsr_attack_result_images(r, 0)[n * TOY_D + i];
            if (x0 > eps && x0 < 1 - eps && fabs(sum[i]) > 1e-5) {
                ck_assert_float_eq_tol(x, x0 + (sum[i] > 0 ? eps : -eps),
                                       1e-6f);
                moved++;
            }
        }
    }
    ck_assert_uint_gt(moved, 100);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {of_one_copy_it_is_nifgsm,
                                  a_step_goes_along_the_gradients_of_all_copies,
                                  NULL};
    return suite_of("sinifgsm", tests);
}
