// SPDX-License-Identifier: Apache-2.0
//
// Turns a graph into the slots and steps of a plan. It leaves out what no
// output needs, and chooses for each op the first implementation that applies.
// Where an implementation wants a source in the other layout, a step makes a
// reordered copy, once per value. A gradient is wanted where it flows from an
// output to an input or a parameter whose gradient the purpose asks for.

#include "graph/plan.h"

#include <string.h>

// State of one compilation. It is gone when the plan is made.
typedef struct compiler {
    wsr_plan *plan;
    const wsr_graph *graph;
    uint32_t *slot_of; // graph value -> slot, WSR__NONE: unreachable
    bool *reached;
} compiler;

// A slot without memory, and without a norm or a reordered copy.
#define NOWHERE                                                      \
    .norm = WSR__NONE, .reordered = WSR__NONE, .data_in = WSR__NONE, \
    .diff_in = WSR__NONE, .data = WSR__NONE, .diff = WSR__NONE

// Values come behind their sources, so that one walk from the end is enough.
// Marks the values that some output depends on; the rest gets neither slot nor
// step.
static void reach(const compiler *c)
{
    const wsr_graph *const g = c->graph;
    for (size_t i = 0; i < g->output_count; i++) {
        c->reached[g->outputs[i].value] = true;
    }
    for (size_t i = g->count; i-- > 0;) {
        for (size_t j = 0; c->reached[i] && j < g->list[i].n; j++) {
            c->reached[g->list[i].srcs[j]] = true;
        }
    }
}

// Slots are known by index: the array may move whenever one is added, so no
// pointer to a slot outlives a call that can add one.
static wsr_status add_slot(uint32_t *out, wsr_plan *plan, const wsr__slot *slot)
{
    const wsr_status status =
        wsr__reserve((void **)&plan->slots, &plan->slot_capacity,
                     plan->slot_count + 1, sizeof(*plan->slots));
    if (status == WSR_OK) {
        *out = (uint32_t)plan->slot_count;
        plan->slots[plan->slot_count++] = *slot;
    }
    return status;
}

// The slot of an input, (batch, ...), or of a parameter. Only the first
// dimension, images, grows with the batch. A frozen parameter or a buffer needs
// no gradient whatever the purpose says.
static wsr_status add_leaf(compiler *c, size_t i)
{
    const wsr__vertex *const vertex = &c->graph->list[i];
    wsr_plan *const plan = c->plan;
    wsr__slot slot = {.role = vertex->role,
                      .desc = {.shape = vertex->shape},
                      .param = vertex->param,
                      .producer = WSR__NONE,
                      NOWHERE};
    if (vertex->role == WSR__INPUT) {
        slot.desc.shape.dims[0] *= (int64_t)plan->batch;
        slot.needs_grad = (plan->purpose & WSR_GRAD_INPUT) != 0;
    } else {
        slot.needs_grad = (plan->purpose & WSR_GRAD_PARAMS) != 0 &&
                          vertex->param->trainable;
    }
    wsr_status status = add_slot(&c->slot_of[i], plan, &slot);
    if (status == WSR_OK && vertex->role == WSR__INPUT) {
        wsr__port *const port = &plan->inputs[plan->input_count];
        port->slot = c->slot_of[i];
        port->initial_diff = WSR__NONE;
        port->name = wsr__strdup(vertex->name);
        if (port->name == NULL) {
            return WSR_NOMEM;
        }
        plan->input_count++;
        plan->slots[port->slot].name = port->name;
    }
    return status;
}

// Implementations are listed best first; the last is the reference and always
// applies. WSR_REFERENCE takes the last one for every op; tests compare fast
// plans with such a plan.
static const wsr__impl *choose(const wsr__node *node, unsigned purpose)
{
    const wsr__impl *const *impl = node->cls->impls;
    if ((purpose & WSR_REFERENCE) != 0) {
        while (impl[1] != NULL) {
            impl++;
        }
        return *impl;
    }
    while (impl[1] != NULL && (*impl)->applicable != NULL &&
           !(*impl)->applicable(node)) {
        impl++;
    }
    return *impl;
}

// Only some kernels read a concatenation whose parts are padded to blocks. An
// implementation without a layout function wants row-major (plain) sources.
static void set_layouts(wsr__node *node)
{
    for (size_t i = 0; node->impl->layout == NULL && i < node->n; i++) {
        node->src[i].desc.layout = WSR__PLAIN;
    }
    if (node->impl->layout != NULL) {
        node->impl->layout(node);
    }
    for (size_t i = 0; i < node->n; i++) {
        if (!node->impl->fusion.parts ||
            node->src[i].desc.layout == WSR__PLAIN) {
            node->src[i].desc.part = 0;
        }
    }
}

static wsr_status add_reorder(uint32_t *out, wsr_plan *plan, uint32_t slot)
{
    return wsr__plan_add_step(out, plan, &wsr__op_reorder, NULL, &slot, 1);
}

// The reordered copy of a slot, made at the first request. Each is the copy of
// the other, so that a value is never reordered back.
static wsr_status other_layout(uint32_t *out, wsr_plan *plan, uint32_t slot)
{
    if (plan->slots[slot].reordered != WSR__NONE) {
        *out = plan->slots[slot].reordered;
        return WSR_OK;
    }
    const wsr_status status = add_reorder(out, plan, slot);
    if (status == WSR_OK) {
        plan->slots[slot].reordered = *out;
        plan->slots[*out].reordered = slot;
    }
    return status;
}

// What is known before an implementation is chosen: sources as they lie,
// shapes, and which gradients may flow. want_diffs() takes back what no output
// supplies.
static wsr_status make_node(wsr__node *node, const wsr_plan *plan,
                            const wsr__op_class *cls, const uint32_t *srcs,
                            size_t n)
{
    wsr_status status = WSR_OK;
    wsr_shape *const shapes = wsr__alloc(n, sizeof(*shapes));
    node->cls = cls;
    node->n = n;
    node->src = wsr__alloc(n, sizeof(*node->src));
    if (shapes == NULL || node->src == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    node->train = (plan->purpose & WSR_TRAIN) != 0;
    node->move_stats = node->train && (plan->purpose & WSR_MOVE_STATS) != 0;
    node->take_stats = node->train && (plan->purpose & WSR__TAKE_STATS) != 0;
    for (size_t i = 0; i < n; i++) {
        const wsr__slot *const slot = &plan->slots[srcs[i]];
        node->src[i].desc = slot->desc;
        node->src[i].param = slot->param;
        const bool fixed = cls->no_grad || (i < 32 && (cls->fixed >> i & 1));
        node->src[i].want_diff = slot->needs_grad && !fixed;
        // A step runs backward as soon as one of its sources needs it.
        node->backward |= node->src[i].want_diff;
        shapes[i] = slot->desc.shape;
    }
    WSR_TRY(cls->infer(&node->dst.desc.shape, node->params, shapes, n));
out:
    wsr__free(shapes);
    return status;
}

// The plan outlives the graph, so a step has params of its own.
static wsr_status copy_options(wsr__step *step, const wsr__op_class *cls,
                               const void *options)
{
    if (options == NULL) {
        return WSR_OK;
    }
    step->options = wsr__alloc(1, cls->super.params_size);
    if (step->options == NULL) {
        return WSR_NOMEM;
    }
    memcpy(step->options, options, cls->super.params_size);
    step->node.params = step->options;
    return WSR_OK;
}

// Replace sources that lie in another layout than the node wants.
static wsr_status fit_layouts(wsr__step *step, wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < step->node.n; i++) {
        const wsr__desc *const want = &step->node.src[i].desc;
        const wsr__desc have = plan->slots[step->srcs[i]].desc;
        if (want->layout != have.layout) {
            WSR_TRY(other_layout(&step->srcs[i], plan, step->srcs[i]));
        } else if (want->part != have.part) { // parts: by way of plain
            WSR_TRY(other_layout(&step->srcs[i], plan, step->srcs[i]));
            WSR_TRY(add_reorder(&step->srcs[i], plan, step->srcs[i]));
        }
    }
out:
    return status;
}

// Enter step s among the consumers of its sources.
static wsr_status connect(wsr_plan *plan, uint32_t s)
{
    wsr_status status = WSR_OK;
    const wsr__step *const step = &plan->steps[s];
    for (uint32_t i = 0; i < step->node.n; i++) {
        wsr__slot *const slot = &plan->slots[step->srcs[i]];
        WSR_TRY(wsr__reserve((void **)&slot->consumers,
                             &slot->consumer_capacity, slot->consumer_count + 1,
                             sizeof(*slot->consumers)));
        slot->consumers[slot->consumer_count++] = (wsr__consumer){s, i};
    }
out:
    return status;
}

// Take step s from the consumers of its sources.
static void disconnect(wsr_plan *plan, uint32_t s)
{
    const wsr__step *const step = &plan->steps[s];
    for (size_t i = 0; i < step->node.n; i++) {
        wsr__slot *const slot = &plan->slots[step->srcs[i]];
        size_t kept = 0;
        for (size_t k = 0; k < slot->consumer_count; k++) {
            if (slot->consumers[k].step != s) {
                slot->consumers[kept++] = slot->consumers[k];
            }
        }
        slot->consumer_count = kept;
    }
}

wsr_status wsr__plan_replace_step(wsr_plan *plan, uint32_t s,
                                  const wsr__step *step)
{
    disconnect(plan, s);
    wsr__step_free(&plan->steps[s]);
    plan->steps[s] = *step;
    return connect(plan, s);
}

// Add a step [taken over, also on failure] and the slot of its result. The
// step's index is the producer of the new slot; steps are in topological order
// because their sources exist before them.
static wsr_status push_step(uint32_t *out, wsr_plan *plan, wsr__step *step)
{
    wsr_status status = WSR_OK;
    const wsr__slot slot = {.role = WSR__OP,
                            .desc = step->node.dst.desc,
                            .producer = (uint32_t)plan->step_count,
                            .needs_grad = step->node.backward,
                            NOWHERE};
    WSR_TRY(wsr__reserve((void **)&plan->steps, &plan->step_capacity,
                         plan->step_count + 1, sizeof(*plan->steps)));
    WSR_TRY(add_slot(&step->dst, plan, &slot));
    *out = step->dst;
    plan->steps[plan->step_count++] = *step;
    return connect(plan, slot.producer);
out:
    wsr__step_free(step);
    return status;
}

// Order matters: an implementation is chosen by the layouts in which the
// sources lie now, and then says which layouts it wants; only then are copies
// made.
wsr_status wsr__plan_make_step(wsr__step *step, wsr_plan *plan,
                               const wsr__op_class *cls, const void *options,
                               const uint32_t *srcs, size_t n)
{
    wsr_status status = WSR_OK;
    *step = (wsr__step){.norm_consumer = WSR__NONE,
                        .summed = WSR__NONE,
                        .workspace = WSR__NONE,
                        .scratch = WSR__NONE};
    step->srcs = wsr__alloc(n, sizeof(*step->srcs));
    step->temp = wsr__alloc(n, sizeof(*step->temp));
    step->relu_masks = wsr__alloc(n, sizeof(*step->relu_masks));
    if (step->srcs == NULL || step->temp == NULL || step->relu_masks == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    memcpy(step->srcs, srcs, n * sizeof(*srcs));
    WSR_TRY(copy_options(step, cls, options));
    WSR_TRY(make_node(&step->node, plan, cls, srcs, n));
    step->node.impl = choose(&step->node, plan->purpose);
    step->node.backward = step->node.backward && !cls->no_grad &&
                          step->node.impl->backward != NULL;
    set_layouts(&step->node);
    WSR_TRY(fit_layouts(step, plan));
    return WSR_OK;
out:
    wsr__step_free(step);
    return status;
}

wsr_status wsr__plan_add_step(uint32_t *out, wsr_plan *plan,
                              const wsr__op_class *cls, const void *options,
                              const uint32_t *srcs, size_t n)
{
    wsr__step step;
    const wsr_status status =
        wsr__plan_make_step(&step, plan, cls, options, srcs, n);
    return status == WSR_OK ? push_step(out, plan, &step) : status;
}

static wsr_status add_vertex(compiler *c, size_t i)
{
    const wsr__vertex *const vertex = &c->graph->list[i];
    if (vertex->role != WSR__OP) {
        return add_leaf(c, i);
    }
    uint32_t *const srcs = wsr__alloc(vertex->n, sizeof(*srcs));
    if (srcs == NULL) {
        return WSR_NOMEM;
    }
    for (size_t j = 0; j < vertex->n; j++) {
        srcs[j] = c->slot_of[vertex->srcs[j]];
    }
    const wsr_status status = wsr__plan_add_step(
        &c->slot_of[i], c->plan, vertex->cls, vertex->options, srcs, vertex->n);
    wsr__free(srcs);
    return status;
}

// Callers get outputs in the plain layout.
static wsr_status add_outputs(compiler *c)
{
    wsr_status status = WSR_OK;
    wsr_plan *const plan = c->plan;
    for (size_t i = 0; i < c->graph->output_count; i++) {
        const wsr__output *const output = &c->graph->outputs[i];
        wsr__port *const port = &plan->outputs[i];
        port->initial_diff = WSR__NONE;
        port->slot = c->slot_of[output->value];
        if (plan->slots[port->slot].desc.layout != WSR__PLAIN) {
            WSR_TRY(other_layout(&port->slot, plan, port->slot));
        }
        plan->slots[port->slot].is_output = true;
        port->name = wsr__strdup(output->name);
        if (port->name == NULL) {
            return WSR_NOMEM;
        }
        plan->output_count++;
    }
out:
    return status;
}

// From the outputs backwards: which values get a gradient, which sources of
// which step are asked for one. needs_grad looks from the leaves upwards
// (something below wants a gradient), gets_diff from the outputs downwards (a
// gradient arrives); a gradient is computed where both hold.
static void want_diffs(wsr_plan *plan)
{
    for (size_t i = 0; i < plan->output_count; i++) {
        wsr__slot *const slot = &plan->slots[plan->outputs[i].slot];
        slot->gets_diff = slot->needs_grad;
    }
    for (size_t s = plan->step_count; s-- > 0;) {
        wsr__step *const step = &plan->steps[s];
        wsr__node *const node = &step->node;
        node->backward = node->backward && plan->slots[step->dst].gets_diff;
        for (size_t i = 0; i < node->n; i++) {
            wsr__arg *const src = &node->src[i];
            src->want_diff = src->want_diff && node->backward;
            if (src->want_diff) {
                plan->slots[step->srcs[i]].gets_diff = true;
            }
        }
    }
}

// After fusion, which chooses other implementations and retires steps.
static wsr_status prepare(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    for (size_t s = 0; s < plan->step_count; s++) {
        wsr__node *const node = &plan->steps[s].node;
        if (!plan->steps[s].dead && node->impl->plan != NULL) {
            WSR_TRY(node->impl->plan(node));
        }
    }
    for (size_t i = 0; i < plan->slot_count; i++) {
        const wsr__slot *const slot = &plan->slots[i];
        if (slot->param != NULL && slot->gets_diff) {
            WSR_TRY(wsr__param_need_grad(slot->param));
        }
    }
out:
    return status;
}

// Values are compiled in the graph's order, which is topological, so the slots
// of all sources exist when a vertex is added.
wsr_status wsr__plan_compile(wsr_plan *plan, const wsr_graph *graph)
{
    wsr_status status = WSR_OK;
    compiler c = {.plan = plan, .graph = graph};
    c.slot_of = wsr__alloc(graph->count, sizeof(*c.slot_of));
    c.reached = wsr__alloc(graph->count, sizeof(*c.reached));
    plan->inputs = wsr__alloc(graph->count, sizeof(*plan->inputs));
    plan->outputs = wsr__alloc(graph->output_count, sizeof(*plan->outputs));
    if (c.slot_of == NULL || c.reached == NULL || plan->inputs == NULL ||
        plan->outputs == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    reach(&c);
    for (size_t i = 0; i < graph->count; i++) {
        c.slot_of[i] = WSR__NONE;
        if (c.reached[i]) {
            WSR_TRY(add_vertex(&c, i));
        }
    }
    WSR_TRY(add_outputs(&c));
    want_diffs(plan);
    if ((plan->purpose & (WSR_REFERENCE | WSR_UNFUSED)) == 0) {
        WSR_TRY(wsr__plan_fuse(plan));
    }
    WSR_TRY(prepare(plan));
out:
    wsr__free(c.slot_of);
    wsr__free(c.reached);
    return status;
}
