// SPDX-License-Identifier: Apache-2.0
//
// A search with the ImageNet stem, and what a search costs.

#include "search/runs.h"

// Network_IN: two convolutions that halve the image, then one between the
// first cell's two states.
START_TEST(the_imagenet_stem_is_searched_and_resumed_too)
{
    static const char *const settings[] = {
        "data.spec=synthetic:size=64", "data.limit=32", "data.test_limit=8",
        "supernet.stem=imagenet", "net.stem=imagenet"};
    wsr_config *const config = make_config(NULL);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        ck_assert_ok(wsr_config_set(config, settings[i]));
    }
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

// The supernet is trained, so a longer search costs more; what is found is
// trained for a trial, and nothing is written.
START_TEST(the_cost_is_told_without_a_run)
{
    static const char *const names[] = {"search", "train", "eval"};
    wsr_cost cost;
    wsr_config *config = make_config("search.warm_up=10000");
    ck_assert_ok(wsr_search_cost(&cost, config, NULL, NULL));
    ck_assert_uint_eq(cost.stages, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(cost.stage[i], names[i]);
        ck_assert_double_gt(cost.stage_seconds[i], 0);
    }
    ck_assert_double_gt(cost.stage_seconds[0], 4 * cost.stage_seconds[1]);
    ck_assert_double_gt(cost.memory_bytes, 0);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("whole");
    TCase *const t = tcase_create("whole");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, the_imagenet_stem_is_searched_and_resumed_too);
    tcase_add_test(t, the_cost_is_told_without_a_run);
    suite_add_tcase(s, t);
    return s;
}
