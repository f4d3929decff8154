// SPDX-License-Identifier: Apache-2.0
//
// Hand-made models: what they compute for a batch, and what is refused.

#include "onnx/model.h"

#include <math.h>

enum { N = 3, C = 2, H = 4, W = 5, PIXELS = C * H * W };

static float pixel(size_t i)
{
    return (float)(i * 7 % 23) / 23 - 0.4f;
}

static wsr_status read_model(wsr_graph **graph, wsr_params **params,
                             const model *m)
{
    size_t size = 0;
    unsigned char *const bytes = model_bytes(m, &size);
    ck_assert_ok(wsr_params_new(params, 1));
    const wsr_status status =
        wsr__onnx_read_bytes(graph, *params, bytes, size, "m.onnx", NULL);
    wsr__free(bytes);
    return status;
}

static void refused(const model *m, const char *words)
{
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    ck_assert_fails(read_model(&graph, &params, m), WSR_FORMAT, words);
    ck_assert_ptr_null(graph);
    wsr_params_free(params);
}

// Logits of N images.
static void run(float *out, size_t classes, const model *m)
{
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(read_model(&graph, &params, m));
    ck_assert_ok(wsr_plan_new(&plan, graph, N, WSR_GRAD_INPUT));
    ck_assert_uint_eq((size_t)wsr_plan_shape(plan, "logits")->dims[1], classes);
    for (size_t i = 0; i < N * PIXELS; i++) {
        wsr_plan_src(plan, "x")[i] = pixel(i);
    }
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(out, wsr_plan_dst(plan, "logits"), N * classes * sizeof(*out));
    ck_assert_ok(wsr_plan_backward(plan));
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}

static const int64_t any_batch[] = {0, C, H, W};
static const int64_t one_image[] = {1, C, H, W};

// Everything after the nodes under test: (n, PIXELS) logits are the values.
static void check_identity(const model *m)
{
    float got[N * PIXELS];
    run(got, PIXELS, m);
    for (size_t i = 0; i < N * PIXELS; i++) {
        ck_assert_float_eq(got[i], pixel(i));
    }
}

// x.view(x.size(0), -1), as a chain of nodes and as the constant of a file for
// one image, is (n, rest) for any batch.
START_TEST(the_batch_is_found_in_reshapes)
{
    static int64_t zero[] = {0};
    static int64_t rest[] = {-1};
    static int64_t fixed[] = {1, -1};
    model m;
    model_begin(&m, 13, any_batch);
    model_longs(&m, "zero", zero, 1);
    model_longs(&m, "rest", rest, 1);
    NODE(&m, "Shape", "shape", "in");
    NODE(&m, "Gather", "n", "shape", "zero");
    NODE(&m, "Concat", "both", "n", "rest");
    model_int(&m, &m.nodes[2], "axis", 0);
    NODE(&m, "Reshape", "out", "in", "both");
    check_identity(&m);
    model_begin(&m, 13, one_image);
    model_longs(&m, "fixed", fixed, 2);
    NODE(&m, "Reshape", "out", "in", "fixed");
    check_identity(&m);
    model_begin(&m, 9, one_image);
    NODE(&m, "Flatten", "out", "in");
    check_identity(&m);
}
END_TEST

// PyTorch's attention moves the batch to axis 1 and merges it with the axes on
// either side.
START_TEST(the_batch_is_followed_through_axes)
{
    static int64_t order[] = {2, 0, 1, 3};
    static int64_t back[] = {1, 2, 0, 3};
    static int64_t merged[] = {H, C, W};   // (h, n c, w)
    static int64_t rows[] = {H * C, W};    // would mix (n c) with h
    static int64_t apart[] = {H, 1, C, W}; // (h, n, c, w)
    static int64_t flat[] = {1, -1};
    model m;
    (void)rows;
    model_begin(&m, 13, one_image);
    model_longs(&m, "merged", merged, 3);
    model_longs(&m, "apart", apart, 4);
    model_longs(&m, "flat", flat, 2);
    model_ints(&m, NODE(&m, "Transpose", "a", "in"), "perm", order, 4);
    NODE(&m, "Reshape", "b", "a", "merged");
    NODE(&m, "Reshape", "c", "b", "apart");
    model_ints(&m, NODE(&m, "Transpose", "d", "c"), "perm", back, 4);
    NODE(&m, "Reshape", "out", "d", "flat");
    check_identity(&m);
}
END_TEST

START_TEST(images_of_a_batch_are_not_mixed)
{
    static int64_t order[] = {1, 0, 2, 3};
    static int64_t pair[] = {2, C * H * W / 2};
    model m;
    model_begin(&m, 13, any_batch);
    model_longs(&m, "pair", pair, 2);
    model_ints(&m, NODE(&m, "Transpose", "a", "in"), "perm", order, 4);
    NODE(&m, "Flatten", "b", "a");
    model_int(&m, &m.nodes[1], "axis", 3);
    NODE(&m, "Softmax", "c", "in");
    model_int(&m, &m.nodes[2], "axis", 0);
    NODE(&m, "Flatten", "out", "c");
    refused(&m, "m.onnx: node 'c' (Softmax, opset 13)");
}
END_TEST

// An average pool over the padded image, divided by the whole window or by what
// it holds, and one whose last window is cut off.
START_TEST(average_pools_count_padding_as_asked)
{
    static int64_t kernel[] = {3, 3};
    static int64_t stride[] = {2, 2};
    static int64_t pads[] = {1, 1, 1, 1};
    for (int counted = 0; counted < 2; counted++) {
        model m;
        float got[N * C * 2 * 3];
        model_begin(&m, 14, any_batch);
        Wsr__Onnx__Node *const node = NODE(&m, "AveragePool", "a", "in");
        model_ints(&m, node, "kernel_shape", kernel, 2);
        model_ints(&m, node, "strides", stride, 2);
        model_ints(&m, node, "pads", pads, 4);
        model_int(&m, node, "count_include_pad", counted);
        NODE(&m, "Flatten", "out", "a");
        run(got, C * 2 * 3, &m);
        const double sum = (double)pixel(0) + (double)pixel(1) +
                           (double)pixel(W) + (double)pixel(W + 1);
        ck_assert_float_eq_tol(got[0], (float)(sum / (counted ? 9 : 4)), 1e-6f);
    }
}
END_TEST

START_TEST(matrices_are_read_either_way)
{
    static float weights[2][PIXELS * 2];
    static float bias[] = {0.5f, -1};
    float got[2][N * 2];
    for (size_t i = 0; i < PIXELS; i++) {
        for (size_t k = 0; k < 2; k++) {
            weights[0][i * 2 + k] = pixel(3 * i + k);
            weights[1][k * PIXELS + i] = pixel(3 * i + k);
        }
    }
    for (int way = 0; way < 2; way++) {
        const int64_t dims[2][2] = {{PIXELS, 2}, {2, PIXELS}};
        const int64_t two[] = {2};
        model m;
        model_begin(&m, 17, any_batch);
        model_floats(&m, "w", weights[way], dims[way], 2);
        model_floats(&m, "b", bias, two, 1);
        NODE(&m, "Flatten", "flat", "in");
        Wsr__Onnx__Node *const node = NODE(&m, "Gemm", "out", "flat", "w", "b");
        model_int(&m, node, "transB", way);
        run(got[way], 2, &m);
    }
    double sum = 0.5;
    for (size_t i = 0; i < PIXELS; i++) {
        sum += (double)pixel(i) * (double)pixel(3 * i);
    }
    ck_assert_float_eq_tol(got[0][0], (float)sum, 1e-5f);
    ck_assert(same_bits(got[0], got[1], sizeof(got[0])));
}
END_TEST

START_TEST(constants_are_folded)
{
    static float one[] = {1};
    static float half[] = {0.5f};
    static int64_t shape[] = {1};
    const int64_t dims[] = {1};
    model m;
    float got[N * PIXELS];
    model_begin(&m, 13, any_batch);
    model_floats(&m, "one", one, dims, 1);
    model_floats(&m, "half", half, dims, 1);
    model_longs(&m, "shape", shape, 1);
    NODE(&m, "Add", "sum", "one", "half");
    NODE(&m, "Expand", "wide", "sum", "shape");
    NODE(&m, "Mul", "scaled", "in", "wide");
    NODE(&m, "Sub", "moved", "one", "scaled");
    NODE(&m, "Flatten", "out", "moved");
    run(got, PIXELS, &m);
    for (size_t i = 0; i < N * PIXELS; i++) {
        ck_assert_float_eq_tol(got[i], 1 - 1.5f * pixel(i), 1e-6f);
    }
}
END_TEST

START_TEST(weights_of_16_bits_are_widened)
{
    static unsigned char raw[] = {0x00, 0x3e, 0x00, 0xc0}; // 1.5, -2
    static int32_t words[] = {0x3fc0, 0xc000};             // bfloat16
    const int64_t dims[] = {2, 1, 1};
    for (int way = 0; way < 2; way++) {
        model m;
        float got[N * PIXELS];
        model_begin(&m, 17, any_batch);
        Wsr__Onnx__Tensor *const t = model_tensor(
            &m, "w", way == 0 ? WSR__ONNX_FLOAT16 : WSR__ONNX_BFLOAT16, dims,
            3);
        t->has_raw_data = way == 0;
        t->raw_data.data = raw;
        t->raw_data.len = way == 0 ? sizeof(raw) : 0;
        t->int32_data = words;
        t->n_int32_data = way == 0 ? 0 : 2;
        NODE(&m, "Mul", "a", "in", "w");
        NODE(&m, "Flatten", "out", "a");
        run(got, PIXELS, &m);
        ck_assert_float_eq(got[0], 1.5f * pixel(0));
        ck_assert_float_eq(got[H * W], -2 * pixel(H * W));
    }
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
    model m;
    model_begin(&m, 17, any_batch);
    NODE(&m, "NonMaxSuppression", "boxes", "in");
    NODE(&m, "Flatten", "out", "boxes");
    refused(&m, "m.onnx: node 'boxes' (NonMaxSuppression, opset 17): the "
                "operator is not supported; docs/onnx.md");
    m.nodes[0].op_type = text("Relu");
    m.nodes[0].domain = text("com.microsoft");
    refused(&m, "an operator of the domain com.microsoft");
    m.nodes[0].domain = text("");
    m.opset.version = 22;
    refused(&m, "opset 22 is outside [9, 21]");
    m.opset.version = 17;
    m.nodes[0].input[0] = text("nothing");
    refused(&m, "nothing before it makes its input 'nothing'");
    m.nodes[0].input[0] = text("in");
    m.nodes[1].output[0] = text("boxes");
    refused(&m, "output 'out'");
}
END_TEST

static void set_word(model *m, Wsr__Onnx__Node *node, const char *key,
                     const char *word)
{
    Wsr__Onnx__Attribute *const a = model_attribute(m, node, key);
    a->has_s = 1;
    a->s.data = (unsigned char *)text(word);
    a->s.len = strlen(word);
}

// A node of the input and one constant, with a word; `words`: of the refusal.
static void refused_node(const char *op, const char *key, const char *word,
                         const char *words)
{
    static float scales[] = {1, 2, 2, 2};
    static float two[] = {2};
    const int64_t four[] = {4};
    const bool resize = strcmp(op, "Resize") == 0;
    model m;
    model_begin(&m, 18, any_batch);
    model_floats(&m, "c", resize ? scales : two, four, resize ? 1 : 0);
    Wsr__Onnx__Node *const node = resize ? NODE(&m, op, "a", "in", "", "c")
                                         : NODE(&m, op, "a", "in", "c", "c");
    if (key != NULL) {
        set_word(&m, node, key, word);
    }
    NODE(&m, "Flatten", "out", "a");
    refused(&m, words);
}

START_TEST(what_would_be_read_wrongly_is_refused)
{
    static int64_t pads[] = {0, 0, 1, 1, 0, 0, 1, 1};
    static float one[] = {1, 1};
    const int64_t channels[] = {C};
    model m;
    refused_node("Resize", NULL, NULL, "it resizes the batch or the channels");
    refused_node("Resize", "keep_aspect_ratio_policy", "not_larger",
                 "its mode is not supported");
    refused_node("Resize", "mode", "cubic", "its mode is not supported");
    refused_node("Dropout", NULL, NULL, "it is in training mode");
    refused_node("ScatterND", NULL, NULL, "it is supported for constants only");
    model_begin(&m, 10, any_batch);
    model_ints(&m, NODE(&m, "Pad", "a", "in"), "pads", pads, 8);
    set_word(&m, &m.nodes[0], "mode", "mirror");
    NODE(&m, "Flatten", "out", "a");
    refused(&m, "its mode is not supported");
    model_begin(&m, 9, any_batch);
    model_floats(&m, "c", one, channels, 1);
    Wsr__Onnx__Node *const node =
        NODE(&m, "BatchNormalization", "a", "in", "c", "c", "c", "c");
    node->output[node->n_output++] = text("mean");
    NODE(&m, "Flatten", "out", "a");
    refused(&m, "it is in training mode");
}
END_TEST

// A model in a folder may not read files elsewhere.
START_TEST(data_outside_the_folder_are_refused)
{
    static const char *const paths[] = {"../w", "/etc/passwd", "a/../../w", "",
                                        "a/.."};
    const int64_t dims[] = {1};
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        model m;
        model_begin(&m, 17, any_batch);
        Wsr__Onnx__Tensor *const t =
            model_tensor(&m, "w", WSR__ONNX_FLOAT, dims, 1);
        Wsr__Onnx__Entry entry = WSR__ONNX__ENTRY__INIT;
        Wsr__Onnx__Entry *list[] = {&entry};
        entry.key = text("location");
        entry.value = text(paths[i]);
        t->external_data = list;
        t->n_external_data = 1;
        t->has_data_location = 1;
        t->data_location = 1;
        NODE(&m, "Mul", "a", "in", "w");
        NODE(&m, "Flatten", "out", "a");
        refused(&m, "not below the folder of the model");
    }
}
END_TEST

// A shape that claims more than the data, and constants that grow without end.
START_TEST(files_cannot_ask_for_more_than_they_hold)
{
    static float data[] = {1, 2};
    static int64_t huge[] = {1 << 20, 1 << 20};
    const int64_t dims[] = {1 << 30};
    model m;
    model_begin(&m, 17, any_batch);
    Wsr__Onnx__Tensor *const t =
        model_tensor(&m, "w", WSR__ONNX_FLOAT, dims, 1);
    t->float_data = data;
    t->n_float_data = 2;
    NODE(&m, "Mul", "a", "in", "w");
    NODE(&m, "Flatten", "out", "a");
    refused(&m, "its shape has 1073741824 elements, its data have not");
    model_begin(&m, 17, any_batch);
    model_longs(&m, "huge", huge, 2);
    NODE(&m, "ConstantOfShape", "c", "huge");
    NODE(&m, "Mul", "a", "in", "c");
    NODE(&m, "Flatten", "out", "a");
    refused(&m, "its constant result is too large");
}
END_TEST

static void small_model(model *m)
{
    static float weights[3 * C * 9];
    static float more[3 * 4];
    static int64_t pads[] = {1, 1, 1, 1};
    const int64_t dims[] = {3, C, 3, 3};
    const int64_t matrix[] = {4, 3};
    for (size_t i = 0; i < sizeof(weights) / sizeof(*weights); i++) {
        weights[i] = pixel(i);
    }
    model_begin(m, 17, any_batch);
    model_floats(m, "w", weights, dims, 4);
    model_floats(m, "fc", more, matrix, 2);
    Wsr__Onnx__Node *const node = NODE(m, "Conv", "a", "in", "w");
    model_ints(m, node, "pads", pads, 4);
    NODE(m, "Relu", "b", "a");
    NODE(m, "GlobalAveragePool", "c", "b");
    NODE(m, "Flatten", "d", "c");
    model_int(m, NODE(m, "Gemm", "out", "d", "fc"), "transB", 1);
}

// Each is read, or refused in one line; nothing is left behind.
static void try_bytes(const unsigned char *bytes, size_t size)
{
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    const wsr_status status =
        wsr__onnx_read_bytes(&graph, params, bytes, size, "m.onnx", NULL);
    if (status != WSR_OK) {
        ck_assert_ptr_null(graph);
        ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
    }
    wsr_graph_free(graph);
    wsr_params_free(params);
}

START_TEST(damaged_files_are_refused_or_read)
{
    model m;
    size_t size = 0;
    small_model(&m);
    unsigned char *const bytes = model_bytes(&m, &size);
    for (size_t n = 0; n < size; n++) {
        try_bytes(bytes, n);
    }
    for (size_t i = 0; i < size; i++) {
        static const unsigned char flips[] = {0x01, 0x80, 0xff, 0x08};
        for (size_t k = 0; k < sizeof(flips); k++) {
            bytes[i] ^= flips[k];
            try_bytes(bytes, size);
            bytes[i] ^= flips[k];
        }
    }
    wsr__free(bytes);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_batch_is_found_in_reshapes,
                                  the_batch_is_followed_through_axes,
                                  images_of_a_batch_are_not_mixed,
                                  average_pools_count_padding_as_asked,
                                  matrices_are_read_either_way,
                                  constants_are_folded,
                                  weights_of_16_bits_are_widened,
                                  what_cannot_be_read_is_named,
                                  what_would_be_read_wrongly_is_refused,
                                  data_outside_the_folder_are_refused,
                                  files_cannot_ask_for_more_than_they_hold,
                                  damaged_files_are_refused_or_read,
                                  NULL};
    return suite_of("onnx read", tests);
}
