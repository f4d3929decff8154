// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"

static void check(const wsr__bracket *b, size_t lower, double lower_weight,
                  size_t upper, double upper_weight)
{
    ck_assert_uint_eq(b->lower, lower);
    ck_assert_uint_eq(b->upper, upper);
    ck_assert_double_eq_tol(b->lower_weight, lower_weight, 1e-6);
    ck_assert_double_eq_tol(b->upper_weight, upper_weight, 1e-6);
}

static const float norms[3] = {1, 2, 4};

START_TEST(between_two_sources_the_nearer_one_counts_more)
{
    wsr__bracket b = wsr__bracket_find(norms, 3, 2.5F, false);
    check(&b, 1, 0.75, 2, 0.25);
    b = wsr__bracket_find(norms, 3, 1, false); // exactly at a source
    check(&b, 0, 1, 1, 0);
}
END_TEST

START_TEST(released_the_weights_are_exchanged)
{
    const wsr__bracket b = wsr__bracket_find(norms, 3, 2.5F, true);
    check(&b, 1, 0.25, 2, 0.75);
}
END_TEST

START_TEST(outside_the_range_the_only_neighbour_is_scaled)
{
    wsr__bracket b = wsr__bracket_find(norms, 3, 0.5F, false);
    check(&b, 3, 0, 0, 0.5);
    b = wsr__bracket_find(norms, 3, 6, false);
    check(&b, 2, 1.5, 3, 0);
    b = wsr__bracket_find(norms, 3, 4, false); // the last counts as above
    check(&b, 2, 1, 3, 0);
}
END_TEST

START_TEST(released_the_only_neighbour_gets_nothing)
{
    wsr__bracket b = wsr__bracket_find(norms, 3, 0.5F, true);
    check(&b, 3, 0.5, 0, 0);
    b = wsr__bracket_find(norms, 3, 6, true);
    check(&b, 2, 0, 3, 1.5);
}
END_TEST

START_TEST(unsorted_norms_are_scanned_as_given)
{
    // The example of the specification: below the first, so "below".
    static const float mixed[3] = {3.3F, 5.0F, 0.8F};
    wsr__bracket b = wsr__bracket_find(mixed, 3, 1.66F, true);
    check(&b, 3, 1.66F / 3.3F, 0, 0);
    // Not below 3.3, not above 0.8 as the last: above.
    b = wsr__bracket_find(mixed, 3, 4, false);
    check(&b, 2, 4 / 0.8F, 3, 0);
    // 1 <= 2 < 5 is met first at the second pair.
    static const float dips[4] = {1.5F, 1, 5, 3};
    b = wsr__bracket_find(dips, 4, 2, false);
    check(&b, 1, 0.75, 2, 0.25);
}
END_TEST

START_TEST(a_single_source_is_always_the_only_neighbour)
{
    wsr__bracket b = wsr__bracket_find(norms, 1, 0.5F, false);
    check(&b, 1, 0, 0, 0.5);
    b = wsr__bracket_find(norms, 1, 2, false);
    check(&b, 0, 2, 1, 0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        between_two_sources_the_nearer_one_counts_more,
        released_the_weights_are_exchanged,
        outside_the_range_the_only_neighbour_is_scaled,
        released_the_only_neighbour_gets_nothing,
        unsorted_norms_are_scanned_as_given,
        a_single_source_is_always_the_only_neighbour,
        NULL,
    };
    return suite_of("prepare", tests);
}
