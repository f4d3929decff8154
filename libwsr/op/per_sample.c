// SPDX-License-Identifier: Apache-2.0

#include "op/per_sample.h"

wsr_status wsr__per_sample_infer(wsr_shape *dst, const void *params,
                                 const wsr_shape *srcs, size_t n)
{
    const wsr_status status = wsr__infer_same(dst, params, srcs, n);
    if (status == WSR_OK) {
        *dst = wsr__shape1(dst->dims[0]);
    }
    return status;
}

static uint32_t needs(const wsr__node *node)
{
    const wsr__per_sample *const f = node->cls->per_sample;
    uint32_t mask = 0;
    for (size_t s = 0; s < node->n; s++) {
        mask |= node->src[s].want_diff ? f->reads[s] : 0;
    }
    return mask;
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    node->cls->per_sample->forward(node, begin, end);
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    node->cls->per_sample->backward(node, begin, end);
}

static wsr_status forward(wsr__node *node)
{
    return wsr__share_samples(node, forward_share);
}

static wsr_status backward(wsr__node *node)
{
    return wsr__share_samples(node, backward_share);
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

const wsr__impl *const wsr__per_sample_impls[] = {&ref, NULL};
