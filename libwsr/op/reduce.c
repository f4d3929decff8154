// SPDX-License-Identifier: Apache-2.0
//
// The loops of reductions. A number of dst is computed by one thread, in double
// and in row-major order of the source.

#include "op/reduce.h"

const wsr__option wsr__reduce_schema[] = {
    {"axes", WSR__INTS, offsetof(wsr__reduce_params, axes), "[]",
     1 - WSR_MAX_DIMS, WSR_MAX_DIMS - 1, "",
     "axes to reduce, the batch (0) not; empty: all others", NULL},
    {"keep_dims", WSR__BOOL, offsetof(wsr__reduce_params, keep_dims), "true", 0,
     0, "", "leave these axes with one element", NULL},
    {0},
};

double wsr__reduce_add(double sum, const float *x, int64_t n, int64_t stride)
{
    double total = sum;
    for (int64_t i = 0; i < n; i++) {
        total += (double)x[i * stride];
    }
    return total;
}

// Whether axis i of a source of `ndims` axes is reduced.
static bool is_reduced(const wsr__reduce_params *o, int ndims, int i)
{
    bool listed = o->axes.n == 0;
    for (size_t k = 0; k < o->axes.n; k++) {
        const int64_t axis = o->axes.v[k];
        listed = listed || (axis < 0 ? axis + ndims : axis) == i;
    }
    return listed && i > 0;
}

static wsr_status check_axes(const wsr__reduce_params *o, const wsr_shape *src)
{
    for (size_t k = 0; k < o->axes.n; k++) {
        const int64_t axis = o->axes.v[k];
        const int64_t at = axis < 0 ? axis + src->ndims : axis;
        if (at < 1 || at >= src->ndims) {
            char text[96];
            wsr__shape_print(text, src);
            return WSR_FAIL(WSR_SHAPE,
                            "axis %lld is none behind the batch of %s",
                            (long long)axis, text);
        }
    }
    return WSR_OK;
}

wsr_status wsr__reduce_infer(wsr_shape *dst, const void *params,
                             const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__reduce_params *const o = params;
    const wsr_shape *const src = &srcs[0];
    wsr_status status = WSR_OK;
    WSR_TRY(check_axes(o, src));
    *dst = (wsr_shape){0};
    for (int i = 0; i < src->ndims; i++) {
        if (!is_reduced(o, src->ndims, i)) {
            dst->dims[dst->ndims++] = src->dims[i];
        } else if (o->keep_dims) {
            dst->dims[dst->ndims++] = 1;
        }
    }
out:
    return status;
}

// Axes of one kind, outermost first; neighbours that lie densely are one.
typedef struct axes {
    int n;
    int64_t dims[WSR_MAX_DIMS];
    int64_t strides[WSR_MAX_DIMS];
    int64_t count;
} axes;

static void add_axis(axes *a, int64_t size, int64_t stride)
{
    const int last = a->n - 1;
    a->count *= size;
    if (last >= 0 && a->strides[last] == size * stride) {
        a->dims[last] *= size;
        a->strides[last] = stride;
    } else {
        a->dims[a->n] = size;
        a->strides[a->n++] = stride;
    }
}

// The axes of src that are left, and those that are reduced.
typedef struct split {
    wsr__node *node;
    axes kept;
    axes gone;
} split;

static split split_of(wsr__node *node)
{
    const wsr_shape *const src = &node->src[0].desc.shape;
    split s = {.node = node, .kept = {.count = 1}, .gone = {.count = 1}};
    int64_t stride = wsr_shape_count(src);
    for (int i = 0; i < src->ndims; i++) {
        stride /= src->dims[i];
        const bool gone = is_reduced(node->params, src->ndims, i);
        add_axis(gone ? &s.gone : &s.kept, src->dims[i], stride);
    }
    if (s.gone.n == 0) {
        add_axis(&s.gone, 1, 1);
    }
    return s;
}

// Offset of number `index` of the first `n` axes.
static int64_t offset_of(const axes *a, int n, int64_t index)
{
    int64_t offset = 0;
    int64_t left = index;
    for (int i = n; i-- > 0;) {
        offset += left % a->dims[i] * a->strides[i];
        left /= a->dims[i];
    }
    return offset;
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const split *const s = ctx;
    const wsr__reduce *const f = s->node->cls->reduce;
    const int last = s->gone.n - 1;
    const int64_t size = s->gone.dims[last];
    for (int64_t k = begin; k < end; k++) {
        const float *const x = s->node->src[0].data +
                               offset_of(&s->kept, s->kept.n, k);
        double sum = f->start;
        for (int64_t r = 0; r < s->gone.count / size; r++) {
            sum = f->fold(sum, x + offset_of(&s->gone, last, r), size,
                          s->gone.strides[last]);
        }
        s->node->dst.data[k] =
            (float)(f->mean ? sum / (double)s->gone.count : sum);
    }
}

// How many numbers get a part of the gradient of number k of dst.
static int64_t takers_of(const split *s, int64_t k, const float *x)
{
    const wsr__reduce *const f = s->node->cls->reduce;
    int64_t count = 0;
    if (!f->extreme) {
        return f->mean ? s->gone.count : 1;
    }
    for (int64_t r = 0; r < s->gone.count; r++) {
        count += x[offset_of(&s->gone, s->gone.n, r)] == s->node->dst.data[k];
    }
    return count;
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const split *const s = ctx;
    const bool extreme = s->node->cls->reduce->extreme;
    const bool add = s->node->src[0].accumulate;
    for (int64_t k = begin; k < end; k++) {
        const int64_t at = offset_of(&s->kept, s->kept.n, k);
        const float *const x = s->node->src[0].data + at;
        float *const dx = s->node->src[0].diff + at;
        const int64_t takers = takers_of(s, k, x);
        const float share = s->node->dst.diff[k] / (float)takers;
        for (int64_t r = 0; r < s->gone.count; r++) {
            const int64_t i = offset_of(&s->gone, s->gone.n, r);
            const bool takes = !extreme || x[i] == s->node->dst.data[k];
            dx[i] = (add ? dx[i] : 0.0f) + (takes ? share : 0.0f);
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    split s = split_of(node);
    wsr__share(s.kept.count, s.gone.count, forward_share, &s);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    split s = split_of(node);
    wsr__share(s.kept.count, s.gone.count, backward_share, &s);
    return WSR_OK;
}

static uint32_t needs(const wsr__node *node)
{
    return node->cls->reduce->extreme ? 1u | WSR__NEED_DST : 0;
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

const wsr__impl *const wsr__reduce_impls[] = {&ref, NULL};
