// SPDX-License-Identifier: Apache-2.0
//
// Copies by index maps. The maps are tables that hold offsets in src, so that
// the offset of an element is the sum of what the tables say. Leading axes that
// are not mapped are shared among the threads, since their copies stay apart.

#include "op/index_map.h"

// Offsets in src of the indices of each axis of dst, -1 for none.
typedef struct state {
    float fill;
    int shared;      // leading axes that are not mapped
    int64_t *tables; // one behind the other
    const int64_t *of[WSR_MAX_DIMS];
} state;

static int64_t total_of(const wsr_shape *shape)
{
    int64_t total = 0;
    for (int i = 0; i < shape->ndims; i++) {
        total += shape->dims[i];
    }
    return total;
}

// Fills the table of an axis; returns whether it maps every index to itself.
static bool fill_table(int64_t *table, const wsr__node *node, int axis,
                       wsr__index_of index_of)
{
    const wsr_shape *const src = &node->src[0].desc.shape;
    const int64_t size = node->dst.desc.shape.dims[axis];
    const int own = axis - (node->dst.desc.shape.ndims - src->ndims);
    int64_t stride = 1;
    for (int i = own < 0 ? 0 : own + 1; i < src->ndims; i++) {
        stride *= src->dims[i];
    }
    bool same = size == (own < 0 ? 1 : src->dims[own]);
    for (int64_t i = 0; i < size; i++) {
        const int64_t at = index_of(node, axis, i);
        table[i] = at < 0 ? -1 : at * stride;
        same = same && at == i;
    }
    return same;
}

wsr_status wsr__index_map_plan(wsr__node *node, wsr__index_of index_of,
                               float fill)
{
    const wsr_shape *const dst = &node->dst.desc.shape;
    state *const s = wsr__alloc(1, sizeof(*s));
    if (s == NULL) {
        return WSR_NOMEM;
    }
    node->state = s;
    s->fill = fill;
    s->tables = wsr__alloc((size_t)total_of(dst), sizeof(*s->tables));
    if (s->tables == NULL) {
        return WSR_NOMEM;
    }
    int64_t *next = s->tables;
    bool same = true;
    for (int i = 0; i < dst->ndims; i++) {
        s->of[i] = next;
        same = fill_table(next, node, i, index_of) && same;
        s->shared += same;
        next += dst->dims[i];
    }
    return WSR_OK;
}

void wsr__index_map_unplan(wsr__node *node)
{
    state *const s = node->state;
    if (s != NULL) {
        wsr__free(s->tables);
        wsr__free(s);
    }
    node->state = NULL;
}

// Offset in src of row `row` of dst, a row being its last axis; -1 if some map
// leads outside.
static int64_t row_offset(const wsr__node *node, int64_t row)
{
    const state *const s = node->state;
    const wsr_shape *const dst = &node->dst.desc.shape;
    int64_t left = row;
    int64_t offset = 0;
    for (int i = dst->ndims - 1; i-- > 0;) {
        const int64_t at = s->of[i][left % dst->dims[i]];
        left /= dst->dims[i];
        if (at < 0) {
            return -1;
        }
        offset += at;
    }
    return offset;
}

static int64_t row_size(const wsr__node *node)
{
    const wsr_shape *const dst = &node->dst.desc.shape;
    return dst->dims[dst->ndims - 1];
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const state *const s = node->state;
    const int64_t *const map = s->of[node->dst.desc.shape.ndims - 1];
    const int64_t size = row_size(node);
    for (int64_t r = begin; r < end; r++) {
        const int64_t offset = row_offset(node, r);
        const float *const x = node->src[0].data + offset;
        float *const y = node->dst.data + r * size;
        for (int64_t i = 0; i < size; i++) {
            y[i] = offset < 0 || map[i] < 0 ? s->fill : x[map[i]];
        }
    }
}

wsr_status wsr__index_map_forward(wsr__node *node)
{
    const int64_t size = row_size(node);
    wsr__share(wsr__dst_floats(node) / size, size, forward_share, node);
    return WSR_OK;
}

// Pieces of the shared axes, of which there are `pieces_of`.
static int64_t pieces_of(const wsr__node *node)
{
    const state *const s = node->state;
    const int axes = node->dst.desc.shape.ndims - 1;
    int64_t count = 1;
    for (int i = 0; i < s->shared && i < axes; i++) {
        count *= node->dst.desc.shape.dims[i];
    }
    return count;
}

static void add_row(const wsr__node *node, int64_t r)
{
    const state *const s = node->state;
    const int64_t *const map = s->of[node->dst.desc.shape.ndims - 1];
    const int64_t size = row_size(node);
    const int64_t offset = row_offset(node, r);
    const float *const dy = node->dst.diff + r * size;
    float *const dx = node->src[0].diff + offset;
    for (int64_t i = 0; offset >= 0 && i < size; i++) {
        if (map[i] >= 0) {
            dx[map[i]] += dy[i];
        }
    }
}

// What was not copied gets a zero gradient.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t pieces = pieces_of(node);
    const int64_t rows = wsr__dst_floats(node) / row_size(node) / pieces;
    const int64_t floats = wsr__src_floats(node, 0) / pieces;
    float *const dx = node->src[0].diff;
    if (!node->src[0].accumulate) {
        for (int64_t i = begin * floats; i < end * floats; i++) {
            dx[i] = 0;
        }
    }
    for (int64_t r = begin * rows; r < end * rows; r++) {
        add_row(node, r);
    }
}

wsr_status wsr__index_map_backward(wsr__node *node)
{
    const int64_t pieces = pieces_of(node);
    wsr__share(pieces, wsr__dst_floats(node) / pieces, backward_share, node);
    return WSR_OK;
}
