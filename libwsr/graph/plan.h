// SPDX-License-Identifier: Apache-2.0
//
// The inside of a plan. Compilation goes through these files in turn:
//   compile.c  reachable ops, shapes for the batch, kernels, layouts, wanted
//              gradients
//   memory.c   lifetimes, one arena, pointers
//   run.c      forward, backward, timing
//   dump.c     the plan as text

#ifndef WSR_GRAPH_PLAN_H
#define WSR_GRAPH_PLAN_H

#include "graph/graph.h"

#define WSR__NONE UINT32_MAX

/// A value of a plan.
typedef struct wsr__slot {
    wsr__role role;
    wsr__desc desc;
    const char *name; // of an input, owned by the plan
    wsr__param *param;
    uint32_t step;   // that makes it, WSR__NONE for inputs and parameters
    bool needs_grad; // a wanted gradient flows through it
    bool gets_diff;  // backward computes its gradient
    bool is_output;
    uint32_t twin; // the same value in the other layout, or WSR__NONE
    uint32_t data; // span of its data
    uint32_t diff; // span of its gradient
} wsr__slot;

/// One op of a plan.
typedef struct wsr__step {
    wsr__node node;
    void *options;  // owned copy, node.params
    uint32_t *srcs; // slots
    uint32_t dst;   // slot
    uint32_t *temp; // span per source of a gradient that must be added up
    uint32_t workspace;
    uint32_t scratch;
    double forward_s;
    double backward_s;
} wsr__step;

typedef struct wsr__port {
    char *name;
    uint32_t slot;
    uint32_t seed; // span of the gradient the caller gives (outputs)
} wsr__port;

struct wsr_plan {
    size_t batch;
    unsigned purpose;
    wsr_params *params;
    wsr__slot *slots;
    size_t slot_count;
    size_t slot_capacity;
    wsr__step *steps;
    size_t step_count;
    size_t step_capacity;
    wsr__port *inputs;
    size_t input_count;
    wsr__port *outputs;
    size_t output_count;
    wsr__span *spans;
    size_t span_count;
    size_t span_capacity;
    size_t floats; // of the arena
    wsr__arena own;
    wsr__arena *arena;  // &own, or the caller's
    const float *bound; // arena base that pointers were made for
    bool timed;
    size_t runs;
};

static inline bool wsr__plan_backwards(const wsr_plan *plan)
{
    return (plan->purpose & (WSR_GRAD_INPUT | WSR_GRAD_PARAMS)) != 0;
}

/// Fill slots, steps and ports from a graph.
wsr_status wsr__plan_compile(wsr_plan *plan, const wsr_graph *graph);

/// Compute lifetimes and place everything in the arena.
wsr_status wsr__plan_place(wsr_plan *plan);

/// Set all pointers when the arena has moved since.
void wsr__plan_bind(wsr_plan *plan);

/// Where a span lies, NULL for WSR__NONE.
float *wsr__plan_at(const wsr_plan *plan, uint32_t span);

/// Reserve the arena, and bind.
wsr_status wsr__plan_ready(wsr_plan *plan);

#endif
