// SPDX-License-Identifier: Apache-2.0

#include "kernel/softmax_cross_entropy.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

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
    const double hard = (c == t->label ? 1 - t->share : 0) +
                        (c == t->other ? t->share : 0);
    return (1 - t->smoothing) * hard + t->smoothing / CLASSES;
}

static void compare(const wsr__ce_target *t)
{
    float dz[CLASSES];
    double want = 0;
    for (size_t c = 0; c < CLASSES; c++) {
        want -= target_of(t, c) * log(probability(c));
    }
    const double got = wsr__softmax_cross_entropy(dz, logits, CLASSES, t);
    ck_assert_double_eq_tol(got, want, 1e-14);
    ck_assert(wsr__softmax_cross_entropy(NULL, logits, CLASSES, t) == got);
    for (size_t c = 0; c < CLASSES; c++) {
        const double exact = t->scale * (probability(c) - target_of(t, c));
        ck_assert_double_eq_tol((double)dz[c], exact, 1e-7);
    }
}

START_TEST(loss_and_gradient_are_those_of_the_definition)
{
    static const double smoothings[] = {0, 0.1, 1};
    for (size_t i = 0; i < 3 * CLASSES; i++) {
        compare(&(wsr__ce_target){.label = i % CLASSES,
                                  .smoothing = smoothings[i / CLASSES],
                                  .scale = -0.5});
    }
}
END_TEST

// Two labels that are one are one label.
START_TEST(a_mixed_sample_has_two_labels)
{
    static const double shares[] = {0, 0.3, 0.5, 1};
    for (size_t i = 0; i < 4 * CLASSES * CLASSES; i++) {
        compare(&(wsr__ce_target){.label = i % CLASSES,
                                  .other = i / CLASSES % CLASSES,
                                  .share = shares[i / CLASSES / CLASSES],
                                  .smoothing = i % 2 == 0 ? 0 : 0.1,
                                  .scale = 2});
    }
}
END_TEST

START_TEST(the_mean_of_a_batch_takes_each_samples_labels)
{
    static const int32_t labels[] = {1, 3};
    static const int32_t others[] = {2, 3};
    static const double shares[] = {0.25, 0.5};
    float z[2 * CLASSES];
    float diff[2 * CLASSES];
    double want = 0;
    const wsr__ce_batch of = {.labels = labels,
                              .n = 2,
                              .classes = CLASSES,
                              .smoothing = 0.1,
                              .weight = 3,
                              .mixed = {others, shares}};
    memcpy(z, logits, sizeof(logits));
    memcpy(z + CLASSES, logits, sizeof(logits));
    const double got = wsr__mean_cross_entropy(diff, z, &of);
    for (size_t i = 0; i < 2; i++) {
        const wsr__ce_target t = {.label = (size_t)labels[i],
                                  .other = (size_t)others[i],
                                  .share = shares[i],
                                  .smoothing = 0.1,
                                  .scale = 1.5};
        float dz[CLASSES];
        want += wsr__softmax_cross_entropy(dz, logits, CLASSES, &t) / 2;
        ck_assert_mem_eq(dz, diff + i * CLASSES, sizeof(dz));
    }
    ck_assert_double_eq_tol(got, want, 1e-15);
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
        a_mixed_sample_has_two_labels,
        the_mean_of_a_batch_takes_each_samples_labels,
        gradients_are_added_when_asked,
        a_sure_classifier_keeps_a_gradient,
        large_and_infinite_logits_do_not_overflow,
        NULL,
    };
    return suite_of("softmax_cross_entropy", tests);
}
