// SPDX-License-Identifier: Apache-2.0
//
// Architectures that are evaluated to rank the predictor, and forgotten.

#include "io/io.h"
#include "search/runs.h"

// Checkpoints that are equal but for the number of lines of the log.
static void same_state(const char *a, const char *b)
{
    wsr__st *st[2] = {NULL, NULL};
    const char *const dirs[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        char *const path = wsr__path_join(dirs[i], "checkpoint.safetensors");
        ck_assert_ok(wsr__st_open(&st[i], path));
        wsr__free(path);
    }
    ck_assert_uint_eq(wsr__st_count(st[0]), wsr__st_count(st[1]));
    for (size_t i = 0; i < wsr__st_count(st[0]); i++) {
        const wsr__st_tensor *const one = wsr__st_at(st[0], i);
        const wsr__st_tensor *const other = wsr__st_find(st[1], one->name);
        ck_assert_ptr_nonnull(other);
        ck_assert_uint_eq(one->bytes, other->bytes);
        ck_assert_msg(wsr__streq(one->name, "log.lines") ||
                          memcmp(one->data, other->data, one->bytes) == 0,
                      "%s differs", one->name);
    }
    wsr__st_free(st[0]);
    wsr__st_free(st[1]);
}

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
    same_state(dirs[0], dirs[1]);
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

static void compare_predictors(wsr_config *config)
{
    ck_assert_ok(wsr_config_set(config, "search.holdout_architectures=3"));
    ck_assert_ok(wsr_config_set(
        config, "search.holdout_predictors=[lstm:form=predictor3,hidden=8, "
                "strength]"));
}

START_TEST(predictors_are_compared_in_the_end_and_leave_no_trace)
{
    wsr_config *const plain = make_config("search.holdout_architectures=3");
    wsr_config *const config = make_config(NULL);
    char dirs[2][512];
    compare_predictors(config);
    (void)snprintf(dirs[0], sizeof(dirs[0]), "%s", scratch_folder("plain"));
    (void)snprintf(dirs[1], sizeof(dirs[1]), "%s", scratch_folder("compared"));
    ck_assert_ok(wsr_search_run(NULL, plain, dirs[0], false, NULL, NULL));
    ck_assert_ok(wsr_search_run(NULL, config, dirs[1], false, NULL, NULL));
    same_file(dirs[0], dirs[1], "genotype.yaml");
    same_state(dirs[0], dirs[1]);
    ck_assert(file_has(dirs[0], "log.jsonl", "\"predictor\":\"lstm\""));
    ck_assert(!file_has(dirs[0], "log.jsonl", "\"predictor\":\"strength\""));
    ck_assert(file_has(dirs[1], "log.jsonl",
                       "\"predictor\":\"lstm:form=predictor3,hidden=8\""));
    ck_assert(file_has(dirs[1], "log.jsonl", "\"predictor\":\"strength\""));
    wsr_config_free(config);
    wsr_config_free(plain);
}
END_TEST

START_TEST(compared_predictors_learn_the_same_after_a_stop)
{
    wsr_config *const config = make_config(NULL);
    compare_predictors(config);
    check_stopped_after(config, 9);
    wsr_config_free(config);
}
END_TEST

START_TEST(predictors_that_cannot_be_compared_are_refused)
{
    static const struct {
        const char *settings[2];
        wsr_status status;
        const char *detail;
    } bad[] = {
        {{"search.holdout_architectures=3", "search.holdout_predictors=[gea]"},
         WSR_NOTFOUND,
         "search.holdout_predictors: predictor 1: "},
        {{"search.holdout_architectures=1", "search.holdout_predictors=[gae]"},
         WSR_CONFIG,
         "search.holdout_architectures is 1, two are needed"},
        {{"search.holdout_architectures=3",
          "search.holdout_predictors=[gae, lstm:weighted=true]"},
         WSR_CONFIG,
         "predictor 2: predictor.weighted"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        wsr_config *const config = make_config(bad[i].settings[0]);
        ck_assert_ok(wsr_config_set(config, bad[i].settings[1]));
        ck_assert_fails(wsr_search_run(NULL, config, scratch_folder("bad"),
                                       false, NULL, NULL),
                        bad[i].status, bad[i].detail);
        wsr_config_free(config);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("holdout");
    TCase *const t = tcase_create("holdout");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, held_out_architectures_leave_no_trace);
    tcase_add_test(t, what_held_out_architectures_measured_outlives_a_stop);
    tcase_add_test(t, predictors_are_compared_in_the_end_and_leave_no_trace);
    tcase_add_test(t, compared_predictors_learn_the_same_after_a_stop);
    tcase_add_test(t, predictors_that_cannot_be_compared_are_refused);
    suite_add_tcase(s, t);
    return s;
}
