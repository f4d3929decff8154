// SPDX-License-Identifier: Apache-2.0
//
// The loops of ops of two sources:
//
//   dst = f(a, b),   diff_a = sum of diff_dst * df / da
//
// over the elements of dst that an element of a was repeated for. Neighbouring
// axes along which both sources behave alike are merged. The last of them make
// a run: along it a source either has all elements or repeats a few (its
// period). A sum has one order, whatever the number of threads.

#include "op/broadcast.h"

#include <string.h>

// TILE: floats that are computed at once. A period is at most SHORT, unless it
// is the whole run.
enum { AXES = WSR_MAX_DIMS + 1, TILE = 256, SHORT = 64, SHARE = 16 * TILE };

wsr_status wsr__broadcast_infer(wsr_shape *dst, const void *params,
                                const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    const wsr_shape *const a = &srcs[0];
    const wsr_shape *const b = &srcs[1];
    *dst = a->ndims >= b->ndims ? *a : *b;
    for (int i = 1; i <= dst->ndims; i++) {
        const int64_t da = i <= a->ndims ? a->dims[a->ndims - i] : 1;
        const int64_t db = i <= b->ndims ? b->dims[b->ndims - i] : 1;
        if (da != db && da != 1 && db != 1) {
            char first[96];
            char second[96];
            wsr__shape_print(first, a);
            wsr__shape_print(second, b);
            return WSR_FAIL(WSR_SHAPE,
                            "source 1 has shape %s, which does not fit %s",
                            second, first);
        }
        dst->dims[dst->ndims - i] = da > db ? da : db;
    }
    return wsr__shape_check(dst);
}

bool wsr__broadcast_same(const wsr__node *node)
{
    bool same = true;
    for (size_t i = 1; i < node->n; i++) {
        same = same && wsr_shape_equal(&node->src[i].desc.shape,
                                       &node->src[0].desc.shape);
    }
    return same;
}

// Size of axis i of dst in a source; 1 where the source has no such axis.
static int64_t size_at(const wsr__node *node, size_t s, int i)
{
    const wsr_shape *const shape = &node->src[s].desc.shape;
    const int at = i - (node->dst.desc.shape.ndims - shape->ndims);
    return at < 0 ? 1 : shape->dims[at];
}

// ------------------------------------------------------------------ layouts

// Whether a source can be read beside a blocked dst: as an image of as many
// channels, or because it has nothing but channels.
static bool reads_blocked(const wsr__node *node, size_t s)
{
    const wsr__arg *const src = &node->src[s];
    const bool alone = size_at(node, s, 2) == 1 && size_at(node, s, 3) == 1;
    const bool image = src->param == NULL && src->desc.shape.ndims == 4 &&
                       size_at(node, s, 1) == node->dst.desc.shape.dims[1];
    return image || (alone && src->desc.layout == WSR__PLAIN);
}

// Blocked as soon as one source is and nothing would come into padding
// channels: there are none, or they stay zeros.
static bool is_blocked(const wsr__node *node)
{
    const wsr_shape *const dst = &node->dst.desc.shape;
    const bool any = node->src[0].desc.layout == WSR__BLOCKED ||
                     node->src[1].desc.layout == WSR__BLOCKED;
    if (!any || dst->ndims != 4) {
        return false;
    }
    if (wsr__broadcast_same(node) && node->cls->binary->keeps_zero) {
        return true;
    }
    return dst->dims[1] % WSR__BLOCK == 0 && reads_blocked(node, 0) &&
           reads_blocked(node, 1);
}

static void layout(wsr__node *node)
{
    const bool blocked = is_blocked(node);
    const int64_t channels =
        node->dst.desc.shape.ndims == 4 ? node->dst.desc.shape.dims[1] : 0;
    for (size_t s = 0; s < 2; s++) {
        wsr__desc *const desc = &node->src[s].desc;
        const bool image = blocked && desc->shape.ndims == 4 &&
                           node->src[s].param == NULL &&
                           desc->shape.dims[1] == channels;
        desc->layout = image ? WSR__BLOCKED : WSR__PLAIN;
    }
    node->dst.desc.layout = blocked ? WSR__BLOCKED : WSR__PLAIN;
}

// --------------------------------------------------------------------- walk

// Axes of dst, outermost first, and the run behind them. A stride of 0: the
// source repeats itself along the axis.
typedef struct walk {
    wsr__node *node;
    int ndims;
    int64_t dims[AXES];
    int64_t strides[2][AXES];
    int64_t run;       // floats of dst
    int64_t period[2]; // of the sources along it; the run itself: all of it
    int64_t tile;      // floats computed at once, a multiple of the periods
    size_t side;       // backward: the source whose gradient is formed
} walk;

// Sizes of dst or, with s < 2, of a source as they lie in memory.
static int memory_dims(int64_t dims[AXES], const wsr__node *node, size_t s)
{
    const wsr_shape *const dst = &node->dst.desc.shape;
    for (int i = 0; i < dst->ndims; i++) {
        dims[i] = s < 2 ? size_at(node, s, i) : dst->dims[i];
    }
    if (node->dst.desc.layout == WSR__PLAIN) {
        return dst->ndims;
    }
    const bool lanes = dims[1] == dst->dims[1];
    dims[1] = lanes ? wsr__blocks(dims[1]) : 1;
    dims[4] = lanes ? WSR__BLOCK : 1;
    return 5;
}

static void strides_of(int64_t strides[AXES], const int64_t *dims, int ndims)
{
    int64_t stride = 1;
    for (int i = ndims; i-- > 0;) {
        strides[i] = dims[i] == 1 ? 0 : stride;
        stride *= dims[i];
    }
}

// Whether axis `at` continues the axis `size` x strides behind it in both.
static bool continues(const walk *w, int at, int64_t size)
{
    return w->strides[0][at] == w->strides[0][at + 1] * size &&
           w->strides[1][at] == w->strides[1][at + 1] * size;
}

static void drop_axis(walk *w, int at)
{
    w->ndims--;
    for (int i = at; i < w->ndims; i++) {
        w->dims[i] = w->dims[i + 1];
        w->strides[0][i] = w->strides[0][i + 1];
        w->strides[1][i] = w->strides[1][i + 1];
    }
}

static void merge(walk *w)
{
    for (int i = w->ndims; i-- > 0;) {
        if (w->dims[i] == 1) {
            drop_axis(w, i);
        }
    }
    for (int i = w->ndims - 1; i-- > 0;) {
        if (continues(w, i, w->dims[i + 1])) {
            w->dims[i + 1] *= w->dims[i];
            drop_axis(w, i);
        }
    }
}

// The last axis is the run. If it is short, so that a source that repeats it
// has a short period, the axis before belongs to it as well.
static void take_run(walk *w)
{
    const int last = w->ndims - 1;
    w->run = last < 0 ? 1 : w->dims[last];
    for (size_t s = 0; s < 2; s++) {
        w->period[s] = last < 0 || w->strides[s][last] != 0 ? w->run : 1;
    }
    w->ndims = last < 0 ? 0 : last;
    if (last < 1 || w->run > SHORT) {
        return;
    }
    const int64_t size = w->run;
    bool whole[2];
    for (size_t s = 0; s < 2; s++) {
        const int64_t stride = w->strides[s][last - 1];
        whole[s] = w->strides[s][last] == 1 && stride == size;
        if (!whole[s] && stride != 0) {
            return;
        }
    }
    w->run *= w->dims[last - 1];
    w->ndims--;
    for (size_t s = 0; s < 2; s++) {
        w->period[s] = whole[s] ? w->run : w->period[s];
    }
}

static walk walk_of(wsr__node *node)
{
    walk w = {.node = node};
    w.ndims = memory_dims(w.dims, node, 2);
    for (size_t s = 0; s < 2; s++) {
        int64_t dims[AXES] = {0};
        const int ndims = memory_dims(dims, node, s);
        strides_of(w.strides[s], dims, ndims);
    }
    merge(&w);
    take_run(&w);
    int64_t period = 1;
    for (size_t s = 0; s < 2; s++) {
        const bool repeats = w.period[s] < w.run && w.period[s] > 1;
        period = repeats ? w.period[s] : period;
    }
    w.tile = TILE / period * period;
    return w;
}

// Offsets of a run in dst and in the sources.
typedef struct place {
    int64_t dst;
    int64_t src[2];
} place;

// Add to a place what run number `index` is away from it, counted over the
// axes along which source `side` does (own) or does not repeat itself; with
// side 2 over all axes.
static void advance(place *p, const walk *w, size_t side, bool own,
                    int64_t index)
{
    int64_t stride = w->run;
    int64_t left = index;
    for (int i = w->ndims; i-- > 0;) {
        if (side == 2 || (w->strides[side][i] != 0) == own) {
            const int64_t at = left % w->dims[i];
            left /= w->dims[i];
            p->dst += at * stride;
            p->src[0] += at * w->strides[0][i];
            p->src[1] += at * w->strides[1][i];
        }
        stride *= w->dims[i];
    }
}

// Product of the axes that advance() counts over.
static int64_t count_of(const walk *w, size_t side, bool own)
{
    int64_t count = 1;
    for (int i = 0; i < w->ndims; i++) {
        if (side == 2 || (w->strides[side][i] != 0) == own) {
            count *= w->dims[i];
        }
    }
    return count;
}

// A source beside floats [at, at + tile) of a run: itself, or its period over
// and over in `tile`.
static const float *beside(float tile[TILE], const walk *w, size_t s,
                           const place *p, int64_t at)
{
    const float *const data = w->node->src[s].data + p->src[s];
    const int64_t period = w->period[s];
    if (period == w->run) {
        return data + at;
    }
    for (int64_t i = 0; i < w->tile; i += period) {
        for (int64_t j = 0; j < period; j++) {
            tile[i + j] = data[j];
        }
    }
    return tile;
}

// ------------------------------------------------------------------ forward

static int64_t shares_of(const walk *w)
{
    const int64_t share = w->tile * (SHARE / TILE);
    return (w->run + share - 1) / share;
}

// Shares of runs: item k is share k % shares of run k / shares.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const walk *const w = ctx;
    const int64_t shares = shares_of(w);
    const int64_t share = w->tile * (SHARE / TILE);
    for (int64_t k = begin; k < end; k++) {
        place p = {0};
        float tiles[2][TILE];
        advance(&p, w, 2, true, k / shares);
        const int64_t first = k % shares * share;
        const int64_t last = first + share < w->run ? first + share : w->run;
        for (int64_t at = first; at < last; at += w->tile) {
            const int64_t n = last - at < w->tile ? last - at : w->tile;
            w->node->cls->binary->forward(w->node->dst.data + p.dst + at,
                                          beside(tiles[0], w, 0, &p, at),
                                          beside(tiles[1], w, 1, &p, at), n);
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    walk w = walk_of(node);
    const int64_t shares = shares_of(&w);
    wsr__share(count_of(&w, 2, true) * shares, w.run < SHARE ? w.run : SHARE,
               forward_share, &w);
    return WSR_OK;
}

// ----------------------------------------------------------------- backward

// The gradient at floats [at, at + tile) of a run; returns how many there are.
static int64_t terms_of(float *terms, const walk *w, const place *p, int64_t at)
{
    const int64_t left = w->run - at;
    const int64_t n = left < w->tile ? left : w->tile;
    float tiles[2][TILE];
    w->node->cls->binary->backward[w->side](
        terms, w->node->dst.diff + p->dst + at,
        beside(tiles[0], w, w->side, p, at),
        beside(tiles[1], w, 1 - w->side, p, at), n);
    return n;
}

// Add these to the sums, which repeat.
static void add_terms(double *sums, int64_t period, const walk *w,
                      const place *p, int64_t at)
{
    float terms[TILE];
    const int64_t n = terms_of(terms, w, p, at);
    for (int64_t i = 0; i < n; i += period) {
        for (int64_t j = 0; j < period && i + j < n; j++) {
            sums[j] += (double)terms[i + j];
        }
    }
}

// Sums for floats [at, at + count) of the source at p, which has no other
// axis than the run.
static void sum_over(const walk *w, const place *p, int64_t at, int64_t count)
{
    const bool whole = w->period[w->side] == w->run;
    const int64_t repeats = count_of(w, w->side, false);
    if (whole && repeats == 1 && !w->node->src[w->side].accumulate) {
        terms_of(w->node->src[w->side].diff + p->src[w->side] + at, w, p, at);
        return;
    }
    double sums[TILE] = {0};
    for (int64_t r = 0; r < repeats; r++) {
        place q = *p;
        advance(&q, w, w->side, false, r);
        if (whole) {
            add_terms(sums, w->tile, w, &q, at);
        }
        for (int64_t i = 0; !whole && i < w->run; i += w->tile) {
            add_terms(sums, count, w, &q, i);
        }
    }
    const wsr__arg *const src = &w->node->src[w->side];
    float *const dx = src->diff + p->src[w->side] + at;
    for (int64_t i = 0; i < count; i++) {
        dx[i] = (float)((src->accumulate ? (double)dx[i] : 0) + sums[i]);
    }
}

// Pieces of a source that one thread sums for: a period, or a tile of a run.
static int64_t pieces_of(const walk *w)
{
    return w->period[w->side] < w->run ? 1 : (w->run + w->tile - 1) / w->tile;
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const walk *const w = ctx;
    const int64_t pieces = pieces_of(w);
    const int64_t period = w->period[w->side];
    for (int64_t k = begin; k < end; k++) {
        place p = {0};
        advance(&p, w, w->side, true, k / pieces);
        const int64_t at = k % pieces * w->tile;
        const int64_t left = period - at;
        sum_over(w, &p, at, left < w->tile ? left : w->tile);
    }
}

// One source after the other: both may be the same tensor.
static wsr_status backward(wsr__node *node)
{
    walk w = walk_of(node);
    for (w.side = 0; w.side < 2; w.side++) {
        if (node->src[w.side].want_diff) {
            const int64_t items = count_of(&w, w.side, true) * pieces_of(&w);
            wsr__share(items, wsr__dst_floats(node) / items, backward_share,
                       &w);
        }
    }
    return WSR_OK;
}

static uint32_t needs(const wsr__node *node)
{
    const wsr__binary *const f = node->cls->binary;
    return (node->src[0].want_diff ? f->reads[0] : 0) |
           (node->src[1].want_diff ? f->reads[1] : 0);
}

const wsr__impl wsr__broadcast_native = {
    .name = "native",
    .layout = layout,
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

// ---------------------------------------------------------------- reference

// Offset in source s of the element of dst whose offset is `index`.
static int64_t offset_of(const wsr__node *node, size_t s, int64_t index)
{
    int64_t offset = 0;
    int64_t stride = 1;
    int64_t left = index;
    for (int i = node->dst.desc.shape.ndims; i-- > 0;) {
        const int64_t size = node->dst.desc.shape.dims[i];
        const int64_t own = size_at(node, s, i);
        offset += own == 1 ? 0 : left % size * stride;
        left /= size;
        stride *= own;
    }
    return offset;
}

static wsr_status forward_ref(wsr__node *node)
{
    for (int64_t i = 0; i < wsr__dst_floats(node); i++) {
        const double a = (double)node->src[0].data[offset_of(node, 0, i)];
        const double b = (double)node->src[1].data[offset_of(node, 1, i)];
        node->dst.data[i] = (float)node->cls->binary->value(a, b);
    }
    return WSR_OK;
}

// The elements of dst that element `at` of source s was repeated for, by
// looking at all of them.
static void sum_ref(wsr__node *node, size_t s)
{
    double *const sums = (double *)node->scratch;
    const int64_t count = wsr__src_floats(node, s);
    memset(sums, 0, (size_t)count * sizeof(*sums));
    for (int64_t i = 0; i < wsr__dst_floats(node); i++) {
        const int64_t at = offset_of(node, s, i);
        const double x = (double)node->src[s].data[at];
        const double other =
            (double)node->src[1 - s].data[offset_of(node, 1 - s, i)];
        sums[at] += (double)node->dst.diff[i] *
                    node->cls->binary->slope[s](x, other);
    }
    for (int64_t i = 0; i < count; i++) {
        node->src[s].diff[i] = (float)sums[i];
    }
}

static wsr_status backward_ref(wsr__node *node)
{
    for (size_t s = 0; s < 2; s++) {
        if (node->src[s].want_diff) {
            sum_ref(node, s);
        }
    }
    return WSR_OK;
}

// Sums in double.
static wsr_status plan_ref(wsr__node *node)
{
    const int64_t a = wsr__src_floats(node, 0);
    const int64_t b = wsr__src_floats(node, 1);
    node->scratch_floats = (size_t)(a > b ? a : b) * sizeof(double) /
                           sizeof(float);
    return WSR_OK;
}

const wsr__impl wsr__broadcast_ref = {
    .name = "ref",
    .needs = needs,
    .plan = plan_ref,
    .forward = forward_ref,
    .backward = backward_ref,
};

const wsr__impl *const wsr__broadcast_impls[] = {&wsr__broadcast_native,
                                                 &wsr__broadcast_ref, NULL};
