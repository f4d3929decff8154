// SPDX-License-Identifier: Apache-2.0
//
// ONNX files: reading one as a graph, and writing a graph as one. docs/onnx.md
// says what is read and written.

#ifndef WSR_ONNX_ONNX_H
#define WSR_ONNX_ONNX_H

#include "graph/graph.h"

/// What a caller knows of the images where a file leaves it open; 0: nothing.
typedef struct wsr__onnx_image {
    int64_t channels;
    int64_t height;
    int64_t width;
} wsr__onnx_image;

/// Name of the producer in files that this library wrote.
#define WSR__ONNX_PRODUCER "libwsr"

/// Whether a file is to be read as ONNX: its name ends in ".onnx".
bool wsr__onnx_is_path(const char *path);

/// Read a classifier. The graph has the input "x" (1, c, h, w) and the output
/// "logits" (1, classes); its weights go into `params` under the names of the
/// file. [out, owned] IO; FORMAT, naming the node, for what is damaged or not
/// supported; NOMEM.
wsr_status wsr__onnx_read(wsr_graph **out, wsr_params *params, const char *path,
                          const wsr__onnx_image *image);

/// The same of bytes. Files of weights beside the model are looked for in the
/// folder of `path`, which stands in messages, too.
wsr_status wsr__onnx_read_bytes(wsr_graph **out, wsr_params *params,
                                const void *bytes, size_t size,
                                const char *path, const wsr__onnx_image *image);

/// A pair of texts that a model carries, such as "wsr.kind" and "resnet".
typedef struct wsr__onnx_note {
    const char *key;
    const char *value;
} wsr__onnx_note;

/// Write a graph with the input "x" and the output "logits" as a model of
/// opset 17, for any batch. The file is replaced as a whole or not at all; its
/// bytes depend on nothing but graph and notes. UNSUPPORTED, naming the op, for
/// a graph that ONNX cannot hold; IO; NOMEM.
wsr_status wsr__onnx_write(const wsr_graph *graph, const char *path,
                           const wsr__onnx_note *notes, size_t n);

#endif
