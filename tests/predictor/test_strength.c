// SPDX-License-Identifier: Apache-2.0
//
// The losses here are a known function of architecture and strength. The
// predictor sees it at four strengths and is asked at others.

#include "net/net.h"
#include "predictor_support.h"

enum { MEASURED = 4, ARCHITECTURES = 120 };

static const double measured[MEASURED] = {0, 0.02, 0.06, 0.1};

// An architecture's cost c in [0, 1] makes it better at small strengths and
// worse at great ones.
static double true_loss(const float *table, double eps)
{
    double losses[HEADS];
    make_losses(losses, table);
    const double c = losses[0];
    return 0.4 + 30 * eps * (0.2 + c) - 0.5 * c + 60 * eps * eps * c;
}

static wsr_predictor *trained(const char *spec)
{
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    wsr_predictor *p = NULL;
    ck_assert_ok(wsr_predictor_new(&p, spec, &table, MEASURED, 5));
    ck_assert_ok(wsr_predictor_set_strengths(p, measured));
    for (uint64_t i = 0; i < ARCHITECTURES; i++) {
        float x[TABLE];
        double losses[MEASURED];
        make_table(x, i);
        for (size_t k = 0; k < MEASURED; k++) {
            losses[k] = true_loss(x, measured[k]);
        }
        ck_assert_ok(wsr_predictor_remember(p, x, losses));
    }
    ck_assert_ok(wsr_predictor_train(NULL, p, 500));
    return p;
}

// Kendall's tau at a strength over architectures that were never remembered,
// and the mean error there.
static double tau_at(double *error, wsr_predictor *p, double eps)
{
    enum { UNSEEN = 60 };
    double guess[UNSEEN];
    double truth[UNSEEN];
    *error = 0;
    for (size_t i = 0; i < UNSEEN; i++) {
        float x[TABLE];
        make_table(x, 1000 + i);
        ck_assert_ok(wsr_predictor_run_at(&guess[i], p, x, 1, &eps, 1));
        truth[i] = true_loss(x, eps);
        *error += fabs(guess[i] - truth[i]) / UNSEEN;
    }
    return wsr_kendall_tau(guess, truth, UNSEEN);
}

START_TEST(it_predicts_at_strengths_that_were_never_measured)
{
    static const double unseen[] = {0.005, 0.04, 0.08, 0.095};
    wsr_predictor *const p = trained("strength:memory=120");
    for (size_t k = 0; k < 4; k++) {
        double error = 0;
        const double tau = tau_at(&error, p, unseen[k]);
        printf("eps %g: tau %.3f, mean error %.3f\n", unseen[k], tau, error);
        ck_assert_msg(tau > 0.6, "eps %g: tau %g", unseen[k], tau);
        ck_assert_msg(error < 0.15, "eps %g: error %g", unseen[k], error);
    }
    wsr_predictor_free(p);
}
END_TEST

START_TEST(at_measured_strengths_both_ways_to_ask_agree)
{
    wsr_predictor *const p = trained("strength:memory=120");
    static const double turned[MEASURED] = {0.1, 0.06, 0.02, 0};
    float x[TABLE];
    double losses[MEASURED];
    double again[MEASURED];
    make_table(x, 7);
    ck_assert_ok(wsr_predictor_run(losses, p, x, 1));
    ck_assert_ok(wsr_predictor_run_at(again, p, x, 1, turned, MEASURED));
    for (size_t k = 0; k < MEASURED; k++) {
        ck_assert_double_eq_tol(again[MEASURED - 1 - k], losses[k], 1e-6);
    }
    wsr_predictor_free(p);
}
END_TEST

// The objective by many predictions: the clean loss, and the mean of the
// standardised losses over the range, by the trapezoidal rule.
static double by_hand(wsr_predictor *p, const float *x, const double *weights,
                      const double range[2])
{
    enum { N = 2001 };
    double robust = 0;
    double clean = 0;
    for (size_t i = 0; i < N; i++) {
        const double eps = range[0] +
                           (range[1] - range[0]) * (double)i / (N - 1);
        double loss = 0;
        double mean = 0;
        double deviation = 1;
        ck_assert_ok(wsr_predictor_run_at(&loss, p, x, 1, &eps, 1));
        wsr__predictor_stats_at(&mean, &deviation, p, eps);
        robust += (loss - mean) / deviation *
                  (i == 0 || i == N - 1 ? 0.5 : 1.0) / (N - 1);
    }
    ck_assert_ok(wsr_predictor_run_at(&clean, p, x, 1, measured, 1));
    return weights[0] * (clean - p->stats[0]) / p->stats[MEASURED] +
           (weights[1] + weights[2] + weights[3]) * robust;
}

START_TEST(the_objective_is_the_integral_over_the_range)
{
    static const double weights[MEASURED] = {0.4, 0.1, 0.2, 0.3};
    static const struct {
        const char *spec;
        double range[2];
    } cases[] = {
        {"strength:memory=120", {0.02, 0.1}},
        {"strength:memory=120,eps_min=0,eps_max=0.05", {0, 0.05}},
        {"strength:memory=120,eps_max=0.2,quadrature=20", {0.02, 0.2}},
    };
    for (size_t k = 0; k < 3; k++) {
        wsr_predictor *const p = trained(cases[k].spec);
        float x[TABLE];
        float diff[TABLE];
        double value = 0;
        make_table(x, 3);
        ck_assert_ok(wsr_predictor_gradient(&value, diff, p, x, 1, weights));
        const double wanted = by_hand(p, x, weights, cases[k].range);
        ck_assert_msg(fabs(value - wanted) < 1e-3, "%s: %g, by hand %g",
                      cases[k].spec, value, wanted);
        wsr_predictor_free(p);
    }
}
END_TEST

START_TEST(the_objective_may_stay_at_the_measured_points)
{
    static const double weights[MEASURED] = {0.4, 0.1, 0.2, 0.3};
    wsr_predictor *const p = trained("strength:memory=120,objective=points");
    float x[TABLE];
    float diff[TABLE];
    double losses[MEASURED];
    double value = 0;
    double wanted = 0;
    make_table(x, 3);
    ck_assert_ok(wsr_predictor_gradient(&value, diff, p, x, 1, weights));
    ck_assert_ok(wsr_predictor_run(losses, p, x, 1));
    for (size_t k = 0; k < MEASURED; k++) {
        wanted += weights[k] * (losses[k] - p->stats[k]) /
                  p->stats[MEASURED + k];
    }
    ck_assert_double_eq_tol(value, wanted, 1e-5);
    wsr_predictor_free(p);
}
END_TEST

START_TEST(strengths_and_ranges_that_make_no_sense_are_refused)
{
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    const double same[HEADS] = {0, 0.1, 0.1};
    const double negative[HEADS] = {0, -0.1, 0.1};
    const double nan[HEADS] = {0, (double)NAN, 0.1};
    const float x[TABLE] = {0};
    double losses[HEADS] = {1, 2, 3};
    wsr_predictor *p = NULL;
    ck_assert_fails(wsr_predictor_new(&p, "strength:eps_min=0.2,eps_max=0.1",
                                      &table, HEADS, 1),
                    WSR_CONFIG, "predictor.eps_max");
    ck_assert_ok(wsr_predictor_new(&p, "strength", &table, HEADS, 1));
    ck_assert_fails(wsr_predictor_remember(p, x, losses), WSR_ARG,
                    "needs the strengths");
    ck_assert_fails(wsr_predictor_run(losses, p, x, 1), WSR_ARG,
                    "needs the strengths");
    ck_assert_fails(wsr_predictor_set_strengths(p, same), WSR_ARG, "both 0.1");
    ck_assert_fails(wsr_predictor_set_strengths(p, negative), WSR_ARG,
                    "strength 1 is -0.1");
    ck_assert_fails(wsr_predictor_set_strengths(p, nan), WSR_ARG, "nan");
    ck_assert_ok(wsr_predictor_set_strengths(p, STRENGTHS));
    ck_assert_fails(wsr_predictor_run_at(losses, p, x, 1, nan, HEADS), WSR_ARG,
                    "nan");
    ck_assert_fails(wsr_predictor_run_at(losses, p, x, 1, nan, 0), WSR_ARG,
                    "0 strengths");
    losses[1] = 2;
    ck_assert_ok(wsr_predictor_remember(p, x, losses));
    ck_assert_fails(wsr_predictor_set_strengths(p, STRENGTHS), WSR_ARG,
                    "remembered");
    wsr_predictor_free(p);
}
END_TEST

START_TEST(others_do_not_take_a_strength)
{
    wsr_predictor *const p = predictor_new("lstm", HEADS);
    const float x[TABLE] = {0};
    double losses[HEADS];
    ck_assert(!wsr_predictor_takes_strength(p));
    ck_assert_fails(wsr_predictor_run_at(losses, p, x, 1, STRENGTHS, HEADS),
                    WSR_UNSUPPORTED, "strength");
    wsr_predictor_free(p);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        it_predicts_at_strengths_that_were_never_measured,
        at_measured_strengths_both_ways_to_ask_agree,
        the_objective_is_the_integral_over_the_range,
        the_objective_may_stay_at_the_measured_points,
        strengths_and_ranges_that_make_no_sense_are_refused,
        others_do_not_take_a_strength,
        NULL,
    };
    return suite_of("strength", tests);
}
