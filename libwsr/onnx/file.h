// SPDX-License-Identifier: Apache-2.0
//
// A parsed ONNX file, and its tensors.

#ifndef WSR_ONNX_FILE_H
#define WSR_ONNX_FILE_H

#include "base/base.h"
#include "wsr/tensor.h"

#include <onnx.pb-c.h>

/// Numbers of element types in files.
enum {
    WSR__ONNX_FLOAT = 1,
    WSR__ONNX_UINT8 = 2,
    WSR__ONNX_INT8 = 3,
    WSR__ONNX_UINT16 = 4,
    WSR__ONNX_INT16 = 5,
    WSR__ONNX_INT32 = 6,
    WSR__ONNX_INT64 = 7,
    WSR__ONNX_BOOL = 9,
    WSR__ONNX_FLOAT16 = 10,
    WSR__ONNX_DOUBLE = 11,
    WSR__ONNX_UINT32 = 12,
    WSR__ONNX_UINT64 = 13,
    WSR__ONNX_BFLOAT16 = 16
};

/// The memory that a file may have parsed into.
typedef struct wsr__onnx_memory {
    ProtobufCAllocator allocator;
    size_t left; // bytes
    bool refused;
} wsr__onnx_memory;

typedef struct wsr__onnx_file {
    const char *path; // borrowed
    Wsr__Onnx__Model *model;
    wsr__onnx_memory memory;
} wsr__onnx_file;

/// Parse a model; the file [out] is closed with wsr__onnx_close(), also after a
/// failure. FORMAT when it is none, NOMEM.
wsr_status wsr__onnx_parse(wsr__onnx_file *out, const void *bytes, size_t size,
                           const char *path);
void wsr__onnx_close(wsr__onnx_file *file);

/// Whether a tensor's elements are floating-point numbers.
bool wsr__onnx_is_float(const Wsr__Onnx__Tensor *tensor);

/// Shape and number of elements of a tensor whose data are as long as its
/// shape says. FORMAT otherwise.
wsr_status wsr__onnx_tensor_shape(wsr_shape *shape, size_t *count,
                                  const wsr__onnx_file *file,
                                  const Wsr__Onnx__Tensor *tensor);

/// The bytes of `count` floats as they lie in the file, not aligned. [borrowed]
/// NULL for a tensor of another type or whose elements lie elsewhere.
const void *wsr__onnx_tensor_raw(size_t count, const Wsr__Onnx__Tensor *tensor);

/// The elements of a tensor of `count` elements, as floats or as whole numbers.
wsr_status wsr__onnx_tensor_floats(float *out, size_t count,
                                   const wsr__onnx_file *file,
                                   const Wsr__Onnx__Tensor *tensor);
wsr_status wsr__onnx_tensor_ints(int64_t *out, size_t count,
                                 const wsr__onnx_file *file,
                                 const Wsr__Onnx__Tensor *tensor);

#endif
