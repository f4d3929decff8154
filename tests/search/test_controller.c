// SPDX-License-Identifier: Apache-2.0
//
// The controller: its parameters, its gradient against finite differences, the
// distribution of what it draws, and a planted optimum.

#include "search/controller.h"
#include "search/planted.h"

#include <math.h>

static const char *const modes[] = {"fidelity=intended", "fidelity=released"};

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    wsr_config *const config = make_config(modes[_i]);
    ck_assert_ok(wsr_config_set(config, "searcher.name=controller"));
    ck_assert_ok(wsr_config_set(config, "search.epochs=2"));
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

START_TEST(the_planted_optimum_is_found)
{
    const char *const settings[] = {"searcher.name=controller", "threads=1",
                                    "search.epochs=60", NULL};
    const size_t n = find_planted(settings);
    ck_assert_msg(n >= 14, "%zu of 16", n);
}
END_TEST

START_TEST(parameters_are_those_of_the_authors)
{
    static const char *const names[] = {"embedding.weight", "lstm.weight_ih",
                                        "lstm.weight_hh",   "lstm.bias_ih",
                                        "lstm.bias_hh",     "opt_linear.weight",
                                        "opt_linear.bias",  "w_attn_1.weight",
                                        "w_attn_2.weight",  "v_attn.weight"};
    wsr__controller c;
    ck_assert_ok(wsr__controller_make(&c, 4, 7, true, 1));
    ck_assert_int_eq(wsr_params_scalars(c.params), 42503);
    ck_assert_uint_eq(wsr_params_count(c.params), 10);
    for (size_t i = 0; i < 10; i++) {
        ck_assert_ptr_nonnull(wsr__params_named(c.params, names[i]));
    }
    wsr__controller_free(&c);
}
END_TEST

static double log_p_of(wsr__controller *c, const uint32_t *choices)
{
    double log_p = 0;
    ck_assert_ok(wsr__controller_backward(&log_p, c, choices, 1));
    return log_p;
}

static float *src_of(const wsr__controller *c, const char *what, size_t i)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%s.%zu", what, i);
    return wsr_plan_src(c->plan, name);
}

static void enter_decision(const wsr__controller *c, size_t i, uint32_t choice)
{
    bool op = false;
    const size_t n = wsr__controller_decision(NULL, &op, c, i);
    float *const select = src_of(c, "select", i);
    for (size_t k = 0; select != NULL && k < n + (op ? 1 : 0); k++) {
        select[k] = k == choice + (op ? 1 : 0) ? 1 : 0;
    }
    for (size_t k = 0; i % 4 == 0 && k < n; k++) {
        src_of(c, "mask", i)[k] = 0;
        src_of(c, "mask", i + 1)[k] = c->distinct && k == choice ? WSR__EXCLUDED
                                                                 : 0;
    }
}

// The whole graph for every decision, later ones with any inputs.
static void sample_by_the_graph(uint32_t *choices, wsr__controller *c,
                                wsr__rng *rng)
{
    for (size_t i = 0; i < c->decisions; i++) {
        enter_decision(c, i, 0);
    }
    for (size_t i = 0; i < c->decisions; i++) {
        const size_t n = wsr__controller_decision(NULL, NULL, c, i);
        char name[32];
        (void)snprintf(name, sizeof(name), "log_p.%zu", i);
        ck_assert_ok(wsr_plan_forward(c->plan));
        const float *const log_p = wsr_plan_dst(c->plan, name);
        const double u = (double)wsr__rng_uniform(rng);
        double sum = 0;
        choices[i] = 0;
        for (size_t k = 0; k < n && u >= sum; k++) {
            sum += exp((double)log_p[k]);
            choices[i] = (uint32_t)k;
        }
        enter_decision(c, i, choices[i]);
    }
}

// Random parameters of a size that makes the probabilities differ.
START_TEST(steps_draw_what_the_whole_graph_draws)
{
    wsr__controller c;
    uint32_t choices[2][WSR__DECISIONS];
    ck_assert_ok(wsr__controller_make(&c, 4, 7, _i == 0, 7));
    for (size_t i = 0; i < wsr_params_count(c.params); i++) {
        wsr__param *const p = wsr__params_at(c.params, i);
        for (int64_t k = 0; k < p->count; k++) {
            p->data[k] *= 5;
        }
        wsr__param_touch(p);
    }
    for (uint64_t round = 0; round < 40; round++) {
        wsr__rng rngs[2];
        for (int way = 0; way < 2; way++) {
            rngs[way] = wsr__rng_at(9, WSR__RNG_TEST, round, 0);
        }
        ck_assert_ok(wsr__controller_sample(choices[0], &c, &rngs[0]));
        sample_by_the_graph(choices[1], &c, &rngs[1]);
        for (size_t i = 0; i < c.decisions; i++) {
            ck_assert_uint_eq(choices[0][i], choices[1][i]);
        }
        ck_assert(wsr__rng_uniform(&rngs[0]) == wsr__rng_uniform(&rngs[1]));
    }
    wsr__controller_free(&c);
}
END_TEST

// Along a random direction of each parameter, so that all elements count.
START_TEST(the_gradient_is_that_of_finite_differences)
{
    wsr__controller c;
    uint32_t choices[WSR__DECISIONS];
    ck_assert_ok(wsr__controller_make(&c, 4, 7, _i == 0, 1));
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    ck_assert_ok(wsr__controller_sample(choices, &c, &rng));
    for (size_t i = 0; i < wsr_params_count(c.params); i++) {
        wsr__param *const p = wsr__params_at(c.params, i);
        const size_t n = (size_t)p->count;
        float *const way = wsr__alloc(n, sizeof(float));
        float *const at = wsr__alloc(n, sizeof(float));
        double values[2];
        double slope = 0;
        memcpy(at, p->data, n * sizeof(float));
        wsr__rng_normals(&rng, way, n);
        wsr_params_zero_grad(c.params, false);
        (void)log_p_of(&c, choices);
        for (size_t k = 0; k < n; k++) {
            slope += (double)p->grad[k] * (double)way[k];
        }
        const double step = 0.02 / sqrt((double)n);
        for (int side = 0; side < 2; side++) {
            for (size_t k = 0; k < n; k++) {
                const double moved =
                    (double)at[k] + (side == 0 ? -step : step) * (double)way[k];
                p->data[k] = (float)moved;
            }
            wsr__param_touch(p);
            values[side] = log_p_of(&c, choices);
        }
        memcpy(p->data, at, n * sizeof(float));
        wsr__param_touch(p);
        const double found = (values[1] - values[0]) / (2 * step);
        ck_assert_msg(fabs(found - slope) <= 1e-2 * fabs(slope) + 1e-2,
                      "%s: %g by differences, %g", p->name, found, slope);
        wsr__free(way);
        wsr__free(at);
    }
    wsr__controller_free(&c);
}
END_TEST

// What is drawn has the frequencies that log-probabilities say: of the first
// operation; and two states of a node differ where they have to.
START_TEST(draws_follow_the_probabilities)
{
    enum { DRAWS = 3000 };
    wsr__controller c;
    double share[7] = {0};
    size_t equal = 0;
    ck_assert_ok(wsr__controller_make(&c, 1, 7, _i == 0, 5));
    wsr__param *const bias = wsr__params_named(c.params, "opt_linear.bias");
    for (size_t k = 0; k < 7; k++) {
        bias->data[k] = 0.4F * (float)k;
    }
    wsr__param_touch(bias);
    uint32_t choices[WSR__DECISIONS];
    for (uint64_t i = 0; i < DRAWS; i++) {
        wsr__rng rng = wsr__rng_at(2, WSR__RNG_TEST, i, 0);
        ck_assert_ok(wsr__controller_sample(choices, &c, &rng));
        share[choices[2]] += 1.0 / DRAWS;
        equal += choices[0] == choices[1];
    }
    // The logits without the bias are small: softmax of the bias, nearly.
    double sum = 0;
    for (size_t k = 0; k < 7; k++) {
        sum += exp(0.4 * (double)k);
    }
    for (size_t k = 0; k < 7; k++) {
        const double want = exp(0.4 * (double)k) / sum;
        ck_assert_double_eq_tol(share[k], want, 0.05);
    }
    ck_assert_msg(_i == 0 ? equal == 0 : equal > DRAWS / 3, "%zu", equal);
    wsr__controller_free(&c);
}
END_TEST

// Probabilities of all architectures of one small cell pair sum to one.
START_TEST(probabilities_sum_to_one)
{
    wsr__controller c;
    ck_assert_ok(wsr__controller_make(&c, 1, 2, false, 3));
    double sum = 0;
    for (uint32_t code = 0; code < 256; code++) {
        uint32_t choices[WSR__DECISIONS] = {0};
        for (size_t i = 0; i < 8; i++) {
            choices[i] = code >> i & 1U;
        }
        sum += exp(log_p_of(&c, choices));
    }
    ck_assert_double_eq_tol(sum, 1, 1e-4);
    wsr__controller_free(&c);
}
END_TEST

START_TEST(one_architecture_an_epoch_is_refused)
{
    wsr_config *const config = make_config("searcher.name=controller");
    ck_assert_ok(wsr_config_set(config, "search.architectures=1"));
    ck_assert_fails(
        wsr_search_run(NULL, config, scratch_folder("one"), false, NULL, NULL),
        WSR_CONFIG, "search.architectures: 1 leaves no");
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("controller");
    TCase *const t = tcase_create("controller");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 2);
    tcase_add_test(t, the_planted_optimum_is_found);
    tcase_add_test(t, parameters_are_those_of_the_authors);
    tcase_add_loop_test(t, steps_draw_what_the_whole_graph_draws, 0, 2);
    tcase_add_loop_test(t, the_gradient_is_that_of_finite_differences, 0, 2);
    tcase_add_loop_test(t, draws_follow_the_probabilities, 0, 2);
    tcase_add_test(t, probabilities_sum_to_one);
    tcase_add_test(t, one_architecture_an_epoch_is_refused);
    suite_add_tcase(s, t);
    return s;
}
