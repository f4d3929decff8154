// SPDX-License-Identifier: Apache-2.0
//
// Creation and release of a plan, and the pointers through which callers write
// its inputs and read its outputs. Creation compiles the graph, places all
// buffers in the arena and reserves it; after that neither forward nor backward
// allocates. A plan borrows the graph's parameters and keeps nothing else of
// the graph.

#include "graph/plan.h"

#include <string.h>

// The plan is complete or not there at all: `out:` frees what a failure left
// half made, and wsr_plan_free() accepts every such state because the plan
// starts zeroed.
wsr_status wsr__plan_new_in(wsr_plan **out, const wsr_graph *graph,
                            size_t batch, unsigned purpose, wsr__arena *arena)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    *out = NULL;
    WSR_TRY(wsr__graph_status(graph));
    WSR_TRY(wsr__threads_start());
    if (batch < 1) {
        return WSR_FAIL(WSR_ARG, "plan: batch 0 is below 1");
    }
    if (graph->output_count < 1) {
        return WSR_FAIL(WSR_ARG, "plan: the graph has no output");
    }
    plan = wsr__alloc(1, sizeof(*plan));
    if (plan == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    plan->batch = batch;
    plan->purpose = purpose;
    // A shared arena grows to the largest plan that uses it.
    plan->arena = arena == NULL ? &plan->own : arena;
    WSR_TRY(wsr__plan_compile(plan, graph));
    WSR_TRY(wsr__plan_place(plan));
    WSR_TRY(wsr__plan_ready(plan));
    *out = plan;
    plan = NULL;
out:
    wsr_plan_free(plan);
    return status;
}

wsr_status wsr_plan_new(wsr_plan **out, const wsr_graph *graph, size_t batch,
                        unsigned purpose)
{
    return wsr__plan_new_in(out, graph, batch, purpose, NULL);
}

// Frees what a step owns, but not the step itself, which lies in an array. The
// implementation's own state goes first: unplan() may still read the params.
void wsr__step_free(wsr__step *step)
{
    if (step->node.impl != NULL && step->node.impl->unplan != NULL) {
        step->node.impl->unplan(&step->node);
    }
    wsr__free(step->options);
    wsr__free(step->node.src);
    wsr__free(step->srcs);
    wsr__free(step->temp);
    wsr__free(step->relu_masks);
}

static void ports_free(wsr__port *ports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wsr__free(ports[i].name);
    }
    wsr__free(ports);
}

void wsr_plan_free(wsr_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        wsr__step_free(&plan->steps[s]);
    }
    ports_free(plan->inputs, plan->input_count);
    ports_free(plan->outputs, plan->output_count);
    for (size_t i = 0; i < plan->slot_count; i++) {
        wsr__free(plan->slots[i].consumers);
    }
    wsr__free(plan->slots);
    wsr__free(plan->steps);
    wsr__free(plan->spans);
    wsr__free(plan->ready);
    wsr__arena_free(&plan->own);
    wsr__free(plan);
}

wsr_status wsr__plan_sync_norms(wsr_plan *plan, const wsr__norm_sync *sync)
{
    for (size_t s = 0; s < plan->step_count; s++) {
        wsr__node *const node = &plan->steps[s].node;
        if (plan->steps[s].dead || !node->train || !node->cls->batch_stats) {
            continue;
        }
        if (!node->impl->syncs) {
            return WSR_FAIL(WSR_UNSUPPORTED,
                            "%s: the kernel %s cannot be synchronised",
                            node->cls->super.name, node->impl->name);
        }
        node->sync = sync;
    }
    return WSR_OK;
}

size_t wsr_plan_batch(const wsr_plan *plan)
{
    return plan->batch;
}

// A plan has few ports, so a linear search is enough. NULL: no such name.
static const wsr__port *find(const wsr__port *ports, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(ports[i].name, name) == 0) {
            return &ports[i];
        }
    }
    return NULL;
}

// Ports are plain tensors, dense from image to image: their batch stride is
// always 0 and callers need not see it. The pointers stay valid until a plan
// that shares the arena enlarges it.
float *wsr_plan_src(wsr_plan *plan, const char *input)
{
    int64_t batch_stride = 0;
    const wsr__port *const port = find(plan->inputs, plan->input_count, input);
    return port == NULL ? NULL
                        : wsr__plan_data(plan, port->slot, &batch_stride);
}

const float *wsr_plan_dst(const wsr_plan *plan, const char *output)
{
    int64_t batch_stride = 0;
    const wsr__port *const port =
        find(plan->outputs, plan->output_count, output);
    return port == NULL ? NULL
                        : wsr__plan_data(plan, port->slot, &batch_stride);
}

const wsr_shape *wsr_plan_shape(const wsr_plan *plan, const char *output)
{
    const wsr__port *const port =
        find(plan->outputs, plan->output_count, output);
    return port == NULL ? NULL : &plan->slots[port->slot].desc.shape;
}

const wsr_shape *wsr__plan_src_shape(const wsr_plan *plan, const char *input)
{
    const wsr__port *const port = find(plan->inputs, plan->input_count, input);
    return port == NULL ? NULL : &plan->slots[port->slot].desc.shape;
}

float *wsr_plan_diff_dst(wsr_plan *plan, const char *output)
{
    const wsr__port *const port =
        find(plan->outputs, plan->output_count, output);
    return port == NULL ? NULL : wsr__plan_at(plan, port->initial_diff);
}

// NULL also for an input whose gradient the purpose did not ask for, or that no
// output depends on.
const float *wsr_plan_diff_src(const wsr_plan *plan, const char *input)
{
    int64_t batch_stride = 0;
    const wsr__port *const port = find(plan->inputs, plan->input_count, input);
    return port == NULL || !plan->slots[port->slot].gets_diff
               ? NULL
               : wsr__plan_diff(plan, port->slot, &batch_stride);
}

size_t wsr_plan_bytes(const wsr_plan *plan)
{
    return plan->floats * sizeof(float);
}

void wsr_plan_time(wsr_plan *plan, bool on)
{
    plan->timed = on;
    plan->runs = 0;
    for (size_t s = 0; s < plan->step_count; s++) {
        plan->steps[s].forward_s = 0;
        plan->steps[s].backward_s = 0;
    }
}
