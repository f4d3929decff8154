// SPDX-License-Identifier: Apache-2.0
//
// Inner product of each sample of two tensors (n, ...): dst is (n, 1).
//
//   dst = sum_i a_i b_i,   da_i = dy * b_i,   db_i = dy * a_i

#include "op/per_sample.h"

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    const wsr_status status = wsr__infer_same(dst, params, srcs, n);
    if (status == WSR_OK) {
        *dst = wsr__shape2(dst->dims[0], 1);
    }
    return status;
}

static void forward(const wsr__node *node, int64_t begin, int64_t end)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        node->dst.data[r] = (float)wsr__dot(node->src[0].data + r * k,
                                            node->src[1].data + r * k, k);
    }
}

// One source after the other: both may be the same tensor.
static void backward(const wsr__node *node, int64_t begin, int64_t end)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (size_t s = 0; s < 2; s++) {
        const wsr__arg *const arg = &node->src[s];
        const float *const other = node->src[1 - s].data;
        for (int64_t r = begin; arg->want_diff && r < end; r++) {
            wsr__scale_into(arg->diff + r * k, arg->accumulate,
                            node->dst.diff[r], other + r * k, k);
        }
    }
}

static const wsr__per_sample loops = {
    .forward = forward,
    .backward = backward,
    .reads = {2, 1},
};

const wsr__op_class wsr__op_batched_dot = {
    .super = {"batched_dot", "inner product of each sample", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...)",
    .result = "(n, 1)",
    .infer = infer,
    .impls = wsr__per_sample_impls,
    .per_sample = &loops,
};
