// SPDX-License-Identifier: Apache-2.0
//
// Prints docs/ops.md, the reference of all ops, from the registry. It uses
// nothing but public functions.

#include "page.h"

#include <stdio.h>
#include <stdlib.h>

static const char head[] =
    "# Ops\n"
    "\n"
    "What `wsr_graph_op()` applies by name. This page is generated from the\n"
    "registry (`wsr/registry.h`); a test compares the two.\n"
    "\n"
    "Sources are given in this order. Every tensor is row-major; its first\n"
    "dimension, where it is called n, is the batch: a graph is built for a\n"
    "batch of one, and a plan multiplies it. Weights, biases and statistics\n"
    "are parameters (`wsr_graph_param()`), the rest are values.\n"
    "\n"
    "| op | result | what it computes |\n"
    "|---|---|---|\n";

static void print_op(const wsr_variant *op)
{
    const char *const name = wsr_variant_name(op);
    print_summary(op);
    printf("\n- sources: %s\n- result: %s\n", wsr_op_sources(name),
           wsr_op_result(name));
    print_options(op);
}

int main(void)
{
    const wsr_family *ops = NULL;
    if (wsr_family_find(&ops, "op") != WSR_OK) {
        (void)fprintf(stderr, "ops_page: %s\n", wsr_error_detail());
        return EXIT_FAILURE;
    }
    printf("%s", head);
    for (size_t i = 0; i < wsr_family_size(ops); i++) {
        const wsr_variant *const op = wsr_family_variant(ops, i);
        const char *const name = wsr_variant_name(op);
        printf("| [%s](#%s) | %s | %s |\n", name, name, wsr_op_result(name),
               wsr_variant_summary(op));
    }
    for (size_t i = 0; i < wsr_family_size(ops); i++) {
        print_op(wsr_family_variant(ops, i));
    }
    return EXIT_SUCCESS;
}
