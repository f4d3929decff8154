// SPDX-License-Identifier: Apache-2.0
//
// Evolution: as released (fitness is the clean loss) and as intended.

#include "search/planted.h"

static wsr_config *small(const char *extra)
{
    wsr_config *const config = make_config(extra);
    ck_assert_ok(wsr_config_set(config, "searcher.name=evolution"));
    ck_assert_ok(wsr_config_set(config, "searcher.population=3"));
    ck_assert_ok(wsr_config_set(config, "search.epochs=2"));
    return config;
}

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    static const char *const extras[] = {"fidelity=intended",
                                         "fidelity=released"};
    wsr_config *const config = small(extras[_i]);
    if (_i == 1) {
        ck_assert_ok(wsr_config_set(config, "searcher.select=random"));
        ck_assert_ok(wsr_config_set(config, "searcher.remove=random"));
    }
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

START_TEST(the_planted_optimum_is_found)
{
    const char *const settings[] = {
        "searcher.name=evolution", "searcher.population=60", "search.epochs=40",
        "search.arch_steps=5",     "search.arch_lr=0.05",    NULL};
    const size_t n = find_planted(settings);
    ck_assert_msg(n >= 10, "%zu of 16", n);
}
END_TEST

// The losses of the individuals of a search, in its checkpoint.
typedef struct individuals {
    double losses[4][WSR__SLOTS];
    int64_t n;
} individuals;

static void read_individuals(individuals *out, const wsr_search *search)
{
    const wsr__searcher_class *const cls = search->cls;
    for (size_t i = 0; i < cls->states(search); i++) {
        const wsr__state state = cls->state(search, i);
        if (strcmp(state.name, "population.losses") == 0) {
            ck_assert_uint_eq(state.count, 4 * WSR__SLOTS);
            memcpy(out->losses, state.data, sizeof(out->losses));
        } else if (strcmp(state.name, "population.count") == 0) {
            out->n = *(const int64_t *)state.data;
        }
    }
}

static size_t given; // architectures so far
// Clean losses 3, 1, 4, 1, 5 and robust ones in the opposite order.
static wsr_status listed_losses(double *losses, wsr_search *search,
                                const wsr__path *path, wsr__evaluation how)
{
    static const double clean[] = {3, 1, 4, 1, 5};
    (void)path;
    (void)how;
    losses[0] = clean[given % 5];
    for (size_t i = 1; i <= wsr__search_slots(search); i++) {
        losses[i] = 100 - 10 * clean[given % 5];
    }
    given++;
    return WSR_OK;
}

// Clean losses of the three that are left of 3, 1, 4, 1, 5.
static void expect_left(const char *setting, const char *other,
                        const double *want)
{
    wsr_dataset *data = NULL;
    wsr_search *search = NULL;
    individuals left = {.n = 0};
    wsr_config *const config = small("search.warm_up=0");
    ck_assert_ok(wsr_config_set(config, "search.architectures=5"));
    ck_assert_ok(wsr_config_set(config, "search.loss_centring=released"));
    ck_assert_ok(wsr_config_set(config, setting));
    ck_assert_ok(wsr_config_set(config, other));
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&search, data, config));
    search->evaluator = listed_losses;
    given = 0;
    ck_assert_ok(wsr_search_step(search));
    read_individuals(&left, search);
    ck_assert_int_eq(left.n, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_double_eq(left.losses[i][0], want[i]);
    }
    wsr_search_free(search);
    wsr_dataset_free(data);
    wsr_config_free(config);
}

// 3 1 4 | 1: 4 leaves | 5: itself leaves; the objective prefers the opposite.
START_TEST(the_worst_leaves_first_of_equals)
{
    static const double clean[] = {3, 1, 1};
    static const double robust[] = {3, 4, 5};
    static const double low[] = {3, 4, 5};
    expect_left("searcher.fitness=released", "searcher.remove=highest", clean);
    expect_left("searcher.fitness=intended", "searcher.remove=highest", robust);
    expect_left("searcher.fitness=released", "searcher.remove=lowest", low);
}
END_TEST

START_TEST(a_population_larger_than_the_memory_is_refused)
{
    wsr_config *const config = small("predictor.memory=20");
    ck_assert_ok(wsr_config_set(config, "searcher.population=21"));
    ck_assert_fails(wsr_search_run(NULL, config, scratch_folder("large"), false,
                                   NULL, NULL),
                    WSR_CONFIG,
                    "searcher.population: 21 is above predictor.memory, 20");
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("evolution");
    TCase *const t = tcase_create("evolution");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 2);
    tcase_add_test(t, the_planted_optimum_is_found);
    tcase_add_test(t, the_worst_leaves_first_of_equals);
    tcase_add_test(t, a_population_larger_than_the_memory_is_refused);
    suite_add_tcase(s, t);
    return s;
}
