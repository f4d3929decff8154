// SPDX-License-Identifier: Apache-2.0
//
// Shapes and the sizes of their layouts. A plain tensor is row-major and dense.
// A blocked one, nChw8c, stores n images of ceil(c / 8) blocks of h * w * 8
// floats; the channels that fill up the last block are zeros.

#include "tensor/tensor.h"

int64_t wsr_shape_count(const wsr_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->ndims; i++) {
        count *= shape->dims[i];
    }
    return count;
}

bool wsr_shape_equal(const wsr_shape *a, const wsr_shape *b)
{
    bool equal = a->ndims == b->ndims;
    for (int i = 0; equal && i < a->ndims; i++) {
        equal = a->dims[i] == b->dims[i];
    }
    return equal;
}

wsr_shape wsr__shape1(int64_t a)
{
    return (wsr_shape){1, {a}};
}

wsr_shape wsr__shape2(int64_t a, int64_t b)
{
    return (wsr_shape){2, {a, b}};
}

wsr_shape wsr__shape3(int64_t a, int64_t b, int64_t c)
{
    return (wsr_shape){3, {a, b, c}};
}

wsr_shape wsr__shape4(int64_t n, int64_t c, int64_t h, int64_t w)
{
    return (wsr_shape){4, {n, c, h, w}};
}

// Truncated, never overrun: a shape of WSR_MAX_DIMS large dimensions does not
// fit.
void wsr__shape_print(char out[96], const wsr_shape *shape)
{
    size_t len = (size_t)snprintf(out, 96, "(");
    for (int i = 0; i < shape->ndims && i < WSR_MAX_DIMS && len < 90; i++) {
        len += (size_t)snprintf(out + len, 96 - len, i > 0 ? ", %lld" : "%lld",
                                (long long)shape->dims[i]);
    }
    if (len < 95) {
        snprintf(out + len, 96 - len, ")");
    }
}

wsr_status wsr__shape_check(const wsr_shape *shape)
{
    // Floats of it, and a few copies, fit into any address.
    static const int64_t most = INT64_MAX / 64;
    char text[96];
    int64_t left = most;
    if (shape->ndims < 0 || shape->ndims > WSR_MAX_DIMS) {
        return WSR_FAIL(WSR_ARG, "%d dimensions are outside [0, %d]",
                        shape->ndims, WSR_MAX_DIMS);
    }
    wsr__shape_print(text, shape);
    for (int i = 0; i < shape->ndims; i++) {
        if (shape->dims[i] < 1) {
            return WSR_FAIL(WSR_ARG, "shape %s has a dimension below 1", text);
        }
        left /= shape->dims[i];
    }
    return left > 0 ? WSR_OK
                    : WSR_FAIL(WSR_ARG, "shape %s has more than %lld elements",
                               text, (long long)most);
}

// With parts, each of the c / part parts is padded to whole blocks by itself,
// so that concatenation moves no channel within a block.
int64_t wsr__desc_blocks(const wsr__desc *desc)
{
    const int64_t c = desc->shape.dims[1];
    return desc->part > 0 ? c / desc->part * wsr__blocks(desc->part)
                          : wsr__blocks(c);
}

int64_t wsr__desc_floats(const wsr__desc *desc)
{
    if (desc->layout == WSR__PLAIN || desc->shape.ndims != 4) {
        return wsr_shape_count(&desc->shape);
    }
    const int64_t *const d = desc->shape.dims;
    return d[0] * wsr__desc_blocks(desc) * WSR__BLOCK * d[2] * d[3];
}
