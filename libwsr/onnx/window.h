// SPDX-License-Identifier: Apache-2.0
//
// Windows of convolutions and pools, as nodes say them.

#ifndef WSR_ONNX_WINDOW_H
#define WSR_ONNX_WINDOW_H

#include "onnx/read.h"

/// Along height (0) and width (1).
typedef struct wsr__onnx_window {
    int64_t kernel[2];
    int64_t stride[2];
    int64_t dilation[2];
    int64_t begin[2]; // padding
    int64_t end[2];
} wsr__onnx_window;

/// The window of a node whose input 0 is an image; `kernel` is set before.
wsr_status wsr__onnx_window_read(wsr__onnx_window *w,
                                 const wsr__onnx_node *node);

/// Pad an image by an op of its own.
wsr_status wsr__onnx_window_pad(wsr_value *out, const wsr__onnx_node *node,
                                wsr_value x, const wsr__onnx_window *w);

#endif
