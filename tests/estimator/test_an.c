// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"

static const size_t ascending[N] = {0, 1, 2};
static const size_t mixed[N] = {1, 2, 0};

START_TEST(estimates_have_the_norms_that_were_asked_for)
{
    static const char *const specs[] = {"an", "an:fidelity=released"};
    for (size_t i = 0; i < 2; i++) {
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(specs[i]);
        run(b, est);
        check_norms(b);
        wsr_estimator_free(est);
        wsr__free(b);
    }
}
END_TEST

START_TEST(released_targets_disturb_each_other_intended_they_do_not)
{
    static const char *const specs[] = {
        "an", "an:transpose=released",
        "an:fidelity=released,transpose=intended"};
    for (size_t i = 0; i < 3; i++) {
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(specs[i]);
        check_alone(b, est, i != 1);
        wsr_estimator_free(est);
        wsr__free(b);
    }
}
END_TEST

START_TEST(intended_the_order_of_sources_is_irrelevant)
{
    batch *const a = batch_new(1);
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new("an");
    run_in_order(a, est, ascending);
    run_in_order(b, est, mixed);
    ck_assert_mem_eq(a->dst, b->dst, sizeof(a->dst));
    wsr_estimator_free(est);
    wsr__free(a);
    wsr__free(b);
}
END_TEST

START_TEST(every_quirk_changes_the_estimate)
{
    check_differs("an", "an:weights=released", ascending);
    check_differs("an", "an:order=released", mixed);
    check_differs("an", "an:transpose=released", ascending);
    check_differs("an", "an:backward=released", ascending);
    check_differs("an", "an:maps=released", ascending);
    check_differs("an", "an:query=released", ascending);
    check_differs("an", "an:attention=released", ascending);
}
END_TEST

START_TEST(a_zero_noise_yields_nan_only_as_released)
{
    static const char *const specs[] = {"an", "an:guard=released"};
    for (size_t i = 0; i < 2; i++) {
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(specs[i]);
        bool finite = true;
        memset(b->noises[0], 0, PIXELS * sizeof(float));
        run(b, est);
        for (size_t k = 0; k < (size_t)B * PIXELS; k++) {
            finite = finite && isfinite(b->dst[1][k]);
        }
        ck_assert(finite == (i == 0));
        wsr_estimator_free(est);
        wsr__free(b);
    }
}
END_TEST

START_TEST(noises_that_are_all_zero_still_yield_numbers)
{
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new("an");
    memset(b->noises, 0, sizeof(b->noises));
    run(b, est);
    for (size_t k = 0; k < (size_t)B * PIXELS; k++) {
        ck_assert(isfinite(b->dst[0][k]) && isfinite(b->dst[3][k]));
    }
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

START_TEST(gradients_are_the_slope_of_the_loss)
{
    check_slope("an");
    check_slope("an:fidelity=released");
}
END_TEST

START_TEST(the_width_of_the_states_depends_little_on_the_image)
{
    static const int64_t sizes[] = {8, 16, 28, 32, 64, 96};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const wsr_shape image = wsr__shape3(1, sizes[i], sizes[i]);
        wsr_estimator *est = NULL;
        size_t at = 0;
        ck_assert_ok(wsr_estimator_new(&est, "an", &image, 1));
        wsr_params *const params = wsr_estimator_params(est);
        ck_assert_ok(wsr_params_find(&at, params, "forward_query.0.weight"));
        ck_assert_int_eq(wsr_params_shape(params, at)->dims[0], 90);
        wsr_estimator_free(est);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        estimates_have_the_norms_that_were_asked_for,
        released_targets_disturb_each_other_intended_they_do_not,
        intended_the_order_of_sources_is_irrelevant,
        every_quirk_changes_the_estimate,
        a_zero_noise_yields_nan_only_as_released,
        noises_that_are_all_zero_still_yield_numbers,
        gradients_are_the_slope_of_the_loss,
        the_width_of_the_states_depends_little_on_the_image,
        NULL,
    };
    return suite_of("an", tests);
}
