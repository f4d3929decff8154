// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

#include <math.h>
#include <string.h>

// The numbers of a parameter must be uniform in [-bound, bound].
static void expect_uniform(const wsr_params *params, const char *name,
                           double bound)
{
    const wsr__param *const p = wsr__params_named(params, name);
    double most = 0;
    double squares = 0;
    ck_assert_ptr_nonnull(p);
    for (int64_t i = 0; i < p->count; i++) {
        const double v = (double)p->data[i];
        most = fmax(most, fabs(v));
        squares += v * v;
    }
    ck_assert_double_le(most, bound * (1 + 1e-6));
    ck_assert_double_gt(most, 0.9 * bound);
    ck_assert_double_eq_tol(sqrt(3 * squares / (double)p->count), bound,
                            0.1 * bound);
}

START_TEST(convolutions_and_linear_maps_start_uniform_by_their_fan_in)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    static const wsr__layer layers[] = {
        WSR__CONV(3, 1, 2), WSR__DEPTHWISE(5, 1, 1), WSR__LAYERS_END};
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr__site site = {.graph = graph, .channels = 64, .stride = 1};
    const wsr_value x = wsr__input(graph, "x", wsr__shape4(1, 3, 8, 8));
    const wsr_value y = wsr__build_layers(&site, layers, x);
    const wsr_value z = wsr__op1(graph, "global_avg_pool", NULL, y);
    const wsr__site head = wsr__site_below(&site, "head.");
    (void)wsr__build_linear(&head, z);
    ck_assert_ok(wsr__graph_status(graph));
    expect_uniform(params, "0.weight", 1 / sqrt(27.0));
    expect_uniform(params, "1.weight", 1 / sqrt(25.0));
    expect_uniform(params, "head.weight", 1 / sqrt(64.0));
    expect_uniform(params, "head.bias", 1 / sqrt(64.0));
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

START_TEST(rows_without_padding_shrink_the_image)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    static const wsr__layer layers[] = {
        {WSR__ROW(WSR__LAYER_AVG_POOL, 5, 3, 1), .valid = true},
        {WSR__ROW(WSR__LAYER_CONV, 2, 1, 1), .valid = true, .width = 6},
        WSR__LAYERS_END};
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr__site site = {.graph = graph, .channels = 4, .stride = 2};
    const wsr_value x = wsr__input(graph, "x", wsr__shape4(1, 4, 8, 8));
    const wsr_value y = wsr__build_layers(&site, layers, x);
    ck_assert_ok(wsr__graph_status(graph));
    const wsr_shape want = wsr__shape4(1, 6, 1, 1);
    ck_assert(wsr_shape_equal(wsr_graph_shape(graph, y), &want));
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        convolutions_and_linear_maps_start_uniform_by_their_fan_in,
        rows_without_padding_shrink_the_image, NULL};
    return suite_of("layers", tests);
}
