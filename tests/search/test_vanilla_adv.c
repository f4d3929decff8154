// SPDX-License-Identifier: Apache-2.0
//
// The search of cells beside a base network: the descent of alphas and betas,
// the term of the multiply-adds, and the genotype.

#include "search/boost_runs.h"

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    check_boost_run("searcher.name=vanilla_adv");
}
END_TEST

START_TEST(it_may_be_compared)
{
    wsr_config *const config = boost_config("compare=random,vanilla_adv");
    char dir[512];
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("compared"));
    ck_assert_ok(wsr_config_set(config, "search.random_baseline=2"));
    ck_assert_ok(wsr_search_run(NULL, config, dir, false, NULL, NULL));
    ck_assert(file_has(dir, "compare.md", "| vanilla_adv |"));
    wsr_config_free(config);
}
END_TEST

// With weights that stay as they are, alphas and betas alone lower the loss on
// the images that they learn from.
START_TEST(alphas_and_betas_descend)
{
    static const char *const settings[] = {"searcher.name=vanilla_adv",
                                           "searcher.base=wrn:depth=10,width=2",
                                           "search.lr=0",
                                           "search.lr_min=0",
                                           "search.warm_up=0",
                                           "search.population=0",
                                           "search.epochs=4",
                                           "search.arch_lr=0.3",
                                           "search.val_batches=0",
                                           NULL};
    const boost_bench bench = boost_open(settings);
    wsr_search *const s = bench.search;
    double first = 0;
    ck_assert_ok(wsr_search_step(s));
    first = s->losses[1];
    while (wsr_search_phase(s) != WSR_PHASE_DONE) {
        ck_assert_ok(wsr_search_step(s));
    }
    ck_assert_msg(s->losses[1] < first - 0.01, "from %g to %g", first,
                  s->losses[1]);
    const size_t half = s->arch.rows * s->arch.cols / 2;
    ck_assert_mem_eq(s->alphas, s->alphas + half, half * sizeof(float));
    boost_close(&bench);
}
END_TEST

static void softmax(double *out, const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = exp((double)x[i]);
        sum += out[i];
    }
    for (size_t i = 0; i < n; i++) {
        out[i] /= sum;
    }
}

// log of 0.2 log(F)^0.6, F by its definition.
static double log_term(const wsr_search *s)
{
    const wsr__boost *const b = s->own;
    double sum = b->other_madds;
    size_t e = 0;
    for (size_t node = 0; node < 4; node++) {
        double share[8];
        softmax(share, b->betas + e, node + 2);
        for (size_t state = 0; state < node + 2; state++, e++) {
            double w[WSR__CANDIDATES];
            softmax(w, s->alphas + e * s->arch.cols, s->arch.cols);
            for (size_t k = 0; k < s->arch.cols; k++) {
                sum += share[state] * w[k] * b->madds[e * s->arch.cols + k];
            }
        }
    }
    return log(0.2 * pow(log(sum), 0.6));
}

static void clear_gradient(const wsr_plan *plan, const char *input, size_t n)
{
    union {
        const float *read;
        float *write;
    } diff = {wsr_plan_diff_src(plan, input)};
    memset(diff.write, 0, n * sizeof(float));
}

// The gradient of L f(F) is f dL + L f dlog f: with a loss of 0 that of f alone
// is missing, which differences of log f have.
START_TEST(the_term_of_multiply_adds_has_its_gradient)
{
    static const char *const settings[] = {"searcher.name=vanilla_adv",
                                           "searcher.flops=true", NULL};
    static const double losses[] = {0, 2};
    const boost_bench bench = boost_open(settings);
    wsr_search *const s = bench.search;
    wsr__boost *const b = s->own;
    wsr__param *const params[] = {wsr__params_at(s->arch_params, 0),
                                  wsr__params_at(s->arch_params, 1)};
    const size_t counts[] = {14 * s->arch.cols, 14};
    wsr_plan *const plan = b->plans[WSR__BOOST_ALPHAS];
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    double grads[2][2][14 * WSR__CANDIDATES];
    const size_t batch = (size_t)s->params.batch;
    wsr__rng_normals(&rng, s->alphas, counts[0]);
    wsr__rng_normals(&rng, b->betas, counts[1]);
    // No pass was made: what lies in the plan would only blur the difference.
    clear_gradient(plan, "alphas", batch * counts[0]);
    clear_gradient(plan, "betas", batch * counts[1]);
    for (int i = 0; i < 2; i++) {
        ck_assert_ok(wsr__boost_gradients(s, plan, &losses[i]));
        for (int p = 0; p < 2; p++) {
            for (size_t k = 0; k < counts[p]; k++) {
                grads[i][p][k] = (double)params[p]->grad[k];
            }
        }
    }
    const double f = exp(log_term(s));
    for (int p = 0; p < 2; p++) {
        double most = 0;
        for (size_t k = 0; k < counts[p]; k++) {
            float *const x = &params[p]->data[k];
            const float at = *x;
            const float step = 0.01F;
            *x = at + step;
            const double above = log_term(s);
            *x = at - step;
            const double want = losses[1] * f * (above - log_term(s)) /
                                (2 * (double)step);
            *x = at;
            const double have = grads[1][p][k] - grads[0][p][k];
            ck_assert_double_eq_tol(have, want, 1e-3 * fabs(want) + 1e-8);
            most = fmax(most, fabs(want));
        }
        ck_assert_double_gt(most, 1e-5);
    }
    boost_close(&bench);
}
END_TEST

// Node 3 has five edges; betas make edges 10 and 12 the strongest, although the
// alphas of edge 9 are.
START_TEST(the_genotype_ranks_alphas_times_betas)
{
    static const char *const settings[] = {"searcher.name=vanilla_adv", NULL};
    const boost_bench bench = boost_open(settings);
    wsr_search *const s = bench.search;
    wsr__boost *const b = s->own;
    wsr_genotype *genotype = NULL;
    memset(s->alphas, 0, s->arch.rows * s->arch.cols * sizeof(float));
    for (size_t e = 0; e < 14; e++) {
        s->alphas[e * s->arch.cols + 4 + e % 2] = e == 9 ? 3 : 2;
        b->betas[e] = e == 10 ? 2 : e == 12 ? 1 : 0;
    }
    ck_assert_ok(wsr_search_genotype(&genotype, s, "found"));
    for (int cell = 0; cell < 2; cell++) {
        const wsr_genotype_cell c = (wsr_genotype_cell)cell;
        ck_assert_uint_eq(wsr_genotype_state(genotype, c, 6), 1);
        ck_assert_uint_eq(wsr_genotype_state(genotype, c, 7), 3);
        ck_assert_str_eq(wsr_genotype_op(genotype, c, 6), "sep_conv_3x3");
    }
    wsr_genotype_free(genotype);
    boost_close(&bench);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    static const char *const rows[][2] = {
        {"searcher.base=nonsense", "boost.base: "},
        {"searcher.base=wrn:depth=10,width=1", "no multiple of 32"},
        {"searcher.repeats=0", "searcher.repeats: 0 is outside"},
        {"searcher.lambda=1", "searcher.lambda"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wsr_config *const config = boost_config("searcher.name=vanilla_adv");
        ck_assert_ok(wsr_config_set(config, rows[i][0]));
        ck_assert_fails(wsr_search_run(NULL, config, scratch_folder("refused"),
                                       false, NULL, NULL),
                        WSR_CONFIG, rows[i][1]);
        wsr_config_free(config);
    }
}
END_TEST

// A caller's own search: architectures are measured, wrong ones refused, and a
// saved search goes on.
START_TEST(a_program_may_step_it)
{
    static const char *const settings[] = {"searcher.name=vanilla_adv", NULL};
    const boost_bench bench = boost_open(settings);
    wsr_search *const s = bench.search;
    unsigned char choices[28] = {0};
    double losses[WSR__SLOTS];
    wsr_graph *graph = NULL;
    wsr_search *back = NULL;
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/search.safetensors",
                   scratch_folder("saved"));
    ck_assert_ok(wsr_search_step(s));
    ck_assert_ok(wsr_search_save(s, path));
    ck_assert_ok(wsr_search_load(&back, path, bench.data));
    choices[0] = 4;
    ck_assert_ok(wsr_search_evaluate(losses, s, choices));
    ck_assert(losses[0] > 0);
    choices[0] = 8;
    ck_assert_fails(wsr_search_evaluate(losses, s, choices), WSR_ARG, "edge 0");
    ck_assert_fails(
        wsr_supernet_graph(&graph, wsr_search_net(s), choices, NULL), WSR_ARG,
        "a boost is no supernet");
    while (wsr_search_phase(s) != WSR_PHASE_DONE) {
        ck_assert_ok(wsr_search_step(s));
        ck_assert_ok(wsr_search_step(back));
    }
    ck_assert_mem_eq(wsr_search_alphas(s), wsr_search_alphas(back),
                     28 * 8 * sizeof(float));
    wsr_search_free(back);
    boost_close(&bench);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("vanilla_adv");
    TCase *const t = tcase_create("vanilla_adv");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, a_stopped_run_ends_with_the_same_bytes);
    tcase_add_test(t, it_may_be_compared);
    tcase_add_test(t, alphas_and_betas_descend);
    tcase_add_test(t, the_term_of_multiply_adds_has_its_gradient);
    tcase_add_test(t, the_genotype_ranks_alphas_times_betas);
    tcase_add_test(t, what_cannot_be_is_refused);
    tcase_add_test(t, a_program_may_step_it);
    suite_add_tcase(s, t);
    return s;
}
