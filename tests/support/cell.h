// SPDX-License-Identifier: Apache-2.0
//
// What tests of cell operations share: one operation in a graph of its own,
// on images of CELL_CHANNELS x CELL_SIDE x CELL_SIDE.

#ifndef WSR_TESTS_CELL_H
#define WSR_TESTS_CELL_H

#include "cell/cell.h"
#include "support/support.h"

enum {
    CELL_CHANNELS = 8,
    CELL_SIDE = 12,
    CELL_FLOATS = CELL_CHANNELS * CELL_SIDE * CELL_SIDE
};

/// An operation ready to run.
typedef struct cell_bench {
    wsr_params *params;
    wsr_graph *graph;
    int64_t stride;
} cell_bench;

void cell_open(cell_bench *bench, const wsr__cell_class *cls, int64_t stride,
               bool affine);
void cell_close(cell_bench *bench);

/// An operation's parameters must be these, in this order: lines
/// "name (2, 3)", and "name norm" for the five or three tensors of a norm.
void cell_expect(const wsr__cell_class *cls, int64_t stride, bool affine,
                 const char *lines);

/// Set a depthwise weight to one at a tap, zero elsewhere.
void cell_set_tap(cell_bench *bench, const char *name, int64_t tap);
/// Set a pointwise weight to the identity.
void cell_set_identity(cell_bench *bench, const char *name);

/// Some image with numbers of both signs.
void cell_image(float x[CELL_FLOATS]);

/// Apply the operation to one image in evaluation mode; the result has
/// CELL_SIDE / stride rows and columns.
void cell_forward(float y[CELL_FLOATS], const cell_bench *bench,
                  const float x[CELL_FLOATS]);

/// Value of channel c at a place, 0 outside of the image; with relu.
float cell_relu_at(const float *x, int64_t c, int64_t row, int64_t column);

/// Names, shapes and values of a separable convolution of k x k.
void cell_check_sep_conv(const wsr__cell_class *cls, int64_t k);
/// The same of a dilated one.
void cell_check_dil_conv(const wsr__cell_class *cls, int64_t k);
/// The same of a dense one.
void cell_check_nor_conv(const wsr__cell_class *cls, int64_t k);
/// Values of a pool of 3x3, which has no parameters: of the `n` numbers of each
/// window that lie inside of the image, what `pool` makes.
void cell_check_pool(const wsr__cell_class *cls,
                     float (*pool)(const float *x, int n));

#endif
