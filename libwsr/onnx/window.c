// SPDX-License-Identifier: Apache-2.0
//
// Windows of convolutions and pools: strides, dilations, and padding, which is
// said for each side or follows from a rule (auto_pad).

#include "onnx/window.h"

#include <string.h>

static void read_pair(int64_t out[2], const wsr__onnx_node *node,
                      const char *key)
{
    size_t n = 0;
    const int64_t *const list = wsr__onnx_ints(node, key, &n);
    for (size_t i = 0; i < 2; i++) {
        out[i] = n == 2 ? list[i] : 1;
    }
}

// As much padding as gives ceil(size / stride) windows; what is odd goes to the
// end, or to the begin for SAME_LOWER.
static void pad_same(wsr__onnx_window *w, const wsr_shape *x, bool lower)
{
    for (int i = 0; i < 2; i++) {
        const int64_t size = x->dims[2 + i];
        const int64_t windows = (size + w->stride[i] - 1) / w->stride[i];
        const int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1;
        int64_t pad = (windows - 1) * w->stride[i] + reach - size;
        pad = pad < 0 ? 0 : pad;
        w->begin[i] = lower ? pad - pad / 2 : pad / 2;
        w->end[i] = pad - w->begin[i];
    }
}

// Numbers above this are no window of an image, and could overflow.
enum { MOST = 1 << 20 };

static bool is_size(int64_t x)
{
    return x >= 1 && x <= MOST;
}

wsr_status wsr__onnx_window_read(wsr__onnx_window *w,
                                 const wsr__onnx_node *node)
{
    size_t n = 0;
    const wsr_shape *const x = &node->in[0]->shape;
    const int64_t *const pads = wsr__onnx_ints(node, "pads", &n);
    read_pair(w->stride, node, "strides");
    read_pair(w->dilation, node, "dilations");
    for (int i = 0; i < 2; i++) {
        w->begin[i] = 0;
        w->end[i] = 0;
        if (!is_size(w->stride[i]) || !is_size(w->dilation[i]) ||
            !is_size(w->kernel[i])) {
            return WSR_FAIL(WSR_FORMAT,
                            "a kernel, stride or dilation is "
                            "outside [1, %d]",
                            MOST);
        }
    }
    if (wsr__onnx_is(node, "auto_pad", "SAME_UPPER", false)) {
        pad_same(w, x, false);
    } else if (wsr__onnx_is(node, "auto_pad", "SAME_LOWER", false)) {
        pad_same(w, x, true);
    } else if (n == 4 && !wsr__onnx_is(node, "auto_pad", "VALID", false)) {
        memcpy(w->begin, pads, sizeof(w->begin));
        memcpy(w->end, pads + 2, sizeof(w->end));
    }
    return WSR_OK;
}

wsr_status wsr__onnx_window_pad(wsr_value *out, const wsr__onnx_node *node,
                                wsr_value x, const wsr__onnx_window *w)
{
    const int64_t pads[] = {0, 0, w->begin[0], w->begin[1],
                            0, 0, w->end[0],   w->end[1]};
    wsr__onnx_op op = wsr__onnx_begin("pad");
    wsr__onnx_set_ints(&op, "pads", pads, 8);
    return wsr__onnx_emit(out, node, &op, &x, 1);
}
