// SPDX-License-Identifier: Apache-2.0

#ifndef WSR_TESTS_ONNX_FUZZ_READ_H
#define WSR_TESTS_ONNX_FUZZ_READ_H

#include <stddef.h>
#include <stdint.h>

/// Read bytes as an ONNX file; aborts when the reader breaks its promises.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
