// SPDX-License-Identifier: Apache-2.0
//
// ONNX files: what is read makes a plan, or is refused in one line.

#include "fuzz/one_input.h"
#include "onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    if (wsr_params_new(&params, 1) != WSR_OK) {
        return 0;
    }
    const wsr_status status =
        wsr__onnx_read_bytes(&graph, params, data, size, "f.onnx", NULL);
    if ((status == WSR_OK) != (graph != NULL) ||
        (status != WSR_OK && (wsr_error_detail()[0] == '\0' ||
                              strchr(wsr_error_detail(), '\n') != NULL))) {
        abort();
    }
    wsr_graph_free(graph);
    wsr_params_free(params);
    return 0;
}
