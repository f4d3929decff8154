// SPDX-License-Identifier: Apache-2.0
//
// Passes over memory that can be saved. A graph is written one op at a time;
// run that way, every value would go to memory and back. The patterns below
// are tried on every step, in the order of the table:
//
//   separable   a depthwise and the pointwise convolution behind it become one
//               step; what lies between them stays in the cache
//   fold        without gradients, a norm by running statistics goes into the
//               weights and bias of the convolution before it
//   norm        a batch norm's result is not stored: its readers apply scale
//               and shift to the norm's source as they read it, its backward
//               hands the maker of that source an affine map to read the
//               gradient through
//   relu        likewise: readers take max(0, x) as they read
//   concat      parts of a concatenation are made in place
//   sum         a summand's gradient is the sum's: they share memory
//   sums        a norm whose result has one reader gets its reductions from
//               that reader's backward pass
//
// What a kernel can do in this way its implementation says (op/op.h); nothing
// here knows an op by name.

#include "graph/plan.h"

#include <string.h>

// ----------------------------------------------------------------- readers

static bool live(const wsr_plan *plan, const wsr__consumer *c)
{
    return !plan->steps[c->step].dead;
}

static size_t count_readers(const wsr_plan *plan, uint32_t slot)
{
    const wsr__slot *const read = &plan->slots[slot];
    size_t count = 0;
    for (size_t k = 0; k < read->consumer_count; k++) {
        count += live(plan, &read->consumers[k]);
    }
    return count;
}

static bool reads_once(const wsr_plan *plan, uint32_t slot)
{
    return !plan->slots[slot].is_output && count_readers(plan, slot) == 1;
}

static const wsr__impl *impl_of(const wsr_plan *plan, uint32_t step)
{
    return plan->steps[step].node.impl;
}

// Whether a reader can apply a prologue, and the mask that a relu in it needs.
static bool applies(const wsr_plan *plan, const wsr__consumer *r, bool relu)
{
    const wsr__impl *const impl = impl_of(plan, r->step);
    const bool masked = relu && plan->steps[r->step].node.src[r->src].want_diff;
    return r->src < 32 && (impl->fusion.reads_pre >> r->src & 1) != 0 &&
           !(masked && impl->fusion.skips_relu_mask);
}

// Whether every reader can do so; a relu passes the question on.
static bool can_defer(const wsr_plan *plan, uint32_t slot, bool relu)
{
    const wsr__slot *const read = &plan->slots[slot];
    bool all = !read->is_output;
    for (size_t k = 0; all && k < read->consumer_count; k++) {
        const wsr__consumer *const r = &read->consumers[k];
        all = !live(plan, r) || applies(plan, r, relu) ||
              (impl_of(plan, r->step)->fusion.is_relu &&
               can_defer(plan, plan->steps[r->step].dst, true));
    }
    return all;
}

static bool stored_image(const wsr__slot *slot)
{
    return slot->role == WSR__OP && slot->desc.layout == WSR__BLOCKED;
}

// --------------------------------------------------------------- separable

static wsr_status separable(wsr_plan *plan, uint32_t s)
{
    wsr__step *pw = &plan->steps[s];
    const wsr__impl *const behind = pw->node.impl;
    const uint32_t between = pw->srcs[0];
    const uint32_t first = plan->slots[between].producer;
    if (behind->fusion.fuses_to == NULL || first == WSR__NONE ||
        !reads_once(plan, between)) {
        return WSR_OK;
    }
    const wsr__step *dw = &plan->steps[first];
    if (dw->node.impl != behind->fusion.fuses_after ||
        (behind->fusion.can_fuse != NULL &&
         !behind->fusion.can_fuse(&pw->node))) {
        return WSR_OK;
    }
    const uint32_t srcs[] = {dw->srcs[0], dw->srcs[1], pw->srcs[1]};
    wsr__step fused = {0};
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__plan_make_step(&fused, plan, behind->fusion.fuses_to,
                                dw->options, srcs, 3));
    if (fused.node.impl != behind->fusion.fuses_to->impls[0]) {
        wsr__step_free(&fused); // two good kernels are better than a plain one
        return WSR_OK;
    }
    pw = &plan->steps[s]; // may have moved
    dw = &plan->steps[first];
    fused.node.src[0].want_diff = dw->node.src[0].want_diff;
    fused.node.src[1].want_diff = dw->node.src[1].want_diff;
    fused.node.src[2].want_diff = pw->node.src[1].want_diff;
    fused.node.backward = pw->node.backward;
    fused.dst = pw->dst;
    plan->steps[first].dead = true;
    WSR_TRY(wsr__plan_replace_step(plan, s, &fused));
out:
    return status;
}

// -------------------------------------------------------------------- fold

// Gradients keep the norm apart: with rounded products for weights more signs
// of an attack's step differ from the reference than its own noise explains.
static wsr_status fold(wsr_plan *plan, uint32_t s)
{
    wsr__step *const step = &plan->steps[s];
    wsr__node *const node = &step->node;
    const uint32_t from = step->srcs[0];
    const wsr__slot *const src = &plan->slots[from];
    if (node->impl->fusion.folded == NULL || node->train || node->backward ||
        !stored_image(src) || !reads_once(plan, from)) {
        return WSR_OK;
    }
    wsr__step *const maker = &plan->steps[src->producer];
    if (!maker->node.impl->fusion.folds || maker->norm_consumer != WSR__NONE) {
        return WSR_OK;
    }
    node->impl = node->impl->fusion.folded;
    step->deferred.folded = true;
    maker->norm_consumer = s;
    plan->slots[step->dst].data_in = from;
    return WSR_OK;
}

// -------------------------------------------------------------------- norm

static wsr_status norm(wsr_plan *plan, uint32_t s)
{
    wsr__step *const step = &plan->steps[s];
    wsr__node *const node = &step->node;
    const uint32_t from = step->srcs[0];
    wsr__slot *const src = &plan->slots[from];
    wsr__slot *const dst = &plan->slots[step->dst];
    if (node->impl->fusion.deferred == NULL || !stored_image(src) ||
        src->deferred || src->desc.part != 0 ||
        !can_defer(plan, step->dst, false)) {
        return WSR_OK;
    }
    node->impl = node->impl->fusion.deferred;
    dst->deferred = true;
    dst->norm = s;
    dst->data_in = from;
    wsr__step *const maker = &plan->steps[src->producer];
    step->deferred.given_moments = maker->node.impl->fusion.writes_moments &&
                                   maker->norm_consumer == WSR__NONE &&
                                   node->train;
    step->deferred.through = maker->node.impl->fusion.reads_affine &&
                             node->src[0].want_diff && reads_once(plan, from) &&
                             maker->norm_consumer == WSR__NONE;
    if (step->deferred.given_moments || step->deferred.through) {
        maker->norm_consumer = s;
    }
    if (step->deferred.through) {
        src->diff_in = step->dst;
    }
    return WSR_OK;
}

// -------------------------------------------------------------------- relu

static wsr_status relu(wsr_plan *plan, uint32_t s)
{
    wsr__step *const step = &plan->steps[s];
    const wsr__slot *const src = &plan->slots[step->srcs[0]];
    wsr__slot *const dst = &plan->slots[step->dst];
    if (!step->node.impl->fusion.is_relu || !stored_image(src) ||
        !can_defer(plan, step->dst, true)) {
        return WSR_OK;
    }
    dst->deferred = true;
    dst->relu = true;
    dst->norm = src->norm;
    dst->data_in = step->srcs[0];
    dst->diff_in = step->srcs[0];
    step->dead = true;
    return WSR_OK;
}

// ------------------------------------------------------------------ concat

// Whether a step can read a part of the result of step `end`, and add to its
// gradient: it runs before `end`, which is dead then, or is `end` itself.
static bool reads_part(const wsr_plan *plan, uint32_t step, uint32_t end)
{
    const wsr__impl *const impl = impl_of(plan, step);
    return step == end ||
           (step < end && impl->fusion.src_views && impl->accumulates);
}

// Whether all steps can that read a slot or what lies in its memory: results of
// deferred norms and relus (the slot is their step's source), and the parts of
// a concatenation made in place (the slot is its result).
static bool viewable(const wsr_plan *plan, uint32_t slot, uint32_t end)
{
    const wsr__slot *const read = &plan->slots[slot];
    bool all = true;
    for (size_t k = 0; all && k < read->consumer_count; k++) {
        const wsr__consumer *const r = &read->consumers[k];
        const uint32_t dst = plan->steps[r->step].dst;
        all = (!live(plan, r) || reads_part(plan, r->step, end)) &&
              (plan->slots[dst].data_in != slot || viewable(plan, dst, end));
    }
    if (read->producer != WSR__NONE) {
        const wsr__step *const maker = &plan->steps[read->producer];
        for (size_t i = 0; all && i < maker->node.n; i++) {
            const uint32_t part = maker->srcs[i];
            all = plan->slots[part].data_in != slot ||
                  viewable(plan, part, end);
        }
    }
    return all;
}

static bool can_concat(const wsr_plan *plan, uint32_t s, uint32_t from)
{
    const wsr__slot *const slot = &plan->slots[from];
    size_t in_concat = 0;
    for (size_t i = 0; i < plan->steps[s].node.n; i++) {
        in_concat += plan->steps[s].srcs[i] == from;
    }
    return stored_image(slot) && !slot->deferred && !slot->view &&
           !slot->is_output && slot->data_in == WSR__NONE &&
           slot->diff_in == WSR__NONE && in_concat == 1 &&
           (!slot->gets_diff || plan->slots[plan->steps[s].dst].gets_diff) &&
           impl_of(plan, slot->producer)->fusion.dst_views &&
           viewable(plan, from, s);
}

static wsr_status concat(wsr_plan *plan, uint32_t s)
{
    wsr__step *const step = &plan->steps[s];
    bool all = step->node.impl->fusion.is_concat;
    for (size_t i = 0; all && i < step->node.n; i++) {
        all = can_concat(plan, s, step->srcs[i]);
    }
    if (!all) {
        return WSR_OK;
    }
    int64_t at = 0;
    for (size_t i = 0; i < step->node.n; i++) {
        wsr__slot *const slot = &plan->slots[step->srcs[i]];
        const int64_t *const d = slot->desc.shape.dims;
        slot->view = true;
        slot->data_in = step->dst;
        slot->data_at = at;
        if (plan->slots[step->dst].gets_diff) {
            slot->diff_in = step->dst;
            slot->diff_at = at;
        }
        at += wsr__desc_blocks(&slot->desc) * WSR__BLOCK * d[2] * d[3];
    }
    step->dead = true;
    return WSR_OK;
}

// --------------------------------------------------------------------- sum

// How many sources of steps add to the gradient of the slot `of`, or to that of
// `slot`, which lies in the same memory; the last one is handed out. Such slots
// are results of dead relus, parts of a concatenation and summands. The step
// that makes `of` does not count: its sources hold what it hands on.
static size_t count_writers(wsr__consumer *last, const wsr_plan *plan,
                            uint32_t slot, uint32_t of)
{
    const wsr__slot *const read = &plan->slots[slot];
    const uint32_t maker = plan->slots[of].producer;
    size_t count = 0;
    for (size_t k = 0; k < read->consumer_count; k++) {
        const wsr__consumer *const r = &read->consumers[k];
        const wsr__step *const step = &plan->steps[r->step];
        if (!step->dead && step->node.src[r->src].want_diff &&
            r->step != maker) {
            count++;
            *last = *r;
        }
        if (plan->slots[step->dst].diff_in == slot) {
            count += count_writers(last, plan, step->dst, of);
        }
    }
    if (read->producer != WSR__NONE) {
        const wsr__step *const step = &plan->steps[read->producer];
        for (size_t i = 0; i < step->node.n; i++) {
            if (plan->slots[step->srcs[i]].diff_in == slot) {
                count += count_writers(last, plan, step->srcs[i], of);
            }
        }
    }
    return count;
}

static wsr_status sum(wsr_plan *plan, uint32_t s)
{
    wsr__step *const step = &plan->steps[s];
    if (!step->node.impl->fusion.shares_diff || !step->node.backward) {
        return WSR_OK;
    }
    for (size_t i = 0; i < step->node.n; i++) {
        wsr__slot *const slot = &plan->slots[step->srcs[i]];
        wsr__consumer last = {0};
        if (step->node.src[i].want_diff && slot->role == WSR__OP &&
            !slot->view && !slot->relu && slot->diff_in == WSR__NONE &&
            slot->desc.layout == WSR__BLOCKED && !slot->is_output &&
            count_writers(&last, plan, step->srcs[i], step->srcs[i]) == 1 &&
            impl_of(plan, slot->producer)->fusion.dst_views) {
            slot->diff_in = step->dst;
        }
    }
    return WSR_OK;
}

// -------------------------------------------------------------------- sums

// The sums of a norm's backward pass come from the only step whose backward
// pass writes the gradient of its result, or from the sum that it shares that
// gradient with: one pass over it then serves all summands.
static wsr_status sums(wsr_plan *plan, uint32_t s)
{
    wsr__step *const step = &plan->steps[s];
    const wsr__slot *const dst = &plan->slots[step->dst];
    if (!dst->deferred || dst->norm != s || !step->node.backward ||
        !step->node.train) {
        return WSR_OK;
    }
    if (dst->diff_in != WSR__NONE) {
        plan->steps[plan->slots[dst->diff_in].producer].sums_shared = true;
        step->deferred.given_sums = true;
        return WSR_OK;
    }
    wsr__consumer only = {0};
    const size_t writers = count_writers(&only, plan, step->dst, step->dst);
    if (writers == 1 && impl_of(plan, only.step)->fusion.writes_sums &&
        plan->steps[only.step].summed == WSR__NONE) {
        plan->steps[only.step].summed = only.src;
        step->deferred.given_sums = true;
    }
    return WSR_OK;
}

// ------------------------------------------------------------------- table

typedef wsr_status (*pattern)(wsr_plan *plan, uint32_t step);

static const pattern patterns[] = {separable, fold, norm, relu,
                                   concat,    sum,  sums};

wsr_status wsr__plan_fuse(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
        for (uint32_t s = 0; s < plan->step_count; s++) {
            if (!plan->steps[s].dead) {
                WSR_TRY(patterns[p](plan, s));
            }
        }
    }
out:
    return status;
}
