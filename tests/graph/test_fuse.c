// SPDX-License-Identifier: Apache-2.0
//
// Fused plans against plans with one step per op and against the reference:
// the same results, all gradients and running statistics, from fewer steps
// and in less memory.

#include "graph/plan.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { BATCH = 3, SIDE = 9, CLASSES = 5 };

static wsr_value conv(wsr_graph *g, const char *name, const char *options,
                      const int64_t dims[4], wsr_value x)
{
    const wsr_shape shape = wsr__shape4(dims[0], dims[1], dims[2], dims[3]);
    const float fan_in = (float)(dims[1] * dims[2] * dims[3]);
    const wsr__init init = {.bound = 1 / sqrtf(fan_in)};
    return wsr__op2(g, "conv2d", options, x,
                    wsr__param_value(g, name, shape, init));
}

static wsr_value norm(wsr_graph *g, const char *name, bool affine, wsr_value x)
{
    const int64_t c = wsr_graph_shape(g, x)->dims[1];
    char text[4][64];
    const char *const parts[] = {"mean", "var", "weight", "bias"};
    for (int i = 0; i < 4; i++) {
        snprintf(text[i], sizeof(text[i]), "%s.%s", name, parts[i]);
    }
    char tracked[64];
    snprintf(tracked, sizeof(tracked), "%s.tracked", name);
    const wsr__init init = {.bound = 0.5F};
    wsr_value srcs[] = {
        x,
        wsr__buffer_value(g, text[0], wsr__shape1(c), 0.1F),
        wsr__buffer_value(g, text[1], wsr__shape1(c), 0.9F),
        wsr__buffer_value(g, tracked, (wsr_shape){0}, 0),
        affine ? wsr__param_value(g, text[2], wsr__shape1(c), init) : 0,
        affine ? wsr__param_value(g, text[3], wsr__shape1(c), init) : 0};
    return wsr__opn(g, "batch_norm", NULL, srcs, affine ? 6 : 4);
}

// relu, depthwise, pointwise, norm
static wsr_value separable(wsr_graph *g, const char *name, const char *options,
                           int64_t k, wsr_value x)
{
    const int64_t c = wsr_graph_shape(g, x)->dims[1];
    char text[3][64];
    char all[96];
    for (int i = 0; i < 3; i++) {
        snprintf(text[i], sizeof(text[i]), "%s.%d", name, i);
    }
    snprintf(all, sizeof(all), "groups=%d,%s", (int)c, options);
    x = wsr__op1(g, "relu", NULL, x);
    x = conv(g, text[0], all, (const int64_t[]){c, 1, k, k}, x);
    x = conv(g, text[1], NULL, (const int64_t[]){c, c, 1, 1}, x);
    return norm(g, text[2], false, x);
}

static wsr_value pointwise(wsr_graph *g, const char *name, int64_t co,
                           wsr_value x)
{
    const int64_t c = wsr_graph_shape(g, x)->dims[1];
    char text[96];
    snprintf(text, sizeof(text), "%s.norm", name);
    x = wsr__op1(g, "relu", NULL, x);
    x = conv(g, name, NULL, (const int64_t[]){co, c, 1, 1}, x);
    return norm(g, text, true, x);
}

// A cell with all kinds of edges: separable once and twice, pooled, skipped.
static wsr_value cell(wsr_graph *g, const char *name, int64_t c, wsr_value a,
                      wsr_value b)
{
    char text[8][64];
    for (int i = 0; i < 8; i++) {
        snprintf(text[i], sizeof(text[i]), "%s.%d", name, i);
    }
    a = pointwise(g, text[0], c, a);
    b = pointwise(g, text[1], c, b);
    wsr_value s = separable(g, text[2], "pad=1", 3, a);
    s = separable(g, text[3], "pad=1", 3, s);
    const wsr_value first[] = {s,
                               separable(g, text[4], "pad=4,dilation=2", 5, b)};
    const wsr_value n0 = wsr__opn(g, "add", NULL, first, 2);
    const wsr_value pool =
        wsr__op1(g, "max_pool", "kernel=3,stride=1,pad=1", b);
    const wsr_value second[] = {
        norm(g, text[5], false, pool), a,
        separable(g, text[6], "pad=2,dilation=2", 3, n0)};
    const wsr_value n1 = wsr__opn(g, "add", NULL, second, 3);
    const wsr_value third[] = {
        n0, wsr__op1(g, "avg_pool", "kernel=3,stride=1,pad=1", n1), a};
    const wsr_value n2 = wsr__opn(g, "add", NULL, third, 3);
    const wsr_value nodes[] = {n0, n1, n2};
    return wsr__opn(g, "concat", NULL, nodes, 3);
}

// The second half of a factorised reduction, and its first.
static wsr_value reduce(wsr_graph *g, const char *name, int64_t co, wsr_value x)
{
    const int64_t c = wsr_graph_shape(g, x)->dims[1];
    const int64_t dims[] = {co / 2, c, 1, 1};
    char text[3][64];
    for (int i = 0; i < 3; i++) {
        snprintf(text[i], sizeof(text[i]), "%s.%d", name, i);
    }
    x = wsr__op1(g, "relu", NULL, x);
    const wsr_value halves[] = {conv(g, text[0], "stride=2", dims, x),
                                conv(g, text[1], "stride=2,offset=1", dims, x)};
    return norm(g, text[2], true, wsr__opn(g, "concat", NULL, halves, 2));
}

static wsr_graph *network(wsr_params *params, int64_t c)
{
    wsr_graph *g = NULL;
    ck_assert_int_eq(wsr_graph_new(&g, params), WSR_OK);
    const wsr_value x =
        wsr__input(g, "x", wsr__shape4(1, 3, SIDE + 1, SIDE + 1));
    wsr_value stem = conv(g, "stem", "pad=1", (const int64_t[]){c, 3, 3, 3}, x);
    stem = norm(g, "stem.norm", true, stem);
    const wsr_value one = cell(g, "one", c, stem, stem);
    const wsr_value two = cell(g, "two", c, stem, one);
    const wsr_value half = reduce(g, "half", c, two);
    const wsr_value three = cell(g, "three", c, half, half);
    const wsr_value flat = wsr__op1(g, "global_avg_pool", NULL, three);
    const wsr__init init = {.bound = 0.3F};
    const wsr_value w =
        wsr__param_value(g, "w", wsr__shape2(CLASSES, 3 * c), init);
    wsr__set_output(g, "logits", wsr__op2(g, "linear", NULL, flat, w));
    ck_assert_msg(wsr__graph_status(g) == WSR_OK, "%s", wsr_error_detail());
    return g;
}

typedef struct result {
    float logits[BATCH * CLASSES];
    float diff[BATCH * 3 * (SIDE + 1) * (SIDE + 1)];
    wsr_params *params;
    size_t steps;
    size_t bytes;
} result;

static void fill(float *x, size_t n, uint32_t stream)
{
    wsr__rng rng = wsr__rng_at(7, WSR__RNG_TEST, stream, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = 2 * wsr__rng_uniform(&rng) - 1;
    }
}

static void run(result *r, int64_t c, unsigned purpose)
{
    wsr_plan *plan = NULL;
    memset(r, 0, sizeof(*r));
    ck_assert_int_eq(wsr_params_new(&r->params, 3), WSR_OK);
    wsr_graph *const g = network(r->params, c);
    ck_assert_msg(wsr_plan_new(&plan, g, BATCH, purpose) == WSR_OK, "%s",
                  wsr_error_detail());
    wsr_graph_free(g);
    fill(wsr_plan_src(plan, "x"), sizeof(r->diff) / sizeof(float), 1);
    ck_assert_int_eq(wsr_plan_forward(plan), WSR_OK);
    memcpy(r->logits, wsr_plan_dst(plan, "logits"), sizeof(r->logits));
    fill(wsr_plan_diff_dst(plan, "logits"), BATCH * CLASSES, 2);
    for (int i = 0; i < 2; i++) { // gradients accumulate
        ck_assert_int_eq(wsr_plan_forward(plan), WSR_OK);
        ck_assert_int_eq(wsr_plan_backward(plan), WSR_OK);
    }
    if (wsr_plan_diff_src(plan, "x") != NULL) {
        memcpy(r->diff, wsr_plan_diff_src(plan, "x"), sizeof(r->diff));
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        r->steps += !plan->steps[s].dead;
    }
    // The threads' slots depend on their number, and outweigh these tensors.
    const wsr__thread_scratch *const scratch =
        &plan->steps[0].node.thread_scratch;
    r->bytes = wsr_plan_bytes(plan) -
               (size_t)(scratch->count * scratch->stride) * sizeof(float);
    wsr_plan_free(plan);
}

static void near(const float *a, const float *b, size_t n, const char *what)
{
    double worst = 0;
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
        most = fmax(most, fabs((double)b[i]));
    }
    ck_assert_msg(worst <= 5e-4 * most + 1e-6, "%s: off by %g of %g", what,
                  worst, most);
}

static void compare(const result *a, const result *b)
{
    near(a->logits, b->logits, BATCH * CLASSES, "logits");
    near(a->diff, b->diff, sizeof(a->diff) / sizeof(float), "diff of x");
    for (size_t i = 0; i < wsr_params_count(a->params); i++) {
        const char *const name = wsr_params_name(a->params, i);
        const size_t n =
            (size_t)wsr_shape_count(wsr_params_shape(a->params, i));
        const float *const ga = wsr_params_grad(a->params, i);
        const float *const gb = wsr_params_grad(b->params, i);
        near(wsr_params_data(a->params, i), wsr_params_data(b->params, i), n,
             name);
        ck_assert_msg((ga == NULL) == (gb == NULL), "%s", name);
        if (ga != NULL) {
            near(ga, gb, n, name);
        }
    }
}

static const int64_t widths[] = {8, 7, 16};

static const unsigned purposes[] = {
    WSR_GRAD_INPUT,
    WSR_GRAD_PARAMS,
    WSR_GRAD_INPUT | WSR_GRAD_PARAMS,
    WSR_GRAD_INPUT | WSR_TRAIN,
    WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS,
    WSR_GRAD_INPUT | WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS};

START_TEST(fused_plans_compute_the_same)
{
    const int64_t c = widths[_i % 3];
    const unsigned purpose = purposes[_i / 3];
    result fused;
    result plain;
    result reference;
    run(&fused, c, purpose);
    run(&plain, c, purpose | WSR_UNFUSED);
    run(&reference, c, purpose | WSR_REFERENCE);
    compare(&plain, &reference);
    compare(&fused, &reference);
    ck_assert_uint_lt(fused.steps, plain.steps);
    if ((purpose & WSR_TRAIN) != 0) { // running norms keep nothing anyway
        ck_assert_uint_lt(fused.bytes, plain.bytes);
    }
    wsr_params_free(fused.params);
    wsr_params_free(plain.params);
    wsr_params_free(reference.params);
}
END_TEST

static void logits_of(float *logits, wsr_plan *plan)
{
    fill(wsr_plan_src(plan, "x"), BATCH * 3 * (SIDE + 1) * (SIDE + 1), 1);
    ck_assert_int_eq(wsr_plan_forward(plan), WSR_OK);
    memcpy(logits, wsr_plan_dst(plan, "logits"),
           BATCH * CLASSES * sizeof(*logits));
}

// Weights with a norm in them are packed anew when either changes.
START_TEST(a_folded_norm_follows_its_statistics)
{
    static const char *const names[] = {"one.0.norm.var", "one.0.norm.bias",
                                        "one.0", "one.4.2.mean"};
    wsr_params *params = NULL;
    wsr_plan *plans[2] = {NULL, NULL};
    float logits[3][BATCH * CLASSES];
    ck_assert_int_eq(wsr_params_new(&params, 3), WSR_OK);
    wsr_graph *const g = network(params, 8);
    ck_assert_int_eq(wsr_plan_new(&plans[0], g, BATCH, WSR_FORWARD), WSR_OK);
    ck_assert_int_eq(
        wsr_plan_new(&plans[1], g, BATCH, WSR_FORWARD | WSR_REFERENCE), WSR_OK);
    logits_of(logits[0], plans[0]);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        if (wsr__streq(wsr_params_name(params, i), names[_i])) {
            wsr_params_edit(params, i)[0] += 0.5F;
        }
    }
    logits_of(logits[1], plans[0]);
    logits_of(logits[2], plans[1]);
    near(logits[1], logits[2], BATCH * CLASSES, names[_i]);
    ck_assert_mem_ne(logits[0], logits[1], sizeof(logits[0]));
    wsr_plan_free(plans[0]);
    wsr_plan_free(plans[1]);
    wsr_graph_free(g);
    wsr_params_free(params);
}
END_TEST

START_TEST(thread_counts_do_not_change_a_bit)
{
    result one;
    result two;
    wsr_set_threads(1);
    run(&one, 8, purposes[5]);
    wsr_set_threads(2);
    run(&two, 8, purposes[5]);
    ck_assert_mem_eq(one.logits, two.logits, sizeof(one.logits));
    wsr_params_free(one.params);
    wsr_params_free(two.params);
}
END_TEST

// How often a slot lists a source of a step among its consumers.
static size_t listed(const wsr__slot *slot, uint32_t step, uint32_t src)
{
    size_t count = 0;
    for (size_t k = 0; k < slot->consumer_count; k++) {
        count += slot->consumers[k].step == step &&
                 slot->consumers[k].src == src;
    }
    return count;
}

// Also where fusion has put a step in the place of two.
START_TEST(slots_know_who_makes_and_reads_them)
{
    wsr_params *params = NULL;
    wsr_plan *plan = NULL;
    size_t sources = 0;
    size_t consumers = 0;
    ck_assert_ok(wsr_params_new(&params, 3));
    wsr_graph *const g = network(params, widths[_i % 3]);
    ck_assert_ok(wsr_plan_new(&plan, g, BATCH, purposes[_i / 3]));
    for (uint32_t s = 0; s < plan->step_count; s++) {
        const wsr__step *const step = &plan->steps[s];
        ck_assert_uint_eq(plan->slots[step->dst].producer, s);
        for (uint32_t i = 0; i < step->node.n; i++) {
            const wsr__slot *const slot = &plan->slots[step->srcs[i]];
            ck_assert_uint_eq(listed(slot, s, i), 1);
        }
        sources += step->node.n;
    }
    for (size_t i = 0; i < plan->slot_count; i++) {
        consumers += plan->slots[i].consumer_count;
    }
    ck_assert_uint_eq(consumers, sources);
    wsr_plan_free(plan);
    wsr_graph_free(g);
    wsr_params_free(params);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("fuse");
    TCase *const t = tcase_create("fuse");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, fused_plans_compute_the_same, 0, 18);
    tcase_add_loop_test(t, slots_know_who_makes_and_reads_them, 0, 18);
    tcase_add_loop_test(t, a_folded_norm_follows_its_statistics, 0, 4);
    tcase_add_test(t, thread_counts_do_not_change_a_bit);
    suite_add_tcase(s, t);
    return s;
}
