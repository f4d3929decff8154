// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"

static wsr__bracket weigh(const wsr_estimator *est, float target, bool released)
{
    static const float r[3] = {1, 2, 4};
    wsr__bracket b = wsr__bracket_find(r, 3, target, released);
    est->cls->weigh(&b, est->options, r, 3, target);
    return b;
}

START_TEST(released_the_only_neighbour_counts_here)
{
    wsr_estimator *const est = estimator_new("e_ane_minus:fidelity=released");
    wsr__bracket b = weigh(est, 0.5F, true);
    ck_assert_uint_eq(b.upper, 0);
    ck_assert(fabs(b.upper_weight - 0.5) < 1e-6 && b.lower_weight <= 0);
    b = weigh(est, 6, true);
    ck_assert_uint_eq(b.lower, 2);
    ck_assert(fabs(b.lower_weight - 1.5) < 1e-6 && b.upper_weight <= 0);
    b = weigh(est, 2.5F, true); // but neighbours on both sides stay exchanged
    ck_assert(fabs(b.lower_weight - 0.25) < 1e-6);
    ck_assert(fabs(b.upper_weight - 0.75) < 1e-6);
    wsr_estimator_free(est);
}
END_TEST

// Estimates are sums of relus.
START_TEST(estimates_have_no_negative_pixels)
{
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new("e_ane_minus");
    run(b, est);
    for (size_t k = 0; k < (size_t)B * PIXELS; k++) {
        for (size_t t = 0; t < T; t++) {
            ck_assert(b->dst[t][k] >= 0);
        }
    }
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

// All pixels can be closed by the last relu.
START_TEST(an_estimate_of_zeros_is_nan_only_as_released)
{
    static const char *const specs[] = {"e_ane_minus",
                                        "e_ane_minus:guard=released"};
    for (size_t i = 0; i < 2; i++) {
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(specs[i]);
        const wsr__param *const bias =
            wsr__params_named(est->params, "q_conv.2.bias");
        for (int64_t k = 0; k < bias->count; k++) {
            bias->data[k] = -1e6F;
        }
        run(b, est);
        ck_assert(i == 0 ? b->dst[0][0] == 0 : isnan(b->dst[0][0]));
        wsr_estimator_free(est);
        wsr__free(b);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        released_the_only_neighbour_counts_here,
        estimates_have_no_negative_pixels,
        an_estimate_of_zeros_is_nan_only_as_released,
        NULL,
    };
    return suite_of("e_ane_minus", tests);
}
