// SPDX-License-Identifier: Apache-2.0
//
// A norm over two parts of 2 and 4 samples is the norm of 6: results,
// gradients, running statistics.

#include "train/lockstep.h"

#include "support/support.h"

#include <math.h>
#include <string.h>

enum { PARTS = 2, SAMPLES = 6 };

typedef struct sides {
    wsr_params *params;
    wsr_graph *graph;
    wsr_plan *plans[PARTS];
    wsr__lockstep *lockstep;
    size_t floats; // of a sample
    const float *x;
    const float *dy;
} sides;

static const size_t counts[PARTS] = {2, 4};
static const size_t firsts[PARTS] = {0, 2};

static void open_graph(sides *s, wsr_shape sample)
{
    const wsr_shape c = wsr__shape1(sample.dims[1]);
    ck_assert_ok(wsr_params_new(&s->params, 1));
    ck_assert_ok(wsr_graph_new(&s->graph, s->params));
    const wsr_value srcs[] = {
        wsr__input(s->graph, "x", sample),
        wsr__buffer_value(s->graph, "mean", c, 1),
        wsr__buffer_value(s->graph, "var", c, 4),
        wsr__buffer_value(s->graph, "tracked", (wsr_shape){0}, 0),
        wsr__param_value(s->graph, "weight", c, (wsr__init){.value = 2}),
        wsr__param_value(s->graph, "bias", c, (wsr__init){.value = 1})};
    wsr__set_output(s->graph, "y",
                    wsr__opn(s->graph, "batch_norm", NULL, srcs, 6));
}

static void new_plan(wsr_plan **out, const sides *s, size_t n)
{
    ck_assert_ok(wsr_plan_new(out, s->graph, n,
                              WSR_GRAD_INPUT | WSR_GRAD_PARAMS | WSR_TRAIN |
                                  WSR_MOVE_STATS));
}

// Gradients of a mean over the samples of the plan.
static wsr_status pass(wsr_plan *plan, const sides *s, size_t first, size_t n)
{
    wsr_status status = WSR_OK;
    const size_t floats = n * s->floats;
    float *const dy = wsr_plan_diff_dst(plan, "y");
    memcpy(wsr_plan_src(plan, "x"), s->x + first * s->floats,
           floats * sizeof(float));
    for (size_t i = 0; i < floats; i++) {
        dy[i] = s->dy[first * s->floats + i] / (float)n;
    }
    status = wsr_plan_forward(plan);
    return status == WSR_OK ? wsr_plan_backward(plan) : status;
}

static wsr_status pass_of_part(void *ctx, size_t part)
{
    const sides *const s = ctx;
    return pass(s->plans[part], s, firsts[part], counts[part]);
}

static void expect_near(const float *a, const float *b, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++) {
        ck_assert_double_eq_tol((double)a[i], factor * (double)b[i], 1e-5);
    }
}

static float gradient(const sides *s, const char *name, size_t i)
{
    return wsr__params_named(s->params, name)->grad[i];
}

static void close_sides(sides *s)
{
    for (size_t k = 0; k < PARTS; k++) {
        wsr_plan_free(s->plans[k]);
    }
    wsr__lockstep_free(s->lockstep);
    wsr_graph_free(s->graph);
    wsr_params_free(s->params);
}

static void run_parts(sides *s)
{
    ck_assert_ok(wsr__lockstep_new(&s->lockstep, s->params, PARTS));
    ck_assert_uint_eq(wsr__lockstep_count(s->lockstep), PARTS);
    for (size_t k = 0; k < PARTS; k++) {
        wsr__lockstep_exchange(s->lockstep, k);
        new_plan(&s->plans[k], s, counts[k]);
        ck_assert_ok(wsr__plan_sync_norms(s->plans[k],
                                          wsr__lockstep_sync(s->lockstep, k)));
        wsr__lockstep_exchange(s->lockstep, k);
    }
    ck_assert_ok(wsr__lockstep_run(s->lockstep, pass_of_part, s));
}

static void compare(const sides *parts, const sides *whole)
{
    const size_t c = (size_t)wsr__params_named(whole->params, "mean")->count;
    for (size_t k = 0; k < PARTS; k++) {
        const size_t at = firsts[k] * whole->floats;
        const size_t n = counts[k] * whole->floats;
        expect_near(wsr_plan_dst(parts->plans[k], "y"),
                    wsr_plan_dst(whole->plans[0], "y") + at, n, 1);
        expect_near(wsr_plan_diff_src(parts->plans[k], "x"),
                    wsr_plan_diff_src(whole->plans[0], "x") + at, n,
                    (double)SAMPLES / (double)counts[k]);
    }
    for (size_t i = 0; i < 2 * c; i++) {
        const char *const name = i < c ? "weight" : "bias";
        double sum = 0;
        for (size_t k = 0; k < PARTS; k++) {
            wsr__lockstep_exchange(parts->lockstep, k);
            sum += (double)counts[k] / SAMPLES *
                   (double)gradient(parts, name, i % c);
            wsr__lockstep_exchange(parts->lockstep, k);
        }
        ck_assert_double_eq_tol(sum, (double)gradient(whole, name, i % c),
                                1e-5);
    }
    expect_near(wsr__params_named(parts->params, "mean")->data,
                wsr__params_named(whole->params, "mean")->data, c, 1);
    expect_near(wsr__params_named(parts->params, "var")->data,
                wsr__params_named(whole->params, "var")->data, c, 1);
    ck_assert_float_eq(wsr__params_named(parts->params, "tracked")->data[0], 1);
}

START_TEST(a_norm_of_parts_is_that_of_all)
{
    enum { MOST = SAMPLES * 9 * 5 * 7 };
    static float x[MOST];
    static float dy[MOST];
    const wsr_shape shapes[] = {wsr__shape2(1, 70), wsr__shape4(1, 9, 5, 7)};
    wsr_set_threads(1);
    for (size_t i = 0; i < MOST; i++) {
        wsr__rng rng = wsr__rng_at(1, WSR__RNG_INIT, i, 0);
        x[i] = 3 + wsr__rng_uniform(&rng) +
               (float)i * (float)SAMPLES / (float)MOST;
        dy[i] = wsr__rng_uniform(&rng) - 0.3F;
    }
    for (size_t i = 0; i < 2; i++) {
        sides whole = {.x = x, .dy = dy};
        sides parts = whole;
        whole.floats = parts.floats = (size_t)wsr_shape_count(&shapes[i]);
        open_graph(&whole, shapes[i]);
        open_graph(&parts, shapes[i]);
        new_plan(&whole.plans[0], &whole, SAMPLES);
        ck_assert_ok(pass(whole.plans[0], &whole, 0, SAMPLES));
        run_parts(&parts);
        compare(&parts, &whole);
        close_sides(&whole);
        close_sides(&parts);
    }
}
END_TEST

// What the gradients are of: the mean over all samples.
static double loss_of_parts(sides *s)
{
    double loss = 0;
    ck_assert_ok(wsr__lockstep_run(s->lockstep, pass_of_part, s));
    for (size_t k = 0; k < PARTS; k++) {
        const float *const y = wsr_plan_dst(s->plans[k], "y");
        for (size_t i = 0; i < counts[k] * s->floats; i++) {
            loss += (double)y[i] * (double)s->dy[firsts[k] * s->floats + i];
        }
    }
    return loss / SAMPLES;
}

// That of a part is of the mean over its own samples.
static double gradient_of_image(const sides *s, size_t i)
{
    const size_t k = i < firsts[1] * s->floats ? 0 : 1;
    const float *const diff = wsr_plan_diff_src(s->plans[k], "x");
    return (double)diff[i - firsts[k] * s->floats] * (double)counts[k] /
           SAMPLES;
}

START_TEST(gradients_are_those_of_finite_differences)
{
    enum { FLOATS = 3 };
    static const float h = 0.01F;
    static float x[SAMPLES * FLOATS];
    static float dy[SAMPLES * FLOATS];
    double wanted[SAMPLES * FLOATS];
    double most = 0;
    sides s = {.x = x, .dy = dy, .floats = FLOATS};
    wsr_set_threads(1);
    for (size_t i = 0; i < SAMPLES * FLOATS; i++) {
        wsr__rng rng = wsr__rng_at(2, WSR__RNG_INIT, i, 0);
        x[i] = 4 * wsr__rng_uniform(&rng);
        dy[i] = wsr__rng_uniform(&rng) - 0.5F;
    }
    open_graph(&s, wsr__shape2(1, FLOATS));
    run_parts(&s);
    (void)loss_of_parts(&s);
    for (size_t i = 0; i < SAMPLES * FLOATS; i++) {
        wanted[i] = gradient_of_image(&s, i);
        most = fmax(most, fabs(wanted[i]));
    }
    ck_assert_double_gt(most, 0.02);
    for (size_t i = 0; i < SAMPLES * FLOATS; i++) {
        const float before = x[i];
        x[i] = before + h;
        const double above = loss_of_parts(&s);
        x[i] = before - h;
        const double below = loss_of_parts(&s);
        x[i] = before;
        ck_assert_double_eq_tol((above - below) / (2 * (double)h), wanted[i],
                                1e-4);
    }
    close_sides(&s);
}
END_TEST

static wsr_status end_early(void *ctx, size_t part)
{
    return part == 0 ? WSR_OK : pass_of_part(ctx, part);
}

START_TEST(parts_that_take_other_passes_are_an_error)
{
    static const float zeros[SAMPLES * 8] = {0};
    sides s = {.x = zeros, .dy = zeros, .floats = 8};
    open_graph(&s, wsr__shape2(1, 8));
    run_parts(&s);
    ck_assert_fails(wsr__lockstep_run(s.lockstep, end_early, &s), WSR_INTERNAL,
                    "1 of 2 parts are done while others reach a norm");
    ck_assert_ok(wsr__lockstep_run(s.lockstep, pass_of_part, &s));
    close_sides(&s);
}
END_TEST

START_TEST(a_reference_kernel_is_refused)
{
    sides s = {.floats = 8};
    open_graph(&s, wsr__shape2(1, 8));
    ck_assert_ok(wsr__lockstep_new(&s.lockstep, s.params, PARTS));
    ck_assert_ok(
        wsr_plan_new(&s.plans[0], s.graph, 2, WSR_TRAIN | WSR_REFERENCE));
    ck_assert_fails(
        wsr__plan_sync_norms(s.plans[0], wsr__lockstep_sync(s.lockstep, 0)),
        WSR_UNSUPPORTED, "batch_norm: the kernel ref");
    close_sides(&s);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {a_norm_of_parts_is_that_of_all,
                                  gradients_are_those_of_finite_differences,
                                  parts_that_take_other_passes_are_an_error,
                                  a_reference_kernel_is_refused, NULL};
    return suite_of("lockstep", tests);
}
