// SPDX-License-Identifier: Apache-2.0
//
// Random graphs: the plan with all its fusions and layouts, the plan with one
// step per op, and the plain-C reference must agree on all results, all
// gradients and the running statistics. Whatever a person would not think of
// writing comes up here.

#include "graph/graph.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRAPHS = 240,
    BATCH = 2,
    SIDE = 6,
    MOST_VALUES = 24,
    MOST_OUTPUTS = 4,
    NAME_SIZE = 32
};

static const int64_t widths[] = {8, 16, 3};

// A graph that grows: its images and what names are taken.
typedef struct garden {
    wsr__rng rng;
    wsr_graph *g;
    wsr_value image[MOST_VALUES];
    size_t count;
    unsigned names;
} garden;

static uint32_t pick(garden *k, uint32_t n)
{
    return wsr__rng_below(&k->rng, n);
}

static int64_t channels(const garden *k, wsr_value v)
{
    return wsr_graph_shape(k->g, v)->dims[1];
}

static wsr_value some(garden *k)
{
    // Recent values more often, so that chains grow long.
    const uint32_t n = (uint32_t)k->count;
    const uint32_t a = pick(k, n);
    const uint32_t b = pick(k, n);
    return k->image[a > b ? a : b];
}

// A value as wide as `like`, `like` itself at worst.
static wsr_value alike(garden *k, wsr_value like)
{
    for (int i = 0; i < 8; i++) {
        const wsr_value v = some(k);
        if (channels(k, v) == channels(k, like)) {
            return v;
        }
    }
    return like;
}

static const char *fresh(garden *k, char name[NAME_SIZE])
{
    (void)snprintf(name, NAME_SIZE, "p%u", k->names++);
    return name;
}

static wsr_value weights(garden *k, int64_t a, int64_t b, int64_t side)
{
    char name[NAME_SIZE];
    const float bound = 1.5F / sqrtf((float)(b * side * side));
    return wsr__param_value(k->g, fresh(k, name), wsr__shape4(a, b, side, side),
                            (wsr__init){.bound = bound});
}

static wsr_value grow_elementwise(garden *k, wsr_value x)
{
    static const char *const ops[][2] = {
        {"relu", NULL}, {"relu", NULL},          {"relu", NULL},
        {"tanh", NULL}, {"scale", "factor=0.5"}, {"scale", "offset=0.3"},
        {"zero", NULL}};
    const uint32_t i = pick(k, sizeof(ops) / sizeof(ops[0]));
    return wsr__op1(k->g, ops[i][0], ops[i][1], x);
}

static wsr_value grow_depthwise(garden *k, wsr_value x)
{
    static const char *const options[] = {"groups=%d,pad=1",
                                          "groups=%d,pad=2,dilation=2"};
    char text[NAME_SIZE];
    const int64_t c = channels(k, x);
    (void)snprintf(text, sizeof(text), options[pick(k, 2)], (int)c);
    return wsr__op2(k->g, "conv2d", text, x, weights(k, c, 1, 3));
}

static wsr_value grow_pointwise(garden *k, wsr_value x)
{
    const int64_t co = widths[pick(k, 3)];
    return wsr__op2(k->g, "conv2d", NULL, x, weights(k, co, channels(k, x), 1));
}

static wsr_value grow_dense(garden *k, wsr_value x)
{
    const int64_t co = widths[pick(k, 3)];
    return wsr__op2(k->g, "conv2d", "pad=1", x,
                    weights(k, co, channels(k, x), 3));
}

static wsr_value grow_norm(garden *k, wsr_value x)
{
    char name[NAME_SIZE];
    const wsr_shape c = wsr__shape1(channels(k, x));
    const wsr__init init = {.bound = 0.7F};
    const bool affine = pick(k, 2) == 0;
    wsr_value srcs[6] = {x};
    srcs[1] = wsr__buffer_value(k->g, fresh(k, name), c, 0.1F);
    srcs[2] = wsr__buffer_value(k->g, fresh(k, name), c, 0.9F);
    srcs[3] = wsr__buffer_value(k->g, fresh(k, name), (wsr_shape){0}, 0);
    if (affine) {
        srcs[4] = wsr__param_value(k->g, fresh(k, name), c, init);
        srcs[5] = wsr__param_value(k->g, fresh(k, name), c, init);
    }
    // A large tol, so that channels of zeros do not blow up rounding errors.
    return wsr__opn(k->g, "batch_norm", "tol=0.01", srcs, affine ? 6 : 4);
}

static wsr_value grow_separable(garden *k, wsr_value x)
{
    wsr_value y = wsr__op1(k->g, "relu", NULL, x);
    y = grow_depthwise(k, y);
    y = grow_pointwise(k, y);
    return grow_norm(k, y);
}

static wsr_value grow_pool(garden *k, wsr_value x)
{
    static const char *const ops[][2] = {{"max_pool", "pad=1"},
                                         {"avg_pool", "pad=1"},
                                         {"avg_pool", "pad=1,count_pad=true"}};
    const uint32_t i = pick(k, 3);
    return wsr__op1(k->g, ops[i][0], ops[i][1], x);
}

static wsr_value grow_sum(garden *k, wsr_value x)
{
    const wsr_value srcs[] = {x, alike(k, x), alike(k, x)};
    return wsr__opn(k->g, "add", NULL, srcs, 2 + pick(k, 2));
}

static wsr_value grow_product(garden *k, wsr_value x)
{
    const wsr_value y = wsr__op1(k->g, "tanh", NULL, alike(k, x));
    return wsr__op2(k->g, "mul", NULL, x, y);
}

static wsr_value grow_join(garden *k, wsr_value x)
{
    const wsr_value srcs[] = {x, some(k), some(k)};
    const wsr_value y = wsr__opn(k->g, "concat", NULL, srcs, 2 + pick(k, 2));
    return grow_pointwise(k, pick(k, 2) == 0 ? wsr__op1(k->g, "relu", NULL, y)
                                             : y);
}

static wsr_value grow_rows(garden *k, wsr_value x)
{
    if (pick(k, 2) == 0) {
        return wsr__op2(k->g, "per_sample_scale", NULL, x,
                        1); // value 1: input "s"
    }
    const wsr_value y = wsr__op1(k->g, "reshape", NULL, x);
    const int64_t c = channels(k, x);
    char text[NAME_SIZE];
    (void)snprintf(text, sizeof(text), "dims=[%d, %d, %d]", (int)c, SIDE, SIDE);
    return wsr__op1(k->g, "reshape", text, y);
}

static void grow(garden *k)
{
    static wsr_value (*const kinds[])(garden *, wsr_value) = {
        grow_elementwise, grow_elementwise, grow_depthwise, grow_pointwise,
        grow_dense,       grow_norm,        grow_norm,      grow_separable,
        grow_separable,   grow_pool,        grow_sum,       grow_sum,
        grow_product,     grow_join,        grow_join,      grow_rows};
    const uint32_t i = pick(k, sizeof(kinds) / sizeof(kinds[0]));
    k->image[k->count] = kinds[i](k, some(k));
    k->count++;
}

static void add_outputs(garden *k)
{
    const uint32_t n = 1 + pick(k, MOST_OUTPUTS);
    for (uint32_t i = 0; i < n; i++) {
        char name[NAME_SIZE];
        wsr_value v = i == 0 ? k->image[k->count - 1] : some(k);
        if (pick(k, 3) == 0) {
            v = wsr__op1(k->g, "global_avg_pool", NULL, v);
        }
        (void)snprintf(name, sizeof(name), "y%u", i);
        wsr__set_output(k->g, name, v);
    }
}

static wsr_graph *make_graph(wsr_params *params, uint64_t number)
{
    garden k = {.rng = wsr__rng_at(7, WSR__RNG_TEST, number, 0)};
    ck_assert_ok(wsr_graph_new(&k.g, params));
    k.image[k.count++] =
        wsr__input(k.g, "x", wsr__shape4(1, widths[pick(&k, 3)], SIDE, SIDE));
    ck_assert_uint_eq(wsr__input(k.g, "s", wsr__shape1(1)), 1);
    const uint32_t size = 2 + pick(&k, MOST_VALUES - 3);
    for (uint32_t i = 0; i < size; i++) {
        grow(&k);
    }
    add_outputs(&k);
    ck_assert_ok(wsr__graph_status(k.g));
    return k.g;
}

// Everything that one way of running yields, flat.
typedef struct outcome {
    float *v;
    size_t n;
    size_t capacity;
} outcome;

static void note(outcome *o, const float *v, size_t n)
{
    if (o->n + n > o->capacity) {
        o->capacity = 2 * (o->n + n);
        o->v = realloc(o->v, o->capacity * sizeof(*o->v));
        ck_assert_ptr_nonnull(o->v);
    }
    for (size_t i = 0; i < n; i++) {
        o->v[o->n++] = v == NULL ? 0 : v[i]; // no gradient is a zero one
    }
}

static void draw(float *v, size_t n, uint64_t number, uint32_t what)
{
    wsr__rng rng = wsr__rng_at(8, WSR__RNG_TEST, number, what);
    for (size_t i = 0; v != NULL && i < n; i++) {
        v[i] = 2 * wsr__rng_uniform(&rng) - 1;
    }
}

static void run_outputs(outcome *o, wsr_plan *plan, uint64_t number)
{
    for (uint32_t i = 0; i < MOST_OUTPUTS; i++) {
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof(name), "y%u", i);
        if (wsr_plan_shape(plan, name) != NULL) {
            const size_t n =
                (size_t)wsr_shape_count(wsr_plan_shape(plan, name));
            note(o, wsr_plan_dst(plan, name), n);
            draw(wsr_plan_diff_dst(plan, name), n, number, 10 + i);
        }
    }
}

static outcome run(uint64_t number, unsigned purpose)
{
    outcome o = {0};
    wsr_params *params = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 3));
    wsr_graph *const graph = make_graph(params, number);
    ck_assert_ok(wsr_plan_new(&plan, graph, BATCH, purpose));
    const size_t floats = BATCH *
                          (size_t)wsr_shape_count(wsr_graph_shape(graph, 0));
    for (int pass = 0; pass < 2; pass++) { // the second one accumulates
        draw(wsr_plan_src(plan, "x"), floats, number, 1);
        draw(wsr_plan_src(plan, "s"), BATCH, number, 2);
        ck_assert_ok(wsr_plan_forward(plan));
        run_outputs(&o, plan, number);
        if ((purpose & (WSR_GRAD_INPUT | WSR_GRAD_PARAMS)) != 0) {
            ck_assert_ok(wsr_plan_backward(plan));
        }
    }
    note(&o, wsr_plan_diff_src(plan, "x"), floats);
    note(&o, wsr_plan_diff_src(plan, "s"), BATCH);
    for (size_t p = 0; p < wsr_params_count(params); p++) {
        const size_t n = (size_t)wsr_shape_count(wsr_params_shape(params, p));
        note(&o, wsr_params_grad(params, p), n);
        note(&o, wsr_params_data(params, p), n);
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
    return o;
}

// The share of values that are apart. A kernel's rounding may move a value
// across the kink of a relu or the tie of a pool, which changes some
// gradients by a finite amount; wrong memory changes many.
static double apart(const outcome *a, const outcome *b)
{
    size_t count = 0;
    ck_assert_uint_eq(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const double x = (double)a->v[i];
        const double y = (double)b->v[i];
        count += fabs(x - y) <= 2e-3 * (1 + fabs(y)) ? 0U : 1U;
    }
    return (double)count / (double)a->n;
}

static void check_purpose(unsigned purpose)
{
    for (uint64_t number = 0; number < GRAPHS; number++) {
        outcome best = run(number, purpose);
        outcome plain = run(number, purpose | WSR_UNFUSED);
        outcome reference = run(number, purpose | WSR_REFERENCE);
        const double fused = apart(&best, &plain);
        const double kernels = apart(&plain, &reference);
        ck_assert_msg(fused <= 1e-3, "graph %d: fused and not, %g apart",
                      (int)number, fused);
        ck_assert_msg(kernels <= 1e-3, "graph %d: reference, %g apart",
                      (int)number, kernels);
        free(best.v);
        free(plain.v);
        free(reference.v);
    }
}

START_TEST(results_agree)
{
    check_purpose(WSR_FORWARD);
    check_purpose(WSR_TRAIN | WSR_MOVE_STATS);
}
END_TEST

START_TEST(all_gradients_agree)
{
    check_purpose(WSR_GRAD_INPUT | WSR_GRAD_PARAMS | WSR_TRAIN |
                  WSR_MOVE_STATS);
    check_purpose(WSR_GRAD_INPUT | WSR_GRAD_PARAMS);
}
END_TEST

START_TEST(input_gradients_agree)
{
    check_purpose(WSR_GRAD_INPUT | WSR_TRAIN);
    check_purpose(WSR_GRAD_INPUT);
}
END_TEST

START_TEST(parameter_gradients_agree)
{
    check_purpose(WSR_GRAD_PARAMS | WSR_TRAIN);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        results_agree,
        all_gradients_agree,
        input_gradients_agree,
        parameter_gradients_agree,
        NULL,
    };
    return suite_of("random", tests);
}
