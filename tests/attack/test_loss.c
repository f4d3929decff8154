// SPDX-License-Identifier: Apache-2.0

#include "attack/attack.h"
#include "attack/engine/loss.h"
#include "support/support.h"

#include <math.h>

enum { CLASSES = 6 };

typedef struct problem {
    float z[CLASSES];
    float clean[CLASSES];
    wsr__loss_target target;
} problem;

static void make(problem *p, uint32_t seed, bool reach)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 0, 0);
    for (size_t c = 0; c < CLASSES; c++) {
        p->z[c] = (float)(2 * wsr__rng_normal(&rng));
        p->clean[c] = (float)(2 * wsr__rng_normal(&rng));
    }
    p->target.label = (int32_t)wsr__rng_below(&rng, CLASSES);
    p->target.target_class = reach ? (p->target.label + 2) % CLASSES : -1;
    p->target.clean = p->clean;
}

static void check_gradient(wsr__loss loss, bool reach)
{
    for (uint32_t seed = 0; seed < 50; seed++) {
        problem p;
        float dz[CLASSES];
        float unused[CLASSES];
        make(&p, seed, reach);
        const double value = loss(dz, NULL, p.z, &p.target, CLASSES);
        ck_assert_double_eq(loss(NULL, NULL, p.z, &p.target, CLASSES), value);
        for (size_t c = 0; c < CLASSES; c++) {
            const float held = p.z[c];
            const float h = 1.0f / 1024;
            p.z[c] = held + h;
            const double up = loss(unused, NULL, p.z, &p.target, CLASSES);
            p.z[c] = held - h;
            const double down = loss(unused, NULL, p.z, &p.target, CLASSES);
            p.z[c] = held;
            const double derivative = (up - down) /
                                      ((double)(held + h) - (double)(held - h));
            ck_assert_double_eq_tol((double)dz[c], derivative,
                                    1e-3 * (1 + fabs(derivative)));
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
    const wsr__loss_target leave = {1, -1, z};
    const wsr__loss_target reach = {1, 2, z};
    double sum = 0;
    for (size_t c = 0; c < 5; c++) {
        sum += exp((double)z[c]);
    }
    ck_assert_double_eq_tol(wsr__loss_ce(NULL, NULL, z, &leave, 5),
                            log(sum) - 4, 1e-12);
    ck_assert_double_eq_tol(wsr__loss_ce(NULL, NULL, z, &reach, 5),
                            2 - log(sum), 1e-12);
    // -(4 - 3) / (4 - 2), -(4 - 2) / (4 - (2 + 1) / 2)
    ck_assert_double_eq_tol(wsr__loss_dlr(NULL, NULL, z, &leave, 5), -0.5,
                            1e-9);
    ck_assert_double_eq_tol(wsr__loss_dlr(NULL, NULL, z, &reach, 5), -0.8,
                            1e-9);
    ck_assert_double_eq(wsr__loss_margin(NULL, NULL, z, &leave, 5), -1);
    ck_assert_double_eq(wsr__loss_margin(NULL, NULL, z, &reach, 5), -2);
    ck_assert_double_eq_tol(wsr__loss_kl(NULL, NULL, z, &leave, 5), 0, 1e-12);
}
END_TEST

START_TEST(a_sure_classifier_still_has_a_gradient)
{
    const float z[3] = {0, 60, -3};
    const wsr__loss_target target = {1, -1, z};
    float dz[3];
    (void)wsr__loss_ce(dz, NULL, z, &target, 3);
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

static const wsr__loss losses[] = {wsr__loss_ce, wsr__loss_dlr,
                                   wsr__loss_margin, wsr__loss_kl};

START_TEST(exponents_change_no_bit_of_ordinary_gradients)
{
    for (uint32_t seed = 0; seed < 200; seed++) {
        problem p;
        make(&p, seed, seed % 2 == 1);
        for (size_t l = 0; l < sizeof(losses) / sizeof(losses[0]); l++) {
            float whole[CLASSES];
            float dz[CLASSES];
            int e = 0;
            (void)losses[l](whole, NULL, p.z, &p.target, CLASSES);
            (void)losses[l](dz, &e, p.z, &p.target, CLASSES);
            for (size_t c = 0; c < CLASSES; c++) {
                ck_assert(ldexpf(dz[c], e) == whole[c]);
            }
        }
    }
}
END_TEST

// Gradients of scaled logits, each divided by the largest.
static void shape_of(double shape[3], wsr__loss loss, const float *clean,
                     double scale)
{
    float z[3];
    float q[3];
    float dz[3];
    int e = 0;
    double most = 0;
    for (size_t c = 0; c < 3; c++) {
        q[c] = (float)(scale * (double)clean[c]);
        z[c] = (float)(scale * ((double)clean[c] + 0.01 * (double)(c * c)));
    }
    const wsr__loss_target target = {1, -1, q};
    (void)loss(dz, &e, z, &target, 3);
    for (size_t c = 0; c < 3; c++) {
        most = fmax(most, fabs((double)dz[c]));
    }
    ck_assert_double_gt(most, 0);
    for (size_t c = 0; c < 3; c++) {
        shape[c] = (double)dz[c] / most;
    }
}

START_TEST(logits_of_any_size_have_a_gradient)
{
    const float clean[3] = {1, 4, 2};
    for (size_t l = 0; l < sizeof(losses) / sizeof(losses[0]); l++) {
        for (int power = -37; power <= 37; power++) {
            double a[3];
            shape_of(a, losses[l], clean, pow(10, power));
            ck_assert_double_eq_tol(a[0] + a[1] + a[2], 0, 1e-6);
            // Away from the label, most of all towards the next class.
            if (losses[l] != wsr__loss_kl) {
                ck_assert_double_lt(a[1], 0);
                ck_assert_double_gt(a[2], a[0] - 1e-6);
            }
        }
    }
}
END_TEST

START_TEST(a_divergence_too_small_for_doubles_has_a_direction)
{
    const float clean[3] = {1, 4, 2};
    double tiny[3];
    double small[3];
    shape_of(small, wsr__loss_kl, clean, 1e-3);
    shape_of(tiny, wsr__loss_kl, clean, 1e-30);
    for (size_t c = 0; c < 3; c++) {
        ck_assert_double_eq_tol(tiny[c], small[c], 0.01);
    }
}
END_TEST

START_TEST(the_order_of_losses_does_not_end_where_they_round_to_0)
{
    double last = 0;
    for (int k = 40000; k > -20; k--) {
        const float margin = 0.5f * (float)k;
        const float z[3] = {0, margin, -5};
        const wsr__loss_target leave = {1, -1, NULL};
        const wsr__loss_target reach = {1, 1, NULL};
        const double order = wsr__order_ce(z, &leave, 3);
        ck_assert_double_gt(order, last);
        ck_assert_double_eq(wsr__order_ce(z, &reach, 3), -order);
        last = order;
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        gradients_are_those_of_the_values,
        values_are_those_of_the_formulas,
        a_sure_classifier_still_has_a_gradient,
        the_first_of_equal_logits_wins,
        exponents_change_no_bit_of_ordinary_gradients,
        logits_of_any_size_have_a_gradient,
        a_divergence_too_small_for_doubles_has_a_direction,
        the_order_of_losses_does_not_end_where_they_round_to_0,
        NULL};
    return suite_of("loss", tests);
}
