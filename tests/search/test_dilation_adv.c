// SPDX-License-Identifier: Apache-2.0
//
// The base learns from clean images alone, the cells from attacked ones.

#include "search/boost_runs.h"

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    check_boost_run("searcher.name=dilation_adv");
}
END_TEST

// Attacks of two strengths: weights of the base do not see them.
static size_t differing_after_an_epoch(const char *searcher, const char *prefix)
{
    static const char *const strengths[] = {"search.eps=0.01",
                                            "search.eps=0.2"};
    boost_bench benches[2];
    for (int i = 0; i < 2; i++) {
        const char *const settings[] = {searcher,
                                        "searcher.base=wrn:depth=10,width=2",
                                        strengths[i],
                                        "searcher.repeats=2",
                                        "searcher.alpha=0.05",
                                        "threads=1",
                                        NULL};
        benches[i] = boost_open(settings);
        ck_assert_ok(wsr_search_step(benches[i].search));
    }
    const size_t n = boost_differing(&benches[0], &benches[1], prefix);
    boost_close(&benches[0]);
    boost_close(&benches[1]);
    return n;
}

START_TEST(attacks_do_not_reach_the_base)
{
    static const char own[] = "searcher.name=dilation_adv";
    static const char other[] = "searcher.name=vanilla_adv";
    ck_assert_uint_eq(differing_after_an_epoch(own, "base."), 0);
    ck_assert_uint_gt(differing_after_an_epoch(own, "weak."), 100);
    ck_assert_uint_gt(differing_after_an_epoch(other, "base."), 10);
}
END_TEST

// It does learn, though.
START_TEST(the_base_learns)
{
    static const char *const settings[] = {"searcher.name=dilation_adv",
                                           "searcher.base=wrn:depth=10,width=2",
                                           NULL};
    const boost_bench before = boost_open(settings);
    const boost_bench after = boost_open(settings);
    ck_assert_ok(wsr_search_step(after.search));
    ck_assert_uint_gt(boost_differing(&before, &after, "base."), 10);
    boost_close(&before);
    boost_close(&after);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("dilation_adv");
    TCase *const t = tcase_create("dilation_adv");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, a_stopped_run_ends_with_the_same_bytes);
    tcase_add_test(t, attacks_do_not_reach_the_base);
    tcase_add_test(t, the_base_learns);
    suite_add_tcase(s, t);
    return s;
}
