// SPDX-License-Identifier: Apache-2.0
//
// Random search with shared weights: the best of what it drew is its result.

#include "search/planted.h"

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    wsr_config *const config = make_config("searcher.name=rsws");
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

// Of 400 random architectures the best has about 7 of 16 edges right.
START_TEST(the_best_of_many_beats_one)
{
    const char *const settings[] = {"searcher.name=rsws",
                                    "search.architectures=50",
                                    "search.epochs=6", NULL};
    const size_t n = find_planted(settings);
    ck_assert_msg(n >= 6 && n <= 10, "%zu of 16", n);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("rsws");
    TCase *const t = tcase_create("rsws");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_stopped_run_ends_with_the_same_bytes);
    tcase_add_test(t, the_best_of_many_beats_one);
    suite_add_tcase(s, t);
    return s;
}
