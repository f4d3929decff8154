// SPDX-License-Identifier: Apache-2.0
//
// The reader of ONNX files for libFuzzer, and for the test of mutated files:
//
//   cmake --preset asan -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++
//   cmake --build --preset asan --target onnx_fuzz_read
//   build-asan/tests/onnx_fuzz_read -max_len=65536 CORPUS
//
// Whatever the bytes are, they become a graph or one line.

#include "onnx/fuzz_read.h"

#include "onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    if (wsr_params_new(&params, 0) != WSR_OK) {
        return 0;
    }
    const wsr_status status =
        wsr__onnx_read_bytes(&graph, params, data, size, "fuzz.onnx", NULL);
    if ((status == WSR_OK) != (graph != NULL) ||
        (status != WSR_OK && (wsr_error_detail()[0] == '\0' ||
                              strchr(wsr_error_detail(), '\n') != NULL))) {
        abort();
    }
    wsr_graph_free(graph);
    wsr_params_free(params);
    return 0;
}
