// SPDX-License-Identifier: Apache-2.0
//
// Importance weights of candidates: the formula by hand, and that a search with
// them differs, goes on after an interruption, and is off by default. Skip
// connections: shares and warning.

#include "search/runs.h"
#include "search/search.h"
#include "wsr/result.h"

#include <math.h>

START_TEST(the_formula_is_that_of_the_paper)
{
    static const char *const modes[] = {"mean", "sum", "last"};
    static const float steps[2][4] = {{3, -4, 0, 0}, {0, 1, 0, -2}};
    const wsr__arch arch = {1, 4, 1};
    wsr__importance *im = NULL;
    wsr__text mode = {""};
    (void)snprintf(mode.s, sizeof(mode.s), "%s", modes[_i]);
    ck_assert_ok(wsr__importance_new(&im, &mode, 4));
    for (size_t i = 0; i < 4; i++) {
        ck_assert_float_eq(im->scale[i], 1); // nothing is known yet
    }
    wsr__importance_add(im, steps[0], &arch);
    wsr__importance_add(im, steps[1], &arch);
    wsr__importance_apply(im, 4);
    for (size_t i = 0; i < 4; i++) {
        double weights[2];
        for (size_t k = 0; k < 2; k++) {
            double norm = 0;
            for (size_t j = 0; j < 4; j++) {
                norm += pow((double)steps[k][j], 4);
            }
            weights[k] = pow((double)steps[k][i], 2) / (sqrt(norm) + 1e-6);
        }
        const double want = _i == 0   ? (weights[0] + weights[1]) / 2
                            : _i == 1 ? weights[0] + weights[1]
                                      : weights[1];
        ck_assert_double_eq_tol((double)im->scale[i], 1 - want, 1e-6);
    }
    wsr__importance_free(im);
    (void)snprintf(mode.s, sizeof(mode.s), "off");
    ck_assert_ok(wsr__importance_new(&im, &mode, 4));
    ck_assert_ptr_null(im);
}
END_TEST

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    static const char *const extras[] = {"fidelity=intended",
                                         "fidelity=released"};
    wsr_config *const config = make_config(extras[_i]);
    ck_assert_ok(wsr_config_set(config, "searcher.diw=sum"));
    ck_assert_ok(wsr_config_set(config, "search.epochs=2"));
    ck_assert_ok(wsr_config_set(config, "search.arch_lr=0.1"));
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

enum { ALPHAS = 28 * 8 };

// The alphas of a search after so many epochs that update them.
static void alphas_after(float alphas[ALPHAS], const char *diw, size_t epochs)
{
    wsr_dataset *data = NULL;
    wsr_search *search = NULL;
    wsr_config *const config = make_config("search.arch_lr=0.1");
    ck_assert_ok(wsr_config_set(config, diw));
    ck_assert_ok(wsr_config_set(config, "search.epochs=2"));
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&search, data, config));
    for (size_t k = 0; k < 2 + epochs; k++) {
        ck_assert_ok(wsr_search_step(search));
    }
    memcpy(alphas, wsr_search_alphas(search), ALPHAS * sizeof(*alphas));
    wsr_search_free(search);
    wsr_dataset_free(data);
    wsr_config_free(config);
}

// The first epoch has nothing to weigh by, the second has.
START_TEST(weights_change_the_next_epoch)
{
    float alphas[2][ALPHAS];
    for (size_t epochs = 1; epochs <= 2; epochs++) {
        size_t same = 0;
        alphas_after(alphas[0], "searcher.diw=off", epochs);
        alphas_after(alphas[1], "searcher.diw=mean", epochs);
        while (same < ALPHAS && alphas[0][same] == alphas[1][same]) {
            same++;
        }
        ck_assert_msg((same == ALPHAS) == (epochs == 1), "%zu epochs", epochs);
    }
}
END_TEST

// ------------------------------------------------------------------- skips

static void count_skips(wsr__skips *skips, bool *collapse, size_t per_cell,
                        size_t edges)
{
    wsr_dataset *data = NULL;
    wsr_search *search = NULL;
    float alphas[28 * 8] = {0};
    wsr_config *const config = make_config(NULL);
    // The first two edges of a node are the genotype's; the others are weaker.
    static const size_t firsts[] = {0, 1, 2, 3, 5, 6, 9, 10};
    for (size_t i = 0; i < 28; i++) {
        alphas[8 * i + 4] = 0.5F; // sep_conv_3x3
    }
    for (size_t i = 0; i < 28 && i < edges; i++) {
        alphas[8 * (27 - i) + 3] = 0.6F; // skip_connect
    }
    for (size_t cell = 0; cell < 2; cell++) {
        for (size_t k = 0; k < 8; k++) {
            const size_t row = 14 * cell + firsts[k];
            alphas[8 * row + (k < per_cell ? 3 : 4)] = 2;
        }
    }
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&search, data, config));
    ck_assert_ok(wsr_search_set_alphas(search, alphas));
    ck_assert_ok(wsr__search_skips(skips, search));
    *collapse = wsr__skips_collapse(skips, search);
    wsr_search_free(search);
    wsr_dataset_free(data);
    wsr_config_free(config);
}

START_TEST(shares_of_skip_connections_are_counted)
{
    wsr__skips skips;
    bool collapse = false;
    count_skips(&skips, &collapse, 2, 0);
    ck_assert(!collapse);
    ck_assert_uint_eq(skips.most, 2);
    ck_assert_double_eq_tol(skips.genotype, 4.0 / 16, 1e-12);
    ck_assert_double_eq_tol(skips.edges, 4.0 / 28, 1e-12);
    ck_assert_double_eq_tol(skips.parameterless, 4.0 / 28, 1e-12);
    count_skips(&skips, &collapse, 3, 0);
    ck_assert(collapse);
    ck_assert_uint_eq(skips.most, 3);
    // Few in the genotype, many among the other edges.
    count_skips(&skips, &collapse, 1, 28);
    ck_assert(collapse);
    ck_assert_uint_eq(skips.most, 1);
    ck_assert_double_eq_tol(skips.edges, 14.0 / 28, 1e-12);
}
END_TEST

static char warned[512];
static void listen(wsr_log_level level, const char *message, void *user)
{
    (void)user;
    if (level == WSR_LOG_WARNING) {
        (void)snprintf(warned, sizeof(warned), "%s", message);
    }
}

// In the log and at the end; silent below the limit.
START_TEST(a_collapse_is_said)
{
    wsr_config *const config = make_config("searcher.name=random");
    char dir[512];
    wsr_result *result = NULL;
    wsr_set_log_hook(listen, NULL);
    ck_assert_ok(wsr_config_set(config, _i == 0 ? "search.max_skips=0"
                                                : "search.max_skips=8"));
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("collapse"));
    warned[0] = '\0';
    ck_assert_ok(wsr_search_run(&result, config, dir, false, NULL, NULL));
    ck_assert(file_has(dir, "log.jsonl", "\"skip_connections\"") == (_i == 0));
    ck_assert((strstr(warned, "edges of a cell are skip") != NULL) ==
              (_i == 0));
    ck_assert(file_has(dir, "log.jsonl", "skip_share"));
    wsr_result_free(result);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("importance");
    TCase *const t = tcase_create("importance");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, the_formula_is_that_of_the_paper, 0, 3);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 2);
    tcase_add_test(t, weights_change_the_next_epoch);
    tcase_add_test(t, shares_of_skip_connections_are_counted);
    tcase_add_loop_test(t, a_collapse_is_said, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
