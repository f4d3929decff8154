// SPDX-License-Identifier: Apache-2.0

#include "op/pool_window.h"

wsr__pool_window wsr__pool_window_of(const wsr__node *node)
{
    const wsr__pool2d *const o = node->params;
    return (wsr__pool_window){wsr__pool2d_side(node, 0),
                              wsr__pool2d_side(node, 1), o->count_pad};
}

// Taps before and behind the image are left out in whole steps. Those in the
// border count in an average with padding; those beyond it, which ceil_mode
// makes, never do.
wsr__taps wsr__taps_of(const wsr__pool_side *side, int64_t i)
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

wsr_status wsr__pool_planes(wsr__node *node, wsr__body body)
{
    const int64_t *const d = node->dst.desc.shape.dims;
    const wsr__pool_window p = wsr__pool_window_of(node);
    wsr__share(d[0] * d[1], d[2] * d[3] * p.h.kernel * p.w.kernel, body, node);
    return WSR_OK;
}
