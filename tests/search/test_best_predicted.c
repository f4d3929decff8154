// SPDX-License-Identifier: Apache-2.0
//
// The genotype by prediction: none of the random genotypes, drawn here again,
// is predicted to be better.

#include "search/runs.h"
#include "search/search.h"

#include <math.h>

enum { SAMPLES = 70 }; // more than are predicted at once

static wsr_config *predicted_config(const char *space)
{
    wsr_config *const config = make_config(space);
    ck_assert_ok(wsr_config_set(config, "supernet.layers=4"));
    ck_assert_ok(wsr_config_set(config, "net.layers=4"));
    ck_assert_ok(wsr_config_set(config, "search.derive=predicted"));
    ck_assert_ok(wsr_config_set(config, "search.derive_samples=70"));
    return config;
}

static double predicted(wsr_search *s, const wsr__pairs *pairs)
{
    float table[WSR__EDGES * WSR__CANDIDATES];
    double losses[WSR__SLOTS];
    wsr__pairs_table(table, pairs, wsr__search_space(s));
    ck_assert_ok(wsr_predictor_run(losses, s->predictor, table, 1));
    return wsr_search_objective(s, losses);
}

START_TEST(no_sample_is_predicted_to_be_better)
{
    static const char *const spaces[] = {"supernet.space=darts",
                                         "supernet.space=nb201"};
    wsr_dataset *data = NULL;
    wsr_search *s = NULL;
    wsr__pairs pairs;
    size_t equal = 0;
    wsr_config *const config = predicted_config(spaces[_i]);
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&s, data, config));
    ck_assert_ptr_null(s->best); // nothing is known yet
    while (wsr_search_phase(s) != WSR_PHASE_DONE) {
        ck_assert_ok(wsr_search_step(s));
    }
    ck_assert_ptr_nonnull(s->best);
    ck_assert_ok(
        wsr__pairs_derive(&pairs, wsr__search_space(s), wsr__search_table(s)));
    const double best = predicted(s, &pairs);
    ck_assert_ok(wsr__pairs_derive(&pairs, wsr__search_space(s), s->alphas));
    ck_assert_double_le(best, predicted(s, &pairs) + 1e-6);
    for (uint64_t k = 1; k <= SAMPLES; k++) {
        wsr__rng rng =
            wsr__rng_at(s->seed, WSR__RNG_GUMBEL, k, WSR__SAMPLE_DERIVE);
        wsr__pairs_random(&pairs, wsr__search_space(s), &rng);
        const double other = predicted(s, &pairs);
        ck_assert_double_le(best, other + 1e-6);
        equal += fabs(best - other) < 1e-6;
    }
    ck_assert_uint_ge(equal, 1); // 70 of 71 times it is one of these
    wsr_search_free(s);
    wsr_dataset_free(data);
    wsr_config_free(config);
}
END_TEST

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    static const char *const names[] = {"searcher.name=wsr_nas",
                                        "searcher.name=evolution"};
    wsr_config *const config = predicted_config(names[_i]);
    ck_assert_ok(wsr_config_set(config, "search.epochs=2"));
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

START_TEST(searchers_without_a_predictor_refuse)
{
    static const char *const names[] = {
        "searcher.name=rsws", "searcher.name=naive", "searcher.name=random"};
    for (size_t i = 0; i < 3; i++) {
        wsr_config *const config = predicted_config(names[i]);
        ck_assert_fails(wsr_search_run(NULL, config, scratch_folder("no"),
                                       false, NULL, NULL),
                        WSR_CONFIG, "wsr_nas and evolution do");
        wsr_config_free(config);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("best_predicted");
    TCase *const t = tcase_create("best_predicted");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, no_sample_is_predicted_to_be_better, 0, 2);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 2);
    tcase_add_test(t, searchers_without_a_predictor_refuse);
    suite_add_tcase(s, t);
    return s;
}
