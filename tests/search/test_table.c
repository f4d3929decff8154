// SPDX-License-Identifier: Apache-2.0
//
// Tables of architectures that are trained alone: the sample, the rows, the
// same bytes after interruptions and from shards, and the analysis of variance
// against numbers computed by hand.

#include "search/runs.h"
#include "search/table.h"
#include "wsr/result.h"

#include <math.h>

static wsr_config *table_config(const char *extra)
{
    wsr_config *const config = make_config("table.random=2");
    ck_assert_ok(wsr_config_set(config, "table.edge_cases=false"));
    ck_assert_ok(wsr_config_set(config, "table.repeated=1"));
    ck_assert_ok(wsr_config_set(config, "table.seeds=2"));
    ck_assert_ok(wsr_config_set(config, "table.genotypes=[RACL]"));
    ck_assert_ok(wsr_config_set(config, "eval.attack=fgsm,pgd:steps=2"));
    ck_assert_ok(wsr_config_set(config, "eval.eps=[0.03,0.06]"));
    if (extra != NULL) {
        ck_assert_ok(wsr_config_set(config, extra));
    }
    return config;
}

// The rows of a folder without their times.
static char *rows_of(const char *dir)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    char *const path = wsr__path_join(dir, "table.jsonl");
    ck_assert_ok(wsr__file_read(&bytes, &size, path, 1U << 30));
    cut_numbers((char *)bytes, "\"seconds");
    cut_numbers((char *)bytes, "\"processor_seconds");
    wsr__free(path);
    return (char *)bytes;
}

static void run_into(char dir[512], const char *name, wsr_config *config)
{
    (void)snprintf(dir, 512, "%s", scratch_folder(name));
    ck_assert_ok(wsr_search_run(NULL, config, dir, false, NULL, NULL));
}

START_TEST(every_architecture_has_its_rows)
{
    wsr_config *const config = table_config(NULL);
    char dir[512];
    wsr__table table;
    wsr_result *again = NULL;
    run_into(dir, "table", config);
    char *const path = wsr__path_join(dir, "table.jsonl");
    ck_assert_ok(wsr__table_read(&table, path));
    static const struct {
        const char *cell;
        double seed;
    } rows[] = {{"RACL", 1},
                {"RACL", 2},
                {"random_000", 1},
                {"random_000", 2},
                {"random_001", 1}};
    ck_assert_uint_eq(table.n, 5);
    ck_assert_uint_eq(table.n_eps, 2);
    for (size_t i = 0; i < table.n; i++) {
        wsr_genotype *genotype = NULL;
        ck_assert_str_eq(table.rows[i].cell, rows[i].cell);
        ck_assert_double_eq(table.rows[i].seed, rows[i].seed);
        ck_assert_ok(
            wsr_genotype_parse(&genotype, table.rows[i].genotype, "row"));
        wsr_genotype_free(genotype);
    }
    ck_assert(file_has(dir, "table.md", "| mean_robust |"));
    ck_assert(file_has(dir, "log.jsonl", "\"fgsm_accuracy\":["));
    ck_assert_ok(wsr_search_run(&again, NULL, dir, true, NULL, NULL));
    ck_assert_ptr_null(wsr_result_genotype(again));
    wsr_result_free(again);
    wsr__table_free(&table);
    wsr__free(path);
    wsr_config_free(config);
}
END_TEST

// A row is what wsr_train_run() measures with that genotype and seed.
START_TEST(a_row_is_a_training_of_its_own)
{
    wsr_config *const config = table_config("table.random=0");
    wsr_config *alone = NULL;
    wsr_result *result = NULL;
    wsr__table table;
    char dir[512];
    static const char *const settings[] = {"seed=2",
                                           "data.spec=synthetic:size=16",
                                           "data.limit=64",
                                           "data.test_limit=16",
                                           "net.channels=4",
                                           "net.layers=2",
                                           "net.genotype=RACL",
                                           "train.trainer=madry:steps=1",
                                           "train.epochs=1",
                                           "train.batch=16",
                                           "train.eval_every=0",
                                           "eval.attack=fgsm,pgd:steps=2",
                                           "eval.eps=[0.03,0.06]",
                                           "eval.count=8"};
    run_into(dir, "alone", config);
    char *const path = wsr__path_join(dir, "table.jsonl");
    ck_assert_ok(wsr__table_read(&table, path));
    ck_assert_ok(wsr_config_new(&alone));
    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        ck_assert_ok(wsr_config_set(alone, settings[i]));
    }
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("training"));
    ck_assert_ok(wsr_train_run(&result, alone, dir, false, NULL, NULL));
    const wsr_eval *const eval = wsr_result_eval(result);
    ck_assert_double_eq(table.rows[1].seed, 2);
    ck_assert_double_eq(table.rows[1].clean,
                        wsr_eval_get(eval, 0, 0, WSR_EVAL_CLEAN));
    for (size_t e = 0; e < 2; e++) {
        ck_assert_double_eq(table.rows[1].robust[e],
                            wsr_eval_worst(eval, "linf", e));
    }
    wsr_result_free(result);
    wsr__table_free(&table);
    wsr_config_free(alone);
    wsr_config_free(config);
    wsr__free(path);
}
END_TEST

START_TEST(a_stopped_table_has_the_same_rows)
{
    wsr_config *const config = table_config(NULL);
    char whole[512];
    char cut[512];
    run_into(whole, "whole", config);
    (void)snprintf(cut, sizeof(cut), "%s", scratch_folder("cut"));
    wsr_status status = WSR_CANCELED;
    size_t rounds = 0;
    for (; rounds < 60 && status == WSR_CANCELED; rounds++) {
        size_t left = 9;
        status =
            wsr_search_run(NULL, config, cut, rounds > 0, stop_after, &left);
    }
    ck_assert_msg(status == WSR_OK, "%s", wsr_error_detail());
    ck_assert_uint_gt(rounds, 3);
    char *const a = rows_of(whole);
    char *const b = rows_of(cut);
    ck_assert_str_eq(a, b);
    same_file(whole, cut, "table.md");
    same_file(whole, cut, "cells.txt");
    wsr__free(a);
    wsr__free(b);
    wsr_config_free(config);
}
END_TEST

// Every row of the whole is in one shard, and nothing else is.
START_TEST(shards_are_the_whole)
{
    static const char *const shards[] = {"table.shard=1/2", "table.shard=2/2"};
    wsr_config *config = table_config(NULL);
    char dir[512];
    size_t length = 0;
    run_into(dir, "one", config);
    char *const whole = rows_of(dir);
    wsr_config_free(config);
    for (size_t i = 0; i < 2; i++) {
        config = table_config(shards[i]);
        run_into(dir, i == 0 ? "first" : "second", config);
        char *const part = rows_of(dir);
        for (char *line = strtok(part, "\n"); line != NULL;
             line = strtok(NULL, "\n")) {
            ck_assert_msg(strstr(whole, line) != NULL, "%s", line);
            length += strlen(line) + 1;
        }
        wsr__free(part);
        wsr_config_free(config);
    }
    ck_assert_uint_eq(length, strlen(whole));
    wsr__free(whole);
}
END_TEST

// ----------------------------------------------------------------- the sample

static size_t count_op(const wsr_genotype *g, const char *word)
{
    size_t n = 0;
    for (size_t k = 0; k < 16; k++) {
        const wsr_genotype_cell cell = k < 8 ? WSR_GENOTYPE_NORMAL
                                             : WSR_GENOTYPE_REDUCE;
        n += strstr(wsr_genotype_op(g, cell, k % 8), word) != NULL;
    }
    return n;
}

START_TEST(the_sample_has_what_it_says)
{
    wsr__table_cells few;
    wsr__table_cells many;
    const wsr__table_params small = {
        .random = 3, .repeated = 2, .genotypes = {"[]"}};
    const wsr__table_params large = {
        .random = 60, .repeated = 2, .edge_cases = true, .genotypes = {"[]"}};
    ck_assert_ok(wsr__table_cells_choose(&few, &small, &wsr__space_darts, 5));
    ck_assert_ok(wsr__table_cells_choose(&many, &large, &wsr__space_darts, 5));
    ck_assert_uint_eq(few.n, 3);
    ck_assert_uint_eq(many.n, 60 + 7 + 6);
    size_t seps = 0;
    for (size_t i = 0; i < many.n; i++) {
        const wsr__table_cell *const cell = &many.list[i];
        ck_assert(cell->repeated == (i < 2));
        ck_assert_msg(
            i >= 3 || wsr_genotype_equal(few.list[i].genotype, cell->genotype),
            "%s differs", cell->name);
        for (size_t k = 0; k < i; k++) {
            ck_assert(
                !wsr_genotype_equal(many.list[k].genotype, cell->genotype));
        }
        if (i < 60) {
            ck_assert_uint_eq(count_op(cell->genotype, "none"), 0);
            seps += count_op(cell->genotype, "sep_conv_5x5");
        } else if (strncmp(cell->name, "all_", 4) == 0) {
            ck_assert_uint_eq(count_op(cell->genotype, cell->name + 4), 16);
        } else if (strncmp(cell->name, "none_heavy", 10) == 0) {
            ck_assert_uint_ge(count_op(cell->genotype, "none"), 3);
        } else {
            ck_assert_uint_ge(count_op(cell->genotype, "pool"), 8);
        }
    }
    // One of seven operations on 960 edges: 137 +- 11.
    ck_assert_uint_ge(seps, 95);
    ck_assert_uint_le(seps, 180);
    wsr__table_cells_free(&few);
    wsr__table_cells_free(&many);
}
END_TEST

START_TEST(cells_survive_their_text)
{
    wsr__table_cells cells;
    wsr__table_cells back;
    char *text = NULL;
    const wsr__table_params params = {
        .random = 2, .repeated = 1, .genotypes = {"[RACL, cna_r]"}};
    char wrong[] = "random_000: normal\n";
    ck_assert_ok(
        wsr__table_cells_choose(&cells, &params, &wsr__space_darts, 1));
    ck_assert_ok(wsr__table_cells_print(&text, &cells));
    ck_assert_ok(wsr__table_cells_parse(&back, text, "cells.txt"));
    ck_assert_uint_eq(back.n, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(cells.list[i].name, back.list[i].name);
        ck_assert(cells.list[i].repeated == back.list[i].repeated);
        ck_assert(
            wsr_genotype_equal(cells.list[i].genotype, back.list[i].genotype));
    }
    wsr__table_cells_free(&back);
    ck_assert_int_eq(wsr__table_cells_parse(&back, wrong, "cells.txt"),
                     WSR_FORMAT);
    ck_assert_uint_eq(back.n, 0);
    wsr__free(text);
    wsr__table_cells_free(&cells);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    static const char *const cases[][2] = {
        {"table.shard=3/2", "table.shard: '3/2'"},
        {"table.shard=0/2", "table.shard: '0/2'"},
        {"table.shard=1", "table.shard: '1'"},
        {"table.shard=9/9", "table.shard: 9/9 has no rows"},
        {"table.genotypes=[RACLE]", "table.genotypes: "},
        {"eval.attack=", "eval.attack: is empty"},
        {"data.spec=synthetic:size=15", "RACL"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        wsr_config *const config = table_config(cases[i][0]);
        const char *const dir = scratch_folder("refused");
        ck_assert_msg(wsr_search_run(NULL, config, dir, false, NULL, NULL) !=
                          WSR_OK,
                      "%s", cases[i][0]);
        ck_assert_msg(strstr(wsr_error_detail(), cases[i][1]) != NULL, "%s",
                      wsr_error_detail());
        wsr_config_free(config);
    }
}
END_TEST

// ------------------------------------------------------------------- reading

static wsr_status read_text(wsr__table *table, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/rows.jsonl", scratch_folder("rows"));
    ck_assert_ok(wsr__file_write(path, text, strlen(text)));
    return wsr__table_read(table, path);
}

#define ROW(cell, seed, clean, robust)            \
    "{\"event\":\"row\",\"cell\":\"" cell         \
    "\",\"genotype\":\"g\",\"seed\":" seed        \
    ",\"parameters\":7,\"clean_accuracy\":" clean \
    ",\"eps\":[0,0.1],\"robust_accuracy\":[" robust "]}\n"

// Three architectures, two of them with two seeds: 0.45, 0.57 and 0.73, 0.85.
// Means of 0.51 and 0.79 and of 0.59 and 0.71 explain everything. With 0.89 for
// 0.85 the means are 0.51, 0.81, 0.59, 0.73, MSC = 0.09, MSS = 0.0196, and 0.01
// is left of each value, MSE = 0.0004.
START_TEST(variances_are_those_of_the_definition)
{
    wsr__table table;
    wsr__table_spread s;
    ck_assert_ok(read_text(
        &table,
        "{\"event\":\"start\"}\n" ROW("a", "1", "0.45", "1, 0.1")
            ROW("a", "2", "0.57", "1, 0.3") ROW("b", "1", "0.73", "1, 0.4") ROW(
                "b", "2", "0.85", "1, 0.4") ROW("c", "1", "0.2", "1, 0.5")));
    ck_assert_uint_eq(table.n, 5);
    ck_assert_double_eq_tol(table.rows[1].mean, 0.3, 1e-12); // eps 0 apart
    ck_assert_ok(wsr__table_spread_of(&s, &table, WSR__TABLE_CLEAN));
    ck_assert_uint_eq(s.n, 2);
    ck_assert_double_eq_tol(s.mean, 0.65, 1e-12);
    ck_assert_double_eq_tol(s.rest, 0, 1e-12);
    ck_assert_double_eq_tol(s.cells, 0.28 * 0.28 / 2, 1e-12);
    ck_assert_double_eq_tol(s.seeds, 0.12 * 0.12 / 2, 1e-12);
    ck_assert(isnan(s.tau)); // two architectures have no rank correlation
    table.rows[3].clean = 0.89;
    ck_assert_ok(wsr__table_spread_of(&s, &table, WSR__TABLE_CLEAN));
    ck_assert_double_eq_tol(s.rest, 4 * 0.01 * 0.01, 1e-12);
    ck_assert_double_eq_tol(s.cells, (0.09 - 0.0004) / 2, 1e-12);
    ck_assert_double_eq_tol(s.seeds, (0.0196 - 0.0004) / 2, 1e-12);
    wsr__table_free(&table);
    ck_assert_ok(read_text(
        &table, ROW("a", "1", "0.1", "1, 0") ROW("b", "1", "0.2", "1, 0") ROW(
                    "c", "1", "0.3", "1, 0") ROW("a", "2", "0.1", "1, 0")
                    ROW("b", "2", "0.3", "1, 0") ROW("c", "2", "0.2", "1, 0")));
    ck_assert_ok(wsr__table_spread_of(&s, &table, WSR__TABLE_CLEAN));
    ck_assert_double_eq_tol(s.tau, 1.0 / 3, 1e-12); // one pair of three turned
    wsr__table_free(&table);
    ck_assert_ok(read_text(&table, ROW("a", "1", "0.1", "1, 0")));
    ck_assert_ok(wsr__table_spread_of(&s, &table, WSR__TABLE_CLEAN));
    ck_assert(isnan(s.mean) && isnan(s.cells));
    wsr__table_free(&table);
}
END_TEST

START_TEST(bad_rows_are_refused)
{
    static const char *const cases[][2] = {
        {ROW("a", "1", "1.5", "1, 0.1"), "in [0, 1] ("},
        {ROW("a", "1", "0.5", "1"), "in [0, 1] ("},
        {"{\"event\":\"row\",\"genotype\":\"g\"}\n", "lacks 'cell'"},
        {"{\"event\":\"row\",\"cell\":\"a\",\"genotype\":\"g\"}\n",
         "has no list 'eps'"},
        {ROW("a", "1", "0.5", "1, 0.1") "{\"event\":\"row\",\"cell\":\"a\","
                                        "\"genotype\":\"g\",\"eps\":[0.2]}\n",
         "rows.jsonl:2)"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        wsr__table table;
        ck_assert_int_eq(read_text(&table, cases[i][0]), WSR_FORMAT);
        ck_assert_msg(strstr(wsr_error_detail(), cases[i][1]) != NULL, "%s",
                      wsr_error_detail());
        ck_assert_uint_eq(table.n, 0);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("table");
    TCase *const t = tcase_create("table");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, every_architecture_has_its_rows);
    tcase_add_test(t, a_row_is_a_training_of_its_own);
    tcase_add_test(t, a_stopped_table_has_the_same_rows);
    tcase_add_test(t, shards_are_the_whole);
    tcase_add_test(t, the_sample_has_what_it_says);
    tcase_add_test(t, cells_survive_their_text);
    tcase_add_test(t, what_cannot_be_is_refused);
    tcase_add_test(t, variances_are_those_of_the_definition);
    tcase_add_test(t, bad_rows_are_refused);
    suite_add_tcase(s, t);
    return s;
}
