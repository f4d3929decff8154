// SPDX-License-Identifier: Apache-2.0

#include "attack/engine/momentum_attack.h"
#include "attack/model_support.h"

enum { H = 7, W = 5, C = 2, D = C * H * W };

START_TEST(images_left_as_they_are_make_it_mifgsm)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "difgsm:steps=6,prob=0,decay=1", "mifgsm:steps=6",
                    0.04f);
    toy_expect_same(w, "difgsm:steps=6,rate=1,prob=1", "mifgsm:steps=6,decay=0",
                    0.04f);
    toy_end(w);
}
END_TEST

START_TEST(steps_see_different_images)
{
    toy_world *const w = toy_begin(7);
    toy_expect_apart(w, "difgsm:steps=4,prob=1,rate=0.5",
                     "difgsm:steps=4,prob=0", 0.1f);
    toy_end(w);
}
END_TEST

static void fill(float x[D], uint64_t seed)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 2, 0);
    for (size_t i = 0; i < D; i++) {
        x[i] = wsr__rng_uniform(&rng) - 0.5f;
    }
}

START_TEST(half_the_size_is_the_mean_of_four_pixels)
{
    float from[16];
    float to[16];
    const wsr__resize how = {1, 4, 4, 2, 2, 1, 2};
    for (size_t i = 0; i < 16; i++) {
        from[i] = (float)(i * i);
    }
    wsr__resize_image(to, from, &how);
    for (size_t y = 0; y < 4; y++) {
        for (size_t x = 0; x < 4; x++) {
            float mean = 0;
            if (y >= 1 && y < 3 && x >= 2) {
                const float *const at = from + 8 * (y - 1) + 2 * (x - 2);
                mean = (at[0] + at[1] + at[4] + at[5]) / 4;
            }
            ck_assert_float_eq_tol(to[y * 4 + x], mean, 1e-5f);
        }
    }
}
END_TEST

START_TEST(gradients_go_back_by_the_adjoint)
{
    float x[D];
    float y[D];
    float resized[D];
    float back[D];
    for (int64_t rows = 1; rows <= H; rows++) {
        const int64_t columns = 1 + rows % W;
        const wsr__resize how = {C, H, W, rows, columns, H - rows, W - columns};
        double there = 0;
        double here = 0;
        fill(x, 1);
        fill(y, 2);
        wsr__resize_image(resized, x, &how);
        wsr__resize_backward(back, y, &how);
        for (size_t i = 0; i < D; i++) {
            there += (double)resized[i] * (double)y[i];
            here += (double)x[i] * (double)back[i];
        }
        ck_assert_double_eq_tol(there, here, 1e-6);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {images_left_as_they_are_make_it_mifgsm,
                                  steps_see_different_images,
                                  half_the_size_is_the_mean_of_four_pixels,
                                  gradients_go_back_by_the_adjoint, NULL};
    return suite_of("difgsm", tests);
}
