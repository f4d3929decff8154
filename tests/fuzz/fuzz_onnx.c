// SPDX-License-Identifier: Apache-2.0
//
// ONNX files: what is read makes a plan, or is refused in one line.

#include "fuzz/fuzz.h"
#include "io/io.h"
#include "onnx/onnx.h"

// Of the models of tests/onnx/operators.py, every operator.
static void seeds(void)
{
    wsr__st *st = NULL;
    MUST_HOLD(wsr__st_open(&st, OPERATORS) == WSR_OK);
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const wsr__st_tensor *const t = wsr__st_at(st, i);
        if (t->dtype == WSR__ST_U8) {
            fuzz_seed(t->data, t->count);
        }
    }
    wsr__st_free(st);
}

const fuzz_target fuzz = {.seeds = seeds, .files = 600, .rounds = 40};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    fuzz_demand(wsr_params_new(&params, 1) == WSR_OK);
    FUZZ_CHECK(wsr__onnx_read_bytes(&graph, params, data, size, "f.onnx", NULL),
               graph);
    wsr_graph_free(graph);
    wsr_params_free(params);
    return 0;
}
