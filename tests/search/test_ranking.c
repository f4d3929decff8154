// SPDX-License-Identifier: Apache-2.0
//
// How a search ranks architectures that were trained alone: planted accuracies
// give the correlations of the losses that the search measures itself, nothing
// else of the search changes, and seeds count as one architecture.

#include "search/runs.h"
#include "search/table.h"
#include "wsr/log.h"
#include "wsr/report.h"

#include <math.h>

enum { CELLS = 6 };

// Accuracies that fall with `values`, the loss of each architecture; NULL: that
// rise with its number.
static void write_table(const char *path, const wsr__table_cells *cells,
                        const double *values)
{
    wsr__str text = {0};
    for (size_t i = 0; i < cells->n; i++) {
        double accuracy = 0.1;
        for (size_t k = 0; k < cells->n; k++) {
            const bool worse = values != NULL ? values[k] > values[i] : k < i;
            accuracy += worse ? 0.1 : 0;
        }
        for (int seed = 1; seed < 3; seed++) { // the mean is what is planted
            const double a = accuracy + (seed == 1 ? 0.01 : -0.01);
            wsr__str_addf(&text,
                          "{\"event\":\"row\",\"cell\":\"%s\",\"seed\":%d,"
                          "\"genotype\":\"",
                          cells->list[i].name, seed);
            wsr__genotype_print_line(&text, cells->list[i].genotype);
            wsr__str_addf(&text,
                          "\",\"clean_accuracy\":%.12f,\"eps\":[0.03],"
                          "\"robust_accuracy\":[%.12f]}\n",
                          a, a);
        }
    }
    ck_assert_ptr_nonnull(text.s);
    ck_assert_ok(wsr__file_write(path, text.s, strlen(text.s)));
    wsr__str_free(&text);
}

typedef struct bench {
    char dir[512];
    char path[600];
    wsr__table_cells cells;
} bench;

static void open_bench(bench *b, const wsr__space_class *space)
{
    const wsr__table_params params = {.random = CELLS, .genotypes = {"[]"}};
    (void)snprintf(b->dir, sizeof(b->dir), "%s", scratch_folder("bench"));
    (void)snprintf(b->path, sizeof(b->path), "%s/table.jsonl", b->dir);
    ck_assert_ok(wsr__table_cells_choose(&b->cells, &params, space, 4));
    write_table(b->path, &b->cells, NULL);
}

static wsr_config *ranking_config(const bench *b, const char *space)
{
    wsr_config *const config = make_config(space);
    char option[700];
    (void)snprintf(option, sizeof(option), "search.ranking=%s", b->path);
    ck_assert_ok(wsr_config_set(config, option));
    ck_assert_ok(wsr_config_set(config, "supernet.layers=4"));
    ck_assert_ok(wsr_config_set(config, "net.layers=4"));
    return config;
}

// Clean losses with shared weights of the last epoch, computed here.
static void clean_losses(double losses[CELLS], const bench *b,
                         const wsr_config *config)
{
    wsr_dataset *data = NULL;
    wsr_search *s = NULL;
    wsr__path path = {0};
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&s, data, config));
    while (wsr_search_phase(s) != WSR_PHASE_DONE) {
        ck_assert_ok(wsr_search_step(s));
    }
    ck_assert_ok(wsr__path_new(&path, &s->arch));
    s->phase = WSR_PHASE_SEARCH; // as at the end of its last epoch
    s->epoch = wsr__phase_epochs(s, s->phase) - 1;
    for (size_t i = 0; i < CELLS; i++) {
        wsr__pairs pairs;
        double all[WSR__SLOTS];
        ck_assert_ok(wsr__pairs_take(&pairs, wsr__search_space(s),
                                     b->cells.list[i].genotype));
        wsr__pairs_path(&path, &pairs, wsr__search_space(s));
        ck_assert_ok(
            wsr__path_evaluate(all, s, &path, WSR__EVALUATE_BY_ATTACKS));
        losses[i] = all[0];
    }
    wsr__path_free(&path);
    wsr_search_free(s);
    wsr_dataset_free(data);
}

// The event "evidence" has the numbers of the last ranking, and says them.
static void check_evidence(const char *dir)
{
    static const char *const pairs[][2] = {
        {"shared_objective_tau", "shared_tau"},
        {"shared_low", "shared_low"},
        {"shared_high", "shared_high"},
        {"predictor_objective_tau", "predictor_tau"},
        {"predictor_high", "predictor_high"},
        {"architectures", "architectures"}};
    size_t lines = 0;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        ck_assert_double_eq(last_number(&lines, dir, "evidence", pairs[i][1]),
                            last_number(&lines, dir, "ranking", pairs[i][0]));
    }
    ck_assert(
        file_has(dir, "log.jsonl", "shared weights rank 6 architectures"));
    ck_assert_ok(wsr_report_write(dir));
    ck_assert(
        file_has(dir, "report.html", "shared weights rank 6 architectures"));
}

START_TEST(tau_is_that_of_the_losses_the_search_measures)
{
    static const char *const spaces[] = {"supernet.space=darts",
                                         "supernet.space=nb201"};
    bench b;
    double losses[CELLS];
    size_t lines = 0;
    char dir[512];
    open_bench(&b, _i == 0 ? &wsr__space_darts : &wsr__space_nb201);
    wsr_config *const config = ranking_config(&b, spaces[_i]);
    clean_losses(losses, &b, config);
    write_table(b.path, &b.cells, losses);
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("run"));
    ck_assert_ok(wsr_search_run(NULL, config, dir, false, NULL, NULL));
    ck_assert_double_eq(last_number(&lines, dir, "ranking", "shared_clean_tau"),
                        1);
    ck_assert_uint_eq(lines, 3); // every epoch of three phases
    check_evidence(dir);
    ck_assert_double_eq(last_number(&lines, dir, "ranking", "architectures"),
                        CELLS);
    ck_assert(isfinite(
        last_number(&lines, dir, "ranking", "predictor_objective_tau")));
    ck_assert(
        isfinite(last_number(&lines, dir, "ranking", "genotype_objective")));
    wsr__table_cells_free(&b.cells);
    wsr_config_free(config);
}
END_TEST

START_TEST(the_search_is_the_same_without)
{
    bench b;
    char with[512];
    char without[512];
    open_bench(&b, &wsr__space_darts);
    wsr_config *config = ranking_config(&b, "search.ranking_every=2");
    size_t lines = 0;
    ck_assert_ok(wsr_config_set(config, "search.ranking_architectures=4"));
    (void)snprintf(with, sizeof(with), "%s", scratch_folder("with"));
    ck_assert_ok(wsr_search_run(NULL, config, with, false, NULL, NULL));
    ck_assert_double_eq(last_number(&lines, with, "ranking", "architectures"),
                        4);
    ck_assert_uint_eq(lines, 2); // the second epoch, and the last one
    wsr_config_free(config);
    config = make_config("supernet.layers=4");
    ck_assert_ok(wsr_config_set(config, "net.layers=4"));
    (void)snprintf(without, sizeof(without), "%s", scratch_folder("without"));
    ck_assert_ok(wsr_search_run(NULL, config, without, false, NULL, NULL));
    ck_assert(
        file_has(without, "log.jsonl", "nothing shows that this architecture"));
    ck_assert_ok(wsr_report_write(without));
    ck_assert(file_has(without, "report.html",
                       "nothing shows that this architecture"));
    same_file(with, without, "genotype.yaml");
    same_file(with, without, "net.safetensors");
    (void)last_number(&lines, without, "ranking", "epoch");
    ck_assert_uint_eq(lines, 0);
    wsr__table_cells_free(&b.cells);
    wsr_config_free(config);
}
END_TEST

START_TEST(what_cannot_be_ranked_is_refused)
{
    static const char *const cases[][2] = {
        {"supernet.space=nb201", "is no genotype of the space nb201"},
        {"search.ranking_architectures=2", "2 architectures have no ranking"},
        {"searcher.name=vanilla_adv", "vanilla_adv has no supernet of paths"},
        {"search.ranking=absent.jsonl", "search.ranking: "}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        bench b;
        open_bench(&b, &wsr__space_darts);
        wsr_config *const config = ranking_config(&b, cases[i][0]);
        if (i == 3) {
            ck_assert_ok(wsr_config_set(config, cases[i][0]));
        }
        ck_assert_int_ne(wsr_search_run(NULL, config, scratch_folder("no"),
                                        false, NULL, NULL),
                         WSR_OK);
        ck_assert_msg(strstr(wsr_error_detail(), cases[i][1]) != NULL, "%s",
                      wsr_error_detail());
        wsr__table_cells_free(&b.cells);
        wsr_config_free(config);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("ranking");
    TCase *const t = tcase_create("ranking");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, tau_is_that_of_the_losses_the_search_measures, 0, 2);
    tcase_add_test(t, the_search_is_the_same_without);
    tcase_add_test(t, what_cannot_be_ranked_is_refused);
    suite_add_tcase(s, t);
    return s;
}
