// SPDX-License-Identifier: Apache-2.0
//
// Fusion: leaves out passes over memory. A graph is written one op at a time;
// a plan that ran it that way would write every value to memory and read it
// back. Each pattern below is tried on every step, in the order of the table:
//
//   separable   A depthwise and a pointwise convolution become one step. The
//               tensor between them stays in the cache.
//   fold        Without gradients of parameters, a norm by running statistics
//               goes into the weights and the bias of the convolution before
//               it, in both directions.
//   norm        The result of a batch norm is deferred: consumers apply scale
//               and shift as they read the norm's source. In backward, the
//               producer of that source reads the gradient through an affine
//               map, which is the backward pass of the norm.
//   relu        The result of a relu is deferred: consumers take max(0, x).
//   concat      The producers of the parts write into the concatenation.
//   sum         The gradient of a summand is that of the sum: they share
//               memory.
//   sums        The step that writes the gradient of a deferred norm's result
//               computes the two reductions that the norm's backward needs.
//
// An implementation says in wsr__fusion (op/op.h) what it can do of this; no op
// is known here by name. Patterns change slots (data_in, diff_in, deferred) and
// mark steps dead; they never move a step, so that an index stays valid. Each
// query costs the number of consumers of the slots concerned.

#include "graph/plan.h"

#include <string.h>

// --------------------------------------------------------------- consumers

// Slots list the consumers of dead steps too: the result of a dead relu is
// found through them.
static bool live(const wsr_plan *plan, const wsr__consumer *c)
{
    return !plan->steps[c->step].dead;
}

static size_t count_consumers(const wsr_plan *plan, uint32_t slot)
{
    const wsr__slot *const read = &plan->slots[slot];
    size_t count = 0;
    for (size_t k = 0; k < read->consumer_count; k++) {
        count += live(plan, &read->consumers[k]);
    }
    return count;
}

// Whether a slot has one consumer and is no output: nobody else would miss it.
static bool read_once(const wsr_plan *plan, uint32_t slot)
{
    return !plan->slots[slot].is_output && count_consumers(plan, slot) == 1;
}

static const wsr__impl *impl_of(const wsr_plan *plan, uint32_t step)
{
    return plan->steps[step].node.impl;
}

// Whether a consumer can apply a deferred norm or relu as it reads. A relu also
// needs its mask applied to the gradient, which not every kernel can do.
static bool applies(const wsr_plan *plan, const wsr__consumer *r, bool relu)
{
    const wsr__impl *const impl = impl_of(plan, r->step);
    const bool masked = relu && plan->steps[r->step].node.src[r->src].want_diff;
    return r->src < 32 && (impl->fusion.reads_pre >> r->src & 1) != 0 &&
           !(masked && impl->fusion.skips_relu_mask);
}

// Whether every consumer can do so. A relu among them can be deferred itself if
// its own consumers can apply it.
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

// Norms and relus of plain tensors and of inputs are never deferred.
static bool stored_image(const wsr__slot *slot)
{
    return slot->role == WSR__OP && slot->desc.layout == WSR__BLOCKED;
}

// --------------------------------------------------------------- separable

// Step s is the pointwise convolution; it becomes the fused step, whose sources
// are src (n, c, h, w), depthwise weights (c, 1, k, k) and pointwise weights
// (co, c, 1, 1). The depthwise step dies.
static wsr_status separable(wsr_plan *plan, uint32_t s)
{
    wsr__step *pw = &plan->steps[s];
    const wsr__impl *const behind = pw->node.impl;
    const uint32_t between = pw->srcs[0];
    const uint32_t first = plan->slots[between].producer;
    if (behind->fusion.fuses_to == NULL || first == WSR__NONE ||
        !read_once(plan, between)) {
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
        // The best kernel does not apply; two native steps beat a slower one.
        wsr__step_free(&fused);
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

static bool wants_parameters(const wsr__node *node)
{
    bool wants = false;
    for (size_t i = 1; i < node->n; i++) {
        wants = wants || node->src[i].want_diff;
    }
    return wants;
}

// The gradient of the images is then nearer to that of double precision than
// without folding (docs/performance.md): there are fewer operations.
//
// dst lies in the memory of the convolution's result, which is normalised then,
// and the gradient of that result in that of dst.
static wsr_status fold(wsr_plan *plan, uint32_t s)
{
    wsr__step *const step = &plan->steps[s];
    wsr__node *const node = &step->node;
    const uint32_t from = step->srcs[0];
    const wsr__slot *const src = &plan->slots[from];
    if (node->impl->fusion.folded == NULL || node->train ||
        wants_parameters(node) || !stored_image(src) ||
        !read_once(plan, from)) {
        return WSR_OK;
    }
    wsr__step *const producer = &plan->steps[src->producer];
    if (!producer->node.impl->fusion.folds ||
        wants_parameters(&producer->node) ||
        producer->norm_consumer != WSR__NONE) {
        return WSR_OK;
    }
    node->impl = node->impl->fusion.folded;
    step->deferred.folded = true;
    producer->norm_consumer = s;
    plan->slots[step->dst].data_in = from;
    if (node->src[0].want_diff) {
        plan->slots[from].diff_in = step->dst;
    }
    return WSR_OK;
}

// -------------------------------------------------------------------- norm

// The norm stays a live step, which only computes scale and shift per channel.
// The producer of its source may help: it computes the batch moments as it
// writes (given_moments), and it reads the norm's gradient `through` the norm.
// The latter needs the norm to be the only consumer, since the gradient of the
// source is then never stored: its memory holds that of the norm's result.
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
    wsr__step *const producer = &plan->steps[src->producer];
    step->deferred.given_moments = producer->node.impl->fusion.writes_moments &&
                                   producer->norm_consumer == WSR__NONE &&
                                   node->train;
    step->deferred.through = producer->node.impl->fusion.reads_affine &&
                             node->src[0].want_diff && read_once(plan, from) &&
                             producer->norm_consumer == WSR__NONE;
    if (step->deferred.given_moments || step->deferred.through) {
        producer->norm_consumer = s;
    }
    if (step->deferred.through) {
        src->diff_in = step->dst;
    }
    return WSR_OK;
}

// -------------------------------------------------------------------- relu

// Consumers write the gradient of the relu's result already masked: that is the
// gradient of its source, in whose memory it lies.
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

// Whether a step can read a part of the concatenation that step `end` makes,
// and add to its gradient. A step behind `end` cannot: it runs backward before
// the gradient of the whole is complete, which would overwrite what it has
// added.
static bool reads_part(const wsr_plan *plan, uint32_t step, uint32_t end)
{
    const wsr__impl *const impl = impl_of(plan, step);
    return step == end ||
           (step < end && impl->fusion.src_views && impl->accumulates);
}

// Whether all steps can that read a slot or another one in its memory. The
// others are results of deferred norms and relus, found through the consumers
// of the slot, and parts of a concatenation made in place, found through its
// producer.
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
        const wsr__step *const producer = &plan->steps[read->producer];
        for (size_t i = 0; all && i < producer->node.n; i++) {
            const uint32_t part = producer->srcs[i];
            all = plan->slots[part].data_in != slot ||
                  viewable(plan, part, end);
        }
    }
    return all;
}

// Whether the producer of `from` can write it into the concatenation of step s.
// A slot that lies elsewhere already, or is needed on its own, stays apart.
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

// All parts or none. Part i becomes a view: it begins behind the channel blocks
// of the parts before it, each padded to whole blocks.
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

// How many sources of steps add to the gradient of slot `of` by way of `slot`,
// whose gradient lies in the same memory: the slot itself, the result of a dead
// relu, a part of a concatenation, a summand. `*last` is one of them. The
// producer of `of` does not count: it reads that gradient and hands it on.
static size_t count_writers(wsr__consumer *last, const wsr_plan *plan,
                            uint32_t slot, uint32_t of)
{
    const wsr__slot *const read = &plan->slots[slot];
    const uint32_t producer = plan->slots[of].producer;
    size_t count = 0;
    for (size_t k = 0; k < read->consumer_count; k++) {
        const wsr__consumer *const r = &read->consumers[k];
        const wsr__step *const step = &plan->steps[r->step];
        if (!step->dead && step->node.src[r->src].want_diff &&
            r->step != producer) {
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

// A summand of which the sum is the only consumer has the gradient of the sum.
// Deferred relus are excluded: their mask makes the gradients differ.
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

// A deferred norm by batch statistics needs two sums per channel over the
// gradient of its result. If that gradient is the gradient of a sum, the step
// of the sum computes them for all its summands in one pass. Otherwise the only
// step that writes the gradient can compute them, for one norm at most.
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
    for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
        for (uint32_t s = 0; s < plan->step_count; s++) {
            if (!plan->steps[s].dead) {
                WSR_TRY(patterns[p](plan, s));
            }
        }
    }
out:
    return status;
}
