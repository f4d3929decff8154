// SPDX-License-Identifier: Apache-2.0
//
// Regularized evolution: it finds a planted optimum, ages its individuals, and
// a mutation changes one edge and leaves a cell that can be.

#include "search/planted.h"

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    wsr_config *const config =
        make_config("searcher.name=regularized_evolution");
    ck_assert_ok(wsr_config_set(config, "searcher.population=2"));
    ck_assert_ok(wsr_config_set(config, "searcher.tournament=2"));
    ck_assert_ok(wsr_config_set(config, "search.epochs=2"));
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

START_TEST(the_planted_optimum_is_found)
{
    const char *const settings[] = {
        "searcher.name=regularized_evolution", "searcher.population=16",
        "searcher.tournament=8", "search.epochs=40", NULL};
    const size_t n = find_planted(settings);
    ck_assert_msg(n >= 14, "%zu of 16", n);
}
END_TEST

static void same_pairs(const wsr__pairs *a, const wsr__pairs *b)
{
    ck_assert_mem_eq(a, b, sizeof(*a));
}

START_TEST(tables_and_paths_are_those_of_the_genotype)
{
    wsr_dataset *data = NULL;
    wsr_search *search = NULL;
    wsr_config *const config = make_config(NULL);
    float table[28 * 8];
    wsr__path path;
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&search, data, config));
    ck_assert_ok(wsr__path_new(&path, &search->arch));
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    wsr__pairs pairs;
    wsr__pairs_random(&pairs, wsr__search_space(search), &rng);
    for (size_t round = 0; round < 300; round++) {
        const wsr__pairs before = pairs;
        wsr__pairs again;
        size_t changed = 0;
        wsr__pairs_mutate(&pairs, wsr__search_space(search), &rng);
        ck_assert(wsr__pairs_valid(&pairs, wsr__search_space(search)));
        for (size_t e = 0; e < 16; e++) {
            changed += before.states[e] != pairs.states[e];
            changed += before.ops[e] != pairs.ops[e];
            ck_assert_uint_ne(pairs.states[e], pairs.states[e ^ 1]);
            ck_assert_uint_ne(pairs.ops[e], 0); // none
        }
        ck_assert_uint_eq(changed, 1);
        // The derivation sorts the edges of a node by their states.
        wsr__pairs_table(table, &pairs, wsr__search_space(search));
        ck_assert_ok(
            wsr__pairs_derive(&again, wsr__search_space(search), table));
        for (size_t e = 0; e < 16; e += 2) {
            const size_t k = pairs.states[e] < pairs.states[e + 1] ? e : e + 1;
            ck_assert_uint_eq(again.states[e], pairs.states[k]);
            ck_assert_uint_eq(again.ops[e], pairs.ops[k]);
            ck_assert_uint_eq(again.states[e + 1], pairs.states[k ^ 1]);
            ck_assert_uint_eq(again.ops[e + 1], pairs.ops[k ^ 1]);
        }
        wsr__pairs third;
        wsr__pairs_table(table, &again, wsr__search_space(search));
        ck_assert_ok(
            wsr__pairs_derive(&third, wsr__search_space(search), table));
        same_pairs(&again, &third);
        wsr__pairs_path(&path, &pairs, wsr__search_space(search));
        size_t some = 0;
        for (size_t i = 0; i < 28; i++) {
            some += path.choices[i] != 0;
        }
        ck_assert_uint_eq(some, 16);
    }
    wsr__path_free(&path);
    wsr_search_free(search);
    wsr_dataset_free(data);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("regularized_evolution");
    TCase *const t = tcase_create("regularized_evolution");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_stopped_run_ends_with_the_same_bytes);
    tcase_add_test(t, the_planted_optimum_is_found);
    tcase_add_test(t, tables_and_paths_are_those_of_the_genotype);
    suite_add_tcase(s, t);
    return s;
}
