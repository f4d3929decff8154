// SPDX-License-Identifier: Apache-2.0
//
// Normalisations. Batch norm is read in its form for inference: with running
// statistics.

#include "onnx/read.h"

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
    WSR_TRY(wsr__onnx_param(&srcs[4], node, node->in[1], &shape));
    WSR_TRY(wsr__onnx_param(&srcs[5], node, node->in[2], &shape));
    wsr__onnx_op op = wsr__onnx_begin("batch_norm");
    wsr__onnx_set_float(&op, "tol", wsr__onnx_float(node, "epsilon", 1e-5));
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, 6));
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
    for (size_t i = 1; i < 3 && wsr__onnx_in(node, i) != NULL; i++) {
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
    WSR_TRY(wsr__onnx_param(&srcs[1], node, node->in[1], &shape));
    WSR_TRY(wsr__onnx_param(&srcs[2], node, node->in[2], &shape));
    wsr__onnx_op op = wsr__onnx_begin("instance_norm");
    wsr__onnx_set_float(&op, "tol", wsr__onnx_float(node, "epsilon", 1e-5));
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, 3));
    const wsr__onnx_value whole = {.value = y, .batch = 0};
    WSR_TRY(wsr__onnx_reshape(&y, node, &whole, &x->shape, 0));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

const wsr__onnx_row wsr__onnx_norms[] = {
    {"BatchNormalization", read_batch_norm, "batch_norm", 5},
    {"LayerNormalization", read_layer_norm, "layer_norm", 1},
    {"InstanceNormalization", read_instance_norm, "instance_norm", 3},
    {0},
};
