// SPDX-License-Identifier: Apache-2.0
//
// Places every buffer of a plan in one arena. Of S steps, step s runs forward
// at time 1 + s and backward at time 2S - s. A buffer lives from its first use
// to its last, and buffers whose lifetimes do not overlap share memory. Inputs,
// outputs and their gradients live from time 0 to 2S + 1.
//
// The data of a slot may lie in those of another slot (data_in), and these in
// those of a third; the end of the chain is the storage slot. The same holds
// for gradients (diff_in). Only storage slots have spans, and a use of any slot
// of the chain is a use of the storage slot.

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

// ----------------------------------------------------------- storage slots

uint32_t wsr__data_storage(const wsr_plan *plan, uint32_t slot, int64_t *at)
{
    *at = 0;
    while (plan->slots[slot].data_in != WSR__NONE) {
        *at += plan->slots[slot].data_at;
        slot = plan->slots[slot].data_in;
    }
    return slot;
}

uint32_t wsr__diff_storage(const wsr_plan *plan, uint32_t slot, int64_t *at)
{
    *at = 0;
    while (plan->slots[slot].diff_in != WSR__NONE) {
        *at += plan->slots[slot].diff_at;
        slot = plan->slots[slot].diff_in;
    }
    return slot;
}

// A reshape's result lies in its source, and the source's gradient in the
// result's: neither direction copies. Parameters keep their own memory.
static void follow_aliases(wsr_plan *plan)
{
    for (size_t s = 0; s < plan->step_count; s++) {
        const wsr__step *const step = &plan->steps[s];
        wsr__slot *const src = &plan->slots[step->srcs[0]];
        if (step->node.impl->alias && src->param == NULL) {
            plan->slots[step->dst].data_in = step->srcs[0];
            if (!src->is_output) {
                src->diff_in = step->dst;
            }
        }
    }
}

// ------------------------------------------------------------------- spans

typedef struct lifetimes {
    size_t *first; // per slot, of storage slots only
    size_t *last;
} lifetimes;

static wsr_status lifetimes_new(lifetimes *life, const wsr_plan *plan)
{
    life->first = wsr__alloc(2 * plan->slot_count, sizeof(*life->first));
    if (life->first == NULL) {
        return WSR_NOMEM;
    }
    life->last = life->first + plan->slot_count;
    for (size_t i = 0; i < plan->slot_count; i++) {
        life->first[i] = end_time(plan) + 1; // never used
    }
    return WSR_OK;
}

// A slot that no live step reads or writes needs no memory.
static bool used(const lifetimes *life, size_t slot)
{
    return life->first[slot] <= life->last[slot];
}

static void use(const lifetimes *life, uint32_t storage, size_t t)
{
    life->first[storage] = t < life->first[storage] ? t : life->first[storage];
    life->last[storage] = t > life->last[storage] ? t : life->last[storage];
}

static wsr_status add_span(uint32_t *out, wsr_plan *plan, size_t floats,
                           size_t first, size_t last)
{
    const wsr_status status =
        wsr__reserve((void **)&plan->spans, &plan->span_capacity,
                     plan->span_count + 1, sizeof(*plan->spans));
    if (status == WSR_OK) {
        *out = (uint32_t)plan->span_count;
        plan->spans[plan->span_count++] =
            (wsr__span){.floats = floats, .first = first, .last = last};
    }
    return status;
}

static size_t slot_floats(const wsr__slot *slot)
{
    return (size_t)wsr__desc_floats(&slot->desc);
}

// -------------------------------------------------------------------- data

static void use_data(const lifetimes *life, const wsr_plan *plan, uint32_t slot,
                     size_t t)
{
    int64_t at = 0;
    use(life, wsr__data_storage(plan, slot, &at), t);
}

// What backward of a step reads of the forward values: what its implementation
// names; the source of a deferred norm or relu, of which it makes the relu's
// mask; and dst, if it applies the backward pass of a norm to the gradient.
static void use_again(const lifetimes *life, const wsr_plan *plan, size_t s)
{
    const wsr__step *const step = &plan->steps[s];
    const wsr__node *const node = &step->node;
    const uint32_t needs = node->impl->needs != NULL ? node->impl->needs(node)
                                                     : 0;
    const size_t t = backward_time(plan, s);
    for (uint32_t i = 0; i < node->n; i++) {
        const bool masked = plan->slots[step->srcs[i]].deferred &&
                            node->src[i].want_diff;
        if (masked || (i < 31 && (needs >> i & 1) != 0)) {
            use_data(life, plan, step->srcs[i], t);
        }
    }
    const bool through = step->norm_consumer != WSR__NONE &&
                         plan->steps[step->norm_consumer].deferred.through;
    if (through || (needs & WSR__NEED_DST) != 0) {
        use_data(life, plan, step->dst, t);
    }
}

static void data_lifetimes(const lifetimes *life, const wsr_plan *plan)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        const wsr__slot *const slot = &plan->slots[i];
        if (slot->role == WSR__INPUT) {
            use(life, (uint32_t)i, 0);
            use(life, (uint32_t)i, end_time(plan));
        } else if (slot->is_output && slot->role == WSR__OP) {
            use_data(life, plan, (uint32_t)i, end_time(plan));
        }
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        const wsr__step *const step = &plan->steps[s];
        if (step->dead) {
            continue;
        }
        use_data(life, plan, step->dst, forward_time(s));
        for (size_t i = 0; i < step->node.n; i++) {
            use_data(life, plan, step->srcs[i], forward_time(s));
        }
        if (step->node.backward) {
            use_again(life, plan, s);
        }
    }
}

// Whether a later source of a step lies in the memory of its first one.
static bool reads_again(const wsr_plan *plan, const wsr__step *step,
                        uint32_t storage)
{
    int64_t at = 0;
    for (uint32_t i = 1; i < step->node.n; i++) {
        if (wsr__data_storage(plan, step->srcs[i], &at) == storage) {
            return true;
        }
    }
    return false;
}

// A step that can work in place writes its result over its first source, if no
// later step reads that memory, backward included, and both have the same size.
// Views stay where they are, and what a deferred norm stands for is another
// tensor than what lies in its memory.
static void overwrite(wsr_plan *plan, const lifetimes *life)
{
    for (size_t s = 0; s < plan->step_count; s++) {
        const wsr__step *const step = &plan->steps[s];
        const uint32_t from = step->srcs[0];
        const wsr__slot *const src = &plan->slots[from];
        wsr__slot *const dst = &plan->slots[step->dst];
        int64_t at = 0;
        const uint32_t storage = wsr__data_storage(plan, from, &at);
        if (!step->dead && step->node.impl->in_place && src->role == WSR__OP &&
            !src->deferred && !src->view && !dst->view &&
            dst->data_in == WSR__NONE && plan->slots[storage].role == WSR__OP &&
            life->last[storage] == forward_time(s) &&
            !reads_again(plan, step, storage) &&
            slot_floats(&plan->slots[storage]) == slot_floats(dst)) {
            dst->data_in = from;
            use(life, storage, life->last[step->dst]);
        }
    }
}

// Spans are made last, since overwrite() lengthens lifetimes.
static wsr_status place_data(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    lifetimes life;
    WSR_TRY(lifetimes_new(&life, plan));
    data_lifetimes(&life, plan);
    overwrite(plan, &life);
    for (size_t i = 0; i < plan->slot_count; i++) {
        wsr__slot *const slot = &plan->slots[i];
        if (slot->param == NULL && slot->data_in == WSR__NONE &&
            used(&life, i)) {
            WSR_TRY(add_span(&slot->data, plan, slot_floats(slot),
                             life.first[i], life.last[i]));
        }
    }
    wsr__free(life.first);
    return WSR_OK;
out:
    wsr__free(life.first);
    return status;
}

// --------------------------------------------------------------- gradients

// The state of a walk over the steps in the order of backward. The first step
// that writes a gradient overwrites it, and later ones add to it.
typedef struct gradients {
    lifetimes life;
    bool *written; // per region, by steps walked so far
} gradients;

// A region is a gradient, or the part of one that a view takes up. The slot
// that stands for it is the last of the chain that lies in the same place.
static uint32_t region_of(const wsr_plan *plan, uint32_t slot)
{
    while (plan->slots[slot].diff_in != WSR__NONE &&
           plan->slots[slot].diff_at == 0 && !plan->slots[slot].view) {
        slot = plan->slots[slot].diff_in;
    }
    return slot;
}

// A view is written as soon as the whole is.
static bool is_written(const gradients *grads, const wsr_plan *plan,
                       uint32_t slot)
{
    int64_t at = 0;
    const uint32_t region = region_of(plan, slot);
    return grads->written[region] ||
           grads->written[wsr__diff_storage(plan, region, &at)];
}

static void use_diff(const gradients *grads, const wsr_plan *plan,
                     uint32_t slot, size_t t)
{
    int64_t at = 0;
    const uint32_t storage = wsr__diff_storage(plan, slot, &at);
    use(&grads->life, storage, t);
    // An input's gradient may lie in that of a reshaped copy.
    if (plan->slots[storage].role == WSR__INPUT ||
        plan->slots[slot].role == WSR__INPUT) {
        use(&grads->life, storage, end_time(plan));
    }
}

static wsr_status place_initial_diffs(wsr_plan *plan, const gradients *grads)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < plan->output_count; i++) {
        wsr__port *const port = &plan->outputs[i];
        const wsr__slot *const slot = &plan->slots[port->slot];
        if (!slot->gets_diff) {
            continue;
        }
        WSR_TRY(add_span(&port->initial_diff, plan, slot_floats(slot), 0,
                         end_time(plan)));
        if (slot->param == NULL) {
            use_diff(grads, plan, port->slot, plan->step_count);
        }
        port->adds = slot->param != NULL || is_written(grads, plan, port->slot);
        grads->written[region_of(plan, port->slot)] = true;
    }
out:
    return status;
}

// Source i of step s. Backward adds to a parameter's gradient always: it sums
// over runs. A kernel that can only overwrite gets a buffer of its own, which
// run.c adds to the gradient.
static wsr_status place_src_diff(wsr_plan *plan, size_t s, size_t i,
                                 const gradients *grads)
{
    wsr_status status = WSR_OK;
    wsr__step *const step = &plan->steps[s];
    wsr__arg *const arg = &step->node.src[i];
    const wsr__slot *const slot = &plan->slots[step->srcs[i]];
    const size_t now = backward_time(plan, s);
    step->temp[i] = WSR__NONE;
    if (!arg->want_diff) {
        return WSR_OK;
    }
    arg->accumulate = slot->param != NULL ||
                      is_written(grads, plan, step->srcs[i]);
    grads->written[region_of(plan, step->srcs[i])] = true;
    if (slot->param == NULL) {
        use_diff(grads, plan, step->srcs[i], now);
    }
    if (arg->accumulate && !step->node.impl->accumulates) {
        WSR_TRY(add_span(&step->temp[i], plan, slot_floats(slot), now, now));
        arg->accumulate = false;
    }
out:
    return status;
}

// Initial gradients come first, then steps from the last to the first.
static wsr_status walk_back(wsr_plan *plan, const gradients *grads)
{
    wsr_status status = WSR_OK;
    WSR_TRY(place_initial_diffs(plan, grads));
    for (size_t s = plan->step_count; s-- > 0;) {
        const wsr__step *const step = &plan->steps[s];
        if (step->dead || !step->node.backward) {
            continue;
        }
        use_diff(grads, plan, step->dst, backward_time(plan, s));
        for (size_t i = 0; i < step->node.n; i++) {
            WSR_TRY(place_src_diff(plan, s, i, grads));
        }
    }
    for (size_t i = 0; i < plan->slot_count; i++) {
        wsr__slot *const slot = &plan->slots[i];
        if (slot->param == NULL && slot->diff_in == WSR__NONE &&
            used(&grads->life, i)) {
            WSR_TRY(add_span(&slot->diff, plan, slot_floats(slot),
                             grads->life.first[i], grads->life.last[i]));
        }
    }
out:
    return status;
}

static wsr_status place_diffs(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    gradients grads = {
        .written = wsr__alloc(plan->slot_count, sizeof(*grads.written))};
    if (grads.written == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(lifetimes_new(&grads.life, plan));
    WSR_TRY(walk_back(plan, &grads));
out:
    wsr__free(grads.life.first);
    wsr__free(grads.written);
    return status;
}

// -------------------------------------------------- workspaces and scratch

// The producer of a deferred norm's source writes moments into the workspace of
// the norm, which therefore begins with that step.
static size_t workspace_start(const wsr_plan *plan, size_t s)
{
    const wsr__step *const step = &plan->steps[s];
    const uint32_t producer = plan->slots[step->srcs[0]].producer;
    const bool early = step->node.impl->bind != NULL && producer != WSR__NONE;
    return forward_time(early ? producer : s);
}

// Consumers read the vectors of a deferred norm at any time until the end.
static size_t workspace_end(const wsr_plan *plan, size_t s)
{
    const wsr__step *const step = &plan->steps[s];
    if (step->node.impl->bind != NULL) {
        return end_time(plan);
    }
    return step->node.backward ? backward_time(plan, s) : forward_time(s);
}

static wsr_status place_workspaces(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    for (size_t s = 0; s < plan->step_count; s++) {
        wsr__step *const step = &plan->steps[s];
        step->workspace = WSR__NONE;
        if (!step->dead && step->node.workspace_floats > 0) {
            WSR_TRY(add_span(&step->workspace, plan,
                             step->node.workspace_floats,
                             workspace_start(plan, s), workspace_end(plan, s)));
        }
    }
out:
    return status;
}

// All steps share one buffer of the largest size that a step needs. In front of
// it lies the scratch of each thread, in the same place for all steps: a thread
// finds its lines in its own cache, not in that of another thread.
static wsr_status place_scratch(wsr_plan *plan)
{
    size_t most = 0;
    size_t per_thread = 0;
    for (size_t s = 0; s < plan->step_count; s++) {
        const wsr__node *const node = &plan->steps[s].node;
        if (!plan->steps[s].dead) {
            const size_t need = node->scratch_floats;
            most = need > most ? need : most;
            per_thread = node->thread_scratch_floats > per_thread
                             ? node->thread_scratch_floats
                             : per_thread;
        }
    }
    per_thread = wsr__lines(per_thread);
    const size_t threads = wsr_threads();
    uint32_t common = WSR__NONE;
    wsr_status status = WSR_OK;
    if (most + per_thread > 0) {
        status = add_span(&common, plan, threads * per_thread + most, 0,
                          end_time(plan));
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        wsr__step *const step = &plan->steps[s];
        const size_t need = step->node.scratch_floats +
                            step->node.thread_scratch_floats;
        step->scratch = need > 0 ? common : WSR__NONE;
        step->node.thread_scratch = (wsr__thread_scratch){
            .stride = (int64_t)per_thread, .count = (int64_t)threads};
    }
    return status;
}

// Aliases come first: all that follows goes by chains of slots.
wsr_status wsr__plan_place(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    follow_aliases(plan);
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
