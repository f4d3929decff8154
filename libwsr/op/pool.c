// SPDX-License-Identifier: Apache-2.0
//
// Shapes of windowed pools: src (n, c, h, w), dst (n, c, oh, ow), where oh is
//
//   floor((h + pads - dilation (kernel - 1) - 1) / stride) + 1
//
// With ceil_mode the quotient is rounded up, and a last window that would begin
// in the border behind the image is left out, as in PyTorch.

#include "op/pool.h"

static wsr__ints one_number(int64_t number)
{
    return (wsr__ints){.n = 1, .v = {number}};
}

wsr__pool2d wsr__pool2d_square(int64_t kernel, int64_t stride, int64_t pad)
{
    return (wsr__pool2d){.kernel = one_number(kernel),
                         .stride = one_number(stride),
                         .pad = one_number(pad),
                         .dilation = one_number(1)};
}

// Number `i` of a list, which may hold one for all.
static int64_t at(const wsr__ints *list, size_t i, int64_t fallback)
{
    if (list->n == 0) {
        return fallback;
    }
    return list->n == 1 ? list->v[0] : list->v[i % list->n];
}

// Two numbers of pad serve both sides.
static wsr__pool_side side_of(const wsr__pool2d *o, const wsr_shape *src,
                              int side)
{
    const size_t i = (size_t)side;
    wsr__pool_side s = {.size = src->dims[2 + side],
                        .kernel = at(&o->kernel, i, 3),
                        .stride = at(&o->stride, i, 1),
                        .dilation = at(&o->dilation, i, 1),
                        .pad = {at(&o->pad, i, 0), at(&o->pad, i + 2, 0)}};
    const int64_t window = s.dilation * (s.kernel - 1) + 1;
    const int64_t room = s.size + s.pad[0] + s.pad[1] - window;
    if (room < 0) {
        return s;
    }
    s.out = (room + (o->ceil_mode ? s.stride - 1 : 0)) / s.stride + 1;
    if ((s.out - 1) * s.stride >= s.size + s.pad[0]) {
        s.out--;
    }
    return s;
}

wsr__pool_side wsr__pool2d_side(const wsr__node *node, int side)
{
    return side_of(node->params, &node->src[0].desc.shape, side);
}

static wsr_status check_list(const char *key, const wsr__ints *list,
                             size_t most)
{
    if (list->n <= 2 || list->n == most) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_ARG, "%s: %zu numbers are not 1%s or %zu", key, list->n,
                    most == 4 ? ", 2" : "", most);
}

static wsr_status check_lists(const wsr__pool2d *o)
{
    wsr_status status = WSR_OK;
    WSR_TRY(check_list("kernel", &o->kernel, 2));
    WSR_TRY(check_list("stride", &o->stride, 2));
    WSR_TRY(check_list("dilation", &o->dilation, 2));
    WSR_TRY(check_list("pad", &o->pad, 4));
out:
    return status;
}

// Padding of a whole window would leave windows without a single pixel.
static wsr_status check_pad(const wsr__pool_side *s)
{
    const int64_t window = s->dilation * (s->kernel - 1) + 1;
    const int64_t most = s->pad[0] > s->pad[1] ? s->pad[0] : s->pad[1];
    if (most < window) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_ARG, "pad %lld is not below the kernel %lld",
                    (long long)most, (long long)window);
}

wsr_status wsr__pool2d_infer(wsr_shape *dst, const void *params,
                             const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__pool2d *const o = params;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[0], 4));
    WSR_TRY(check_lists(o));
    *dst = srcs[0];
    for (int i = 0; i < 2; i++) {
        const wsr__pool_side s = side_of(o, &srcs[0], i);
        WSR_TRY(check_pad(&s));
        if (s.out < 1) {
            return wsr__op_shape_fail("source must be as large as the window",
                                      &srcs[0]);
        }
        dst->dims[2 + i] = s.out;
    }
out:
    return status;
}

// No window reaches beyond the border, where kernels would count its taps.
static bool is_plain_side(const wsr__pool_side *s)
{
    return s->kernel <= 15 && s->dilation == 1 && s->pad[0] == s->pad[1] &&
           (s->out - 1) * s->stride + s->kernel <= s->size + 2 * s->pad[0];
}

bool wsr__pool2d_is_square(const wsr__node *node)
{
    const wsr__pool_side h = wsr__pool2d_side(node, 0);
    const wsr__pool_side w = wsr__pool2d_side(node, 1);
    return is_plain_side(&h) && is_plain_side(&w) && h.kernel == w.kernel &&
           h.stride == w.stride && h.pad[0] == w.pad[0];
}

// With `diffs` the batch strides of the gradients, else those of the data. A
// view has a stride between images that is larger than the image.
wsr__pool wsr__pool2d_shape(const wsr__node *node, bool diffs)
{
    const wsr__pool2d *const o = node->params;
    const int64_t *const s = node->src[0].desc.shape.dims;
    const wsr__pool_side h = wsr__pool2d_side(node, 0);
    const wsr__pool_side w = wsr__pool2d_side(node, 1);
    return (wsr__pool){.n = s[0],
                       .c = s[1],
                       .h = h.size,
                       .w = w.size,
                       .oh = h.out,
                       .ow = w.out,
                       .kernel = h.kernel,
                       .stride = h.stride,
                       .pad = h.pad[0],
                       .count_pad = o->count_pad,
                       .src_batch_stride = node->src[0].batch_stride,
                       .dst_batch_stride = diffs ? node->dst.diff_batch_stride
                                                 : node->dst.batch_stride};
}
