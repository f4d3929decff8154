// SPDX-License-Identifier: Apache-2.0
//
// Constants with some parts replaced: the mask of shifted windows, for example.

#include "onnx/model.h"

enum { C = 2, H = 2, W = 2, PIXELS = C * H * W };

// The images plus a constant of (2, 4), some of whose numbers are replaced.
static void check_sum(int64_t *indices, size_t n, int64_t depth, float *updates,
                      const float *want)
{
    static float data[PIXELS] = {1, 2, 3, 4, 5, 6, 7, 8};
    static int64_t image[] = {1, C, H, W};
    static const int64_t any_batch[] = {0, C, H, W};
    static const int64_t rows[] = {2, 4};
    int64_t shape[] = {(int64_t)n / depth, depth};
    const int64_t dims[] = {shape[0], depth == 1 ? 4 : 1};
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    wsr_plan *plan = NULL;
    size_t size = 0;
    model m;
    model_begin(&m, 16, any_batch);
    model_floats(&m, "data", data, rows, 2);
    model_longs(&m, "list", indices, n);
    model_longs(&m, "shape", shape, 2);
    model_longs(&m, "image", image, 4);
    model_floats(&m, "updates", updates, dims, depth == 1 ? 2 : 1);
    NODE(&m, "Reshape", "at", "list", "shape");
    NODE(&m, "ScatterND", "replaced", "data", "at", "updates");
    NODE(&m, "Reshape", "mask", "replaced", "image");
    NODE(&m, "Add", "sum", "in", "mask");
    NODE(&m, "Flatten", "out", "sum");
    unsigned char *const bytes = model_bytes(&m, &size);
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(
        wsr__onnx_read_bytes(&graph, params, bytes, size, "m.onnx", NULL));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_FORWARD));
    memset(wsr_plan_src(plan, "x"), 0, PIXELS * sizeof(float));
    ck_assert_ok(wsr_plan_forward(plan));
    for (size_t i = 0; i < PIXELS; i++) {
        ck_assert_float_eq(wsr_plan_dst(plan, "logits")[i], want[i]);
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
    wsr__free(bytes);
}

START_TEST(rows_are_replaced)
{
    static int64_t last[] = {-1};
    static float row[] = {-1, -2, -3, -4};
    static const float want[] = {1, 2, 3, 4, -1, -2, -3, -4};
    check_sum(last, 1, 1, row, want);
}
END_TEST

START_TEST(numbers_are_replaced)
{
    static int64_t places[] = {0, 1, 1, 3};
    static float numbers[] = {20, 80};
    static const float want[] = {1, 20, 3, 4, 5, 6, 7, 80};
    check_sum(places, 4, 2, numbers, want);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {rows_are_replaced, numbers_are_replaced,
                                  NULL};
    return suite_of("onnx scatters", tests);
}
