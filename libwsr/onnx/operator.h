// SPDX-License-Identifier: Apache-2.0
//
// The family of ONNX's operators. A member is a file with rows that say how
// nodes become ops of the graph (read.h) and ops of the graph nodes (write.h).

#ifndef WSR_ONNX_OPERATOR_H
#define WSR_ONNX_OPERATOR_H

#include "base/registry.h"

typedef struct wsr__onnx_node wsr__onnx_node;
typedef struct wsr__onnx_step wsr__onnx_step;

/// An operator of ONNX and an op of the graph: how one becomes the other.
typedef struct wsr__onnx_row {
    const char *op; // ONNX's; NULL: the row is for writing only
    wsr_status (*read)(wsr__onnx_node *node);
    const char *with; // op of the graph, or what the reader takes it for
    size_t least;     // inputs that must be there
    /// Write an op `with` of the graph; NULL: another row does, or none.
    void (*write)(wsr__onnx_step *step);
} wsr__onnx_row;

typedef struct wsr__operator_class {
    wsr__class super;
    const wsr__onnx_row *rows; // ended by {0}
} wsr__operator_class;

#define WSR_REG(family, name) \
    extern const wsr__operator_class wsr__operator_##name;
#include "onnx/operators.def"
#undef WSR_REG

extern const wsr__family wsr__operators;

/// The row by which nodes of an operator are read, NULL for none.
const wsr__onnx_row *wsr__onnx_row_of(const char *op);
/// The row by which an op of the graph is written, NULL for none.
const wsr__onnx_row *wsr__onnx_row_for(const char *op);

#endif
