// SPDX-License-Identifier: Apache-2.0

#include "predictor_support.h"
#include "support/oom.h"

// A spec of every predictor and form, with options, so that more can follow.
static const char *const specs[] = {"lstm:hidden=8", "lstm:form=predictor3",
                                    "strength:hidden=8",
                                    "gae:hidden=8,layers=2,pretrain=1"};
enum { N_SPECS = sizeof(specs) / sizeof(specs[0]) };

START_TEST(wrong_arguments_are_refused)
{
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    const wsr_shape flat = wsr__shape1(ROWS);
    wsr_predictor *p = NULL;
    ck_assert_fails(wsr_predictor_new(&p, "lst", &table, 3, 1), WSR_NOTFOUND,
                    "did you mean 'lstm'");
    ck_assert_fails(wsr_predictor_new(&p, "lstm:hiden=3", &table, 3, 1),
                    WSR_CONFIG, "did you mean 'lstm.hidden'");
    ck_assert_fails(wsr_predictor_new(&p, "lstm", &flat, 3, 1), WSR_ARG,
                    "predictor");
    ck_assert_fails(wsr_predictor_new(&p, "lstm", &table, 0, 1), WSR_ARG,
                    "0 heads");
    ck_assert_fails(wsr_predictor_new(&p, "lstm", &table, 66, 1), WSR_ARG,
                    "66 heads");
    ck_assert_ptr_null(p);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_is_refused)
{
    wsr_predictor *const p = predictor_new("lstm", HEADS);
    const float table[TABLE] = {0};
    const double losses[HEADS] = {1, (double)NAN, 1};
    ck_assert_fails(wsr_predictor_remember(p, table, losses), WSR_NUMERIC,
                    "loss 1");
    ck_assert_uint_eq(wsr_predictor_remembered(p), 0);
    wsr_predictor_free(p);
}
END_TEST

START_TEST(the_oldest_architecture_makes_room)
{
    wsr_predictor *const p = predictor_new("lstm:memory=4", HEADS);
    remember(p, 0, 3);
    ck_assert_uint_eq(wsr_predictor_remembered(p), 3);
    remember(p, 3, 6);
    ck_assert_uint_eq(wsr_predictor_remembered(p), 4);
    for (uint64_t i = 2; i < 6; i++) {
        float table[TABLE];
        double losses[HEADS];
        bool found = false;
        make_table(table, i);
        make_losses(losses, table);
        for (size_t k = 0; k < 4; k++) {
            found |= same_bits(p->tables + k * TABLE, table, sizeof(table)) &&
                     same_bits(p->losses + k * HEADS, losses, sizeof(losses));
        }
        ck_assert_msg(found, "entry %d is gone", (int)i);
    }
    wsr_predictor_free(p);
}
END_TEST

START_TEST(kendall_tau_counts_pairs)
{
    const double up[] = {1, 2, 3, 4};
    const double down[] = {9, 7, 5, 1};
    const double swapped[] = {1, 3, 2, 4};
    const double ties[] = {1, 1, 2, 2};
    const double flat[] = {5, 5, 5, 5};
    ck_assert_double_eq_tol(wsr_kendall_tau(up, up, 4), 1, 1e-12);
    ck_assert_double_eq_tol(wsr_kendall_tau(up, down, 4), -1, 1e-12);
    ck_assert_double_eq_tol(wsr_kendall_tau(up, swapped, 4), 4.0 / 6, 1e-12);
    ck_assert_double_eq_tol(wsr_kendall_tau(up, ties, 4), 4 / sqrt(24.0),
                            1e-12);
    ck_assert_double_eq_tol(wsr_kendall_tau(up, flat, 4), 0, 1e-12);
    ck_assert_double_eq_tol(wsr_kendall_tau(up, up, 1), 0, 1e-12);
}
END_TEST

static void copy_state(wsr_predictor *to, wsr_predictor *from)
{
    ck_assert_ok(wsr__predictor_reserve(to));
    ck_assert_ok(wsr__predictor_reserve(from));
    ck_assert_uint_eq(wsr__predictor_states(to), wsr__predictor_states(from));
    for (size_t i = 0; i < wsr__predictor_states(from); i++) {
        const wsr__state a = wsr__predictor_state(from, i);
        const wsr__state b = wsr__predictor_state(to, i);
        ck_assert_str_eq(a.name, b.name);
        ck_assert_uint_eq(a.count, b.count);
        memcpy(b.data, a.data, a.count * (a.kind == WSR__STATE_F32 ? 4 : 8));
    }
    for (size_t i = 0; i < wsr_params_count(to->params); i++) {
        memcpy(wsr_params_edit(to->params, i), wsr_params_data(from->params, i),
               (size_t)wsr__params_at(from->params, i)->count * sizeof(float));
    }
}

// The two predict and train alike, bit for bit.
static void same_parameters(wsr_predictor *const p[2])
{
    for (size_t i = 0; i < wsr_params_count(p[0]->params); i++) {
        ck_assert_mem_eq(
            wsr_params_data(p[0]->params, i), wsr_params_data(p[1]->params, i),
            (size_t)wsr__params_at(p[0]->params, i)->count * sizeof(float));
    }
}

START_TEST(an_imported_state_goes_on_exactly)
{
    for (size_t v = 0; v < N_SPECS; v++) {
        char spec[96];
        wsr_predictor *p[2];
        double loss[2];
        (void)snprintf(spec, sizeof(spec), "%s,memory=10,batch=4", specs[v]);
        for (size_t k = 0; k < 2; k++) {
            p[k] = predictor_new(spec, HEADS);
        }
        remember(p[0], 0, 13);
        ck_assert_ok(wsr_predictor_train(NULL, p[0], 3));
        copy_state(p[1], p[0]);
        for (size_t k = 0; k < 2; k++) {
            remember(p[k], 13, 15);
            ck_assert_ok(wsr_predictor_train(&loss[k], p[k], 4));
        }
        ck_assert(loss[0] == loss[1]);
        same_parameters(p);
        wsr_predictor_free(p[0]);
        wsr_predictor_free(p[1]);
    }
}
END_TEST

START_TEST(a_saved_predictor_predicts_the_same)
{
    char *const path =
        wsr__path_join(scratch_folder("saved"), "predictor.safetensors");
    for (size_t v = 0; v < N_SPECS; v++) {
        char spec[96];
        wsr_predictor *p[2] = {NULL, NULL};
        float table[TABLE];
        double guess[2][HEADS];
        (void)snprintf(spec, sizeof(spec), "%s,memory=20", specs[v]);
        p[0] = predictor_new(spec, HEADS);
        remember(p[0], 0, 20);
        ck_assert_ok(wsr_predictor_train(NULL, p[0], 5));
        ck_assert_ok(wsr_predictor_save(p[0], path));
        ck_assert_ok(wsr_predictor_load(&p[1], path));
        same_parameters(p);
        make_table(table, 99);
        for (size_t k = 0; k < 2; k++) {
            ck_assert_ok(wsr_predictor_run(guess[k], p[k], table, 1));
        }
        ck_assert_mem_eq(guess[0], guess[1], sizeof(guess[0]));
        // What a file says of the memory takes none until it is used.
        ck_assert_ptr_null(p[1]->tables);
        remember(p[1], 0, 20);
        ck_assert_ok(wsr_predictor_train(NULL, p[1], 1));
        ck_assert_uint_eq(wsr_predictor_remembered(p[1]), 20);
        wsr_predictor_free(p[0]);
        wsr_predictor_free(p[1]);
    }
    wsr__free(path);
}
END_TEST

START_TEST(files_that_hold_no_predictor_are_refused)
{
    char *const path =
        wsr__path_join(scratch_folder("unsaved"), "params.safetensors");
    wsr_predictor *const p = predictor_new("lstm", HEADS);
    wsr_predictor *loaded = NULL;
    ck_assert_fails(wsr_predictor_load(&loaded, "absent.safetensors"), WSR_IO,
                    "absent.safetensors");
    ck_assert_ok(wsr_params_save(wsr_predictor_params(p), path));
    ck_assert_fails(wsr_predictor_load(&loaded, path), WSR_FORMAT,
                    "holds no predictor");
    ck_assert_ptr_null(loaded);
    wsr_predictor_free(p);
    wsr__free(path);
}
END_TEST

static const double slope_weights[HEADS] = {0.5, 0.2, 0.3};

// The slope along number i of a table, by central differences.
static double slope_along(wsr_predictor *p, float table[TABLE], size_t i)
{
    const float h = 1.0F / 4096; // relus of gae have kinks
    const float old = table[i];
    float unused[TABLE];
    double value[2];
    for (size_t k = 0; k < 2; k++) {
        table[i] = k == 0 ? old - h : old + h;
        ck_assert_ok(wsr_predictor_gradient(&value[k], unused, p, table, 1,
                                            slope_weights));
    }
    table[i] = old;
    return (value[1] - value[0]) / (2 * (double)h);
}

START_TEST(every_predictor_gives_the_slope_of_its_objective)
{
    for (size_t v = 0; v < N_SPECS; v++) {
        wsr_predictor *const p = predictor_new(specs[v], HEADS);
        float table[TABLE];
        float diff[TABLE];
        remember(p, 0, 40);
        ck_assert_ok(wsr_predictor_train(NULL, p, 30));
        make_table(table, 50);
        ck_assert_ok(
            wsr_predictor_gradient(NULL, diff, p, table, 1, slope_weights));
        for (size_t i = 0; i < TABLE; i++) {
            const double slope = slope_along(p, table, i);
            ck_assert_msg(fabs(slope - (double)diff[i]) <
                              4e-3 + 2e-2 * fabs(slope),
                          "%s: number %zu: slope %g, gradient %g", specs[v], i,
                          slope, (double)diff[i]);
        }
        wsr_predictor_free(p);
    }
}
END_TEST

START_TEST(chance_bounds_a_rank_correlation)
{
    enum { N = 60 };
    double a[N];
    double b[N];
    double range[2];
    double again[2];
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < N; i++) {
        a[i] = wsr__rng_normal(&rng);
        b[i] = a[i] + wsr__rng_normal(&rng);
    }
    const double tau = wsr_kendall_tau(a, b, N);
    ck_assert_ok(wsr_kendall_tau_interval(range, a, b, N, 7));
    ck_assert_ok(wsr_kendall_tau_interval(again, a, b, N, 7));
    ck_assert_mem_eq(range, again, sizeof(range));
    ck_assert(range[0] < tau && tau < range[1]);
    // Its standard error is about sqrt((4 n + 10) / (9 n (n - 1))), a little
    // less when the two depend on each other: some 0.085.
    ck_assert_double_eq_tol(range[1] - range[0], 4 * 0.08, 0.12);
    ck_assert_ok(wsr_kendall_tau_interval(again, a, b, N, 8));
    ck_assert(again[0] != range[0] || again[1] != range[1]);
    ck_assert_ok(wsr_kendall_tau_interval(range, a, a, N, 7));
    ck_assert(range[0] == 1 && range[1] == 1);
    ck_assert_ok(wsr_kendall_tau_interval(range, a, b, 2, 7));
    ck_assert(range[0] == -1 && range[1] == 1);
}
END_TEST

static wsr_status use(void *ctx)
{
    const char *const spec = ctx;
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    const double weights[HEADS] = {1, 1, 1};
    const double losses[HEADS] = {1, 2, 3};
    const float x[TABLE] = {0};
    float diff[TABLE];
    double guess[HEADS];
    wsr_predictor *p = NULL;
    wsr_status status = wsr_predictor_new(&p, spec, &table, HEADS, 1);
    if (status == WSR_OK) {
        status = wsr_predictor_set_strengths(p, STRENGTHS);
    }
    if (status == WSR_OK) {
        status = wsr_predictor_remember(p, x, losses);
    }
    if (status == WSR_OK) {
        status = wsr_predictor_train(NULL, p, 1);
    }
    if (status == WSR_OK) {
        status = wsr_predictor_run(guess, p, x, 1);
    }
    if (status == WSR_OK) {
        status = wsr_predictor_gradient(NULL, diff, p, x, 1, weights);
    }
    wsr_predictor_free(p);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    for (size_t v = 0; v < N_SPECS; v++) {
        char spec[96];
        (void)snprintf(spec, sizeof(spec), "%s", specs[v]);
        ck_assert_ok(use(spec)); // fills caches that outlive it
        ck_assert_uint_gt(oom_sweep(use, spec), 50);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        wrong_arguments_are_refused,
        a_loss_that_is_not_finite_is_refused,
        the_oldest_architecture_makes_room,
        kendall_tau_counts_pairs,
        chance_bounds_a_rank_correlation,
        an_imported_state_goes_on_exactly,
        a_saved_predictor_predicts_the_same,
        files_that_hold_no_predictor_are_refused,
        every_predictor_gives_the_slope_of_its_objective,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("predictor", tests);
}
