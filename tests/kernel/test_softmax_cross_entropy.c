// SPDX-License-Identifier: Apache-2.0

#include "kernel/softmax_cross_entropy.h"
#include "support/support.h"

#include <math.h>

enum { CLASSES = 4 };

static const float logits[CLASSES] = {0.5f, -1.25f, 2, 0};

static double probability(size_t c)
{
    double sum = 0;
    for (size_t j = 0; j < CLASSES; j++) {
        sum += exp((double)logits[j]);
    }
    return exp((double)logits[c]) / sum;
}

static double target_of(const wsr__ce_target *t, size_t c)
{
    return (c == t->label ? 1 - t->smoothing : 0) + t->smoothing / CLASSES;
}

START_TEST(loss_and_gradient_are_those_of_the_definition)
{
    static const double smoothings[] = {0, 0.1, 1};
    for (size_t i = 0; i < 3 * CLASSES; i++) {
        const wsr__ce_target t = {.label = i % CLASSES,
                                  .smoothing = smoothings[i / CLASSES],
                                  .scale = -0.5};
        float dz[CLASSES];
        double want = 0;
        for (size_t c = 0; c < CLASSES; c++) {
            want -= target_of(&t, c) * log(probability(c));
        }
        const double got = wsr__softmax_cross_entropy(dz, logits, CLASSES, &t);
        ck_assert_double_eq_tol(got, want, 1e-14);
        ck_assert(wsr__softmax_cross_entropy(NULL, logits, CLASSES, &t) == got);
        for (size_t c = 0; c < CLASSES; c++) {
            const double exact = -0.5 * (probability(c) - target_of(&t, c));
            ck_assert_double_eq_tol((double)dz[c], exact, 1e-7);
        }
    }
}
END_TEST

START_TEST(gradients_are_added_when_asked)
{
    wsr__ce_target t = {.label = 2, .smoothing = 0.1, .scale = 3};
    float once[CLASSES];
    float twice[CLASSES];
    wsr__softmax_cross_entropy(once, logits, CLASSES, &t);
    wsr__softmax_cross_entropy(twice, logits, CLASSES, &t);
    t.accumulate = true;
    wsr__softmax_cross_entropy(twice, logits, CLASSES, &t);
    for (size_t c = 0; c < CLASSES; c++) {
        ck_assert(twice[c] == 2 * once[c]);
    }
}
END_TEST

START_TEST(a_sure_classifier_keeps_a_gradient)
{
    // p of the label is 1 - 2e-22, which is 1 in double.
    const float z[2] = {50, 0};
    const wsr__ce_target t = {.label = 0, .scale = 1};
    float dz[2];
    wsr__softmax_cross_entropy(dz, z, 2, &t);
    ck_assert_double_eq_tol((double)dz[1] / exp(-50.0), 1, 1e-6);
    ck_assert(dz[0] == -dz[1]);
}
END_TEST

START_TEST(large_and_infinite_logits_do_not_overflow)
{
    const float z[3] = {1000, 990, -INFINITY};
    const wsr__ce_target t = {.label = 1, .scale = 1};
    float dz[3];
    const double loss = wsr__softmax_cross_entropy(dz, z, 3, &t);
    ck_assert_double_eq_tol(loss, 10 + log1p(exp(-10.0)), 1e-12);
    ck_assert(dz[2] == 0);
    ck_assert(wsr__log_sum_exp(z, 3) - 990 == loss);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        loss_and_gradient_are_those_of_the_definition,
        gradients_are_added_when_asked,
        a_sure_classifier_keeps_a_gradient,
        large_and_infinite_logits_do_not_overflow,
        NULL,
    };
    return suite_of("softmax_cross_entropy", tests);
}
