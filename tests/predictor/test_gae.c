// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "predictor_support.h"

START_TEST(parameters_are_those_of_the_published_module)
{
    static const char *const names[] = {
        "extractor.encoder.eps",
        "extractor.encoder.mlps.3.linears.1.weight",
        "extractor.encoder.mlps.0.batch_norms.0.running_var",
        "extractor.encoder.batch_norms.3.num_batches_tracked",
        "extractor.encoder.fc.bias",
        "extractor.decoder.linear_opt.weight",
        "predictor.linear_1.weight",
        "predictor.linear_2.bias"};
    const wsr_shape table = wsr__shape2(28, 8);
    wsr_predictor *p = NULL;
    ck_assert_ok(wsr_predictor_new(&p, "gae", &table, 1, 1));
    wsr_params *const params = wsr_predictor_params(p);
    ck_assert_int_eq(wsr_params_scalars(params), 125776);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t at = 0;
        ck_assert_ok(wsr_params_find(&at, params, names[i]));
    }
    wsr_predictor_free(p);
    // Each further head is a row of the last map and its bias.
    ck_assert_ok(wsr_predictor_new(&p, "gae", &table, 7, 1));
    ck_assert_int_eq(wsr_params_scalars(wsr_predictor_params(p)),
                     125776 + 6 * 129);
    wsr_predictor_free(p);
}
END_TEST

START_TEST(tables_that_are_no_cells_are_refused)
{
    static const int64_t rows[] = {1, 6, 9, 26, 30};
    for (size_t i = 0; i < 5; i++) {
        const wsr_shape table = wsr__shape2(rows[i], 8);
        wsr_predictor *p = NULL;
        ck_assert_fails(wsr_predictor_new(&p, "gae", &table, 1, 1), WSR_CONFIG,
                        "edges");
        ck_assert_ptr_null(p);
    }
}
END_TEST

#define SMALL "gae:hidden=24,layers=3,memory=200,lr=3e-3"

START_TEST(intended_unseen_tables_are_ranked)
{
    wsr_predictor *const p = predictor_new(SMALL, HEADS);
    remember(p, 0, 200);
    ck_assert_ok(wsr_predictor_train(NULL, p, 150));
    for (size_t h = 0; h < HEADS; h++) {
        const double tau = correlation(p, h);
        printf("head %zu: rank correlation %.3f\n", h, tau);
        ck_assert_msg(tau > 0.5, "head %zu: rank correlation %g", h, tau);
    }
    wsr_predictor_free(p);
}
END_TEST

// Mean loss of the reconstruction over tables that training never sees.
static double reconstruction(wsr_predictor *p)
{
    enum { N = 32 };
    const wsr__predictor_key key = {N, HEADS, WSR_FORWARD | WSR_TRAIN,
                                    WSR__PRETRAIN};
    wsr__predictor_plan *plan = NULL;
    double sum = 0;
    ck_assert_ok(wsr__predictor_plan_of(&plan, p, &key));
    float *const x = wsr_plan_src(plan->plan, "x");
    for (size_t i = 0; i < N; i++) {
        make_table(x + i * TABLE, 5000 + i);
    }
    for (size_t m = 0; m < plan->n_masks; m++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "mask%zu", m);
        float *const mask = wsr_plan_src(plan->plan, name);
        for (size_t i = 0; i < N * plan->masks[m].floats; i++) {
            mask[i] = 1;
        }
    }
    ck_assert_ok(wsr_plan_forward(plan->plan));
    for (size_t i = 0; i < N; i++) {
        sum += (double)wsr_plan_dst(plan->plan, "loss")[i] / N;
    }
    return sum;
}

START_TEST(pre_training_learns_to_reconstruct)
{
    wsr_predictor *const without = predictor_new(SMALL, HEADS);
    wsr_predictor *const with = predictor_new(SMALL ",pretrain=60", HEADS);
    const double before = reconstruction(without);
    remember(without, 0, 4);
    remember(with, 0, 4);
    ck_assert_ok(wsr_predictor_train(NULL, without, 1));
    ck_assert_ok(wsr_predictor_train(NULL, with, 1));
    const double one_pass = reconstruction(without);
    const double after = reconstruction(with);
    printf("reconstruction %.3f, after a pass %.3f, pre-trained %.3f\n", before,
           one_pass, after);
    ck_assert(after < 0.6 * before && after < 0.7 * one_pass);
    // It happens once.
    const int64_t passes = with->counters[2];
    ck_assert_int_eq(passes, 1);
    wsr_predictor_free(without);
    wsr_predictor_free(with);
}
END_TEST

// Whether the tensors that begin with a prefix are the same.
static bool same(wsr_predictor *a, wsr_predictor *b, const char *prefix)
{
    bool result = true;
    for (size_t i = 0; i < wsr_params_count(a->params); i++) {
        const wsr__param *const x = wsr__params_at(a->params, i);
        const wsr__param *const y = wsr__params_at(b->params, i);
        if (!x->integer && strncmp(x->name, prefix, strlen(prefix)) == 0) {
            result = result && same_bits(x->data, y->data,
                                         (size_t)x->count * sizeof(float));
        }
    }
    return result;
}

START_TEST(an_extractor_is_loaded_from_a_predictor)
{
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    char *const path =
        wsr__path_join(scratch_folder("extractor"), "gae.safetensors");
    char spec[700];
    wsr_predictor *p[2] = {NULL, NULL};
    p[0] = predictor_new(SMALL, HEADS);
    remember(p[0], 0, 20);
    ck_assert_ok(wsr_predictor_train(NULL, p[0], 3));
    ck_assert_ok(wsr_predictor_save(p[0], path));
    (void)snprintf(spec, sizeof(spec), SMALL ",extractor=%s", path);
    // The heads are another's, and may be more.
    ck_assert_ok(wsr_predictor_new(&p[1], spec, &table, HEADS, 77));
    ck_assert(same(p[0], p[1], "extractor."));
    ck_assert(!same(p[0], p[1], "predictor."));
    wsr_predictor_free(p[1]);
    ck_assert_ok(wsr_predictor_new(&p[1], spec, &table, HEADS + 2, 77));
    wsr_predictor_free(p[1]);
    (void)snprintf(spec, sizeof(spec), "gae:hidden=25,layers=3,extractor=%s",
                   path);
    ck_assert_fails(wsr_predictor_new(&p[1], spec, &table, HEADS, 1),
                    WSR_FORMAT, "extractor.encoder.mlps.0.linears.0.weight");
    ck_assert_fails(
        wsr_predictor_new(&p[1], "gae:extractor=absent", &table, HEADS, 1),
        WSR_IO, "absent");
    wsr_predictor_free(p[0]);
    wsr__free(path);
}
END_TEST

START_TEST(every_option_trains_and_predicts)
{
    static const char *const specs[] = {
        "gae:hidden=8,preprocess=0",
        "gae:hidden=8,preprocess=3,lambda=0.5",
        "gae:hidden=8,mlp_layers=3,layers=2",
        "gae:hidden=8,dropout=0",
        "gae:hidden=8,recon_weight=0",
        "gae:hidden=8,fidelity=released",
        "gae:hidden=8,latent=3,head_hidden=5,pretrain=2"};
    for (size_t k = 0; k < sizeof(specs) / sizeof(specs[0]); k++) {
        wsr_predictor *const p = predictor_new(specs[k], HEADS);
        float table[TABLE];
        double first = 0;
        double last = 0;
        double guess[HEADS];
        remember(p, 0, 40);
        ck_assert_ok(wsr_predictor_train(&first, p, 1));
        ck_assert_ok(wsr_predictor_train(&last, p, 60));
        ck_assert_msg(last < first, "%s: %g became %g", specs[k], first, last);
        make_table(table, 3);
        ck_assert_ok(wsr_predictor_run(guess, p, table, 1));
        ck_assert(isfinite(guess[0]));
        wsr_predictor_free(p);
    }
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    wsr_predictor *p = NULL;
    ck_assert_fails(wsr_predictor_new(&p, "gae:preprocess=2", &table, 1, 1),
                    WSR_CONFIG, "preprocess");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_are_those_of_the_published_module,
        tables_that_are_no_cells_are_refused,
        intended_unseen_tables_are_ranked,
        pre_training_learns_to_reconstruct,
        an_extractor_is_loaded_from_a_predictor,
        every_option_trains_and_predicts,
        NULL,
    };
    return suite_of("gae", tests);
}
