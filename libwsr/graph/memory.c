// SPDX-License-Identifier: Apache-2.0
//
// Where everything in a plan lies. Step s runs forward at time 1 + s and
// backward at time 2S - s; a buffer lives from the first time it is written
// to the last time it is read, and buffers that never meet share memory.
// Inputs, outputs and their gradients live always.

#include "graph/plan.h"

#include <string.h>

static size_t forward_time(size_t s)
{
    return 1 + s;
}

static size_t backward_time(const wsr_plan *plan, size_t s)
{
    return 2 * plan->step_count - s;
}

static size_t end_time(const wsr_plan *plan)
{
    return 2 * plan->step_count + 1;
}

static wsr_status add_span(uint32_t *out, wsr_plan *plan, size_t floats,
                           size_t first, size_t last)
{
    const wsr_status status =
        wsr__reserve((void **)&plan->spans, &plan->span_capacity,
                     plan->span_count + 1, sizeof *plan->spans);
    if (status == WSR_OK) {
        *out = (uint32_t)plan->span_count;
        plan->spans[plan->span_count++] =
            (wsr__span){.floats = floats, .first = first, .last = last};
    }
    return status;
}

static void extend(wsr_plan *plan, uint32_t span, size_t first, size_t last)
{
    wsr__span *const s = &plan->spans[span];
    s->first = first < s->first ? first : s->first;
    s->last = last > s->last ? last : s->last;
}

static size_t slot_floats(const wsr__slot *slot)
{
    return (size_t)wsr__desc_floats(&slot->desc);
}

// The last time that data of each slot is read, by forward or backward.
static void last_reads(size_t *last, const wsr_plan *plan)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        const wsr__slot *const slot = &plan->slots[i];
        const bool kept = slot->is_output || slot->role == WSR__INPUT;
        last[i] = kept ? end_time(plan) : 0;
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        const wsr__step *const step = &plan->steps[s];
        const wsr__node *const node = &step->node;
        const uint32_t needs = node->backward && node->impl->needs != NULL
                                   ? node->impl->needs(node)
                                   : 0;
        for (size_t i = 0; i < node->n; i++) {
            const bool again = i < 31 && (needs >> i & 1) != 0;
            const size_t t = again ? backward_time(plan, s) : forward_time(s);
            size_t *const at = &last[step->srcs[i]];
            *at = t > *at ? t : *at;
        }
        size_t *const at = &last[step->dst];
        const size_t t = (needs & WSR__NEED_DST) != 0 ? backward_time(plan, s)
                                                      : forward_time(s);
        *at = t > *at ? t : *at;
    }
}

// Whether a step may write its result over its first source.
static bool overwrites(const wsr_plan *plan, size_t s, const size_t *last)
{
    const wsr__step *const step = &plan->steps[s];
    const wsr__slot *const src = &plan->slots[step->srcs[0]];
    const wsr__slot *const dst = &plan->slots[step->dst];
    return step->node.impl->in_place && src->role == WSR__OP &&
           last[step->srcs[0]] == forward_time(s) &&
           plan->spans[src->data].last == forward_time(s) &&
           slot_floats(src) == slot_floats(dst);
}

static wsr_status place_data(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    size_t *const last = wsr__alloc(plan->slot_count, sizeof *last);
    if (last == NULL) {
        return WSR_NOMEM;
    }
    last_reads(last, plan);
    for (size_t i = 0; i < plan->input_count; i++) {
        wsr__slot *const slot = &plan->slots[plan->inputs[i].slot];
        WSR_TRY(
            add_span(&slot->data, plan, slot_floats(slot), 0, end_time(plan)));
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        const wsr__step *const step = &plan->steps[s];
        wsr__slot *const dst = &plan->slots[step->dst];
        const wsr__slot *const src = &plan->slots[step->srcs[0]];
        const bool alias = step->node.impl->alias && src->data != WSR__NONE;
        if (alias || overwrites(plan, s, last)) {
            dst->data = src->data;
            extend(plan, dst->data, forward_time(s), last[step->dst]);
        } else {
            WSR_TRY(add_span(&dst->data, plan, slot_floats(dst),
                             forward_time(s), last[step->dst]));
        }
    }
out:
    wsr__free(last);
    return status;
}

static bool lives_always(const wsr__slot *slot)
{
    return slot->role == WSR__INPUT;
}

// The span of an activation's gradient; an alias shares that of its result.
static wsr_status place_slot_diff(wsr_plan *plan, wsr__slot *slot,
                                  const wsr__step *step, size_t now)
{
    wsr_status status = WSR_OK;
    if (slot->diff == WSR__NONE && step->node.impl->alias) {
        slot->diff = plan->slots[step->dst].diff;
    }
    if (slot->diff == WSR__NONE) {
        WSR_TRY(add_span(&slot->diff, plan, slot_floats(slot), now, now));
    }
    extend(plan, slot->diff, now, lives_always(slot) ? end_time(plan) : now);
out:
    return status;
}

// Gradient of source i of step s: its span, and whether it comes on top of
// what later steps have written there already.
static wsr_status place_src_diff(wsr_plan *plan, size_t s, size_t i,
                                 bool *written)
{
    wsr_status status = WSR_OK;
    wsr__step *const step = &plan->steps[s];
    wsr__arg *const arg = &step->node.src[i];
    wsr__slot *const slot = &plan->slots[step->srcs[i]];
    const size_t now = backward_time(plan, s);
    step->temp[i] = WSR__NONE;
    if (!arg->want_diff) {
        return WSR_OK;
    }
    arg->accumulate = slot->param != NULL || written[step->srcs[i]];
    written[step->srcs[i]] = true;
    if (slot->param == NULL) {
        WSR_TRY(place_slot_diff(plan, slot, step, now));
    }
    if (arg->accumulate && !step->node.impl->accumulates) {
        WSR_TRY(add_span(&step->temp[i], plan, slot_floats(slot), now, now));
        arg->accumulate = false;
    }
out:
    return status;
}

static wsr_status place_seeds(wsr_plan *plan, bool *written)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < plan->output_count; i++) {
        wsr__port *const port = &plan->outputs[i];
        wsr__slot *const slot = &plan->slots[port->slot];
        if (!slot->gets_diff) {
            continue;
        }
        const size_t start = plan->step_count;
        WSR_TRY(
            add_span(&port->seed, plan, slot_floats(slot), 0, end_time(plan)));
        if (slot->diff == WSR__NONE && slot->param == NULL) {
            WSR_TRY(add_span(&slot->diff, plan, slot_floats(slot), start,
                             lives_always(slot) ? end_time(plan) : start));
        }
        written[port->slot] = true;
    }
out:
    return status;
}

static wsr_status place_diffs(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    bool *const written = wsr__alloc(plan->slot_count, sizeof *written);
    if (written == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(place_seeds(plan, written));
    for (size_t s = plan->step_count; s-- > 0;) {
        wsr__step *const step = &plan->steps[s];
        if (!step->node.backward) {
            continue;
        }
        const size_t now = backward_time(plan, s);
        extend(plan, plan->slots[step->dst].diff, now, now);
        for (size_t i = 0; i < step->node.n; i++) {
            WSR_TRY(place_src_diff(plan, s, i, written));
        }
    }
out:
    wsr__free(written);
    return status;
}

static wsr_status place_workspaces(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    for (size_t s = 0; s < plan->step_count; s++) {
        wsr__step *const step = &plan->steps[s];
        const size_t f = forward_time(s);
        const size_t b = step->node.backward ? backward_time(plan, s) : f;
        step->workspace = WSR__NONE;
        if (step->node.workspace_floats > 0) {
            WSR_TRY(add_span(&step->workspace, plan,
                             step->node.workspace_floats, f, b));
        }
    }
out:
    return status;
}

// Scratch of all steps is one common buffer of the largest size.
static wsr_status place_scratch(wsr_plan *plan)
{
    size_t most = 0;
    for (size_t s = 0; s < plan->step_count; s++) {
        const size_t need = plan->steps[s].node.scratch_floats;
        most = need > most ? need : most;
    }
    uint32_t common = WSR__NONE;
    wsr_status status = WSR_OK;
    if (most > 0) {
        status = add_span(&common, plan, most, 0, end_time(plan));
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        wsr__step *const step = &plan->steps[s];
        step->scratch = step->node.scratch_floats > 0 ? common : WSR__NONE;
    }
    return status;
}

wsr_status wsr__plan_place(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    WSR_TRY(place_data(plan));
    if (wsr__plan_backwards(plan)) {
        WSR_TRY(place_diffs(plan));
    }
    WSR_TRY(place_workspaces(plan));
    WSR_TRY(place_scratch(plan));
    WSR_TRY(wsr__arena_place(&plan->floats, plan->spans, plan->span_count));
out:
    return status;
}

float *wsr__plan_at(const wsr_plan *plan, uint32_t span)
{
    return span == WSR__NONE ? NULL
                             : plan->arena->base + plan->spans[span].offset;
}

static float *diff_of(const wsr_plan *plan, const wsr__step *step, size_t i)
{
    const wsr__slot *const slot = &plan->slots[step->srcs[i]];
    if (!step->node.src[i].want_diff) {
        return NULL;
    }
    if (step->temp[i] != WSR__NONE) {
        return wsr__plan_at(plan, step->temp[i]);
    }
    return slot->param != NULL ? slot->param->grad
                               : wsr__plan_at(plan, slot->diff);
}

static void bind_step(const wsr_plan *plan, wsr__step *step)
{
    wsr__node *const node = &step->node;
    for (size_t i = 0; i < node->n; i++) {
        const wsr__slot *const slot = &plan->slots[step->srcs[i]];
        wsr__arg *const arg = &node->src[i];
        arg->data = slot->param != NULL ? slot->param->data
                                        : wsr__plan_at(plan, slot->data);
        arg->diff = diff_of(plan, step, i);
    }
    node->dst.data = wsr__plan_at(plan, plan->slots[step->dst].data);
    node->dst.diff = wsr__plan_at(plan, plan->slots[step->dst].diff);
    node->workspace = wsr__plan_at(plan, step->workspace);
    node->scratch = wsr__plan_at(plan, step->scratch);
}

void wsr__plan_bind(wsr_plan *plan)
{
    if (plan->bound == plan->arena->base) {
        return;
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        bind_step(plan, &plan->steps[s]);
    }
    plan->bound = plan->arena->base;
}

wsr_status wsr__plan_ready(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__arena_reserve(plan->arena, plan->floats));
    wsr__plan_bind(plan);
    for (size_t i = 0; i < plan->output_count; i++) {
        const uint32_t seed = plan->outputs[i].seed;
        if (seed != WSR__NONE) {
            memset(wsr__plan_at(plan, seed), 0,
                   plan->spans[seed].floats * sizeof(float));
        }
    }
out:
    return status;
}
