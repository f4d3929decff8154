// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(noise_has_the_deviation_that_is_asked_for)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "gn:sigma=0.1", "stop=false", INFINITY);
    double squares = 0;
    size_t inner = 0;
    for (size_t i = 0; i < TOY_N * TOY_D; i++) {
        if (w->x[i] > 0.4f && w->x[i] < 0.6f) {
            const double moved = (double)wsr_attack_result_images(r, 0)[i] -
                                 (double)w->x[i];
            squares += moved * moved;
            inner++;
        }
    }
    ck_assert_double_eq_tol(sqrt(squares / (double)inner), 0.1, 0.01);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(euclidean_noise_has_the_length_of_the_strength)
{
    toy_world *const w = toy_begin(7);
    for (size_t i = 0; i < TOY_N * TOY_D; i++) {
        w->x[i] = 0.5f; // away from the edges
    }
    wsr_attack_result *const r = toy_run(w, "gn:norm=l2", "stop=false", 0.25f);
    for (size_t i = 0; i < TOY_N; i++) {
        ck_assert_float_eq_tol(wsr_attack_result_l2(r, 0)[i], 0.25f, 1e-5f);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(more_tries_succeed_no_less)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const one = toy_run(w, "gn", NULL, 0.3f);
    wsr_attack_result *const many = toy_run(w, "gn:tries=50", NULL, 0.3f);
    ck_assert_uint_lt(toy_robust(many), toy_robust(one));
    wsr_attack_result_free(one);
    wsr_attack_result_free(many);
    toy_end(w);
}
END_TEST

START_TEST(unbounded_noise_needs_a_deviation)
{
    toy_world *const w = toy_begin(7);
    const float eps = INFINITY;
    wsr_attack *attack = NULL;
    wsr_attack_result *r = NULL;
    ck_assert_ok(wsr_attack_new(&attack, "gn", NULL));
    ck_assert_ok(wsr_attack_set_strengths(attack, &eps, 1));
    ck_assert_fails(
        wsr_attack_run(&r, attack, w->model, w->x, w->labels, TOY_N), WSR_ARG,
        "sigma");
    wsr_attack_free(attack);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        noise_has_the_deviation_that_is_asked_for,
        euclidean_noise_has_the_length_of_the_strength,
        more_tries_succeed_no_less, unbounded_noise_needs_a_deviation, NULL};
    return suite_of("gn", tests);
}
