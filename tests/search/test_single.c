// SPDX-License-Identifier: Apache-2.0
//
// Searches over a single space: what searchers find is a cell of it that is
// trained afterwards; those that choose two edges for each node refuse it.

#include "base/registry.h"
#include "search/runs.h"
#include "search/table.h"
#include "wsr/result.h"

static wsr_config *single_config(const char *extra)
{
    wsr_config *const config = make_config("supernet.space=nb201");
    ck_assert_ok(wsr_config_set(config, "supernet.layers=4"));
    ck_assert_ok(wsr_config_set(config, "net.layers=4"));
    ck_assert_ok(wsr_config_set(config, "search.random_baseline=2"));
    ck_assert_ok(wsr_config_set(config, extra));
    return config;
}

START_TEST(searchers_find_cells_or_refuse_the_space)
{
    static const char *const refuse[] = {"controller", "vanilla_adv",
                                         "dilation_adv", "std_const_adv"};
    size_t refused = 0;
    for (size_t i = 0; wsr__searchers.classes[i] != NULL; i++) {
        const char *const name = wsr__searchers.classes[i]->name;
        char option[80];
        char dir[512];
        wsr_result *result = NULL;
        bool no = false;
        for (size_t k = 0; k < 4; k++) {
            no = no || wsr__streq(name, refuse[k]);
        }
        (void)snprintf(option, sizeof(option), "searcher.name=%s", name);
        wsr_config *const config = single_config(option);
        (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("searchers"));
        if (no) {
            ck_assert_fails(
                wsr_search_run(NULL, config, dir, false, NULL, NULL),
                WSR_CONFIG, "nb201");
            refused++;
        } else {
            ck_assert_ok(
                wsr_search_run(&result, config, dir, false, NULL, NULL));
            ck_assert_str_eq(wsr_genotype_space(wsr_result_genotype(result)),
                             "nb201");
            ck_assert(file_has(dir, "genotype.yaml", "cell: \"|"));
            wsr_result_free(result);
        }
        wsr_config_free(config);
    }
    ck_assert_uint_eq(refused, 4);
}
END_TEST

START_TEST(a_stopped_search_ends_with_the_same_bytes)
{
    wsr_config *const config =
        single_config("searcher.name=regularized_evolution");
    ck_assert_ok(wsr_config_set(config, "searcher.population=2"));
    ck_assert_ok(wsr_config_set(config, "searcher.tournament=2"));
    ck_assert_ok(wsr_config_set(config, "search.epochs=2"));
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

// Its cells are not those of a genotype with a reduction cell.
START_TEST(the_graph_predictor_refuses_it)
{
    wsr_config *const config = single_config("predictor.name=gae");
    ck_assert_fails(
        wsr_search_run(NULL, config, scratch_folder("gae"), false, NULL, NULL),
        WSR_CONFIG, "edges");
    wsr_config_free(config);
}
END_TEST

START_TEST(architectures_survive_genotypes_and_tables)
{
    const wsr__space_class *const space = &wsr__space_nb201;
    float table[6 * 5];
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    size_t none = 0;
    for (size_t i = 0; i < 50; i++) {
        wsr__pairs pairs;
        wsr__pairs back;
        wsr__pairs other;
        wsr_genotype *genotype = NULL;
        size_t changed = 0;
        wsr__pairs_random(&pairs, space, &rng);
        ck_assert(wsr__pairs_valid(&pairs, space));
        ck_assert_ok(wsr__pairs_genotype(&genotype, &pairs, space, "cell"));
        wsr__pairs_read(&back, space, genotype);
        ck_assert(same_bits(&pairs, &back, sizeof(pairs)));
        wsr__pairs_table(table, &pairs, space);
        ck_assert_ok(wsr__pairs_derive(&back, space, table));
        ck_assert(same_bits(&pairs, &back, sizeof(pairs)) ||
                  !wsr__genotype_connected(genotype));
        other = pairs;
        wsr__pairs_mutate(&other, space, &rng);
        for (size_t e = 0; e < 6; e++) {
            changed += other.ops[e] != pairs.ops[e];
            none += pairs.ops[e] == 0;
            ck_assert_uint_eq(other.states[e], pairs.states[e]);
        }
        ck_assert_uint_eq(changed, 1);
        other.states[5] = 1;
        ck_assert(!wsr__pairs_valid(&other, space));
        wsr_genotype_free(genotype);
    }
    // One in five of 300 edges: 60 +- 7.
    ck_assert_uint_ge(none, 30);
    ck_assert_uint_le(none, 90);
}
END_TEST

START_TEST(tables_have_its_cells)
{
    wsr_config *const config = single_config("table.random=3");
    char dir[512];
    wsr__table table;
    ck_assert_ok(wsr_config_set(config, "table.seeds=1"));
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("table"));
    ck_assert_ok(wsr_search_run(NULL, config, dir, false, NULL, NULL));
    char *const path = wsr__path_join(dir, "table.jsonl");
    ck_assert_ok(wsr__table_read(&table, path));
    ck_assert_uint_eq(table.n, 3 + 4 + 6);
    for (size_t i = 0; i < table.n; i++) {
        ck_assert_int_eq(table.rows[i].genotype[0], '|');
    }
    ck_assert(
        file_has(dir, "cells.txt", "all_nor_conv_3x3 = |nor_conv_3x3~0|"));
    ck_assert_ok(wsr_search_run(NULL, NULL, dir, true, NULL, NULL));
    wsr__table_free(&table);
    wsr__free(path);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("single");
    TCase *const t = tcase_create("single");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, searchers_find_cells_or_refuse_the_space);
    tcase_add_test(t, a_stopped_search_ends_with_the_same_bytes);
    tcase_add_test(t, the_graph_predictor_refuses_it);
    tcase_add_test(t, architectures_survive_genotypes_and_tables);
    tcase_add_test(t, tables_have_its_cells);
    suite_add_tcase(s, t);
    return s;
}
