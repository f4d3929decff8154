// SPDX-License-Identifier: Apache-2.0
//
// Normalisations. Batch norm is read in its form for inference: with running
// statistics.

#include "onnx/read.h"
#include "onnx/write.h"

#include <string.h>

// The statistics of a norm stand in the network's state; files have no number
// of batches, which the op wants beside them.
static wsr_status batches_of(wsr_value *out, wsr__onnx_node *node,
                             const wsr__onnx_value *mean)
{
    static const char word[] = "running_mean";
    const size_t n = strlen(mean->name);
    const size_t tail = sizeof(word) - 1;
    const bool usual = n >= tail && wsr__streq(mean->name + n - tail, word);
    wsr__str name = {0};
    wsr_graph *const graph = node->reader->graph;
    wsr__str_addn(&name, mean->name, usual ? n - tail : n);
    wsr__str_add(&name, usual ? "num_batches_tracked" : ".num_batches_tracked");
    wsr_status status = wsr__str_status(&name);
    if (status == WSR_OK) {
        *out = wsr__buffer_value(graph, name.s, (wsr_shape){0}, 0);
        status = wsr__graph_status(graph);
    }
    wsr__str_free(&name);
    return status;
}

// Whether an input stands for one that the op has not: equal numbers, which
// this library wrote since the operator must have it.
static bool is_filler(const wsr__onnx_node *node, size_t i, float value)
{
    wsr__onnx_value *const c = wsr__onnx_in(node, i);
    bool equal = c != NULL && c->constant && !c->integer &&
                 wsr__onnx_joins(node, i) &&
                 wsr__onnx_decode(node, c) == WSR_OK;
    for (size_t k = 0; equal && k < c->count; k++) {
        equal = c->floats[k] == value;
    }
    return equal;
}

// Inputs: x, weight, bias, mean, var. The op has the statistics in front.
static wsr_status read_batch_norm(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    wsr_value srcs[6];
    wsr_value y = 0;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    if (!wsr__onnx_is_plain(x) || x->shape.ndims < 2) {
        return WSR_FAIL(WSR_FORMAT, "its input is not (n, c, ...)");
    }
    // Before opset 14 further outputs said so.
    bool training = wsr__onnx_int(node, "training_mode", 0) != 0;
    for (size_t i = 1; i < node->n_out; i++) {
        training = training || node->out[i] != NULL;
    }
    if (training) {
        return WSR_FAIL(WSR_FORMAT,
                        "it is in training mode: export the network "
                        "in evaluation mode (model.eval())");
    }
    const wsr_shape shape = wsr__shape1(x->shape.dims[1]);
    srcs[0] = x->value;
    WSR_TRY(wsr__onnx_buffer(&srcs[1], node, node->in[3], &shape));
    WSR_TRY(wsr__onnx_buffer(&srcs[2], node, node->in[4], &shape));
    WSR_TRY(batches_of(&srcs[3], node, node->in[3]));
    const bool plain = is_filler(node, 1, 1) && is_filler(node, 2, 0);
    if (!plain) {
        WSR_TRY(wsr__onnx_param(&srcs[4], node, node->in[1], &shape));
        WSR_TRY(wsr__onnx_param(&srcs[5], node, node->in[2], &shape));
    }
    wsr__onnx_op op = wsr__onnx_begin("batch_norm");
    wsr__onnx_set_float(&op, "tol", wsr__onnx_float(node, "epsilon", 1e-5));
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, plain ? 4 : 6));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

// Inputs: x, weight, bias or none, over the axes from `axis` on.
static wsr_status read_layer_norm(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    wsr_shape shape = {0};
    wsr_value srcs[3];
    wsr_value y = 0;
    int axis = 0;
    size_t n = 0;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    WSR_TRY(
        wsr__onnx_axis(&axis, wsr__onnx_int(node, "axis", -1), x->shape.ndims));
    for (int i = axis; i < x->shape.ndims; i++) {
        shape.dims[shape.ndims++] = x->shape.dims[i];
    }
    if (axis <= x->batch) {
        return WSR_FAIL(WSR_FORMAT, "it mixes the images of a batch");
    }
    srcs[n++] = x->value;
    const bool plain = is_filler(node, 1, 1) && wsr__onnx_in(node, 2) == NULL;
    for (size_t i = 1; i < 3 && wsr__onnx_in(node, i) != NULL && !plain; i++) {
        WSR_TRY(wsr__onnx_param(&srcs[n++], node, node->in[i], &shape));
    }
    wsr__onnx_op op = wsr__onnx_begin("layer_norm");
    wsr__onnx_set_float(&op, "tol", wsr__onnx_float(node, "epsilon", 1e-5));
    if (shape.ndims != 1) {
        wsr__onnx_set_int(&op, "axes", shape.ndims);
    }
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, n));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

static wsr_status read_instance_norm(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    wsr_value srcs[3];
    wsr_value y = 0;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    if (!wsr__onnx_is_plain(x) || x->shape.ndims < 3) {
        return WSR_FAIL(WSR_FORMAT, "its input is not (n, c, ...)");
    }
    // Groups of channels are instances of one long axis: (n, groups, rest).
    const int64_t c = x->shape.dims[1];
    const wsr_shape image =
        wsr__shape4(1, c, 1, wsr_shape_count(&x->shape) / c);
    const wsr_shape shape = wsr__shape1(c);
    if (x->shape.ndims == 4) {
        srcs[0] = x->value;
    } else {
        WSR_TRY(wsr__onnx_reshape(&srcs[0], node, x, &image, 0));
    }
    const bool plain = is_filler(node, 1, 1) && is_filler(node, 2, 0);
    if (!plain) {
        WSR_TRY(wsr__onnx_param(&srcs[1], node, node->in[1], &shape));
        WSR_TRY(wsr__onnx_param(&srcs[2], node, node->in[2], &shape));
    }
    wsr__onnx_op op = wsr__onnx_begin("instance_norm");
    wsr__onnx_set_float(&op, "tol", wsr__onnx_float(node, "epsilon", 1e-5));
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, plain ? 1 : 3));
    const wsr__onnx_value whole = {.value = y, .batch = 0};
    WSR_TRY(wsr__onnx_reshape(&y, node, &whole, &x->shape, 0));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

// ------------------------------------------------------------------- writing

// Source i, or so many equal numbers where the op has none.
static const char *weights_of(wsr__onnx_step *step, size_t i, float value,
                              const wsr_shape *shape)
{
    return step->vertex->n > i ? wsr__onnx_src(step, i)
                               : wsr__onnx_equal(step, value, shape);
}

static void write_batch_norm(wsr__onnx_step *step)
{
    const wsr_shape c = wsr__shape1(wsr__onnx_src_shape(step, 0)->dims[1]);
    const char *const inputs[] = {
        wsr__onnx_src(step, 0), weights_of(step, 4, 1, &c),
        weights_of(step, 5, 0, &c), wsr__onnx_src(step, 1),
        wsr__onnx_src(step, 2)};
    (void)wsr__onnx_add(step, "BatchNormalization", inputs, 5);
    wsr__onnx_with_float(step, "epsilon", wsr__onnx_get_float(step, "tol"));
}

static void write_instance_norm(wsr__onnx_step *step)
{
    const wsr_shape c = wsr__shape1(wsr__onnx_src_shape(step, 0)->dims[1]);
    const char *const inputs[] = {wsr__onnx_src(step, 0),
                                  weights_of(step, 1, 1, &c),
                                  weights_of(step, 2, 0, &c)};
    (void)wsr__onnx_add(step, "InstanceNormalization", inputs, 3);
    wsr__onnx_with_float(step, "epsilon", wsr__onnx_get_float(step, "tol"));
}

// The operator needs weights, which have the last axes of the source.
static void write_layer_norm(wsr__onnx_step *step)
{
    const int64_t axes = wsr__onnx_get_int(step, "axes");
    const wsr_shape *const x = wsr__onnx_src_shape(step, 0);
    wsr_shape last = {.ndims = (int)axes};
    memcpy(last.dims, x->dims + x->ndims - axes,
           (size_t)axes * sizeof(*x->dims));
    const bool biased = step->vertex->n > 2;
    const char *const inputs[] = {wsr__onnx_src(step, 0),
                                  weights_of(step, 1, 1, &last),
                                  biased ? wsr__onnx_src(step, 2) : NULL};
    (void)wsr__onnx_add(step, "LayerNormalization", inputs, biased ? 3 : 2);
    wsr__onnx_with_int(step, "axis", -axes);
    wsr__onnx_with_float(step, "epsilon", wsr__onnx_get_float(step, "tol"));
}

// A list of one number for all channels, or of one for each, as (c, 1, 1).
static const char *channels(wsr__onnx_step *step, const char *key,
                            float fallback)
{
    const wsr__floats *const list = wsr__onnx_get_floats(step, key);
    float values[WSR__LIST_SIZE] = {fallback};
    const int64_t n = list->n > 0 ? (int64_t)list->n : 1;
    const wsr_shape shape = {.ndims = 3, .dims = {n, 1, 1}};
    for (size_t i = 0; i < list->n; i++) {
        values[i] = (float)list->v[i];
    }
    return wsr__onnx_floats(step, values, &shape);
}

static void write_normalize(wsr__onnx_step *step)
{
    const char *const x = wsr__onnx_add2(step, "Sub", wsr__onnx_src(step, 0),
                                         channels(step, "mean", 0));
    (void)wsr__onnx_add2(step, "Div", x, channels(step, "std", 1));
}

static const wsr__onnx_row rows[] = {
    {"BatchNormalization", read_batch_norm, "batch_norm", 5, write_batch_norm},
    {"LayerNormalization", read_layer_norm, "layer_norm", 1, write_layer_norm},
    {"InstanceNormalization", read_instance_norm, "instance_norm", 3,
     write_instance_norm},
    {NULL, NULL, "normalize", 0, write_normalize},
    {0},
};

const wsr__operator_class wsr__operator_norms = {
    .super = {"norms", "normalisations", "", NULL, 0},
    .rows = rows,
};
