// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { BATCH = 64 };

typedef struct bench {
    wsr_net *net;
    wsr_graph *graph;
    wsr_plan *plan;
} bench;

static bench open_bench(bool training)
{
    bench b = {0};
    ck_assert_ok(wsr_net_new(
        &b.net, NULL,
        "genotype=DARTS_V2,channels=4,layers=3,image_size=8,drop_path=0.3", 1));
    ck_assert_ok(wsr_net_graph(&b.graph, b.net, training));
    ck_assert_ok(wsr_plan_new(&b.plan, b.graph, BATCH, WSR_FORWARD));
    return b;
}

static void close_bench(bench *b)
{
    wsr_plan_free(b->plan);
    wsr_graph_free(b->graph);
    wsr_net_free(b->net);
}

START_TEST(identities_have_no_mask_and_factorised_reductions_have_one)
{
    bench b = open_bench(true);
    // DARTS_V2: normal operations 5 and 6 and reduction operations 2, 5 and 6
    // are skips; of these none comes from a cell's source with stride 2.
    static const struct {
        size_t cell;
        size_t edge;
        bool masked;
    } rows[] = {{0, 0, true}, {0, 4, true}, {0, 5, false}, {0, 6, false},
                {0, 7, true}, {1, 0, true}, {1, 2, false}, {1, 3, true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char name[WSR__SITE_NAME];
        wsr__drop_path_name(name, rows[i].cell, rows[i].edge);
        ck_assert_msg((wsr_plan_src(b.plan, name) != NULL) == rows[i].masked,
                      "%s", name);
    }
    close_bench(&b);
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    ck_assert_ok(wsr_net_new(&net, NULL,
                             "genotype=PC_DARTS_image,channels=4,layers=3,"
                             "drop_path=0.1",
                             1));
    ck_assert_ok(wsr_net_graph(&graph, net, true));
    size_t masks[2] = {0};
    for (size_t i = 0; i < graph->count; i++) {
        const char *const name = graph->list[i].name;
        if (name != NULL && strncmp(name, "drop_path.", 10) == 0) {
            masks[name[10] == '0' ? 0 : 1]++;
        }
    }
    // Normal: skips at edges 0 and 3 only. Reduction: edge 1 has stride 2.
    ck_assert_uint_eq(masks[0], 6);
    ck_assert_uint_eq(masks[1], 16);
    wsr_graph_free(graph);
    wsr_net_free(net);
}
END_TEST

START_TEST(masks_are_zero_or_one_over_what_stays)
{
    bench b = open_bench(true);
    const float *const mask = wsr_plan_src(b.plan, "drop_path.0.0");
    size_t dropped = 0;
    for (uint64_t step = 0; step < 100; step++) {
        ck_assert_ok(wsr_net_drop_path(b.plan, b.net, 0.3, 5, step));
        for (size_t i = 0; i < BATCH; i++) {
            ck_assert(mask[i] == 0 || fabsf(mask[i] - 1 / 0.7f) < 1e-6f);
            dropped += mask[i] == 0;
        }
    }
    ck_assert_double_eq_tol((double)dropped / (100 * BATCH), 0.3, 0.03);
    ck_assert_ok(wsr_net_drop_path(b.plan, b.net, 0, 5, 0));
    for (size_t i = 0; i < BATCH; i++) {
        ck_assert(mask[i] == 1);
    }
    close_bench(&b);
}
END_TEST

static bool equal(const float *a, const float *b)
{
    for (size_t i = 0; i < BATCH; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

START_TEST(masks_depend_on_seed_step_and_edge_alone)
{
    bench b = open_bench(true);
    float first[BATCH];
    const float *const mask = wsr_plan_src(b.plan, "drop_path.0.0");
    const float *const other = wsr_plan_src(b.plan, "drop_path.2.1");
    ck_assert_ok(wsr_net_drop_path(b.plan, b.net, 0.5, 5, 9));
    memcpy(first, mask, sizeof(first));
    ck_assert(!equal(first, other));
    ck_assert_ok(wsr_net_drop_path(b.plan, b.net, 0.5, 5, 10));
    ck_assert(!equal(first, mask));
    ck_assert_ok(wsr_net_drop_path(b.plan, b.net, 0.5, 6, 9));
    ck_assert(!equal(first, mask));
    ck_assert_ok(wsr_net_drop_path(b.plan, b.net, 0.5, 5, 9));
    ck_assert(equal(first, mask));
    close_bench(&b);
}
END_TEST

START_TEST(masks_of_one_change_nothing)
{
    bench masked = open_bench(true);
    bench plain = open_bench(false);
    float *const a = wsr_plan_src(masked.plan, "x");
    float *const b = wsr_plan_src(plain.plan, "x");
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < BATCH * 192; i++) {
        a[i] = b[i] = wsr__rng_uniform(&rng);
    }
    ck_assert_ok(wsr_net_drop_path(masked.plan, masked.net, 0, 1, 1));
    ck_assert_ok(wsr_net_drop_path(plain.plan, plain.net, 0.3, 1, 1));
    ck_assert_ok(wsr_plan_forward(masked.plan));
    ck_assert_ok(wsr_plan_forward(plain.plan));
    const float *const x = wsr_plan_dst(masked.plan, "logits");
    const float *const y = wsr_plan_dst(plain.plan, "logits");
    for (size_t i = 0; i < BATCH * 10; i++) {
        ck_assert_float_eq_tol(x[i], y[i], 1e-6f);
    }
    close_bench(&masked);
    close_bench(&plain);
}
END_TEST

START_TEST(a_probability_of_one_is_refused)
{
    bench b = open_bench(true);
    ck_assert_fails(wsr_net_drop_path(b.plan, b.net, 1, 1, 1), WSR_ARG,
                    "outside [0, 1)");
    ck_assert_fails(wsr_net_drop_path(b.plan, b.net, (double)NAN, 1, 1),
                    WSR_ARG, "outside [0, 1)");
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        identities_have_no_mask_and_factorised_reductions_have_one,
        masks_are_zero_or_one_over_what_stays,
        masks_depend_on_seed_step_and_edge_alone,
        masks_of_one_change_nothing,
        a_probability_of_one_is_refused,
        NULL};
    return suite_of("drop_path", tests);
}
