// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "predictor_support.h"

START_TEST(intended_the_scale_of_a_loss_does_not_matter)
{
    // The same losses, one of them in other units.
    wsr_predictor *const a = predictor_new("lstm", HEADS);
    wsr_predictor *const b = predictor_new("lstm", HEADS);
    float table[TABLE];
    double guess[2][HEADS];
    for (uint64_t i = 0; i < 20; i++) {
        double losses[HEADS];
        make_table(table, i);
        make_losses(losses, table);
        ck_assert_ok(wsr_predictor_remember(a, table, losses));
        losses[1] = losses[1] * 64 + 1024;
        ck_assert_ok(wsr_predictor_remember(b, table, losses));
    }
    ck_assert_ok(wsr_predictor_train(NULL, a, 50));
    ck_assert_ok(wsr_predictor_train(NULL, b, 50));
    ck_assert_ok(wsr_predictor_run(guess[0], a, table, 1));
    ck_assert_ok(wsr_predictor_run(guess[1], b, table, 1));
    ck_assert_double_eq_tol(guess[1][0], guess[0][0], 1e-4);
    ck_assert_double_eq_tol(guess[1][1], guess[0][1] * 64 + 1024, 1e-2);
    wsr_predictor_free(a);
    wsr_predictor_free(b);
}
END_TEST

// Ranks are the same after any map that keeps the order, and an architecture
// that is far worse than all others moves nothing but the scale.
START_TEST(ranks_do_not_depend_on_how_bad_the_worst_is)
{
    wsr_predictor *const a = predictor_new("lstm:targets=ranks", 1);
    wsr_predictor *const b = predictor_new("lstm:targets=ranks", 1);
    float table[TABLE];
    for (uint64_t i = 0; i < 21; i++) {
        const double loss = i == 5 ? 50 : (double)(i * 8 % 21); // 50: the worst
        const double worse = i == 5 ? 5000 : exp(loss / 7);
        make_table(table, i);
        ck_assert_ok(wsr_predictor_remember(a, table, &loss));
        ck_assert_ok(wsr_predictor_remember(b, table, &worse));
    }
    ck_assert_ok(wsr_predictor_train(NULL, a, 50));
    ck_assert_ok(wsr_predictor_train(NULL, b, 50));
    ck_assert_mem_eq(a->scores, b->scores, 21 * sizeof(double));
    ck_assert_double_eq_tol(a->scores[5], sqrt(3) * 20 / 21, 1e-12);
    for (uint64_t i = 0; i < 3; i++) {
        double guess[2];
        make_table(table, 30 + i);
        ck_assert_ok(wsr_predictor_run(&guess[0], a, table, 1));
        ck_assert_ok(wsr_predictor_run(&guess[1], b, table, 1));
        ck_assert_double_eq_tol((guess[0] - a->stats[0]) / a->stats[1],
                                (guess[1] - b->stats[0]) / b->stats[1], 1e-6);
    }
    wsr_predictor_free(a);
    wsr_predictor_free(b);
}
END_TEST

START_TEST(equal_losses_share_a_rank)
{
    static const double losses[] = {2, 1, 2, 3};
    static const double ranks[] = {1.5, 0, 1.5, 3};
    wsr_predictor *const p = predictor_new("lstm:targets=ranks", 1);
    float table[TABLE];
    for (uint64_t i = 0; i < 4; i++) {
        make_table(table, i);
        ck_assert_ok(wsr_predictor_remember(p, table, &losses[i]));
    }
    ck_assert_ok(wsr_predictor_train(NULL, p, 1));
    for (size_t i = 0; i < 4; i++) {
        ck_assert_double_eq_tol(
            p->scores[i], sqrt(3) * (2 * (ranks[i] + 0.5) / 4 - 1), 1e-12);
    }
    wsr_predictor_free(p);
}
END_TEST

START_TEST(ranks_of_losses_as_they_are_are_refused)
{
    const wsr_shape table = wsr__shape2(3, 4);
    wsr_predictor *p = NULL;
    ck_assert_fails(wsr_predictor_new(&p,
                                      "lstm:fidelity=released,targets=ranks",
                                      &table, 2, 1),
                    WSR_CONFIG, "predictor.targets: ranks");
}
END_TEST

START_TEST(a_loss_that_never_changes_is_predicted_as_it_is)
{
    wsr_predictor *const p = predictor_new("lstm", 1);
    float table[TABLE];
    double guess = 0;
    for (uint64_t i = 0; i < 20; i++) {
        const double loss = 3;
        make_table(table, i);
        ck_assert_ok(wsr_predictor_remember(p, table, &loss));
    }
    ck_assert_ok(wsr_predictor_train(NULL, p, 300));
    ck_assert_ok(wsr_predictor_run(&guess, p, table, 1));
    ck_assert_double_eq_tol(guess, 3, 0.05);
    wsr_predictor_free(p);
}
END_TEST

START_TEST(training_makes_the_loss_smaller)
{
    static const char *const specs[] = {"lstm", "lstm:fidelity=released",
                                        "lstm:fidelity=released,weighted=true"};
    for (size_t k = 0; k < 3; k++) {
        wsr_predictor *const p = predictor_new(specs[k], HEADS);
        double first = 0;
        double last = 0;
        remember(p, 0, 60);
        ck_assert_ok(wsr_predictor_train(&first, p, 1));
        ck_assert_ok(wsr_predictor_train(&last, p, 300));
        ck_assert_msg(last < 0.97 * first, "%s: loss %g became %g", specs[k],
                      first, last);
        wsr_predictor_free(p);
    }
}
END_TEST

START_TEST(training_without_memory_does_nothing)
{
    wsr_predictor *const p = predictor_new("lstm", HEADS);
    double loss = 1;
    ck_assert_ok(wsr_predictor_train(&loss, p, 3));
    ck_assert(loss == 0);
    wsr_predictor_free(p);
}
END_TEST

START_TEST(the_same_seed_trains_the_same)
{
    double guess[2][HEADS];
    for (size_t k = 0; k < 2; k++) {
        wsr_predictor *const p = predictor_new("lstm:batch=7", HEADS);
        float table[TABLE];
        remember(p, 0, 30);
        ck_assert_ok(wsr_predictor_train(NULL, p, 5 - k));
        ck_assert_ok(wsr_predictor_train(NULL, p, k)); // in two goes
        make_table(table, 99);
        ck_assert_ok(wsr_predictor_run(guess[k], p, table, 1));
        wsr_predictor_free(p);
    }
    ck_assert_mem_eq(guess[0], guess[1], sizeof(guess[0]));
}
END_TEST

// Mean objective of two architectures, `at` of their numbers moved by h.
static double objective(wsr_predictor *p, float *diff, size_t at, float h)
{
    static const double weights[HEADS] = {0.5, 0.2, 0.3};
    float tables[2 * TABLE];
    double value = 0;
    make_table(tables, 50);
    make_table(tables + TABLE, 51);
    tables[at] += h;
    ck_assert_ok(wsr_predictor_gradient(&value, diff, p, tables, 2, weights));
    return value;
}

START_TEST(the_gradient_is_the_slope_of_the_objective)
{
    static const char *const specs[] = {"lstm", "lstm:fidelity=released"};
    for (size_t k = 0; k < 2; k++) {
        const float h = 1.0F / 64;
        wsr_predictor *const p = predictor_new(specs[k], HEADS);
        float diff[2 * TABLE];
        float unused[2 * TABLE];
        remember(p, 0, 40);
        ck_assert_ok(wsr_predictor_train(NULL, p, 100));
        (void)objective(p, diff, 0, 0);
        for (size_t i = 0; i < (size_t)2 * TABLE; i++) {
            const double slope =
                (objective(p, unused, i, h) - objective(p, unused, i, -h)) /
                (2 * (double)h);
            ck_assert_msg(fabs(slope - (double)diff[i]) < 2e-3,
                          "%s: number %zu: slope %g, gradient %g", specs[k], i,
                          slope, (double)diff[i]);
        }
        wsr_predictor_free(p);
    }
}
END_TEST

START_TEST(intended_the_objective_counts_deviations_from_the_mean)
{
    static const double only[HEADS] = {0, 0, 1};
    wsr_predictor *const p = predictor_new("lstm", HEADS);
    float table[TABLE];
    float diff[TABLE];
    double guess[HEADS];
    double value = 0;
    remember(p, 0, 40);
    ck_assert_ok(wsr_predictor_train(NULL, p, 100));
    make_table(table, 7);
    ck_assert_ok(wsr_predictor_run(guess, p, table, 1));
    ck_assert_ok(wsr_predictor_gradient(&value, diff, p, table, 1, only));
    ck_assert_double_eq_tol(value, (guess[2] - p->stats[2]) / p->stats[5],
                            1e-6);
    wsr_predictor_free(p);
}
END_TEST

// Walk down the objective from even weights; the cost (see make_losses) of
// what is chosen then, as a part of the way from the least to the most.
static double cost_reached(wsr_predictor *p, const double *weights)
{
    float alphas[TABLE] = {0};
    float table[TABLE];
    float diff[TABLE];
    double part = 0;
    const wsr__arch arch = {ROWS, COLS, 1};
    for (int step = 0; step < 400; step++) {
        float down[TABLE] = {0};
        wsr__arch_weights(table, &arch, alphas, NULL);
        ck_assert_ok(wsr_predictor_gradient(NULL, diff, p, table, 1, weights));
        wsr__arch_backward(down, &arch, table, diff);
        for (size_t i = 0; i < TABLE; i++) {
            alphas[i] -= 2 * down[i];
        }
    }
    for (size_t r = 0; r < ROWS; r++) {
        size_t best = 0;
        double least = 1;
        double most = 0;
        for (size_t c = 0; c < COLS; c++) {
            const double each = (double)((r * 7 + c * 5) % 11) / 11;
            least = fmin(least, each);
            most = fmax(most, each);
            best = alphas[r * COLS + c] > alphas[r * COLS + best] ? c : best;
        }
        const double each = (double)((r * 7 + best * 5) % 11) / 11;
        part += (each - least) / (most - least) / ROWS;
    }
    return part;
}

START_TEST(intended_the_weights_of_the_heads_decide_where_the_search_goes)
{
    // The clean loss rises with the cost, the last robust one falls.
    static const double clean[HEADS] = {1, 0, 0};
    static const double robust[HEADS] = {0.4, 0, 0.6};
    wsr_predictor *const p = predictor_new("lstm", HEADS);
    remember(p, 0, 100);
    ck_assert_ok(wsr_predictor_train(NULL, p, 500));
    const double by_clean = cost_reached(p, clean);
    const double by_robust = cost_reached(p, robust);
    ck_assert_msg(by_clean < 0.2 && by_robust > 0.8, "%g, %g", by_clean,
                  by_robust);
    wsr_predictor_free(p);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        intended_the_scale_of_a_loss_does_not_matter,
        ranks_do_not_depend_on_how_bad_the_worst_is,
        equal_losses_share_a_rank,
        ranks_of_losses_as_they_are_are_refused,
        a_loss_that_never_changes_is_predicted_as_it_is,
        training_makes_the_loss_smaller,
        training_without_memory_does_nothing,
        the_same_seed_trains_the_same,
        the_gradient_is_the_slope_of_the_objective,
        intended_the_objective_counts_deviations_from_the_mean,
        intended_the_weights_of_the_heads_decide_where_the_search_goes,
        NULL,
    };
    return suite_of("train", tests);
}
