// SPDX-License-Identifier: Apache-2.0
//
// Two-dimensional cross-correlation with zero padding:
//
//   dst[n, co, y, x] = bias[co] + sum over ci, i, j of
//       weights[co, ci, i, j] *
//       src[n, ci, y * stride + i * dilation - pad + offset, x * ...]
//
// Sources: src (n, ci, h, w), weights (co, ci / groups, kh, kw), and
// optionally bias (co). Convolutions of one group and depthwise ones run on
// native kernels, those of several groups on oneDNN; here stands the reference.

#include "op/conv2d.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"stride", WSR__INTS, offsetof(wsr__conv2d, stride), "1", 1, 64, "pixels",
     "step between outputs: one number, or height and width", NULL},
    {"pad", WSR__INTS, offsetof(wsr__conv2d, pad), "0", 0, 1024, "pixels",
     "zeros around the source: one number, or height and width", NULL},
    {"dilation", WSR__INTS, offsetof(wsr__conv2d, dilation), "1", 1, 64,
     "pixels", "step between taps: one number, or height and width", NULL},
    {"groups", WSR__INT, offsetof(wsr__conv2d, groups), "1", 1, 1 << 20, "",
     "independent groups of channels", NULL},
    {"offset", WSR__INT, offsetof(wsr__conv2d, offset), "0", 0, 64, "pixels",
     "rows and columns left out at the top and left of the source", NULL},
    {0},
};

// Height (0) or width (1) of a list that may hold one number for both.
static int64_t side(const wsr__ints *list, size_t i)
{
    return list->n > 1 ? list->v[i] : list->v[0];
}

static wsr_status check_list(const char *key, const wsr__ints *list)
{
    if (list->n == 1 || list->n == 2) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_ARG, "%s: %zu numbers are outside [1, 2]", key,
                    list->n);
}

// An offset is negative padding at the top and the left.
static wsr__conv make_shape(const wsr__conv2d *o, const wsr_shape *src,
                            const wsr_shape *weights)
{
    return (wsr__conv){.n = src->dims[0],
                       .ci = src->dims[1],
                       .h = src->dims[2],
                       .w = src->dims[3],
                       .co = weights->dims[0],
                       .kh = weights->dims[2],
                       .kw = weights->dims[3],
                       .sh = side(&o->stride, 0),
                       .sw = side(&o->stride, 1),
                       .ph = side(&o->pad, 0) - o->offset,
                       .pw = side(&o->pad, 1) - o->offset,
                       .dh = side(&o->dilation, 0),
                       .dw = side(&o->dilation, 1),
                       .groups = o->groups};
}

// The far side is padded as the near one, but an offset leaves nothing out
// there.
static int64_t out_size(int64_t size, int64_t kernel, const int64_t how[3],
                        int64_t offset)
{
    const int64_t room = size - offset + 2 * (how[1] + offset);
    const int64_t reach = (kernel - 1) * how[2] + 1;
    return room < reach ? 0 : (room - reach) / how[0] + 1;
}

// Floor of (size + padding - reach) / stride, plus 1, as PyTorch.
static void set_out_size(wsr__conv *p, int64_t offset)
{
    p->oh =
        out_size(p->h, p->kh, (const int64_t[]){p->sh, p->ph, p->dh}, offset);
    p->ow =
        out_size(p->w, p->kw, (const int64_t[]){p->sw, p->pw, p->dw}, offset);
}

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    const wsr__conv2d *const o = params;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[0], 4));
    WSR_TRY(check_list("stride", &o->stride));
    WSR_TRY(check_list("pad", &o->pad));
    WSR_TRY(check_list("dilation", &o->dilation));
    if (srcs[1].ndims != 4) {
        return wsr__op_shape_fail("weights must have 4 dimensions", &srcs[1]);
    }
    wsr__conv p = make_shape(o, &srcs[0], &srcs[1]);
    if (p.co % o->groups != 0 || srcs[1].dims[1] * o->groups != p.ci) {
        char text[96];
        wsr__shape_print(text, &srcs[1]);
        return WSR_FAIL(WSR_SHAPE,
                        "weights %s with %lld groups do not fit a source of "
                        "%lld channels",
                        text, (long long)o->groups, (long long)p.ci);
    }
    if (n > 2 && (srcs[2].ndims != 1 || srcs[2].dims[0] != p.co)) {
        return wsr__op_shape_fail("bias must have a number per channel",
                                  &srcs[2]);
    }
    set_out_size(&p, o->offset);
    if (p.oh < 1 || p.ow < 1) {
        return wsr__op_shape_fail("source must be as large as the kernel",
                                  &srcs[0]);
    }
    *dst = wsr__shape4(p.n, p.co, p.oh, p.ow);
out:
    return status;
}

wsr__conv wsr__conv2d_shape(const wsr__node *node)
{
    const wsr__conv2d *const o = node->params;
    wsr__conv p =
        make_shape(o, &node->src[0].desc.shape, &node->src[1].desc.shape);
    set_out_size(&p, o->offset);
    return p;
}

// A number that changes with a parameter and with a norm folded into it, 0
// when one of them is no parameter.
static uint64_t version_of(const wsr__param *param, const wsr__node *norm)
{
    uint64_t version = param == NULL ? 0 : param->version;
    for (size_t i = 1; norm != NULL && version != 0 && i < norm->n; i++) {
        const wsr__param *const p = norm->src[i].param;
        version = p == NULL ? 0 : version + p->version;
    }
    return version;
}

bool wsr__conv2d_stale(uint64_t *seen, const wsr__node *node, size_t i)
{
    const uint64_t version = version_of(node->src[i].param, node->fold);
    const bool changed = version == 0 || *seen != version;
    *seen = version;
    return changed;
}

uint32_t wsr__conv2d_needs(const wsr__node *node)
{
    return (node->src[1].want_diff ? 1u : 0u) |
           (node->src[0].want_diff ? 2u : 0u);
}

// Sums over the pixels of an image, side by side for some channels, where diff
// is to be read through a norm; c is the first channel.
static void bias_sums_through(double *sums, const float *diff, const float *dst,
                              const wsr__affine *affine,
                              const int64_t size[3]) // pixels, lanes, c
{
    for (int64_t i = 0; i < size[0]; i++) {
        for (int64_t k = 0; k < size[1]; k++) {
            const int64_t at = i * size[1] + k;
            const int64_t c = size[2] + k;
            sums[k] += (double)(affine->alpha[c] * diff[at] +
                                affine->beta[c] * dst[at] + affine->gamma[c]);
        }
    }
}

// Blocks [begin, end) of channels of a bias gradient, each one channel where
// the image is plain.
static void bias_body(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t *const d = node->dst.desc.shape.dims;
    const int64_t pixels = d[2] * d[3];
    const bool blocked = node->dst.desc.layout == WSR__BLOCKED;
    const int64_t lanes = blocked ? WSR__BLOCK : 1;
    const wsr__affine *const affine = node->dst.affine;
    const int64_t dense = (d[1] + lanes - 1) / lanes * pixels * lanes;
    const int64_t stride = node->dst.diff_batch_stride;
    const int64_t saved = affine != NULL ? affine->batch_stride : 0;
    for (int64_t b = begin; b < end; b++) {
        double sums[WSR__BLOCK] = {0};
        for (int64_t n = 0; n < d[0]; n++) {
            const int64_t at = b * pixels * lanes;
            const float *const diff = node->dst.diff + at +
                                      n * (stride != 0 ? stride : dense);
            if (affine == NULL) {
                wsr__lane_sums(sums, diff, pixels * lanes);
            } else {
                bias_sums_through(
                    sums, diff,
                    affine->dst + at + n * (saved != 0 ? saved : dense), affine,
                    (const int64_t[]){pixels, lanes, b * lanes});
            }
        }
        if (!blocked) { // the lanes are of one channel
            for (int64_t k = 1; k < WSR__BLOCK; k++) {
                sums[0] += sums[k];
            }
        }
        for (int64_t k = 0; k < lanes && b * lanes + k < d[1]; k++) {
            node->src[2].diff[b * lanes + k] += (float)sums[k];
        }
    }
}

// From diff_dst read through the norm behind it.
void wsr__conv2d_backward_bias(const wsr__node *node)
{
    if (node->n < 3 || !node->src[2].want_diff) {
        return;
    }
    wsr__start_diff(&node->src[2]);
    wsr__node copy = *node;
    const int64_t lanes = node->dst.desc.layout == WSR__BLOCKED ? WSR__BLOCK
                                                                : 1;
    const int64_t blocks = (node->dst.desc.shape.dims[1] + lanes - 1) / lanes;
    wsr__share(blocks, wsr__dst_floats(node) / blocks, bias_body, &copy);
}

static wsr_status forward(wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    wsr__ref_conv_forward(node->dst.data, node->src[0].data, node->src[1].data,
                          node->n > 2 ? node->src[2].data : NULL, &p);
    return WSR_OK;
}

// The reference writes all gradients of weights at once; what nobody wants goes
// to scratch.
static wsr_status plan(wsr__node *node)
{
    node->scratch_floats = (size_t)wsr_shape_count(&node->src[1].desc.shape);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    const bool bias = node->n > 2 && node->src[2].want_diff;
    if (node->src[0].want_diff) {
        wsr__ref_conv_backward_data(node->src[0].diff, node->dst.diff,
                                    node->src[1].data, &p);
    }
    if (node->src[1].want_diff || bias) {
        wsr__ref_conv_backward_weights(
            node->src[1].want_diff ? node->src[1].diff : node->scratch,
            bias ? node->src[2].diff : NULL, node->src[0].data, node->dst.diff,
            &p);
    }
    return WSR_OK;
}

// Plain images; it overwrites its gradients.
static const wsr__impl ref = {.name = "ref",
                              .needs = wsr__conv2d_needs,
                              .plan = plan,
                              .forward = forward,
                              .backward = backward};

// Best first: the first one that is applicable serves a node.
static const wsr__impl *const impls[] = {&wsr__conv2d_depthwise,
                                         &wsr__conv2d_pointwise,
                                         &wsr__conv2d_plain,
                                         &wsr__conv2d_few_src,
                                         &wsr__conv2d_few_dst,
                                         &wsr__conv2d_dense,
                                         &wsr__conv2d_dnnl,
                                         &ref,
                                         NULL};

const wsr__op_class wsr__op_conv2d = {
    .super = {"conv2d", "two-dimensional convolution", "", schema,
              sizeof(wsr__conv2d)},
    .min_srcs = 2,
    .max_srcs = 3,
    .sources = "src (n, c, h, w), weights (co, c / groups, kh, kw), bias (co) "
               "or none",
    .result = "(n, co, oh, ow), oh = (h - offset + 2 pad - dilation (kh - 1) "
              "- 1) / stride + 1",
    .infer = infer,
    .impls = impls,
    .weights = 1u << 1,
    .piecewise_linear = 1u,
};
