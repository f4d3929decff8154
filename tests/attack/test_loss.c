// SPDX-License-Identifier: Apache-2.0

#include "attack/attack.h"
#include "support/support.h"

#include <math.h>

enum { CLASSES = 6 };

typedef struct problem {
    float z[CLASSES];
    float clean[CLASSES];
    wsr__aim aim;
} problem;

static void make(problem *p, uint32_t seed, bool reach)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 0, 0);
    for (size_t c = 0; c < CLASSES; c++) {
        p->z[c] = (float)(2 * wsr__rng_normal(&rng));
        p->clean[c] = (float)(2 * wsr__rng_normal(&rng));
    }
    p->aim.label = (int32_t)wsr__rng_below(&rng, CLASSES);
    p->aim.target = reach ? (p->aim.label + 2) % CLASSES : -1;
    p->aim.clean = p->clean;
}

static void check_gradient(wsr__loss loss, bool reach)
{
    for (uint32_t seed = 0; seed < 50; seed++) {
        problem p;
        float dz[CLASSES];
        float unused[CLASSES];
        make(&p, seed, reach);
        const double value = loss(dz, p.z, &p.aim, CLASSES);
        ck_assert_double_eq(loss(NULL, p.z, &p.aim, CLASSES), value);
        for (size_t c = 0; c < CLASSES; c++) {
            const float held = p.z[c];
            const float h = 1.0f / 1024;
            p.z[c] = held + h;
            const double up = loss(unused, p.z, &p.aim, CLASSES);
            p.z[c] = held - h;
            const double down = loss(unused, p.z, &p.aim, CLASSES);
            p.z[c] = held;
            const double slope = (up - down) /
                                 ((double)(held + h) - (double)(held - h));
            ck_assert_double_eq_tol((double)dz[c], slope,
                                    1e-3 * (1 + fabs(slope)));
        }
    }
}

START_TEST(gradients_are_those_of_the_values)
{
    check_gradient(wsr__loss_ce, false);
    check_gradient(wsr__loss_ce, true);
    check_gradient(wsr__loss_dlr, false);
    check_gradient(wsr__loss_dlr, true);
    check_gradient(wsr__loss_margin, false);
    check_gradient(wsr__loss_margin, true);
    check_gradient(wsr__loss_kl, false);
}
END_TEST

START_TEST(values_are_those_of_the_formulas)
{
    const float z[5] = {1, 4, 2, 3, -1};
    const wsr__aim leave = {1, -1, z};
    const wsr__aim reach = {1, 2, z};
    double sum = 0;
    for (size_t c = 0; c < 5; c++) {
        sum += exp((double)z[c]);
    }
    ck_assert_double_eq_tol(wsr__loss_ce(NULL, z, &leave, 5), log(sum) - 4,
                            1e-12);
    ck_assert_double_eq_tol(wsr__loss_ce(NULL, z, &reach, 5), 2 - log(sum),
                            1e-12);
    // -(4 - 3) / (4 - 2), -(4 - 2) / (4 - (2 + 1) / 2)
    ck_assert_double_eq_tol(wsr__loss_dlr(NULL, z, &leave, 5), -0.5, 1e-9);
    ck_assert_double_eq_tol(wsr__loss_dlr(NULL, z, &reach, 5), -0.8, 1e-9);
    ck_assert_double_eq(wsr__loss_margin(NULL, z, &leave, 5), -1);
    ck_assert_double_eq(wsr__loss_margin(NULL, z, &reach, 5), -2);
    ck_assert_double_eq_tol(wsr__loss_kl(NULL, z, &leave, 5), 0, 1e-12);
}
END_TEST

START_TEST(a_sure_classifier_still_has_a_gradient)
{
    const float z[3] = {0, 60, -3};
    const wsr__aim aim = {1, -1, z};
    float dz[3];
    (void)wsr__loss_ce(dz, z, &aim, 3);
    ck_assert_float_gt(dz[0], 0);
    ck_assert_float_lt(dz[1], 0); // 1 - p rounds to 0 in float
}
END_TEST

START_TEST(the_first_of_equal_logits_wins)
{
    const float z[4] = {1, 3, 3, 2};
    ck_assert_int_eq(wsr__argmax(z, 4), 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {gradients_are_those_of_the_values,
                                  values_are_those_of_the_formulas,
                                  a_sure_classifier_still_has_a_gradient,
                                  the_first_of_equal_logits_wins, NULL};
    return suite_of("loss", tests);
}
