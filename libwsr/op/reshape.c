// SPDX-License-Identifier: Apache-2.0
//
// Gives the same numbers other dimensions, in row-major order. The batch
// dimension stays. One of the others may be -1: it takes what is left.

#include "op/params.h"

#include <stddef.h>
#include <string.h>

static const wsr__option schema[] = {
    {"dims", WSR__INTS, offsetof(wsr__reshape_params, dims), "[-1]", -1,
     1 << 30, "", "dimensions behind the batch; one may be -1", NULL},
    {0},
};

// dims leaves out the batch, so a graph for one image fits any batch.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__reshape_params *const o = params;
    if (srcs[0].ndims < 1 || o->dims.n + 1 > WSR_MAX_DIMS) {
        return wsr__op_shape_fail("source must have a batch dimension",
                                  &srcs[0]);
    }
    const int64_t per_sample = wsr_shape_count(&srcs[0]) / srcs[0].dims[0];
    *dst = (wsr_shape){.ndims = (int)o->dims.n + 1, .dims = {srcs[0].dims[0]}};
    int64_t known = 1;
    int open = 0;
    for (size_t i = 0; i < o->dims.n; i++) {
        const int64_t d = o->dims.v[i];
        dst->dims[i + 1] = d;
        open += d < 0;
        known *= d < 0 ? 1 : d;
        if (known > wsr_shape_count(&srcs[0])) { // and cannot overflow
            return wsr__op_shape_fail(
                "dims must hold as many numbers as source", &srcs[0]);
        }
    }
    for (size_t i = 0; open == 1 && known > 0 && i < o->dims.n; i++) {
        if (o->dims.v[i] < 0) {
            dst->dims[i + 1] = per_sample / known;
        }
    }
    if (open > 1 || wsr_shape_count(dst) != wsr_shape_count(&srcs[0])) {
        return wsr__op_shape_fail("dims must hold as many numbers as source",
                                  &srcs[0]);
    }
    return WSR_OK;
}

// A plan lets dst lie in the memory of src where it can: nothing to do then.
static wsr_status forward(wsr__node *node)
{
    if (node->dst.data != node->src[0].data) {
        memcpy(node->dst.data, node->src[0].data,
               (size_t)wsr__dst_floats(node) * sizeof(float));
    }
    return WSR_OK;
}

// The same holds for the gradients.
static wsr_status backward(wsr__node *node)
{
    const wsr__arg *const src = &node->src[0];
    const int64_t n = wsr__dst_floats(node);
    if (src->diff == node->dst.diff) {
        return WSR_OK;
    }
    // Another consumer of src wrote its gradient first.
    if (src->accumulate) {
        wsr__axpy(src->diff, 1, node->dst.diff, n);
    } else {
        memcpy(src->diff, node->dst.diff, (size_t)n * sizeof(float));
    }
    return WSR_OK;
}

// graph/memory.c lets dst share the memory of src, and so do their gradients.
const wsr__impl wsr__reshape_alias = {.name = "alias",
                                      .forward = forward,
                                      .backward = backward,
                                      .accumulates = true,
                                      .alias = true};

static const wsr__impl *const impls[] = {&wsr__reshape_alias, NULL};

const wsr__op_class wsr__op_reshape = {
    .super = {"reshape", "other dimensions, same numbers", "", schema,
              sizeof(wsr__reshape_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "(n, dims)",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
