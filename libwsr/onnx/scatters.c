// SPDX-License-Identifier: Apache-2.0
//
// ScatterND of constants: parts of a constant are replaced by others. PyTorch
// writes it for `mask[a:b, c:d] = x`, as in the attention of shifted windows.

#include "onnx/read.h"

#include <string.h>

// Indices (..., depth) name parts of data: the axes from `depth` on.
typedef struct parts {
    int depth;
    int64_t count; // parts
    int64_t size;  // elements of each
} parts;

static int64_t product(const int64_t *dims, int n)
{
    int64_t p = 1;
    for (int i = 0; i < n; i++) {
        p *= dims[i];
    }
    return p;
}

static wsr_status find_parts(parts *out, const wsr__onnx_value *data,
                             const wsr__onnx_value *indices,
                             const wsr__onnx_value *updates)
{
    const int last = indices->shape.ndims - 1;
    const int64_t depth = last < 0 ? 0 : indices->shape.dims[last];
    if (!indices->integer || depth < 1 || depth > data->shape.ndims ||
        data->integer != updates->integer) {
        return WSR_FAIL(WSR_FORMAT, "its indices or updates do not fit");
    }
    out->depth = (int)depth;
    out->count = product(indices->shape.dims, last);
    out->size =
        product(data->shape.dims + depth, data->shape.ndims - out->depth);
    return (size_t)(out->count * out->size) == updates->count
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT, "its indices or updates do not fit");
}

// Number of the part that row `i` of the indices names.
static wsr_status part_at(int64_t *out, const parts *p, int64_t i,
                          const wsr__onnx_value *data,
                          const wsr__onnx_value *indices)
{
    *out = 0;
    for (int k = 0; k < p->depth; k++) {
        const int64_t size = data->shape.dims[k];
        const int64_t at = indices->ints[i * p->depth + k];
        if (at < -size || at >= size) {
            return WSR_FAIL(WSR_FORMAT, "index %lld is outside [%lld, %lld)",
                            (long long)at, (long long)-size, (long long)size);
        }
        *out = *out * size + (at < 0 ? at + size : at);
    }
    return WSR_OK;
}

static void replace(wsr__onnx_value *out, int64_t to,
                    const wsr__onnx_value *updates, int64_t from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (out->integer) {
            out->ints[to + i] = updates->ints[from + i];
            out->powers[to + i] = 0;
        } else {
            out->floats[to + i] = updates->floats[from + i];
        }
    }
}

// Inputs: data, indices, updates.
static wsr_status read_scatter_nd(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const *const in = node->in;
    parts p = {0};
    if (!wsr__onnx_all_constant(node) ||
        !wsr__onnx_is(node, "reduction", "none", true)) {
        return WSR_FAIL(WSR_FORMAT, "it is supported for constants only, "
                                    "without reduction");
    }
    for (size_t i = 0; i < 3; i++) {
        WSR_TRY(wsr__onnx_decode(node, in[i]));
    }
    WSR_TRY(find_parts(&p, in[0], in[1], in[2]));
    WSR_TRY(wsr__onnx_pick(node, 0, in[0], &in[0]->shape, NULL));
    for (int64_t i = 0; i < p.count; i++) {
        int64_t part = 0;
        WSR_TRY(part_at(&part, &p, i, in[0], in[1]));
        replace(node->out[0], part * p.size, in[2], i * p.size, p.size);
    }
out:
    return status;
}

static const wsr__onnx_row rows[] = {
    {"ScatterND", read_scatter_nd, NULL, 3, NULL},
    {0},
};

const wsr__operator_class wsr__operator_scatters = {
    .super = {"scatters", "constants with some parts replaced", "", NULL, 0},
    .rows = rows,
};
