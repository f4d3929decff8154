// SPDX-License-Identifier: Apache-2.0
//
// Shapes and layouts, the parameter set, and the arena that plans live in.

#ifndef WSR_TENSOR_TENSOR_H
#define WSR_TENSOR_TENSOR_H

#include "base/base.h"
#include "wsr/tensor.h"

/// Physical order of an image tensor's elements.
typedef enum wsr__layout {
    WSR__PLAIN,  // row-major: nchw
    WSR__BLOCKED // nChw8c; channels padded with zeros to a multiple of 8
} wsr__layout;

enum { WSR__BLOCK = 8 };

typedef struct wsr__desc {
    wsr_shape shape;
    wsr__layout layout;
    int64_t part; // blocked: channels of each part of a concatenation whose
                  // parts are padded one by one; 0: padded as a whole
} wsr__desc;

wsr_shape wsr__shape1(int64_t a);
wsr_shape wsr__shape2(int64_t a, int64_t b);
wsr_shape wsr__shape3(int64_t a, int64_t b, int64_t c);
wsr_shape wsr__shape4(int64_t n, int64_t c, int64_t h, int64_t w);

/// "(2, 3, 32, 32)" for messages.
void wsr__shape_print(char out[96], const wsr_shape *shape);

/// ARG unless a tensor can have the shape: at most WSR_MAX_DIMS dimensions of
/// at least 1, with elements that can be addressed.
wsr_status wsr__shape_check(const wsr_shape *shape);

/// Floats that a tensor occupies in its layout, padding included.
int64_t wsr__desc_floats(const wsr__desc *desc);

/// Channel blocks of a blocked image, the padding of its parts counted.
int64_t wsr__desc_blocks(const wsr__desc *desc);

/// Blocks of 8 that hold `c` channels.
static inline int64_t wsr__blocks(int64_t c)
{
    return (c + WSR__BLOCK - 1) / WSR__BLOCK;
}

// -------------------------------------------------------------- parameters

/// How a parameter starts: uniform in [-bound, bound], normal around 0, or a
/// constant.
typedef struct wsr__init {
    float bound;     // > 0: uniform
    float value;     // used when the two others are 0
    float deviation; // > 0: normal
} wsr__init;

typedef struct wsr__param {
    char *name;
    wsr_shape shape;
    int64_t count;
    float *data;
    float *grad; // NULL until a plan wants it
    bool trainable;
    bool integer;     // written to files as int64 (num_batches_tracked)
    bool has_grad;    // a backward pass has touched grad
    uint64_t version; // grows whenever data changes
} wsr__param;

/// Find or add a parameter. An existing one must have the same shape.
wsr_status wsr__params_trained(wsr__param **out, wsr_params *params,
                               const char *name, const wsr_shape *shape,
                               wsr__init init);
/// The same for a buffer (not trained).
wsr_status wsr__params_buffer(wsr__param **out, wsr_params *params,
                              const char *name, const wsr_shape *shape,
                              float value);
wsr__param *wsr__params_at(const wsr_params *params, size_t i);
wsr__param *wsr__params_named(const wsr_params *params, const char *name);
/// Say that data changed.
void wsr__param_touch(wsr__param *param);
/// Make sure that grad exists.
wsr_status wsr__param_need_grad(wsr__param *param);

/// Copy all buffers; returns their number of floats. `out` may be NULL.
size_t wsr__stats_copy(float *out, const wsr_params *params);
void wsr__stats_put(const wsr_params *params, const float *stats);

// ------------------------------------------------------------------- arena

/// One block of memory that several plans may use in turn. It only grows.
typedef struct wsr__arena {
    float *base;
    size_t floats;
} wsr__arena;

wsr_status wsr__arena_reserve(wsr__arena *arena, size_t floats);
void wsr__arena_free(wsr__arena *arena);

/// An interval of steps in which a buffer is in use.
typedef struct wsr__span {
    size_t floats;
    size_t first;
    size_t last;
    size_t offset; // [out] in floats
} wsr__span;

/// Place buffers so that no two that live at the same step overlap; returns
/// the floats needed through `*total`.
wsr_status wsr__arena_place(size_t *total, wsr__span *spans, size_t n);

#endif
