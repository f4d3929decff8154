// SPDX-License-Identifier: Apache-2.0
//
// A comparison of all searchers: a table, equal cost, and the same bytes after
// interruptions. The passes that are foretold are those that are made.

#include "base/registry.h"
#include "search/runs.h"
#include "search/search.h"
#include "wsr/log.h"
#include "wsr/result.h"

#include <math.h>

static wsr_config *comparison(const char *list)
{
    wsr_config *const config = make_config("search.random_baseline=2");
    ck_assert_ok(wsr_config_set(config, list));
    return config;
}

static size_t lines_with(const char *dir, const char *event, const char *key)
{
    wsr_log_reader *log = NULL;
    size_t n = 0;
    bool more = true;
    char *const path = wsr__path_join(dir, "log.jsonl");
    ck_assert_ok(wsr_log_reader_open(&log, path));
    while (more) {
        ck_assert_ok(wsr_log_reader_next(&more, log));
        n += more && strcmp(wsr_log_reader_event(log), event) == 0 &&
             !isnan(wsr_log_reader_number(log, key));
    }
    wsr_log_reader_close(log);
    wsr__free(path);
    return n;
}

START_TEST(several_searchers_make_one_table)
{
    wsr_config *const config = comparison("compare=random,rsws,controller");
    char dir[512];
    wsr_result *result = NULL;
    wsr_result *again = NULL;
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("table"));
    ck_assert_ok(wsr_search_run(&result, config, dir, false, NULL, NULL));
    ck_assert(file_has(dir, "compare.md", "| controller | 0.0"));
    ck_assert_uint_eq(lines_with(dir, "compare", "robust_accuracy"), 3);
    ck_assert_uint_eq(lines_with(dir, "compare", "objective"), 2);
    ck_assert(file_has(dir, "rsws/log.jsonl", "random_baseline_error"));
    ck_assert_ptr_nonnull(wsr_result_genotype(result));
    ck_assert_ok(wsr_search_run(&again, NULL, dir, true, NULL, NULL));
    ck_assert(wsr_genotype_equal(wsr_result_genotype(result),
                                 wsr_result_genotype(again)));
    wsr_result_free(again);
    wsr_result_free(result);
    wsr_config_free(config);
}
END_TEST

// Cut after five steps each time; the table holds times, so that the networks
// are compared.
START_TEST(a_stopped_comparison_ends_with_the_same_bytes)
{
    wsr_config *const config = comparison("compare=evolution,rsws");
    ck_assert_ok(wsr_config_set(config, "searcher.name=evolution"));
    ck_assert_ok(wsr_config_set(config, "searcher.population=3"));
    char whole[512];
    char cut[512];
    (void)snprintf(whole, sizeof(whole), "%s", scratch_folder("whole"));
    ck_assert_ok(wsr_search_run(NULL, config, whole, false, NULL, NULL));
    (void)snprintf(cut, sizeof(cut), "%s", scratch_folder("cut"));
    wsr_status status = WSR_CANCELED;
    size_t rounds = 0;
    for (; rounds < 60 && status == WSR_CANCELED; rounds++) {
        size_t left = 5;
        status =
            wsr_search_run(NULL, config, cut, rounds > 0, stop_after, &left);
    }
    ck_assert_msg(status == WSR_OK, "%s", wsr_error_detail());
    ck_assert_uint_gt(rounds, 3);
    static const char *const names[] = {"evolution", "rsws"};
    for (size_t i = 0; i < 2; i++) {
        char a[600];
        char b[600];
        (void)snprintf(a, sizeof(a), "%s/%s", whole, names[i]);
        (void)snprintf(b, sizeof(b), "%s/%s", cut, names[i]);
        same_file(a, b, "checkpoint.safetensors");
        same_log(a, b);
    }
    ck_assert(file_has(whole, "evolution/config.yaml", "population: 3"));
    wsr_config_free(config);
}
END_TEST

START_TEST(lists_that_cannot_be_are_refused)
{
    static const char *const cases[][2] = {
        {"compare=rsws", "fewer than the two"},
        {"compare=rsws,rsws", "compare: has rsws twice"},
        {"compare=rsws,evolutoin", "evolution"},
        {"compare=rsws,controller", "search.budget: 10 passes are fewer"}};
    for (size_t i = 0; i < 4; i++) {
        wsr_config *const config = comparison(cases[i][0]);
        if (i == 3) {
            ck_assert_ok(wsr_config_set(config, "search.budget=10"));
        }
        const char *const dir = scratch_folder("refused");
        const wsr_status status =
            wsr_search_run(NULL, config, dir, false, NULL, NULL);
        ck_assert_int_ne(status, WSR_OK);
        ck_assert_msg(strstr(wsr_error_detail(), cases[i][1]) != NULL, "%s",
                      wsr_error_detail());
        wsr_config_free(config);
    }
}
END_TEST

// ------------------------------------------------------------------ passes

static const wsr__searcher_class *searcher(size_t i)
{
    return (const wsr__searcher_class *)(const void *)wsr__searchers.classes[i];
}

// Every searcher of the family, also one that is added later.
START_TEST(passes_are_as_foretold_for_every_searcher)
{
    static const char *const modes[] = {
        "fidelity=intended", "fidelity=released", "search.attack_norms=frozen"};
    for (size_t i = 0; wsr__searchers.classes[i] != NULL; i++) {
        wsr_dataset *data = NULL;
        wsr_search *search = NULL;
        wsr_config *const config = make_config(modes[_i]);
        char name[80];
        (void)snprintf(name, sizeof(name), "searcher.name=%s",
                       wsr__searchers.classes[i]->name);
        ck_assert_ok(wsr_config_set(config, name));
        ck_assert_ok(wsr_config_set(config, "search.random_baseline=1"));
        ck_assert_ok(
            wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
        const wsr_status status = wsr_search_new(&search, data, config);
        if (_i == 2 && searcher(i)->network != NULL) {
            ck_assert_int_eq(status, WSR_CONFIG);
            wsr_dataset_free(data);
            wsr_config_free(config);
            continue;
        }
        ck_assert_ok(status);
        double gradient = 0;
        double forward = 0;
        while (wsr_search_phase(search) != WSR_PHASE_DONE) {
            ck_assert_ok(wsr_search_step(search));
            gradient += search->counted.gradient;
            forward += search->counted.forward;
            const wsr__passes told =
                wsr__search_passes_until(search, search->epoch);
            ck_assert_msg(gradient == told.gradient && forward == told.forward,
                          "%s: %g and %g passes, foretold were %g and %g", name,
                          gradient, forward, told.gradient, told.forward);
        }
        wsr_search_free(search);
        wsr_dataset_free(data);
        wsr_config_free(config);
    }
}
END_TEST

// As many epochs as fit, and none more.
START_TEST(a_budget_is_spent_but_not_exceeded)
{
    static const char *const names[] = {
        "searcher.name=wsr_nas", "searcher.name=naive", "searcher.name=rsws"};
    enum { BUDGET = 4000 };
    for (size_t i = 0; i < 3; i++) {
        wsr_config *const config = make_config(names[i]);
        char dir[512];
        ck_assert_ok(wsr_config_set(config, "search.budget=4000"));
        (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("budget"));
        ck_assert_ok(wsr_search_run(NULL, config, dir, false, NULL, NULL));
        const double spent = found_number(dir, "passes");
        ck_assert_msg(spent <= BUDGET && spent > BUDGET - 1000, "%s: %g",
                      names[i], spent);
        wsr_config_free(config);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("compare");
    TCase *const t = tcase_create("compare");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, several_searchers_make_one_table);
    tcase_add_test(t, a_stopped_comparison_ends_with_the_same_bytes);
    tcase_add_test(t, lists_that_cannot_be_are_refused);
    tcase_add_loop_test(t, passes_are_as_foretold_for_every_searcher, 0, 3);
    tcase_add_test(t, a_budget_is_spent_but_not_exceeded);
    suite_add_tcase(s, t);
    return s;
}
