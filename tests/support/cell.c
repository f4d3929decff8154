// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

#include <math.h>
#include <string.h>

void cell_open(cell_bench *bench, const wsr__cell_class *cls, int64_t stride,
               bool affine)
{
    ck_assert_ok(wsr_params_new(&bench->params, 1));
    ck_assert_ok(wsr_graph_new(&bench->graph, bench->params));
    bench->stride = stride;
    const wsr__site site = {.graph = bench->graph,
                            .channels = CELL_CHANNELS,
                            .stride = stride,
                            .affine = affine};
    const wsr_value x = wsr__input(
        bench->graph, "x", wsr__shape4(1, CELL_CHANNELS, CELL_SIDE, CELL_SIDE));
    const wsr_value y = cls->build(cls, &site, x);
    wsr__set_output(bench->graph, "y", y);
    ck_assert_ok(wsr__graph_status(bench->graph));
    const wsr_shape want =
        wsr__shape4(1, CELL_CHANNELS, CELL_SIDE / stride, CELL_SIDE / stride);
    ck_assert(wsr_shape_equal(wsr_graph_shape(bench->graph, y), &want));
}

void cell_close(cell_bench *bench)
{
    wsr_graph_free(bench->graph);
    wsr_params_free(bench->params);
}

static const char *after_dot(const char *name)
{
    const char *const dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

// The line of tensor *i; the tensors of a norm make one line.
static void add_line(wsr__str *out, const wsr_params *params, size_t *i,
                     bool affine)
{
    static const char *const norm[] = {"weight", "bias", "running_mean",
                                       "running_var", "num_batches_tracked"};
    const size_t first = affine ? 0 : 2;
    const char *const name = wsr_params_name(params, *i);
    const size_t left = wsr_params_count(params) - *i;
    const size_t whole = 5 - first;
    const bool starts =
        left >= whole &&
        wsr__streq(after_dot(wsr_params_name(params, *i + whole - 1)), norm[4]);
    if (!starts) {
        char shape[96];
        wsr__shape_print(shape, wsr_params_shape(params, *i));
        wsr__str_addf(out, "%s %s\n", name, shape);
        (*i)++;
        return;
    }
    const size_t stem = strlen(name) - strlen(after_dot(name));
    for (size_t k = first; k < 5; k++, ++*i) {
        const wsr__param *const param = wsr__params_at(params, *i);
        ck_assert(strncmp(param->name, name, stem) == 0);
        ck_assert_str_eq(param->name + stem, norm[k]);
        ck_assert_int_eq(param->shape.ndims, k == 4 ? 0 : 1);
        ck_assert_int_eq(param->count, k == 4 ? 1 : CELL_CHANNELS);
        ck_assert_int_eq(param->trainable, k < 2);
        ck_assert_int_eq(param->integer, k == 4);
        ck_assert(param->data[0] == (k == 0 || k == 3 ? 1.0f : 0.0f));
    }
    wsr__str_addf(out, "%.*s norm\n", (int)stem - 1, name);
}

void cell_expect(const wsr__cell_class *cls, int64_t stride, bool affine,
                 const char *lines)
{
    cell_bench bench;
    wsr__str text = {0};
    cell_open(&bench, cls, stride, affine);
    for (size_t i = 0; i < wsr_params_count(bench.params);) {
        add_line(&text, bench.params, &i, affine);
    }
    ck_assert_str_eq(text.s == NULL ? "" : text.s, lines);
    wsr__str_free(&text);
    cell_close(&bench);
}

static float *edit(cell_bench *bench, const char *name, int64_t *count)
{
    size_t i = 0;
    ck_assert_ok(wsr_params_find(&i, bench->params, name));
    *count = wsr_shape_count(wsr_params_shape(bench->params, i));
    float *const data = wsr_params_edit(bench->params, i);
    memset(data, 0, (size_t)*count * sizeof(*data));
    return data;
}

void cell_set_tap(cell_bench *bench, const char *name, int64_t tap)
{
    int64_t count = 0;
    float *const data = edit(bench, name, &count);
    const int64_t taps = count / CELL_CHANNELS;
    for (int64_t c = 0; c < CELL_CHANNELS; c++) {
        data[c * taps + tap] = 1;
    }
}

void cell_set_identity(cell_bench *bench, const char *name)
{
    int64_t count = 0;
    float *const data = edit(bench, name, &count);
    ck_assert_int_eq(count, CELL_CHANNELS * CELL_CHANNELS);
    for (int64_t c = 0; c < CELL_CHANNELS; c++) {
        data[c * CELL_CHANNELS + c] = 1;
    }
}

void cell_image(float x[CELL_FLOATS])
{
    wsr__rng rng = wsr__rng_at(7, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < CELL_FLOATS; i++) {
        x[i] = 2 * wsr__rng_uniform(&rng) - 1;
    }
}

void cell_forward(float y[CELL_FLOATS], const cell_bench *bench,
                  const float x[CELL_FLOATS])
{
    wsr_plan *plan = NULL;
    const size_t floats =
        (size_t)(CELL_FLOATS / (bench->stride * bench->stride));
    ck_assert_ok(wsr_plan_new(&plan, bench->graph, 1, WSR_FORWARD));
    float *const src = wsr_plan_src(plan, "x");
    ck_assert_ptr_nonnull(src);
    memcpy(src, x, CELL_FLOATS * sizeof(*x));
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(y, wsr_plan_dst(plan, "y"), floats * sizeof(*y));
    wsr_plan_free(plan);
}

float cell_relu_at(const float *x, int64_t c, int64_t row, int64_t column)
{
    const bool inside = row >= 0 && row < CELL_SIDE && column >= 0 &&
                        column < CELL_SIDE;
    const float value = inside ? x[(c * CELL_SIDE + row) * CELL_SIDE + column]
                               : 0;
    return value > 0 ? value : 0;
}

// The result must be relu of the image, moved, subsampled, and divided by
// sqrt(1 + tol) as often as there are norms.
static void check_moved(const cell_bench *bench, int64_t move, int norms)
{
    float x[CELL_FLOATS];
    float y[CELL_FLOATS];
    const int64_t s = bench->stride;
    const int64_t side = CELL_SIDE / s;
    const double factor = pow(1 + 1e-5, -0.5 * norms);
    cell_image(x);
    cell_forward(y, bench, x);
    for (int64_t i = 0; i < CELL_CHANNELS * side * side; i++) {
        const int64_t c = i / (side * side);
        const int64_t row = i / side % side * s + move;
        const int64_t column = i % side * s + move;
        const double want = (double)cell_relu_at(x, c, row, column) * factor;
        ck_assert_double_eq_tol((double)y[i], want, 1e-6);
    }
}

static void expect_separable(const wsr__cell_class *cls, int64_t stride,
                             bool affine, int64_t k, int halves)
{
    wsr__str lines = {0};
    for (int i = 0; i < halves; i++) {
        wsr__str_addf(&lines,
                      "op.%d.weight (8, 1, %lld, %lld)\n"
                      "op.%d.weight (8, 8, 1, 1)\n"
                      "op.%d norm\n",
                      4 * i + 1, (long long)k, (long long)k, 4 * i + 2,
                      4 * i + 3);
    }
    cell_expect(cls, stride, affine, lines.s);
    wsr__str_free(&lines);
}

void cell_check_sep_conv(const wsr__cell_class *cls, int64_t k)
{
    for (int64_t stride = 1; stride <= 2; stride++) {
        cell_bench bench;
        expect_separable(cls, stride, stride == 1, k, 2);
        cell_open(&bench, cls, stride, true);
        cell_set_tap(&bench, "op.1.weight", k * k - 1); // lower right
        cell_set_identity(&bench, "op.2.weight");
        cell_set_tap(&bench, "op.5.weight", k * k / 2); // centre
        cell_set_identity(&bench, "op.6.weight");
        check_moved(&bench, k / 2, 2);
        cell_close(&bench);
    }
}

void cell_check_dil_conv(const wsr__cell_class *cls, int64_t k)
{
    for (int64_t stride = 1; stride <= 2; stride++) {
        cell_bench bench;
        expect_separable(cls, stride, stride == 1, k, 1);
        cell_open(&bench, cls, stride, true);
        cell_set_tap(&bench, "op.1.weight", 0); // upper left
        cell_set_identity(&bench, "op.2.weight");
        check_moved(&bench, -2 * (k / 2), 1);
        cell_close(&bench);
    }
}

// The weights are as they were made, so that every one of them counts.
static double dense_at(const cell_bench *bench, const float *x, int64_t k,
                       const int64_t at[3])
{
    size_t weight = 0;
    double sum = 0;
    ck_assert_ok(wsr_params_find(&weight, bench->params, "op.1.weight"));
    const float *const w = wsr_params_data(bench->params, weight);
    for (int64_t i = 0; i < CELL_CHANNELS * k * k; i++) {
        const int64_t row = at[1] * bench->stride + i / k % k - k / 2;
        const int64_t column = at[2] * bench->stride + i % k - k / 2;
        sum += (double)w[at[0] * CELL_CHANNELS * k * k + i] *
               (double)cell_relu_at(x, i / (k * k), row, column);
    }
    return sum / sqrt(1 + 1e-5);
}

void cell_check_nor_conv(const wsr__cell_class *cls, int64_t k)
{
    float x[CELL_FLOATS];
    float y[CELL_FLOATS];
    char lines[96];
    (void)snprintf(lines, sizeof(lines),
                   "op.1.weight (8, 8, %lld, %lld)\nop.2 norm\n", (long long)k,
                   (long long)k);
    cell_image(x);
    for (int64_t stride = 1; stride <= 2; stride++) {
        const int64_t side = CELL_SIDE / stride;
        cell_bench bench;
        cell_expect(cls, stride, stride == 1, lines);
        cell_open(&bench, cls, stride, true);
        cell_forward(y, &bench, x);
        for (int64_t i = 0; i < CELL_CHANNELS * side * side; i++) {
            const int64_t at[] = {i / (side * side), i / side % side, i % side};
            ck_assert_double_eq_tol((double)y[i], dense_at(&bench, x, k, at),
                                    1e-5);
        }
        cell_close(&bench);
    }
}

// The numbers of the window around a place; returns how many there are.
static int window_at(float inside[9], const float *x, int64_t c, int64_t row,
                     int64_t column)
{
    int n = 0;
    for (int64_t i = 0; i < 9; i++) {
        const int64_t r = row + i / 3 - 1;
        const int64_t k = column + i % 3 - 1;
        if (r >= 0 && r < CELL_SIDE && k >= 0 && k < CELL_SIDE) {
            inside[n++] = x[(c * CELL_SIDE + r) * CELL_SIDE + k];
        }
    }
    return n;
}

void cell_check_pool(const wsr__cell_class *cls,
                     float (*pool)(const float *x, int n))
{
    float x[CELL_FLOATS];
    float y[CELL_FLOATS];
    cell_image(x);
    for (int64_t s = 1; s <= 2; s++) {
        const int64_t side = CELL_SIDE / s;
        cell_bench bench;
        cell_expect(cls, s, true, "");
        cell_open(&bench, cls, s, true);
        cell_forward(y, &bench, x);
        for (int64_t i = 0; i < CELL_CHANNELS * side * side; i++) {
            float inside[9];
            const int n = window_at(inside, x, i / (side * side),
                                    i / side % side * s, i % side * s);
            ck_assert_float_eq_tol(y[i], pool(inside, n), 1e-6f);
        }
        cell_close(&bench);
    }
}
