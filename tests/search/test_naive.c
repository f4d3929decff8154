// SPDX-License-Identifier: Apache-2.0
//
// The baseline on synthetic images.

#include "search/runs.h"

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    static const char *const extras[] = {"fidelity=intended",
                                         "fidelity=released"};
    wsr_config *const config = make_config(extras[_i]);
    ck_assert_ok(wsr_config_set(config, "searcher.name=naive"));
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

START_TEST(one_strength_is_enough)
{
    wsr_config *const config = make_config("searcher.name=naive");
    ck_assert_ok(wsr_config_set(config, "search.sources=[0.03]"));
    ck_assert_ok(wsr_config_set(config, "search.targets=[]"));
    ck_assert_ok(wsr_config_set(config, "search.weights=[1]"));
    ck_assert_ok(wsr_config_set(config, "search.norm_values=[]"));
    ck_assert_ok(
        wsr_search_run(NULL, config, scratch_folder("one"), false, NULL, NULL));
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("naive");
    TCase *const t = tcase_create("naive");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 2);
    tcase_add_test(t, one_strength_is_enough);
    suite_add_tcase(s, t);
    return s;
}
