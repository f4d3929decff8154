// SPDX-License-Identifier: Apache-2.0
//
// Plans: memory, threads, determinism, purposes, and arenas that plans share.

#include "graph/plan_support.h"
#include "support/oom.h"

#include <math.h>
#include <string.h>

// ------------------------------------------------------------------ memory

enum { CHAIN = 12, FLOATS = 64 * 64 };

// A chain of ops of which none can work in place.
static wsr_value chain(wsr_graph *g, wsr_value x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x = wsr__op1(g, "transpose", NULL, x);
    }
    return x;
}

START_TEST(values_that_never_meet_share_memory)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape3(1, 64, 64));
    wsr__set_output(r.graph, "y", chain(r.graph, x, CHAIN));
    rig_plan(&r, 1, WSR_FORWARD);
    // Input, output, and the one value between that is alive at a time,
    // beside the one that is made from it.
    ck_assert_uint_le(wsr_plan_bytes(r.plan), 4 * FLOATS * sizeof(float));
    fill(wsr_plan_src(r.plan, "x"), FLOATS);
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_mem_eq(wsr_plan_dst(r.plan, "y"), wsr_plan_src(r.plan, "x"),
                     FLOATS * sizeof(float));
    rig_close(&r);
}
END_TEST

START_TEST(gradients_share_memory_too)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape3(1, 64, 64));
    wsr__set_output(r.graph, "y", chain(r.graph, x, CHAIN));
    rig_plan(&r, 1, WSR_GRAD_INPUT);
    // Input and output, their gradients, and two of what lies between.
    ck_assert_uint_le(wsr_plan_bytes(r.plan), 7 * FLOATS * sizeof(float));
    fill(wsr_plan_src(r.plan, "x"), FLOATS);
    ck_assert_ok(wsr_plan_forward(r.plan));
    fill(wsr_plan_diff_dst(r.plan, "y"), FLOATS);
    ck_assert_ok(wsr_plan_backward(r.plan));
    ck_assert_mem_eq(wsr_plan_diff_src(r.plan, "x"),
                     wsr_plan_diff_dst(r.plan, "y"), FLOATS * sizeof(float));
    rig_close(&r);
}
END_TEST

START_TEST(an_op_in_place_needs_no_memory)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, FLOATS));
    wsr_value y = wsr__op1(r.graph, "scale", "factor=2", x);
    for (int i = 0; i < 4; i++) {
        y = wsr__op1(r.graph, "scale", "offset=1", y);
    }
    wsr__set_output(r.graph, "y", y);
    rig_plan(&r, 1, WSR_FORWARD);
    ck_assert_uint_eq(wsr_plan_bytes(r.plan), 2 * FLOATS * sizeof(float));
    fill(wsr_plan_src(r.plan, "x"), FLOATS);
    for (int run = 0; run < 2; run++) { // the input is still what it was
        ck_assert_ok(wsr_plan_forward(r.plan));
        for (size_t i = 0; i < FLOATS; i++) {
            ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "y")[i],
                                   2 * wsr_plan_src(r.plan, "x")[i] + 4, 1e-6f);
        }
    }
    rig_close(&r);
}
END_TEST

START_TEST(nothing_works_in_place_on_what_is_read_later)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 16));
    const wsr_value a = wsr__op1(r.graph, "scale", "factor=2", x);
    const wsr_value b = wsr__op1(r.graph, "scale", "offset=1", a);
    const wsr_value c = wsr__op1(r.graph, "reshape", "dims=[4, 4]", a);
    const wsr_value d = wsr__op1(r.graph, "scale", "factor=10", c);
    const wsr_value e = wsr__op1(r.graph, "scale", "factor=-1", c);
    wsr__set_output(r.graph, "b", b);
    wsr__set_output(r.graph, "d", d);
    wsr__set_output(r.graph, "e", e);
    rig_plan(&r, 1, WSR_FORWARD);
    fill(wsr_plan_src(r.plan, "x"), 16);
    ck_assert_ok(wsr_plan_forward(r.plan));
    for (size_t i = 0; i < 16; i++) {
        const float v = wsr_plan_src(r.plan, "x")[i];
        ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "b")[i], 2 * v + 1, 1e-6f);
        ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "d")[i], 20 * v, 1e-5f);
        ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "e")[i], -2 * v, 1e-6f);
    }
    rig_close(&r);
}
END_TEST

START_TEST(nothing_works_in_place_on_what_it_reads_again)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 8));
    const wsr_value c = wsr__input(r.graph, "c", wsr__shape2(1, 2));
    const wsr_value a = wsr__op1(r.graph, "tanh", NULL, x);
    const wsr_value srcs[] = {a, a, c};
    wsr_value y;
    ck_assert_ok(wsr_graph_op(&y, r.graph, "weighted_sum", srcs, 3, NULL));
    wsr__set_output(r.graph, "y", y);
    rig_plan(&r, 1, WSR_FORWARD);
    fill(wsr_plan_src(r.plan, "x"), 8);
    wsr_plan_src(r.plan, "c")[0] = 2;
    wsr_plan_src(r.plan, "c")[1] = 3;
    ck_assert_ok(wsr_plan_forward(r.plan));
    for (size_t i = 0; i < 8; i++) {
        ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "y")[i],
                               5 * tanhf(wsr_plan_src(r.plan, "x")[i]), 1e-5f);
    }
    rig_close(&r);
}
END_TEST

static wsr_status count_requests(rig *r)
{
    wsr_status status = WSR_OK;
    oom_begin(0);
    for (int i = 0; status == WSR_OK && i < 2; i++) {
        status = wsr_plan_forward(r->plan);
        if (status == WSR_OK) {
            status = wsr_plan_backward(r->plan);
        }
    }
    const size_t requests = oom_requests();
    oom_end();
    ck_assert_uint_eq(requests, 0);
    return status;
}

// ---------------------------------------------------------- a mixed network

// Every kind of kernel but oneDNN's.
static void build_network(wsr_graph *g)
{
    const wsr__init init = {.bound = 0.5F};
    const wsr_value x = wsr__input(g, "x", wsr__shape4(1, 17, 9, 9));
    const wsr_value dw =
        wsr__param_value(g, "dw", wsr__shape4(17, 1, 3, 3), init);
    const wsr_value pw =
        wsr__param_value(g, "pw", wsr__shape4(17, 17, 1, 1), init);
    const wsr_value srcs[] = {
        wsr__op2(g, "conv2d", NULL,
                 wsr__op2(g, "conv2d", "pad=1,groups=17",
                          wsr__op1(g, "relu", NULL, x), dw),
                 pw),
        wsr__buffer_value(g, "mean", wsr__shape1(17), 0),
        wsr__buffer_value(g, "var", wsr__shape1(17), 1),
        wsr__buffer_value(g, "tracked", (wsr_shape){0}, 0)};
    const wsr_value norm = wsr__opn(g, "batch_norm", NULL, srcs, 4);
    const wsr_value pool = wsr__op1(g, "max_pool", "pad=1", norm);
    const wsr_value mean = wsr__op1(g, "avg_pool", "pad=1", x);
    const wsr_value sum = wsr__op2(g, "add", NULL, pool, mean);
    const wsr_value rows = wsr__op1(g, "reshape", "dims=[9, 153]", sum);
    const wsr_value lstm[] = {
        rows, wsr__param_value(g, "ih", wsr__shape2(20, 153), init),
        wsr__param_value(g, "hh", wsr__shape2(20, 5), init),
        wsr__param_value(g, "bi", wsr__shape1(20), init),
        wsr__param_value(g, "bh", wsr__shape1(20), init)};
    const wsr_value h = wsr__opn(g, "lstm", NULL, lstm, 5);
    wsr__set_output(g, "flat", wsr__op1(g, "global_avg_pool", NULL, sum));
    wsr__set_output(g, "h", wsr__op1(g, "softmax", NULL, h));
}

static void network_open(rig *r, unsigned purpose)
{
    *r = rig_open();
    build_network(r->graph);
    rig_plan(r, 5, purpose);
    fill(wsr_plan_src(r->plan, "x"), 5 * 17 * 81);
}

START_TEST(runs_do_not_allocate)
{
    rig r;
    network_open(&r, WSR_TRAIN | WSR_GRAD_INPUT | WSR_GRAD_PARAMS);
    ck_assert_ok(count_requests(&r));
    rig_close(&r);
}
END_TEST

START_TEST(results_do_not_depend_on_the_number_of_threads)
{
    static const char *const names[] = {"dw", "pw", "ih", "hh", "bi", "bh"};
    rig r[3];
    for (size_t i = 0; i < 3; i++) {
        wsr_set_threads(i + 1);
        network_open(&r[i], WSR_TRAIN | WSR_GRAD_INPUT | WSR_GRAD_PARAMS);
        ck_assert_ok(wsr_plan_forward(r[i].plan));
        set_diff(r[i].plan, "flat", 1);
        fill(wsr_plan_diff_dst(r[i].plan, "h"), 25);
        ck_assert_ok(wsr_plan_backward(r[i].plan));
    }
    wsr_set_threads(0);
    for (size_t i = 1; i < 3; i++) {
        ck_assert_mem_eq(wsr_plan_dst(r[0].plan, "h"),
                         wsr_plan_dst(r[i].plan, "h"), 25 * sizeof(float));
        ck_assert_mem_eq(wsr_plan_dst(r[0].plan, "flat"),
                         wsr_plan_dst(r[i].plan, "flat"), 85 * sizeof(float));
        ck_assert_mem_eq(wsr_plan_diff_src(r[0].plan, "x"),
                         wsr_plan_diff_src(r[i].plan, "x"),
                         5 * 17 * 81 * sizeof(float));
        for (size_t p = 0; p < sizeof(names) / sizeof(names[0]); p++) {
            size_t at = 0;
            ck_assert_ok(wsr_params_find(&at, r[0].params, names[p]));
            const int64_t n =
                wsr_shape_count(wsr_params_shape(r[0].params, at));
            ck_assert_mem_eq(grad_of(&r[0], names[p]), grad_of(&r[i], names[p]),
                             (size_t)n * sizeof(float));
        }
    }
    for (size_t i = 0; i < 3; i++) {
        rig_close(&r[i]);
    }
}
END_TEST

START_TEST(the_same_run_gives_the_same_bits)
{
    rig r;
    float first[25];
    network_open(&r, WSR_TRAIN | WSR_GRAD_INPUT);
    ck_assert_ok(wsr_plan_forward(r.plan));
    memcpy(first, wsr_plan_dst(r.plan, "h"), sizeof(first));
    set_diff(r.plan, "h", 1);
    ck_assert_ok(wsr_plan_backward(r.plan));
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_mem_eq(wsr_plan_dst(r.plan, "h"), first, sizeof(first));
    rig_close(&r);
}
END_TEST

START_TEST(input_gradients_alone_leave_parameters_alone)
{
    rig input;
    rig both;
    network_open(&input, WSR_TRAIN | WSR_GRAD_INPUT);
    network_open(&both, WSR_TRAIN | WSR_GRAD_INPUT | WSR_GRAD_PARAMS);
    rig *const rigs[] = {&input, &both};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_ok(wsr_plan_forward(rigs[i]->plan));
        set_diff(rigs[i]->plan, "flat", 1);
        ck_assert_ok(wsr_plan_backward(rigs[i]->plan));
    }
    ck_assert_ptr_null(grad_of(&input, "dw"));
    ck_assert_ptr_null(grad_of(&input, "ih"));
    ck_assert_ptr_nonnull(grad_of(&both, "dw"));
    for (size_t i = 0; i < 5 * 17 * 81; i++) {
        ck_assert_float_eq_tol(wsr_plan_diff_src(input.plan, "x")[i],
                               wsr_plan_diff_src(both.plan, "x")[i], 1e-6f);
    }
    ck_assert_uint_le(wsr_plan_bytes(input.plan), wsr_plan_bytes(both.plan));
    rig_close(&input);
    rig_close(&both);
}
END_TEST

START_TEST(a_forward_plan_cannot_run_backward)
{
    rig r;
    network_open(&r, WSR_FORWARD);
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_ptr_null(wsr_plan_diff_dst(r.plan, "h"));
    ck_assert_ptr_null(wsr_plan_diff_src(r.plan, "x"));
    ck_assert_fails(wsr_plan_backward(r.plan), WSR_ARG, "WSR_GRAD_INPUT");
    rig_close(&r);
}
END_TEST

START_TEST(plans_need_a_batch_and_an_output)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 3));
    ck_assert_fails(wsr_plan_new(&r.plan, r.graph, 1, WSR_FORWARD), WSR_ARG,
                    "no output");
    ck_assert_ptr_null(r.plan);
    wsr__set_output(r.graph, "y", x);
    ck_assert_fails(wsr_plan_new(&r.plan, r.graph, 0, WSR_FORWARD), WSR_ARG,
                    "batch 0");
    rig_close(&r);
}
END_TEST

// ------------------------------------------------------------ shared arenas

START_TEST(plans_may_share_an_arena)
{
    wsr__arena arena = {0};
    rig small = rig_open();
    rig large = rig_open();
    wsr_plan *plans[2] = {NULL, NULL};
    const wsr_value a = wsr__input(small.graph, "x", wsr__shape2(1, 10));
    wsr__set_output(small.graph, "y",
                    wsr__op1(small.graph, "scale", "factor=2", a));
    const wsr_value b = wsr__input(large.graph, "x", wsr__shape2(1, 5000));
    wsr__set_output(large.graph, "y",
                    wsr__op1(large.graph, "scale", "factor=3", b));
    ck_assert_ok(
        wsr__plan_new_in(&plans[0], small.graph, 1, WSR_GRAD_INPUT, &arena));
    ck_assert_ok(wsr__plan_new_in(&plans[1], large.graph, 1, WSR_GRAD_INPUT,
                                  &arena)); // the arena moves
    ck_assert_uint_eq(arena.floats * sizeof(float), wsr_plan_bytes(plans[1]));
    for (int i = 0; i < 4; i++) {
        wsr_plan *const plan = plans[i % 2];
        const size_t n = i % 2 == 0 ? 10 : 5000;
        const float factor = i % 2 == 0 ? 2 : 3;
        fill(wsr_plan_src(plan, "x"), n);
        ck_assert_ok(wsr_plan_forward(plan));
        set_diff(plan, "y", 1);
        ck_assert_ok(wsr_plan_backward(plan));
        for (size_t k = 0; k < n; k++) {
            ck_assert_float_eq(wsr_plan_dst(plan, "y")[k],
                               factor * wsr_plan_src(plan, "x")[k]);
            ck_assert_float_eq(wsr_plan_diff_src(plan, "x")[k], factor);
        }
    }
    wsr_plan_free(plans[0]);
    wsr_plan_free(plans[1]);
    wsr__arena_free(&arena);
    rig_close(&small);
    rig_close(&large);
}
END_TEST

START_TEST(plans_share_parameters_and_see_their_changes)
{
    rig r = rig_open();
    wsr_plan *other = NULL;
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape4(1, 8, 3, 3));
    const wsr_value w = wsr__param_value(r.graph, "w", wsr__shape4(8, 1, 3, 3),
                                         (wsr__init){.value = 1});
    wsr__set_output(r.graph, "y",
                    wsr__op2(r.graph, "conv2d", "groups=8", x, w));
    rig_plan(&r, 1, WSR_GRAD_PARAMS);
    ck_assert_ok(wsr_plan_new(&other, r.graph, 2, WSR_GRAD_PARAMS));
    for (size_t i = 0; i < 72; i++) {
        wsr_plan_src(r.plan, "x")[i] = 1;
    }
    for (size_t i = 0; i < 144; i++) {
        wsr_plan_src(other, "x")[i] = 1;
    }
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "y")[0], 9, 1e-5f);
    wsr_params_edit(r.params, 0)[0] = 11;
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_ok(wsr_plan_forward(other));
    ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "y")[0], 19, 1e-5f);
    ck_assert_float_eq_tol(wsr_plan_dst(other, "y")[8], 19, 1e-5f);
    ck_assert_float_eq_tol(wsr_plan_dst(other, "y")[1], 9, 1e-5f);
    set_diff(r.plan, "y", 1);
    set_diff(other, "y", 1);
    ck_assert_ok(wsr_plan_backward(r.plan));
    ck_assert_ok(wsr_plan_backward(other));
    ck_assert_float_eq_tol(grad_of(&r, "w")[5], 3, 1e-5f); // 1 + 2 samples
    wsr_params_zero_grad(r.params, true);
    ck_assert_ptr_null(grad_of(&r, "w"));
    wsr_plan_free(other);
    rig_close(&r);
}
END_TEST

START_TEST(timing_and_the_dump_name_every_step)
{
    rig r;
    char *text = NULL;
    network_open(&r, WSR_GRAD_INPUT | WSR_UNFUSED);
    wsr_plan_time(r.plan, true);
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_ok(wsr_plan_backward(r.plan));
    ck_assert_ok(wsr_plan_dump(&text, r.plan));
    // A pointwise convolution of 5 * 9 * 9 pixels from 17 to 17 channels.
    static const char *const words[] = {
        "conv2d", "batch_norm", "max_pool",
        "lstm",   "softmax",    ", pw)  0.12 Mmadd  0.06 MB  fwd",
        "ms"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        ck_assert_msg(strstr(text, words[i]) != NULL, "'%s' lacks '%s'", text,
                      words[i]);
    }
    wsr_text_free(text);
    ck_assert_uint_eq(wsr_plan_batch(r.plan), 5);
    ck_assert_ptr_null(wsr_plan_dst(r.plan, "nothing"));
    ck_assert_ptr_null(wsr_plan_shape(r.plan, "nothing"));
    rig_close(&r);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_that_never_meet_share_memory,
        gradients_share_memory_too,
        an_op_in_place_needs_no_memory,
        nothing_works_in_place_on_what_is_read_later,
        nothing_works_in_place_on_what_it_reads_again,
        runs_do_not_allocate,
        results_do_not_depend_on_the_number_of_threads,
        the_same_run_gives_the_same_bits,
        input_gradients_alone_leave_parameters_alone,
        a_forward_plan_cannot_run_backward,
        plans_need_a_batch_and_an_output,
        plans_may_share_an_arena,
        plans_share_parameters_and_see_their_changes,
        timing_and_the_dump_name_every_step,
        NULL,
    };
    return suite_of("plan", tests);
}
