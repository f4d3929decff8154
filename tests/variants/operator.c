// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: an operator that leaves its input as it is.

#include "onnx/operator.h"

#include "onnx/read.h"

static wsr_status read_dummy(wsr__onnx_node *node)
{
    return wsr__onnx_same(node, 0, node->in[0], &node->in[0]->shape);
}

static const wsr__onnx_row rows[] = {
    {"Dummy", read_dummy, NULL, 1, NULL},
    {0},
};

const wsr__operator_class wsr__operator_dummy = {
    .super = {"dummy", "nothing", "", NULL, 0},
    .rows = rows,
};
