// SPDX-License-Identifier: Apache-2.0
//
// Values and gradients are the same bits on any number of threads.

#include "support/gradcheck.h"

#include <string.h>

typedef struct threads_case {
    const char *op;
    const char *options;
    wsr_shape a;
    wsr_shape b; // no dimensions: there is no second source
    bool weights;
    bool blocked;
} threads_case;

// Large enough that threads share them.
#define IMAGES            \
    {                     \
        4,                \
        {                 \
            3, 24, 29, 31 \
        }                 \
    }
#define TOKENS         \
    {                  \
        3,             \
        {              \
            3, 150, 65 \
        }              \
    }
#define NONE  \
    {         \
        0,    \
        {     \
            0 \
        }     \
    }

static const threads_case cases[] = {
    {"silu", NULL, IMAGES, NONE, false, true},
    {"gelu", NULL, IMAGES, NONE, false, true},
    {"softplus", NULL, IMAGES, NONE, false, true},
    {"clip", "min=-0.5", IMAGES, NONE, false, true},
    {"mul", NULL, IMAGES, {4, {3, 24, 1, 1}}, false, true},
    {"mul", NULL, IMAGES, {4, {3, 24, 1, 1}}, false, false},
    {"add", NULL, IMAGES, {3, {24, 1, 1}}, true, true},
    {"sub", NULL, TOKENS, {2, {150, 65}}, true, false},
    {"div", NULL, TOKENS, {3, {3, 150, 1}}, false, false},
    {"maximum", NULL, TOKENS, {1, {1}}, true, false},
    {"prelu", NULL, IMAGES, {3, {24, 1, 1}}, true, true},
    {"pad", "pads=[0,1,2,0,2,1],mode=edge", IMAGES, NONE, false, false},
    {"slice", "axis=2,step=-2", IMAGES, NONE, false, false},
    {"expand", "shape=[1,150,65]", {3, {1, 1, 65}}, TOKENS, true, false},
    {"max_pool", "kernel=[3,2],pad=[1,0,0,1]", IMAGES, NONE, false, false},
    {"avg_pool", "kernel=3,stride=2,ceil_mode=true", IMAGES, NONE, false,
     false},
    {"reduce_sum", "axes=[2]", TOKENS, NONE, false, false},
    {"reduce_mean", "axes=[1]", TOKENS, NONE, false, false},
    {"reduce_max", "axes=[2,3]", IMAGES, NONE, false, false},
    {"layer_norm", NULL, TOKENS, {1, {65}}, true, false},
    {"group_norm", "groups=3", IMAGES, {1, {24}}, true, false},
    {"instance_norm", NULL, IMAGES, {1, {24}}, true, false},
    {"resize", "size=[40,20],mode=linear", IMAGES, NONE, false, false},
    {"softmax", "axis=1", TOKENS, NONE, false, false},
    {"matmul", NULL, TOKENS, {2, {65, 20}}, true, false},
    {"matmul", "transpose_b=true", TOKENS, {3, {3, 40, 65}}, false, false},
    {"transpose", NULL, TOKENS, NONE, false, false},
};

typedef struct rig {
    wsr_params *params;
    wsr_graph *graph;
    wsr_plan *plan;
} rig;

static wsr_value source(rig *r, const threads_case *c, size_t i)
{
    const wsr_shape shape = i == 0 ? c->a : c->b;
    // expand takes the parameter first
    const bool first = strcmp(c->op, "expand") == 0;
    const char *const name = i == 0 ? "a" : "b";
    if (c->weights && (i == 0) == first) {
        return wsr__param_value(r->graph, name, shape, (wsr__init){.bound = 1});
    }
    const wsr_value x = wsr__input(r->graph, name, shape);
    return c->blocked && shape.ndims == 4
               ? wsr__op1(r->graph, "reorder", NULL, x)
               : x;
}

static void rig_open(rig *r, const threads_case *c)
{
    ck_assert_ok(wsr_params_new(&r->params, 1));
    ck_assert_ok(wsr_graph_new(&r->graph, r->params));
    wsr_value srcs[2] = {source(r, c, 0), 0};
    const size_t n = c->b.ndims > 0 ? 2 : 1;
    if (n == 2) {
        srcs[1] = source(r, c, 1);
    }
    wsr__set_output(r->graph, "y",
                    wsr__opn(r->graph, c->op, c->options, srcs, n));
    ck_assert_ok(wsr__graph_status(r->graph));
    ck_assert_ok(
        wsr_plan_new(&r->plan, r->graph, 1, WSR_GRAD_INPUT | WSR_GRAD_PARAMS));
}

static void rig_close(rig *r)
{
    wsr_plan_free(r->plan);
    wsr_graph_free(r->graph);
    wsr_params_free(r->params);
}

static void fill(float *x, const wsr_shape *shape, uint64_t seed)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 0, 0);
    for (int64_t i = 0; x != NULL && i < wsr_shape_count(shape); i++) {
        x[i] = 0.5f + wsr__rng_uniform(&rng);
    }
}

// Append what is there to the numbers of a case.
static void take(wsr__str *out, const float *x, const wsr_shape *shape)
{
    if (x != NULL) {
        for (int64_t i = 0; i < wsr_shape_count(shape); i++) {
            uint32_t bits = 0;
            memcpy(&bits, &x[i], sizeof(bits));
            wsr__str_addf(out, "%08x ", bits);
        }
    }
    wsr__str_add(out, "\n");
}

static const float *gradient(const rig *r, const char *name)
{
    size_t at = 0;
    return wsr_params_find(&at, r->params, name) == WSR_OK
               ? wsr_params_grad(r->params, at)
               : wsr_plan_diff_src(r->plan, name);
}

static void run(wsr__str *out, const threads_case *c, unsigned threads)
{
    rig r = {0};
    wsr_set_threads(threads);
    rig_open(&r, c);
    fill(wsr_plan_src(r.plan, "a"), &c->a, 1);
    if (c->b.ndims > 0) {
        fill(wsr_plan_src(r.plan, "b"), &c->b, 2);
    }
    ck_assert_ok(wsr_plan_forward(r.plan));
    const wsr_shape *const dst = wsr_plan_shape(r.plan, "y");
    fill(wsr_plan_diff_dst(r.plan, "y"), dst, 3);
    take(out, wsr_plan_dst(r.plan, "y"), dst);
    ck_assert_ok(wsr_plan_backward(r.plan));
    take(out, gradient(&r, "a"), &c->a);
    if (c->b.ndims > 0) {
        take(out, gradient(&r, "b"), &c->b);
    }
    ck_assert_ok(wsr__str_status(out));
    rig_close(&r);
}

START_TEST(results_do_not_depend_on_the_threads)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        wsr__str one = {0};
        run(&one, &cases[i], 1);
        for (unsigned threads = 2; threads <= 5; threads += 3) {
            wsr__str more = {0};
            run(&more, &cases[i], threads);
            ck_assert_msg(
                strcmp(one.s, more.s) == 0, "%s [%s]: %u threads", cases[i].op,
                cases[i].options == NULL ? "" : cases[i].options, threads);
            wsr__str_free(&more);
        }
        wsr__str_free(&one);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        results_do_not_depend_on_the_threads,
        NULL,
    };
    return suite_of("threads_sweep", tests);
}
