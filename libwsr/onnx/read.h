// SPDX-License-Identifier: Apache-2.0
//
// Reading an ONNX graph: what readers of nodes get and what they call.
//
// Values of a file are constants or values of the graph under construction. A
// graph has the batch in front of every value, and its size is no number. The
// file's values may have it at another axis, and may have merged it with
// others: (n, s, h d) -> (s, n h, d) in attention. So a value has its shape in
// the file for one image, and the axis where the batch is, whose size counts
// per image: (s, h, d) with the batch at axis 1. In the graph it lies as (n, s,
// h, d), the axis of the batch left out where its size is 1.

#ifndef WSR_ONNX_READ_H
#define WSR_ONNX_READ_H

#include "graph/graph.h"
#include "onnx/file.h"
#include "onnx/operator.h"

/// A value of the file.
typedef struct wsr__onnx_value {
    const char *name; // in the file
    bool made;        // what follows is known
    bool constant;
    wsr_shape shape;
    // Of a value of the graph.
    wsr_value value;
    int batch;    // axis of shape
    int64_t lead; // numbers before the batch in its axis: (s n, d) has s; 0: 1
    // Of a constant: its elements, unless they are still in `tensor`.
    const Wsr__Onnx__Tensor *tensor;
    bool integer;
    size_t count;
    float *floats;
    int64_t *ints;
    unsigned char *powers; // whole numbers are to be multiplied by this power
                           // of the batch size
} wsr__onnx_value;

/// A file's graph while it is read.
typedef struct wsr__onnx_reader {
    const wsr__onnx_file *file;
    wsr_graph *graph;
    wsr__onnx_value *values; // by name
    size_t n_values;
    int64_t opset;
    int64_t batch; // size of the batch in the file, 1 where it is a name
    bool own;      // this library wrote the file: see wsr__onnx_may_be()
    size_t room;   // elements that constants may still take
} wsr__onnx_reader;

/// A node as its reader sees it.
struct wsr__onnx_node {
    wsr__onnx_reader *reader;
    const Wsr__Onnx__Node *proto;
    const wsr__onnx_row *row;
    wsr__onnx_value **in; // NULL where an input is left out
    size_t n_in;
    wsr__onnx_value **out; // likewise
    size_t n_out;
};

/// Whether this library wrote the node for this op of the graph, alone or as
/// the last of several (onnx/write.h). Only the choice among ops that compute
/// the same may depend on it.
bool wsr__onnx_is_own(const wsr__onnx_node *node, const char *op);
/// The same for files of others too, whose nodes may be any op.
bool wsr__onnx_may_be(const wsr__onnx_node *node, const char *op);
/// Whether this library wrote the node for this op, and nodes behind it, too.
bool wsr__onnx_is_part(const wsr__onnx_node *node, const char *op);
/// Whether it wrote what makes input `i` for the same op.
bool wsr__onnx_joins(const wsr__onnx_node *node, size_t i);

// --------------------------------------------------------------- attributes

const Wsr__Onnx__Attribute *wsr__onnx_attribute(const wsr__onnx_node *node,
                                                const char *key);
int64_t wsr__onnx_int(const wsr__onnx_node *node, const char *key,
                      int64_t fallback);
/// The shortest decimal number that the file's float stands for: exporters
/// round 1e-5 to a float.
double wsr__onnx_float(const wsr__onnx_node *node, const char *key,
                       double fallback);
/// That decimal number of any float.
double wsr__onnx_decimal(float f);
/// Whether a text attribute is `word`; `fallback` where it is left out.
bool wsr__onnx_is(const wsr__onnx_node *node, const char *key, const char *word,
                  bool fallback);
/// The one of some words that a text attribute is, NULL for another one.
const char *wsr__onnx_word(const wsr__onnx_node *node, const char *key,
                           const char *const *words, const char *fallback);
/// A list, [borrowed] NULL where it is left out.
const int64_t *wsr__onnx_ints(const wsr__onnx_node *node, const char *key,
                              size_t *n);

// ------------------------------------------------------------------- inputs

/// Input `i`, NULL where it is left out.
wsr__onnx_value *wsr__onnx_in(const wsr__onnx_node *node, size_t i);
/// Whether all inputs are constants.
bool wsr__onnx_all_constant(const wsr__onnx_node *node);
/// Input 0 as a value of the graph: FORMAT where it is a constant.
wsr_status wsr__onnx_need_value(const wsr__onnx_node *node, size_t i);
/// Whole numbers of input `i`, or of the attribute `key` in older opsets. NULL
/// and 0 where neither is there.
wsr_status wsr__onnx_numbers(const int64_t **out, size_t *n,
                             const wsr__onnx_node *node, size_t i,
                             const char *key);
/// The one number of input `i`; false where it is none.
bool wsr__onnx_scalar(double *out, const wsr__onnx_node *node, size_t i);
/// An axis counted from the front: FORMAT where there is none.
wsr_status wsr__onnx_axis(int *out, int64_t axis, int ndims);

// ---------------------------------------------------------------- constants

/// Make the elements of a constant available.
wsr_status wsr__onnx_decode(const wsr__onnx_node *node, wsr__onnx_value *value);
/// Make output `i` a constant of zeros. FORMAT when it would be too large.
wsr_status wsr__onnx_constant(wsr__onnx_node *node, size_t i, bool integer,
                              const wsr_shape *shape);
/// Make output `i` elements `index` of a constant.
wsr_status wsr__onnx_pick(wsr__onnx_node *node, size_t i, wsr__onnx_value *from,
                          const wsr_shape *shape, const int64_t *index);
/// Output `i` is the same constant or value as `from`, under another shape.
wsr_status wsr__onnx_same(wsr__onnx_node *node, size_t i, wsr__onnx_value *from,
                          const wsr_shape *shape);

/// Floats of a constant as a parameter of the graph of this shape.
wsr_status wsr__onnx_param(wsr_value *out, wsr__onnx_node *node,
                           wsr__onnx_value *value, const wsr_shape *shape);
/// The same as a buffer, which is not trained.
wsr_status wsr__onnx_buffer(wsr_value *out, wsr__onnx_node *node,
                            wsr__onnx_value *value, const wsr_shape *shape);
/// A constant beside a value: a parameter without the axis of the batch, in
/// which it must not differ, and without leading axes of 1.
wsr_status wsr__onnx_operand(wsr_value *out, wsr__onnx_node *node,
                             wsr__onnx_value *c, const wsr__onnx_value *like);
/// Floats that were computed from a constant of that name.
wsr_status wsr__onnx_param_of(wsr_value *out, wsr__onnx_node *node,
                              const char *name, const float *data,
                              const wsr_shape *shape);

// ------------------------------------------------------------------ results

/// An op of the graph under construction, with its options.
typedef struct wsr__onnx_op {
    const wsr__op_class *cls;
    void *params;
    wsr_status failed;
} wsr__onnx_op;

/// Begin an op; failures are kept until wsr__onnx_emit(), which must follow.
wsr__onnx_op wsr__onnx_begin(const char *name);
void wsr__onnx_set_bool(wsr__onnx_op *op, const char *key, bool value);
void wsr__onnx_set_int(wsr__onnx_op *op, const char *key, int64_t value);
void wsr__onnx_set_float(wsr__onnx_op *op, const char *key, double value);
void wsr__onnx_set_word(wsr__onnx_op *op, const char *key, const char *value);
void wsr__onnx_set_ints(wsr__onnx_op *op, const char *key,
                        const int64_t *values, size_t n);
void wsr__onnx_set_floats(wsr__onnx_op *op, const char *key,
                          const double *values, size_t n);
/// The words that an option of an op takes, ended by NULL.
const char *const *wsr__onnx_words(wsr__onnx_op *op, const char *key);
/// Apply it to values of the graph and release it.
wsr_status wsr__onnx_emit(wsr_value *out, const wsr__onnx_node *node,
                          wsr__onnx_op *op, const wsr_value *srcs, size_t n);
/// An op of one source without options.
wsr_status wsr__onnx_emit1(wsr_value *out, const wsr__onnx_node *node,
                           const char *name, wsr_value src);

/// Output `i` is a value of the graph.
void wsr__onnx_put(wsr__onnx_node *node, size_t i, wsr_value value,
                   const wsr_shape *shape, int batch);
/// Output 0 is a value of the shape of input 0.
void wsr__onnx_put_like(wsr__onnx_node *node, wsr_value value);

/// The axis in the graph of another axis than the batch's.
int wsr__onnx_graph_axis(const wsr__onnx_value *value, int axis);
/// Whether a value lies in the graph as in the file: the batch alone, in front.
bool wsr__onnx_is_plain(const wsr__onnx_value *value);
/// FORMAT unless input 0 is an image (n, c, h, w).
wsr_status wsr__onnx_need_image(const wsr__onnx_node *node);
/// Bring a value to another shape of as many elements in the same order.
wsr_status wsr__onnx_reshape(wsr_value *out, const wsr__onnx_node *node,
                             const wsr__onnx_value *value,
                             const wsr_shape *shape, int batch);
/// The op behind a value of the graph where it is this one, else NULL.
const wsr__vertex *wsr__onnx_op_of(const wsr__onnx_node *node, wsr_value value,
                                   const wsr__op_class *cls);

/// Several nodes that other tools write for one op (SiLU, GELU, Mish), and
/// that this library does: `*done` when the op stands for the last of them.
wsr_status wsr__onnx_pattern(wsr_value *out, bool *done,
                             const wsr__onnx_node *node);

/// src weights^T + bias along the last axis, whatever lies before it. `bias`
/// may be NULL.
wsr_status wsr__onnx_linear(wsr_value *out, const wsr__onnx_node *node,
                            wsr_value src, wsr_value weights,
                            const wsr_value *bias);

#endif
