// SPDX-License-Identifier: Apache-2.0

#include "op/pool_window.h"

// Taps before and behind the image are left out in whole steps. Those in the
// border count in an average with padding; those beyond it, which ceil_mode
// makes, never do.
static wsr__taps taps_of(const wsr__pool_side *side, int64_t i)
{
    const int64_t step = side->dilation;
    const int64_t begin = i * side->stride - side->pad[0];
    const int64_t end = begin + step * (side->kernel - 1);
    const int64_t most = side->size + side->pad[1] - 1;
    wsr__taps t = {.first = begin, .last = end, .step = step};
    if (begin < 0) {
        t.first = begin + (-begin + step - 1) / step * step;
    }
    if (end >= side->size) {
        t.last = end - (end - side->size + step) / step * step;
    }
    t.counted = ((end < most ? end : most) - begin) / step + 1;
    return t;
}

typedef struct work {
    const wsr__pool_function *f;
    wsr__node *node;
    wsr__pool_side h;
    wsr__pool_side w;
    bool count_pad;
} work;

// Window i of a plane.
static wsr__pool_window window_of(const work *k, int64_t i)
{
    return (wsr__pool_window){.rows = taps_of(&k->h, i / k->w.out),
                              .columns = taps_of(&k->w, i % k->w.out),
                              .width = k->w.size,
                              .count_pad = k->count_pad};
}

// Planes [begin, end).
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const work *const k = ctx;
    const int64_t windows = k->h.out * k->w.out;
    for (int64_t i = begin * windows; i < end * windows; i++) {
        const wsr__pool_window w = window_of(k, i % windows);
        const float *const x = k->node->src[0].data +
                               i / windows * k->h.size * k->w.size;
        k->node->dst.data[i] = k->f->value(x, &w);
    }
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const work *const k = ctx;
    const int64_t windows = k->h.out * k->w.out;
    for (int64_t i = begin * windows; i < end * windows; i++) {
        const wsr__pool_window w = window_of(k, i % windows);
        const int64_t at = i / windows * k->h.size * k->w.size;
        k->f->spread(k->node->src[0].diff + at, k->node->dst.diff[i],
                     k->node->src[0].data + at, &w);
    }
}

// Threads take whole planes, (n, c) of them.
static wsr_status share_planes(wsr__node *node, const wsr__pool_function *f,
                               wsr__body body)
{
    const wsr__pool2d *const o = node->params;
    const int64_t *const d = node->dst.desc.shape.dims;
    work k = {f, node, wsr__pool2d_side(node, 0), wsr__pool2d_side(node, 1),
              o->count_pad};
    wsr__share(d[0] * d[1], d[2] * d[3] * k.h.kernel * k.w.kernel, body, &k);
    return WSR_OK;
}

wsr_status wsr__pool_windows_forward(wsr__node *node,
                                     const wsr__pool_function *f)
{
    return share_planes(node, f, forward_share);
}

wsr_status wsr__pool_windows_backward(wsr__node *node,
                                      const wsr__pool_function *f)
{
    wsr__start_diff(&node->src[0]);
    return share_planes(node, f, backward_share);
}
