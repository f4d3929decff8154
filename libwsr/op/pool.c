// SPDX-License-Identifier: Apache-2.0
//
// Shapes of windowed pools: src (n, c, h, w), dst (n, c, oh, ow), where oh is
// floor((h + 2 pad - kernel) / stride) + 1. Both pools use these functions.

#include "op/pool.h"

// Padding above half the window would leave windows without a single pixel.
wsr_status wsr__pool2d_infer(wsr_shape *dst, const void *params,
                             const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__pool2d *const o = params;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[0], 4));
    if (2 * o->pad > o->kernel) {
        return WSR_FAIL(WSR_ARG, "pad %lld is above half the kernel %lld",
                        (long long)o->pad, (long long)o->kernel);
    }
    const int64_t *const d = srcs[0].dims;
    const int64_t oh = wsr__out_size(d[2], o->kernel, o->stride, o->pad, 1);
    const int64_t ow = wsr__out_size(d[3], o->kernel, o->stride, o->pad, 1);
    if (oh < 1 || ow < 1) {
        return wsr__op_shape_fail("source must be as large as the window",
                                  &srcs[0]);
    }
    *dst = wsr__shape4(d[0], d[1], oh, ow);
out:
    return status;
}

// With `diffs` the batch strides of the gradients, else those of the data. A
// view has a stride between images that is larger than the image.
wsr__pool wsr__pool2d_shape(const wsr__node *node, bool diffs)
{
    const wsr__pool2d *const o = node->params;
    const int64_t *const s = node->src[0].desc.shape.dims;
    const int64_t *const d = node->dst.desc.shape.dims;
    return (wsr__pool){.n = s[0],
                       .c = s[1],
                       .h = s[2],
                       .w = s[3],
                       .oh = d[2],
                       .ow = d[3],
                       .kernel = o->kernel,
                       .stride = o->stride,
                       .pad = o->pad,
                       .count_pad = o->count_pad,
                       .src_batch_stride = node->src[0].batch_stride,
                       .dst_batch_stride = diffs ? node->dst.diff_batch_stride
                                                 : node->dst.batch_stride};
}

// The reference takes dense plain images.
wsr__ref_pool wsr__pool2d_ref_shape(const wsr__node *node)
{
    const wsr__pool p = wsr__pool2d_shape(node, false);
    return (wsr__ref_pool){.n = p.n,
                           .c = p.c,
                           .h = p.h,
                           .w = p.w,
                           .oh = p.oh,
                           .ow = p.ow,
                           .kernel = p.kernel,
                           .stride = p.stride,
                           .pad = p.pad,
                           .count_pad = p.count_pad};
}
