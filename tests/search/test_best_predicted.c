// SPDX-License-Identifier: Apache-2.0
//
// The genotype by prediction: none of the random genotypes, drawn here again,
// is predicted to be better. By measurement: none of those predicted to be best
// is measured to be better, and the passes are counted.

#include "search/runs.h"
#include "search/search.h"

#include <math.h>

enum {
    SAMPLES = 70, // more than are predicted at once
    MEASURED = 5
};

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

static void draw(wsr__pairs *pairs, const wsr_search *s, uint64_t k)
{
    wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL, k, WSR__SAMPLE_DERIVE);
    wsr__pairs_random(pairs, wsr__search_space(s), &rng);
}

static double measured(wsr_search *s, const wsr__pairs *pairs)
{
    double losses[WSR__SLOTS];
    wsr__path path = {0};
    ck_assert_ok(wsr__path_new(&path, &s->arch));
    wsr__pairs_path(&path, pairs, wsr__search_space(s));
    ck_assert_ok(
        wsr__path_evaluate(losses, s, &path, WSR__EVALUATE_FIXED_STATS));
    wsr__path_free(&path);
    return wsr_search_objective(s, losses);
}

// Whether fewer than MEASURED samples are predicted to be better.
static bool is_listed(wsr_search *s, const wsr__pairs *pairs)
{
    size_t better = 0;
    for (uint64_t k = 1; k <= SAMPLES; k++) {
        wsr__pairs other;
        draw(&other, s, k);
        better += predicted(s, &other) < predicted(s, pairs) - 1e-6;
    }
    return better < MEASURED;
}

// As at the end of the last epoch, in which it was chosen.
static void check_choice(wsr_search *s)
{
    wsr__pairs pairs;
    size_t equal = 0;
    size_t checked = 0;
    s->phase = WSR_PHASE_SEARCH;
    s->epoch = wsr__phase_epochs(s, s->phase) - 1;
    ck_assert_ok(
        wsr__pairs_derive(&pairs, wsr__search_space(s), wsr__search_table(s)));
    const double best = measured(s, &pairs);
    ck_assert_ok(wsr__pairs_derive(&pairs, wsr__search_space(s), s->alphas));
    equal += fabs(measured(s, &pairs) - best) < 1e-9;
    ck_assert_double_ge(measured(s, &pairs), best);
    for (uint64_t k = 1; k <= SAMPLES; k++) {
        draw(&pairs, s, k);
        if (is_listed(s, &pairs)) {
            const double other = measured(s, &pairs);
            ck_assert_double_ge(other, best);
            equal += fabs(other - best) < 1e-9;
            checked++;
        }
    }
    ck_assert_uint_ge(checked, MEASURED);
    ck_assert_uint_ge(equal, 1);
}

START_TEST(none_of_those_listed_is_measured_to_be_better)
{
    static const char *const spaces[] = {"supernet.space=darts",
                                         "supernet.space=nb201"};
    wsr_dataset *data = NULL;
    wsr_search *s = NULL;
    double passes = 0;
    wsr_config *const config = predicted_config(spaces[_i]);
    ck_assert_ok(wsr_config_set(config, "search.derive=measured"));
    ck_assert_ok(wsr_config_set(config, "search.derive_measured=5"));
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&s, data, config));
    while (wsr_search_phase(s) != WSR_PHASE_DONE) {
        ck_assert_ok(wsr_search_step(s));
        passes += s->counted.gradient;
    }
    ck_assert(s->best_measured);
    ck_assert_double_eq(passes, wsr__search_passes_until(s, s->epoch).gradient);
    check_choice(s);
    wsr_search_free(s);
    wsr_dataset_free(data);
    wsr_config_free(config);
}
END_TEST

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    static const char *const names[] = {"searcher.name=wsr_nas",
                                        "searcher.name=evolution"};
    wsr_config *const config = predicted_config(names[_i % 2]);
    ck_assert_ok(wsr_config_set(config, "search.epochs=2"));
    if (_i > 1) {
        ck_assert_ok(wsr_config_set(config, "search.derive=measured"));
        ck_assert_ok(wsr_config_set(config, "search.derive_measured=3"));
    }
    check_stopped_after(config, _i > 1 ? 6 : 3); // 4 genotypes, then the end
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
    tcase_add_loop_test(t, none_of_those_listed_is_measured_to_be_better, 0, 2);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 4);
    tcase_add_test(t, searchers_without_a_predictor_refuse);
    suite_add_tcase(s, t);
    return s;
}
