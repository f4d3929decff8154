// SPDX-License-Identifier: Apache-2.0
//
// Writing a graph as ONNX: what writers of ops get and what they call.
//
// A writer adds nodes; the last one that it adds has the result of the op. That
// node is named after the op, "conv2d_12", the others "conv2d_12.0", and so on:
// where several ops of the graph could stand for a node of a file that this
// library wrote, its name tells the reader which one did. All tensors have the
// axes that they have in the graph, with the batch, whose size is open, in
// front. Options of ops become attributes or Constant nodes; initialisers are
// the network's parameters.
//
// Failures are kept in the writer: calls after one do nothing of worth.

#ifndef WSR_ONNX_WRITE_H
#define WSR_ONNX_WRITE_H

#include "graph/graph.h"
#include "onnx/file.h"
#include "onnx/operator.h"

/// A model under construction. Messages and texts lie in blocks that go all at
/// once.
typedef struct wsr__onnx_writer {
    const wsr_graph *graph;
    const char **names; // of the values that are written, by vertex
    Wsr__Onnx__Model *model;
    Wsr__Onnx__Graph *root;
    size_t nodes_capacity;
    size_t tensors_capacity;
    Wsr__Onnx__Node *node; // the last one
    void **blocks;
    size_t n_blocks;
    size_t blocks_capacity;
    wsr_status status; // first failure
} wsr__onnx_writer;

/// Zeroed memory that the writer owns; NULL after a failure.
void *wsr__onnx_take(wsr__onnx_writer *w, size_t count, size_t size);
/// A copy of a text that the writer owns; "" after a failure.
char *wsr__onnx_text(wsr__onnx_writer *w, const char *text);
/// Put a node behind the last one.
void wsr__onnx_append(wsr__onnx_writer *w, Wsr__Onnx__Node *node);
/// A tensor of floats or whole numbers (int64), in memory that stays as it is;
/// NULL after a failure.
Wsr__Onnx__Tensor *wsr__onnx_tensor(wsr__onnx_writer *w, int type, void *data,
                                    const wsr_shape *shape);
/// A copy of a name that no parameter has: with primes behind it if need be.
char *wsr__onnx_unused(wsr__onnx_writer *w, const char *name);
/// Make the last node the one with the result of the op.
void wsr__onnx_finish(wsr__onnx_step *step, const char *value);

/// An op of the graph as its writer sees it.
struct wsr__onnx_step {
    wsr__onnx_writer *writer;
    const wsr__vertex *vertex;
    const wsr__onnx_row *row;
    size_t number; // of the op
    size_t parts;  // nodes so far
};

// ------------------------------------------------------------------ sources

/// Name and shape of a source of the op.
const char *wsr__onnx_src(const wsr__onnx_step *step, size_t i);
const wsr_shape *wsr__onnx_src_shape(const wsr__onnx_step *step, size_t i);

// ------------------------------------------------------------------ options

bool wsr__onnx_get_bool(const wsr__onnx_step *step, const char *key);
int64_t wsr__onnx_get_int(const wsr__onnx_step *step, const char *key);
double wsr__onnx_get_float(const wsr__onnx_step *step, const char *key);
const char *wsr__onnx_get_word(const wsr__onnx_step *step, const char *key);
const wsr__ints *wsr__onnx_get_ints(const wsr__onnx_step *step,
                                    const char *key);
const wsr__floats *wsr__onnx_get_floats(const wsr__onnx_step *step,
                                        const char *key);
/// A list of one number or two, for height and width; `fallback` for none.
void wsr__onnx_get_pair(int64_t out[2], const wsr__onnx_step *step,
                        const char *key, int64_t fallback);

// -------------------------------------------------------------------- nodes

/// Add a node of `n` inputs, an input of NULL being left out; the result is
/// the name of its output.
const char *wsr__onnx_add(wsr__onnx_step *step, const char *op,
                          const char *const *inputs, size_t n);
const char *wsr__onnx_add1(wsr__onnx_step *step, const char *op, const char *a);
const char *wsr__onnx_add2(wsr__onnx_step *step, const char *op, const char *a,
                           const char *b);
/// A node of all sources of the op.
const char *wsr__onnx_add_all(wsr__onnx_step *step, const char *op);

/// Attributes of the node that was added last.
void wsr__onnx_with_int(wsr__onnx_step *step, const char *key, int64_t value);
void wsr__onnx_with_float(wsr__onnx_step *step, const char *key, double value);
void wsr__onnx_with_word(wsr__onnx_step *step, const char *key,
                         const char *value);
void wsr__onnx_with_ints(wsr__onnx_step *step, const char *key,
                         const int64_t *values, size_t n);

/// Constant nodes: a number, a list of n whole numbers, floats of a shape, and
/// equal floats. The result is the name.
const char *wsr__onnx_number(wsr__onnx_step *step, double value);
const char *wsr__onnx_wholes(wsr__onnx_step *step, const int64_t *values,
                             size_t n);
const char *wsr__onnx_floats(wsr__onnx_step *step, const float *values,
                             const wsr_shape *shape);
const char *wsr__onnx_equal(wsr__onnx_step *step, float value,
                            const wsr_shape *shape);

/// Add the node of a range of one axis: begin, begin + step, ..., before end.
typedef struct wsr__onnx_range {
    int64_t axis;
    int64_t begin;
    int64_t end;
    int64_t step;
} wsr__onnx_range;
const char *wsr__onnx_slice(wsr__onnx_step *step, const char *x,
                            const wsr__onnx_range *ranges, size_t n);
/// Add the node that gives x the dimensions `first`, dims[1], ...; 0: that of
/// x, -1: what the others leave.
const char *wsr__onnx_shaped(wsr__onnx_step *step, const char *x, int64_t first,
                             const wsr_shape *shape);

/// Writers that many ops share: one node of all sources, without attributes,
/// of the operator of the row.
void wsr__onnx_write_plain(wsr__onnx_step *step);

/// Say that the op cannot be written, and why.
void wsr__onnx_refuse(wsr__onnx_step *step, const char *why);

#endif
