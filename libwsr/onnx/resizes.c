// SPDX-License-Identifier: Apache-2.0
//
// Images of another size. Upsample, and Resize of opset 10, place pixels as if
// they were points (asymmetric); from opset 11 on the node says how.

#include "onnx/read.h"
#include "onnx/write.h"

#include <math.h>

enum { MOST_SIDE = 4096 };

static bool is_old(const wsr__onnx_node *node)
{
    return wsr__streq(node->row->op, "Upsample") || node->reader->opset < 11;
}

// What a node says of an axis: a size, a factor, or neither.
typedef struct extent {
    int64_t size;
    double factor;
} extent;

// The constant that says it: sizes, if there are some, or factors.
static wsr_status said_by(wsr__onnx_value **out, const wsr__onnx_node *node)
{
    wsr__onnx_value *const sizes = wsr__onnx_in(node, 3);
    *out = sizes != NULL && sizes->count > 0
               ? sizes
               : wsr__onnx_in(node, is_old(node) ? 1 : 2);
    if (*out == NULL || !(*out)->constant ||
        (*out)->integer != (*out == sizes)) {
        return WSR_FAIL(WSR_FORMAT, "its sizes or scales are no constants");
    }
    return wsr__onnx_decode(node, *out);
}

// Of all axes, or of those that the attribute `axes` lists.
static wsr_status read_extents(extent out[4], const wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *said = NULL;
    size_t n = 0;
    const int64_t *const axes = wsr__onnx_ints(node, "axes", &n);
    WSR_TRY(said_by(&said, node));
    if (said->count != (axes != NULL ? n : 4) || said->count > 4) {
        return WSR_FAIL(WSR_FORMAT,
                        "%zu sizes or scales are not one for each "
                        "axis",
                        said->count);
    }
    for (size_t i = 0; i < said->count; i++) {
        int axis = 0;
        WSR_TRY(wsr__onnx_axis(&axis, axes != NULL ? axes[i] : (int64_t)i, 4));
        out[axis] = (extent){0};
        if (said->integer) {
            out[axis].size = said->ints[i];
        } else {
            out[axis].factor = wsr__onnx_is_own(node, "resize")
                                   ? wsr__onnx_decimal(said->floats[i])
                                   : (double)said->floats[i];
        }
    }
out:
    return status;
}

// Batch and channels keep their sizes. A file may hold whatever batch.
static bool keeps_channels(const extent e[4], const wsr_shape *x)
{
    return (e[0].factor == 0 || e[0].factor == 1) &&
           (e[1].factor == 0 || e[1].factor == 1) &&
           (e[1].size == 0 || e[1].size == x->dims[1]);
}

// Pixels along height or width. Products are rounded to floats before they are
// cut, as in ONNX Runtime: 10 times 0.7 is 7.
static wsr_status side_of(int64_t *out, const extent *e, int64_t size)
{
    const float product = (float)size * (float)e->factor;
    *out = e->size != 0 || e->factor == 0 ? e->size : 0;
    if (e->factor > 0 && product <= MOST_SIDE) {
        *out = (int64_t)product;
    }
    if (e->factor == 0 && e->size == 0) {
        *out = size;
    }
    return *out >= 1 && *out <= MOST_SIDE
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT, "a side of the result is outside [1, %d]",
                          MOST_SIDE);
}

// Size of the result and, where the node has them, factors, which say where
// pixels lie although the size is rounded.
static wsr_status set_size(wsr__onnx_op *op, const wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr_shape *const x = &node->in[0]->shape;
    extent e[4] = {{0}};
    int64_t size[2] = {0};
    double factor[2] = {1, 1};
    WSR_TRY(read_extents(e, node));
    if (!keeps_channels(e, x)) {
        return WSR_FAIL(WSR_FORMAT, "it resizes the batch or the channels");
    }
    for (int i = 0; i < 2; i++) {
        WSR_TRY(side_of(&size[i], &e[2 + i], x->dims[2 + i]));
        factor[i] = e[2 + i].factor != 0 ? e[2 + i].factor : 1;
    }
    wsr__onnx_set_ints(op, "size", size, 2);
    if (e[2].factor != 0 || e[3].factor != 0) {
        wsr__onnx_set_floats(op, "scale", factor, 2);
    }
out:
    return status;
}

// The words of the op are those of ONNX.
static wsr_status set_words(wsr__onnx_op *op, const wsr__onnx_node *node)
{
    static const char *const policies[] = {"stretch", NULL};
    const bool old = is_old(node);
    const char *const mode =
        wsr__onnx_word(node, "mode", wsr__onnx_words(op, "mode"), "nearest");
    const char *const place = wsr__onnx_word(
        node, "coordinate_transformation_mode",
        wsr__onnx_words(op, "coordinates"), old ? "asymmetric" : "half_pixel");
    const char *const rounding =
        wsr__onnx_word(node, "nearest_mode", wsr__onnx_words(op, "nearest"),
                       old ? "floor" : "round_prefer_floor");
    if (mode == NULL || place == NULL || rounding == NULL ||
        wsr__onnx_int(node, "antialias", 0) != 0 ||
        wsr__onnx_word(node, "keep_aspect_ratio_policy", policies,
                       policies[0]) == NULL) {
        return WSR_FAIL(WSR_FORMAT, "its mode is not supported");
    }
    wsr__onnx_set_word(op, "mode", mode);
    wsr__onnx_set_word(op, "coordinates", place);
    wsr__onnx_set_word(op, "nearest", rounding);
    return WSR_OK;
}

static wsr_status read_resize(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_value y = 0;
    wsr__onnx_op op = {0};
    WSR_TRY(wsr__onnx_need_image(node));
    op = wsr__onnx_begin("resize");
    WSR_TRY(set_words(&op, node));
    WSR_TRY(set_size(&op, node));
    WSR_TRY(wsr__onnx_emit(&y, node, &op, &node->in[0]->value, 1));
    wsr__onnx_put(node, 0, y, wsr_graph_shape(node->reader->graph, y), 0);
out:
    wsr__free(op.params); // NULL behind emit
    return status;
}

// ------------------------------------------------------------------- writing

// Sizes are of all axes: that of the batch is the source's.
static const char *write_sizes(wsr__onnx_step *step)
{
    const wsr_shape *const shape = &step->vertex->shape;
    const wsr__onnx_range first = {0, 0, 1, 1};
    const char *const sizes[] = {
        wsr__onnx_slice(step,
                        wsr__onnx_add1(step, "Shape", wsr__onnx_src(step, 0)),
                        &first, 1),
        wsr__onnx_wholes(step, shape->dims + 1, 3)};
    const char *const name = wsr__onnx_add(step, "Concat", sizes, 2);
    wsr__onnx_with_int(step, "axis", 0);
    return name;
}

static const char *write_scales(wsr__onnx_step *step, const wsr__floats *scale)
{
    const float h = (float)scale->v[0];
    const float w = (float)scale->v[scale->n - 1];
    const float scales[] = {1, 1, h, w};
    const wsr_shape four = wsr__shape1(4);
    return wsr__onnx_floats(step, scales, &four);
}

static void write_resize(wsr__onnx_step *step)
{
    const wsr__floats *const scale = wsr__onnx_get_floats(step, "scale");
    const bool sized = scale->n == 0;
    const char *inputs[4] = {wsr__onnx_src(step, 0)};
    if (sized) {
        inputs[3] = write_sizes(step);
    } else {
        inputs[2] = write_scales(step, scale);
    }
    (void)wsr__onnx_add(step, step->row->op, inputs, sized ? 4 : 3);
    wsr__onnx_with_word(step, "coordinate_transformation_mode",
                        wsr__onnx_get_word(step, "coordinates"));
    wsr__onnx_with_word(step, "mode", wsr__onnx_get_word(step, "mode"));
    wsr__onnx_with_word(step, "nearest_mode",
                        wsr__onnx_get_word(step, "nearest"));
}

static const wsr__onnx_row rows[] = {
    {"Resize", read_resize, "resize", 1, write_resize},
    {"Upsample", read_resize, "resize", 1, NULL},
    {0},
};

const wsr__operator_class wsr__operator_resizes = {
    .super = {"resizes", "images of another size", "", NULL, 0},
    .rows = rows,
};
