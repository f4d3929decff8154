// SPDX-License-Identifier: Apache-2.0
//
// The predictor against the authors' module, and what it learns.

#include "io/io.h"
#include "predictor/predictor.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { ROWS = 28, COLS = 8, HEADS = 7, BATCH = 5 };

static wsr_predictor *make(const char *spec)
{
    wsr_predictor *p = NULL;
    const wsr_shape table = wsr__shape2(ROWS, COLS);
    ck_assert_ok(wsr_predictor_new(&p, spec, &table, HEADS, 3));
    return p;
}

static wsr__st *golden(void)
{
    char path[512];
    wsr__st *st = NULL;
    (void)snprintf(path, sizeof(path), "%s/golden/predictor_h16.safetensors",
                   shared_folder());
    if (!wsr__file_exists(path)) {
        skip("the golden tensors are absent");
    }
    ck_assert_ok(wsr__st_open(&st, path));
    return st;
}

// Weights from "state.NAME", or from what the file holds under another prefix.
static bool load_weights(wsr_predictor *p, const wsr__st *st,
                         const char *prefix)
{
    wsr_params *const params = wsr_predictor_params(p);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        char name[128];
        (void)snprintf(name, sizeof(name), "%s%s", prefix,
                       wsr_params_name(params, i));
        if (wsr__st_find(st, name) == NULL) {
            return false;
        }
        ck_assert_ok(wsr__st_read_f32(
            wsr_params_edit(params, i), st, name,
            (size_t)wsr_shape_count(wsr_params_shape(params, i))));
    }
    return true;
}

START_TEST(outputs_are_those_of_the_released_module)
{
    wsr__st *const st = golden();
    wsr_predictor *const p = make("lstm:fidelity=released");
    float x[BATCH * ROWS * COLS];
    double out[BATCH * HEADS];
    ck_assert(load_weights(p, st, "state."));
    ck_assert_ok(wsr__st_read_f32(x, st, "input", BATCH * ROWS * COLS));
    ck_assert_ok(wsr_predictor_run(out, p, x, BATCH));
    for (size_t h = 0; h < HEADS; h++) {
        char name[16];
        float want[BATCH];
        (void)snprintf(name, sizeof(name), "out%zu", h);
        ck_assert_ok(wsr__st_read_f32(want, st, name, BATCH));
        for (size_t i = 0; i < BATCH; i++) {
            ck_assert_double_eq_tol(out[i * HEADS + h], (double)want[i], 2e-6);
        }
    }
    wsr_predictor_free(p);
    wsr__st_free(st);
}
END_TEST

START_TEST(gradient_of_the_objective_is_that_of_the_released_module)
{
    wsr__st *const st = golden();
    wsr_predictor *const p = make("lstm:fidelity=released");
    float x[ROWS * COLS];
    float w32[HEADS];
    float want = 0;
    float diff[ROWS * COLS];
    double w[HEADS];
    double objective = 0;
    if (!load_weights(p, st, "arch.state.")) {
        ck_assert(load_weights(p, st, "state."));
    }
    ck_assert_ok(wsr__st_read_f32(x, st, "arch.weights", ROWS * COLS));
    ck_assert_ok(
        wsr__st_read_f32(w32, st, "arch.search_objective_weights", HEADS));
    ck_assert_ok(wsr__st_read_f32(&want, st, "arch.loss", 1));
    for (size_t h = 0; h < HEADS; h++) {
        w[h] = (double)w32[h];
    }
    ck_assert_ok(wsr_predictor_gradient(&objective, diff, p, x, 1, w));
    ck_assert_double_eq_tol(objective, (double)want, 1e-5);
    wsr_predictor_free(p);
    wsr__st_free(st);
}
END_TEST

// Architectures whose losses follow from one column of each row.
static void teach(wsr_predictor *p, size_t n, double *last)
{
    for (size_t k = 0; k < n; k++) {
        float table[ROWS * COLS] = {0};
        double losses[HEADS];
        wsr__rng rng = wsr__rng_at(5, WSR__RNG_TEST, k, 0);
        double sum = 0;
        for (size_t r = 0; r < ROWS; r++) {
            const uint32_t c = wsr__rng_below(&rng, COLS);
            table[r * COLS + c] = 1;
            sum += (double)c / (ROWS * COLS);
        }
        for (size_t h = 0; h < HEADS; h++) {
            losses[h] = 1 + sum * (double)(h + 1);
        }
        ck_assert_ok(wsr_predictor_remember(p, table, losses));
    }
    ck_assert_ok(wsr_predictor_train(last, p, 1));
}

START_TEST(training_lowers_the_error_and_ranks_architectures)
{
    wsr_predictor *const p = make("lstm:lr=0.01");
    double first = 0;
    double last = 0;
    double guess[HEADS];
    double a[40];
    double b[40];
    teach(p, 40, &first);
    ck_assert_ok(wsr_predictor_train(&last, p, 300));
    ck_assert_double_lt(last, 0.5 * first);
    for (size_t k = 0; k < 40; k++) {
        ck_assert_ok(
            wsr_predictor_run(guess, p, p->tables + k * ROWS * COLS, 1));
        a[k] = guess[0];
        b[k] = p->losses[k * HEADS];
    }
    ck_assert_double_gt(wsr_kendall_tau(a, b, 40), 0.5);
    wsr_predictor_free(p);
}
END_TEST

START_TEST(the_oldest_goes_when_the_memory_is_full)
{
    wsr_predictor *const p = make("lstm:memory=10");
    double loss = 0;
    teach(p, 14, &loss);
    ck_assert_uint_eq(wsr_predictor_remembered(p), 10);
    ck_assert_int_eq(p->counters[0], 4);
    wsr_predictor_free(p);
}
END_TEST

START_TEST(losses_that_are_no_numbers_are_refused)
{
    wsr_predictor *const p = make("lstm");
    float table[ROWS * COLS] = {0};
    const double losses[HEADS] = {0, 0, (double)NAN};
    ck_assert_fails(wsr_predictor_remember(p, table, losses), WSR_NUMERIC,
                    "loss 2");
    ck_assert_uint_eq(wsr_predictor_remembered(p), 0);
    wsr_predictor_free(p);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        outputs_are_those_of_the_released_module,
        gradient_of_the_objective_is_that_of_the_released_module,
        training_lowers_the_error_and_ranks_architectures,
        the_oldest_goes_when_the_memory_is_full,
        losses_that_are_no_numbers_are_refused,
        NULL};
    return suite_of("lstm", tests);
}
