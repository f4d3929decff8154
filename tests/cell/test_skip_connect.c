// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

#include <math.h>
#include <string.h>

START_TEST(at_stride_one_it_is_the_source_itself)
{
    float x[CELL_FLOATS];
    float y[CELL_FLOATS];
    cell_bench bench;
    cell_expect(&wsr__cell_skip_connect, 1, true, "");
    cell_open(&bench, &wsr__cell_skip_connect, 1, true);
    ck_assert_uint_eq(bench.graph->count, 1);
    cell_image(x);
    cell_forward(y, &bench, x);
    ck_assert_mem_eq(x, y, sizeof(x));
    cell_close(&bench);
}
END_TEST

START_TEST(at_stride_two_parameters_are_those_of_a_factorised_reduction)
{
    for (int affine = 0; affine < 2; affine++) {
        cell_expect(&wsr__cell_skip_connect, 2, affine == 1,
                    "conv_1.weight (4, 8, 1, 1)\n"
                    "conv_2.weight (4, 8, 1, 1)\n"
                    "bn norm\n");
    }
}
END_TEST

// Row r of each convolution takes channel r + first.
static void take_channels(const cell_bench *bench, const char *name,
                          size_t first)
{
    size_t i = 0;
    ck_assert_ok(wsr_params_find(&i, bench->params, name));
    float *const data = wsr_params_edit(bench->params, i);
    memset(data, 0, CELL_CHANNELS * CELL_CHANNELS / 2 * sizeof(*data));
    for (size_t r = 0; r < CELL_CHANNELS / 2; r++) {
        data[r * CELL_CHANNELS + r + first] = 1;
    }
}

START_TEST(at_stride_two_halves_take_even_and_odd_pixels)
{
    enum { SIDE = CELL_SIDE / 2, HALF = CELL_CHANNELS / 2 };
    float x[CELL_FLOATS];
    float y[CELL_FLOATS];
    cell_bench bench;
    cell_open(&bench, &wsr__cell_skip_connect, 2, true);
    take_channels(&bench, "conv_1.weight", 0);
    take_channels(&bench, "conv_2.weight", HALF);
    cell_image(x);
    cell_forward(y, &bench, x);
    for (int64_t i = 0; i < CELL_CHANNELS * SIDE * SIDE; i++) {
        const int64_t c = i / (SIDE * SIDE);
        const int64_t odd = c >= HALF;
        const float want =
            cell_relu_at(x, c, i / SIDE % SIDE * 2 + odd, i % SIDE * 2 + odd);
        ck_assert_float_eq_tol(y[i], want / sqrtf(1.00001f), 1e-6f);
    }
    cell_close(&bench);
}
END_TEST

// Sites that pad: the odd pixels of 5x5 are 2x2, and get a row and a column of
// zeros at the end. Channels of both halves are the first channel.
START_TEST(odd_sides_are_padded_where_the_site_says_so)
{
    enum { SIDE = 5, OUT = 3 };
    static const char *const names[] = {"conv_1.weight", "conv_2.weight"};
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr__site site = {.graph = graph,
                            .channels = 2,
                            .stride = 2,
                            .affine = true,
                            .pads = true};
    const wsr_value x = wsr__input(graph, "x", wsr__shape4(1, 1, SIDE, SIDE));
    wsr__set_output(
        graph, "y",
        wsr__cell_skip_connect.build(&wsr__cell_skip_connect, &site, x));
    ck_assert_ok(wsr__graph_status(graph));
    for (size_t i = 0; i < 2; i++) {
        size_t at = 0;
        ck_assert_ok(wsr_params_find(&at, params, names[i]));
        wsr_params_edit(params, at)[0] = 1;
    }
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_FORWARD));
    for (int i = 0; i < SIDE * SIDE; i++) {
        wsr_plan_src(plan, "x")[i] = (float)(i + 1);
    }
    ck_assert_ok(wsr_plan_forward(plan));
    const float *const y = wsr_plan_dst(plan, "y");
    for (int i = 0; i < 2 * OUT * OUT; i++) {
        const int half = i / (OUT * OUT);
        const int row = i / OUT % OUT * 2 + half;
        const int column = i % OUT * 2 + half;
        const bool inside = row < SIDE && column < SIDE;
        const float want = inside ? (float)(row * SIDE + column + 1) : 0;
        ck_assert_float_eq_tol(y[i], want / sqrtf(1.00001F), 1e-5F);
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

static void refuse(int64_t channels, int64_t side, wsr_status code,
                   const char *words)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr__site site = {
        .graph = graph, .channels = channels, .stride = 2, .affine = true};
    const wsr_value x =
        wsr__input(graph, "x", wsr__shape4(1, channels, side, side));
    (void)wsr__cell_skip_connect.build(&wsr__cell_skip_connect, &site, x);
    ck_assert_fails(wsr__graph_status(graph), code, words);
    wsr_graph_free(graph);
    wsr_params_free(params);
}

START_TEST(what_cannot_be_halved_is_refused)
{
    refuse(8, 7, WSR_SHAPE, "odd side");
    refuse(9, 8, WSR_CONFIG, "odd number of channels");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        at_stride_one_it_is_the_source_itself,
        at_stride_two_parameters_are_those_of_a_factorised_reduction,
        at_stride_two_halves_take_even_and_odd_pixels,
        odd_sides_are_padded_where_the_site_says_so,
        what_cannot_be_halved_is_refused,
        NULL};
    return suite_of("skip_connect", tests);
}
