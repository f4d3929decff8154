// SPDX-License-Identifier: Apache-2.0

#include "predictor_support.h"

START_TEST(parameters_are_those_of_the_released_module)
{
    static const char *const names[] = {
        "rnn_cell.weight_ih_l0",  "rnn_cell.weight_hh_l0",
        "rnn_cell.bias_ih_l0",    "rnn_cell.bias_hh_l0",
        "logits_cell.weight",     "logits_cell.bias",
        "logits_epsilon0.weight", "logits_epsilon5.bias"};
    const wsr_shape table = wsr__shape2(28, 8);
    wsr_predictor *p = NULL;
    ck_assert_ok(wsr_predictor_new(&p, "lstm", &table, 7, 1));
    wsr_params *const params = wsr_predictor_params(p);
    ck_assert_int_eq(wsr_params_scalars(params), 1783);
    ck_assert_uint_eq(wsr_params_count(params), 18);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t at = 0;
        ck_assert_ok(wsr_params_find(&at, params, names[i]));
    }
    wsr_predictor_free(p);
}
END_TEST

START_TEST(hidden_sets_the_size_of_the_state)
{
    wsr_predictor *const p = predictor_new("lstm:hidden=5", 1);
    ck_assert_int_eq(wsr_params_scalars(wsr_predictor_params(p)),
                     4 * 5 * (COLS + 5 + 2) + 6);
    wsr_predictor_free(p);
}
END_TEST

// A search may have 32 sources and 32 targets.
START_TEST(there_may_be_a_head_for_every_loss_of_a_search)
{
    static const char *const forms[] = {"lstm", "lstm:form=predictor3"};
    for (size_t k = 0; k < 2; k++) {
        const wsr_shape shape = wsr__shape2(ROWS, COLS);
        wsr_predictor *p = NULL;
        double losses[WSR__HEADS];
        double guess[WSR__HEADS];
        float table[TABLE];
        for (size_t h = 0; h < WSR__HEADS; h++) {
            losses[h] = (double)h;
        }
        make_table(table, 1);
        ck_assert_ok(wsr_predictor_new(&p, forms[k], &shape, WSR__HEADS, 1));
        ck_assert_ok(wsr_predictor_remember(p, table, losses));
        ck_assert_ok(wsr_predictor_train(NULL, p, 300));
        ck_assert_ok(wsr_predictor_run(guess, p, table, 1));
        for (size_t h = 0; h < WSR__HEADS; h++) {
            ck_assert_double_eq_tol(guess[h], losses[h], 0.2);
        }
        wsr_predictor_free(p);
    }
}
END_TEST

START_TEST(released_heads_stay_between_zero_and_two_intended_do_not)
{
    static const char *const specs[] = {"lstm:fidelity=released", "lstm"};
    for (size_t k = 0; k < 2; k++) {
        wsr_predictor *const p = predictor_new(specs[k], HEADS);
        float table[TABLE];
        double guess[HEADS];
        remember(p, 0, 30);
        ck_assert_ok(wsr_predictor_train(NULL, p, 300));
        make_table(table, 3);
        ck_assert_ok(wsr_predictor_run(guess, p, table, 1));
        ck_assert((guess[2] > 2) == (k == 1)); // it is about 12
        wsr_predictor_free(p);
    }
}
END_TEST

START_TEST(intended_unseen_tables_are_ranked_well)
{
    wsr_predictor *const p = predictor_new("lstm:memory=200", HEADS);
    remember(p, 0, 200);
    ck_assert_ok(wsr_predictor_train(NULL, p, 500));
    for (size_t h = 0; h < HEADS; h++) {
        const double tau = correlation(p, h);
        ck_assert_msg(tau > 0.7, "head %zu: rank correlation %g", h, tau);
    }
    wsr_predictor_free(p);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_are_those_of_the_released_module,
        hidden_sets_the_size_of_the_state,
        there_may_be_a_head_for_every_loss_of_a_search,
        released_heads_stay_between_zero_and_two_intended_do_not,
        intended_unseen_tables_are_ranked_well,
        NULL,
    };
    return suite_of("lstm", tests);
}
