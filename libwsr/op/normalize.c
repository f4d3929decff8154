// SPDX-License-Identifier: Apache-2.0
//
// Normalisation of images (n, c, h, w) by constants of each channel:
//
//   dst = (src - mean) / std,   diff_src = diff_dst / std
//
// in single precision and with a division, as torchvision's Normalize computes
// it. A network has it in front of its stem. It is not folded into the
// convolution behind it: that one pads with zeros of the normalised image.

#include "op/normalize.h"

#include "op/op.h"

static const wsr__option schema[] = {WSR__NORMALIZE_OPTIONS(0), {0}};

bool wsr__normalize_given(const wsr__normalize *p)
{
    return p->mean.n != 0 || p->std.n != 0;
}

// One value in the list serves all channels.
static float at(const wsr__floats *list, int64_t channel, float fallback)
{
    return list->n == 0 ? fallback : (float)list->v[list->n == 1 ? 0 : channel];
}

float wsr__normalize_mean(const wsr__normalize *p, int64_t channel)
{
    return at(&p->mean, channel, 0);
}

float wsr__normalize_std(const wsr__normalize *p, int64_t channel)
{
    return at(&p->std, channel, 1);
}

wsr_status wsr__normalize_fit(const wsr__normalize *p, const char *prefix,
                              int64_t channels)
{
    const wsr__floats *const lists[] = {&p->mean, &p->std};
    for (size_t i = 0; i < 2; i++) {
        if (lists[i]->n > 1 && (int64_t)lists[i]->n != channels) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s%s: %zu values do not fit %lld channel%s",
                            prefix, schema[i].key, lists[i]->n,
                            (long long)channels, channels == 1 ? "" : "s");
        }
    }
    return WSR_OK;
}

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[0], 4));
    WSR_TRY(wsr__normalize_fit(params, "", srcs[0].dims[1]));
    *dst = srcs[0];
out:
    return status;
}

// Planes [begin, end): plane k is channel k % c of image k / c. The source is
// plain, as images come in.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t *const dims = node->dst.desc.shape.dims;
    const int64_t plane = dims[2] * dims[3];
    for (int64_t k = begin; k < end; k++) {
        const float mean = wsr__normalize_mean(node->params, k % dims[1]);
        const float std = wsr__normalize_std(node->params, k % dims[1]);
        const float *const x = node->src[0].data + k * plane;
        float *const y = node->dst.data + k * plane;
        for (int64_t i = 0; i < plane; i++) {
            y[i] = (x[i] - mean) / std;
        }
    }
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t *const dims = node->dst.desc.shape.dims;
    const int64_t plane = dims[2] * dims[3];
    const bool add = node->src[0].accumulate;
    for (int64_t k = begin; k < end; k++) {
        const float std = wsr__normalize_std(node->params, k % dims[1]);
        const float *const dy = node->dst.diff + k * plane;
        float *const dx = node->src[0].diff + k * plane;
        for (int64_t i = 0; i < plane; i++) {
            dx[i] = (add ? dx[i] : 0.0f) + dy[i] / std;
        }
    }
}

// Threads take whole planes: mean and std are the same all over one.
static void share_planes(wsr__node *node, wsr__body body)
{
    const int64_t *const dims = node->dst.desc.shape.dims;
    wsr__share(dims[0] * dims[1], dims[2] * dims[3], body, node);
}

static wsr_status forward(wsr__node *node)
{
    share_planes(node, forward_share);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    share_planes(node, backward_share);
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_normalize = {
    .super = {"normalize", "(x - mean) / std per channel", "", schema,
              sizeof(wsr__normalize)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "as src",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
