// SPDX-License-Identifier: Apache-2.0
//
// The constraint that clean images are no worse than with the base alone.

#include "search/boost_runs.h"

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    check_boost_run("searcher.name=std_const_adv");
}
END_TEST

// With attacks of strength 0, lambda 1 and rho 0 the step of the constraint is
// one more step on the batch: the gradient of c is that of the loss.
START_TEST(the_gradient_is_that_of_the_whole_network)
{
    const char *const own[] = {"searcher.name=std_const_adv",
                               "searcher.base=wrn:depth=10,width=2",
                               "searcher.lambda=1",
                               "searcher.rho=0",
                               "searcher.repeats=1",
                               "search.eps=0",
                               "threads=1",
                               NULL};
    const char *const other[] = {"searcher.name=vanilla_adv",
                                 "searcher.base=wrn:depth=10,width=2",
                                 "searcher.repeats=2",
                                 "search.eps=0",
                                 "threads=1",
                                 NULL};
    const boost_bench a = boost_open(own);
    const boost_bench b = boost_open(other);
    ck_assert_ok(wsr_search_step(a.search));
    ck_assert_ok(wsr_search_step(b.search));
    ck_assert_uint_eq(boost_differing(&a, &b, ""), 0);
    boost_close(&a);
    boost_close(&b);
}
END_TEST

// lambda, sum and count of c, and the epoch: the last of its states.
static const double *numbers_of(const wsr_search *s)
{
    const size_t last = s->cls->states(s) - 1;
    return s->cls->state(s, last).data;
}

START_TEST(the_multiplier_follows_the_mean_of_the_constraint)
{
    const char *const settings[] = {"searcher.name=std_const_adv",
                                    "searcher.base=wrn:depth=10,width=2",
                                    "searcher.lambda=0.5",
                                    "searcher.rho=0.25",
                                    "search.warm_up=3",
                                    NULL};
    const boost_bench bench = boost_open(settings);
    wsr_search *const s = bench.search;
    double lambda = 0.5;
    for (size_t epoch = 0; epoch < 3; epoch++) {
        ck_assert_ok(wsr_search_step(s));
        const double *const n = numbers_of(s);
        ck_assert_double_eq_tol(n[0], lambda, 1e-12);
        ck_assert_double_eq(n[2], 2); // batches
        ck_assert(fabs(n[1]) > 1e-6);
        lambda += 0.25 * n[1] / n[2];
    }
    boost_close(&bench);
}
END_TEST

// One batch of a search with these numbers; returns c.
static double constrained(boost_bench *bench, int seed, double lambda,
                          const char *rho)
{
    char numbers[2][64];
    const char *const settings[] = {"searcher.name=std_const_adv",
                                    "searcher.base=wrn:depth=10,width=2",
                                    "search.train_batches=1",
                                    "searcher.repeats=1",
                                    "threads=1",
                                    numbers[0],
                                    numbers[1],
                                    rho,
                                    NULL};
    (void)snprintf(numbers[0], sizeof(numbers[0]), "seed=%d", seed);
    (void)snprintf(numbers[1], sizeof(numbers[1]), "searcher.lambda=%.17g",
                   lambda);
    *bench = boost_open(settings);
    ck_assert_ok(wsr_search_step(bench->search));
    return numbers_of(bench->search)[1];
}

// The square adds rho c to the multiplier where c is above 0, and nothing
// below.
START_TEST(the_square_counts_above_zero)
{
    bool seen[2] = {false, false};
    for (int seed = 1; seed < 12 && !(seen[0] && seen[1]); seed++) {
        boost_bench a;
        boost_bench b;
        const double c = constrained(&a, seed, 0, "searcher.rho=3");
        const double c_too =
            constrained(&b, seed, c > 0 ? 3 * c : 0, "searcher.rho=0");
        ck_assert(c == c_too);
        ck_assert_uint_eq(boost_differing(&a, &b, ""), 0);
        boost_close(&b);
        (void)constrained(&b, seed, 1, "searcher.rho=0");
        ck_assert_uint_gt(boost_differing(&a, &b, ""), 10);
        boost_close(&b);
        boost_close(&a);
        seen[c > 0] = true;
    }
    ck_assert(seen[0] && seen[1]);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("std_const_adv");
    TCase *const t = tcase_create("std_const_adv");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, a_stopped_run_ends_with_the_same_bytes);
    tcase_add_test(t, the_gradient_is_that_of_the_whole_network);
    tcase_add_test(t, the_multiplier_follows_the_mean_of_the_constraint);
    tcase_add_test(t, the_square_counts_above_zero);
    suite_add_tcase(s, t);
    return s;
}
