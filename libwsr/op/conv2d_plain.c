// SPDX-License-Identifier: Apache-2.0
//
// conv2d of few channels on both sides, on native kernels for plain images, of
// any stride.

#include "op/conv2d.h"

enum { FEW = 4, OTHER = 16 };

// With up to four channels on one side, where blocks of 8 would be padding, and
// so few on the other that they do not fill theirs either. With more of them,
// what norms and relus save next to a blocked image is worth more. A src that
// is blocked stays so.
static bool applicable(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    const bool few_src = p.ci <= FEW && p.co % WSR__BLOCK != 0;
    const bool few_dst = p.co <= FEW && p.ci % WSR__BLOCK != 0 &&
                         node->src[0].desc.layout == WSR__PLAIN;
    return (few_src || few_dst) && p.ci <= OTHER && p.co <= OTHER &&
           wsr__plain_supported(&p);
}

// Scratch holds the gradients, then the kernel's own scratch.
static wsr_status plan(wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    node->thread_scratch_floats = wsr__plain_thread_scratch(&p);
    if (node->src[1].want_diff) {
        node->scratch_floats = wsr__plain_gradients(&p) +
                               wsr__plain_weights_scratch(&p);
    }
    return WSR_OK;
}

static wsr_status forward(wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    wsr__plain_forward(node->dst.data, &p, node->src[0].data, node->src[1].data,
                       node->n > 2 ? node->src[2].data : NULL,
                       &node->thread_scratch);
    return WSR_OK;
}

static void add_gradient(const wsr__arg *arg, const float *gradient)
{
    wsr__start_diff(arg);
    for (int64_t i = 0; i < wsr__desc_floats(&arg->desc); i++) {
        arg->diff[i] += gradient[i];
    }
}

// The kernel sums up the gradient of the bias on the way.
static void backward_weights(const wsr__node *node, const wsr__conv *p)
{
    float *const gradients = node->scratch;
    wsr__plain_backward_weights(gradients, p, node->src[0].data, node->dst.diff,
                                gradients + wsr__plain_gradients(p),
                                &node->thread_scratch);
    add_gradient(&node->src[1], gradients);
    if (node->n > 2 && node->src[2].want_diff) {
        add_gradient(&node->src[2], gradients + p->co * p->ci * p->kh * p->kw);
    }
}

static wsr_status backward(wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    if (node->src[0].want_diff) {
        wsr__plain_backward_data(node->src[0].diff, &p, node->dst.diff,
                                 node->src[1].data, node->src[0].accumulate,
                                 &node->thread_scratch);
    }
    if (node->src[1].want_diff) {
        backward_weights(node, &p);
    } else {
        wsr__conv2d_backward_bias(node);
    }
    return WSR_OK;
}

const wsr__impl wsr__conv2d_plain = {.name = "plain",
                                     .applicable = applicable,
                                     .needs = wsr__conv2d_needs,
                                     .plan = plan,
                                     .forward = forward,
                                     .backward = backward,
                                     .accumulates = true};
