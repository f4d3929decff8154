// SPDX-License-Identifier: Apache-2.0
//
// Images of another size, as ONNX defines it. A pixel of dst looks at a point
// of src, which `coordinates` places, and takes the nearest pixel there or the
// linear mean of the four around it. What lies beyond the edge is the edge.

#include "op/op.h"

#include <math.h>
#include <stddef.h>

typedef struct resize_params {
    wsr__ints size;
    wsr__floats scale;
    wsr__text mode;
    wsr__text coordinates;
    wsr__text nearest;
} resize_params;

static const char *const modes[] = {"nearest", "linear", NULL};
static const char *const places[] = {"half_pixel",
                                     "asymmetric",
                                     "align_corners",
                                     "pytorch_half_pixel",
                                     "half_pixel_symmetric",
                                     "tf_half_pixel_for_nn",
                                     NULL};
static const char *const roundings[] = {
    "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};

static const wsr__option schema[] = {
    {"size", WSR__INTS, offsetof(resize_params, size), "[]", 1, 1 << 20,
     "pixels", "height and width of the result; empty: from scale", NULL},
    {"scale", WSR__FLOATS, offsetof(resize_params, scale), "[]", 1e-4, 1e4, "",
     "factors of height and width, or one; beside a size: where pixels lie",
     NULL},
    {"mode", WSR__WORD, offsetof(resize_params, mode), "nearest", 0, 0, "",
     "what is taken of the pixels around a point", modes},
    {"coordinates", WSR__WORD, offsetof(resize_params, coordinates),
     "half_pixel", 0, 0, "", "where in the source a pixel lies", places},
    {"nearest", WSR__WORD, offsetof(resize_params, nearest),
     "round_prefer_floor", 0, 0, "", "which pixel is the nearest", roundings},
    {0},
};

static bool is_word(const wsr__text *text, const char *word)
{
    return wsr__streq(text->s, word);
}

// Pixels of dst along height (0) or width (1). A product that is a whole number
// but for rounding is that number.
static int64_t size_of(const resize_params *o, const wsr_shape *src, int side)
{
    const size_t i = (size_t)side;
    if (o->size.n > 0) {
        return o->size.v[o->size.n == 1 ? 0 : i];
    }
    const double scale = o->scale.v[o->scale.n == 1 ? 0 : i];
    return (int64_t)floor((double)src->dims[2 + side] * scale * (1 + 1e-12));
}

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const resize_params *const o = params;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[0], 4));
    if (o->size.n + o->scale.n == 0 || o->size.n > 2 || o->scale.n > 2) {
        return WSR_FAIL(WSR_ARG,
                        "size or scale must have one number or two, not %zu "
                        "and %zu",
                        o->size.n, o->scale.n);
    }
    *dst = srcs[0];
    for (int i = 0; i < 2; i++) {
        dst->dims[2 + i] = size_of(o, &srcs[0], i);
    }
    if (dst->dims[2] < 1 || dst->dims[3] < 1) {
        return wsr__op_shape_fail("nothing is left of the source", &srcs[0]);
    }
    status = wsr__shape_check(dst);
out:
    return status;
}

// ------------------------------------------------------------------- points

// The point of src that pixel `i` of dst looks at. A size alone gives an exact
// ratio, a scale is used as it is, though the size is rounded.
static double point_of(const resize_params *o, int64_t in, int64_t out,
                       int side, int64_t i)
{
    const bool sized = o->scale.n == 0;
    const size_t k = o->scale.n == 1 ? 0 : (size_t)side;
    const double up = sized ? (double)out : o->scale.v[k];
    const double down = sized ? (double)in : 1;
    const double at = (double)i;
    if (is_word(&o->coordinates, "align_corners")) {
        return out == 1 ? 0 : at * (double)(in - 1) / (double)(out - 1);
    }
    if (is_word(&o->coordinates, "asymmetric")) {
        return at * down / up;
    }
    if (is_word(&o->coordinates, "pytorch_half_pixel") && out == 1) {
        return 0;
    }
    if (is_word(&o->coordinates, "tf_half_pixel_for_nn")) {
        return (at + 0.5) * down / up;
    }
    const double point = (at + 0.5) * down / up - 0.5;
    if (is_word(&o->coordinates, "half_pixel_symmetric")) {
        const double exact = (double)in * up / down; // the size not rounded
        return point + (double)in / 2 * (1 - (double)out / exact);
    }
    return point;
}

static double round_point(const resize_params *o, double x)
{
    if (is_word(&o->nearest, "floor")) {
        return floor(x);
    }
    if (is_word(&o->nearest, "ceil")) {
        return ceil(x);
    }
    return is_word(&o->nearest, "round_prefer_ceil") ? floor(x + 0.5)
                                                     : ceil(x - 0.5);
}

// Two pixels of src along one side, and the part of the second.
typedef struct tap {
    int64_t at[2];
    float part;
} tap;

static int64_t inside(double x, int64_t size)
{
    if (x < 0) {
        return 0;
    }
    return x > (double)(size - 1) ? size - 1 : (int64_t)x;
}

static tap tap_of(const wsr__node *node, int side, int64_t i)
{
    const resize_params *const o = node->params;
    const int64_t in = node->src[0].desc.shape.dims[2 + side];
    const int64_t out = node->dst.desc.shape.dims[2 + side];
    const double x = point_of(o, in, out, side, i);
    if (is_word(&o->mode, "nearest")) {
        const int64_t at = inside(round_point(o, x), in);
        return (tap){{at, at}, 0};
    }
    const double low = floor(x);
    return (tap){{inside(low, in), inside(low + 1, in)}, (float)(x - low)};
}

// Taps of rows, then of columns.
static wsr_status plan(wsr__node *node)
{
    const int64_t rows = node->dst.desc.shape.dims[2];
    const int64_t columns = node->dst.desc.shape.dims[3];
    tap *const taps = wsr__alloc((size_t)(rows + columns), sizeof(*taps));
    if (taps == NULL) {
        return WSR_NOMEM;
    }
    node->state = taps;
    for (int64_t i = 0; i < rows; i++) {
        taps[i] = tap_of(node, 0, i);
    }
    for (int64_t i = 0; i < columns; i++) {
        taps[rows + i] = tap_of(node, 1, i);
    }
    return WSR_OK;
}

static void unplan(wsr__node *node)
{
    wsr__free(node->state);
    node->state = NULL;
}

// ------------------------------------------------------------------- planes

// Planes [begin, end) of (n, c).
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t *const s = node->src[0].desc.shape.dims;
    const int64_t *const d = node->dst.desc.shape.dims;
    const tap *const taps = node->state;
    float *y = node->dst.data + begin * d[2] * d[3];
    for (int64_t i = begin * d[2]; i < end * d[2]; i++) {
        const float *const plane = node->src[0].data + i / d[2] * s[2] * s[3];
        const tap *const row = &taps[i % d[2]];
        const float *const above = plane + row->at[0] * s[3];
        const float *const below = plane + row->at[1] * s[3];
        for (int64_t j = 0; j < d[3]; j++, y++) {
            const tap *const t = &taps[d[2] + j];
            const float left = above[t->at[0]] +
                               row->part * (below[t->at[0]] - above[t->at[0]]);
            const float right = above[t->at[1]] +
                                row->part * (below[t->at[1]] - above[t->at[1]]);
            *y = left + t->part * (right - left);
        }
    }
}

// The gradient of a pixel of dst goes to the four that it looked at.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t *const s = node->src[0].desc.shape.dims;
    const int64_t *const d = node->dst.desc.shape.dims;
    const tap *const taps = node->state;
    const float *dy = node->dst.diff + begin * d[2] * d[3];
    for (int64_t i = begin * d[2]; i < end * d[2]; i++) {
        float *const plane = node->src[0].diff + i / d[2] * s[2] * s[3];
        const tap *const row = &taps[i % d[2]];
        float *const above = plane + row->at[0] * s[3];
        float *const below = plane + row->at[1] * s[3];
        for (int64_t j = 0; j < d[3]; j++, dy++) {
            const tap *const t = &taps[d[2] + j];
            const float right = *dy * t->part;
            const float left = *dy - right;
            above[t->at[0]] += left * (1 - row->part);
            above[t->at[1]] += right * (1 - row->part);
            below[t->at[0]] += left * row->part;
            below[t->at[1]] += right * row->part;
        }
    }
}

static void share_planes(wsr__node *node, wsr__body body)
{
    const int64_t *const d = node->dst.desc.shape.dims;
    wsr__share(d[0] * d[1], 4 * d[2] * d[3], body, node);
}

static wsr_status forward(wsr__node *node)
{
    share_planes(node, forward_share);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    wsr__start_diff(&node->src[0]);
    share_planes(node, backward_share);
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .unplan = unplan,
    .accumulates = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_resize = {
    .super = {"resize", "images of another size", "", schema,
              sizeof(resize_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "(n, c, size)",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
