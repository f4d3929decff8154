// SPDX-License-Identifier: Apache-2.0
//
// Params structs of ops that the library builds graphs with: code passes these
// structs instead of options as text. conv2d.h and pool.h have those of conv2d
// and of the pools.

#ifndef WSR_OP_PARAMS_H
#define WSR_OP_PARAMS_H

#include "op/op.h"

/// scale: factor * x + offset.
typedef struct wsr__scale_params {
    double factor;
    double offset;
} wsr__scale_params;

/// subsample: every stride-th pixel of both sides, from offset on.
typedef struct wsr__subsample_params {
    int64_t stride;
    int64_t offset;
} wsr__subsample_params;

/// reshape: dimensions behind the batch; one may be -1.
typedef struct wsr__reshape_params {
    wsr__ints dims;
} wsr__reshape_params;

/// view: dimensions behind the first.
typedef struct wsr__view_params {
    wsr__ints dims;
} wsr__view_params;

/// What reshape and view do with the numbers: nothing.
extern const wsr__impl wsr__reshape_alias;

/// transpose: axes of the source, 0 first.
typedef struct wsr__transpose_params {
    wsr__ints order;
} wsr__transpose_params;

/// slice: elements [begin, end) of an axis; end 0: up to the last; step 0: 1.
typedef struct wsr__slice_params {
    int64_t axis;
    int64_t begin;
    int64_t end;
    int64_t step;
} wsr__slice_params;

/// chunk: part `index` of `count` equal ones along an axis.
typedef struct wsr__chunk_params {
    int64_t axis;
    int64_t count;
    int64_t index;
} wsr__chunk_params;

/// concat: the axis along which sources are joined.
typedef struct wsr__concat_params {
    int64_t axis;
} wsr__concat_params;

/// global_max_pool: rows and columns that count; 0: all.
typedef struct wsr__global_max_pool_params {
    int64_t height;
    int64_t width;
} wsr__global_max_pool_params;

/// l2_normalize: `guard` is added to the norm before the division.
typedef struct wsr__l2_normalize_params {
    double guard;
} wsr__l2_normalize_params;

#endif
