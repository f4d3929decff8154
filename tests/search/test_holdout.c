// SPDX-License-Identifier: Apache-2.0
//
// Architectures that are evaluated to rank the predictor, and forgotten.

#include "search/runs.h"

START_TEST(held_out_architectures_leave_no_trace)
{
    char dirs[2][512];
    for (size_t i = 0; i < 2; i++) {
        wsr_config *const config = make_config("predictor.name=strength");
        ck_assert_ok(
            wsr_config_set(config, i == 0 ? "search.holdout_architectures=0"
                                          : "search.holdout_architectures=3"));
        (void)snprintf(dirs[i], sizeof(dirs[i]), "%s",
                       scratch_folder(i == 0 ? "without" : "with"));
        ck_assert_ok(wsr_search_run(NULL, config, dirs[i], false, NULL, NULL));
        wsr_config_free(config);
    }
    same_file(dirs[0], dirs[1], "genotype.yaml");
    same_file(dirs[0], dirs[1], "checkpoint.safetensors");
    ck_assert(!file_has(dirs[0], "log.jsonl", "holdout_"));
    ck_assert(file_has(dirs[1], "log.jsonl", "\"holdout_clean_tau\":"));
    ck_assert(file_has(dirs[1], "log.jsonl", "\"holdout_eps_0.03_low\":"));
}
END_TEST

START_TEST(what_held_out_architectures_measured_outlives_a_stop)
{
    wsr_config *const config = make_config("search.holdout_architectures=3");
    check_stopped_after(config, 6);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("holdout");
    TCase *const t = tcase_create("holdout");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, held_out_architectures_leave_no_trace);
    tcase_add_test(t, what_held_out_architectures_measured_outlives_a_stop);
    suite_add_tcase(s, t);
    return s;
}
