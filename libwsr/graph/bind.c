// SPDX-License-Identifier: Apache-2.0
//
// Sets the pointers in the nodes of a plan, whenever its arena has moved: plans
// that share an arena enlarge it.

#include "graph/plan.h"

#include <string.h>

float *wsr__plan_at(const wsr_plan *plan, uint32_t span)
{
    return span == WSR__NONE ? NULL
                             : plan->arena->base + plan->spans[span].offset;
}

// Batch stride of a slot within the larger tensor of its storage slot; 0 when
// the slot is all of that tensor.
static int64_t batch_stride_in(const wsr_plan *plan, uint32_t slot,
                               uint32_t storage)
{
    const wsr__desc *const part = &plan->slots[slot].desc;
    const wsr__desc *const whole = &plan->slots[storage].desc;
    if (part->layout == WSR__PLAIN || whole->layout == WSR__PLAIN) {
        return 0;
    }
    const int64_t floats = wsr__desc_floats(whole);
    return floats == wsr__desc_floats(part) ? 0 : floats / whole->shape.dims[0];
}

// A parameter's data lie in the parameter set, never in the arena; views of
// parameters do not exist, so `at` is 0 for them.
float *wsr__plan_data(const wsr_plan *plan, uint32_t slot,
                      int64_t *batch_stride)
{
    int64_t at = 0;
    const uint32_t storage = wsr__data_storage(plan, slot, &at);
    const wsr__slot *const s = &plan->slots[storage];
    *batch_stride = batch_stride_in(plan, slot, storage);
    return s->param != NULL ? s->param->data : wsr__plan_at(plan, s->data) + at;
}

float *wsr__plan_diff(const wsr_plan *plan, uint32_t slot,
                      int64_t *batch_stride)
{
    int64_t at = 0;
    const uint32_t storage = wsr__diff_storage(plan, slot, &at);
    const wsr__slot *const s = &plan->slots[storage];
    *batch_stride = batch_stride_in(plan, slot, storage);
    if (s->param != NULL) {
        return s->param->grad;
    }
    float *const base = wsr__plan_at(plan, s->diff);
    return base == NULL ? NULL : base + at;
}

static const wsr__pre relu_alone = {NULL, NULL, true};

// A source that is the result of a deferred norm or relu: data are those of the
// norm's source, and the kernel gets what to apply to them. The relu mask of
// backward is computed from the same data. The mask carries the place of the
// reductions only for the step that computes them.
static void bind_deferred_src(const wsr_plan *plan, wsr__step *step, uint32_t i)
{
    const wsr__slot *const slot = &plan->slots[step->srcs[i]];
    wsr__arg *const arg = &step->node.src[i];
    wsr__relu_mask *const mask = &step->relu_masks[i];
    arg->pre = NULL;
    arg->relu_mask = NULL;
    if (!slot->deferred) {
        return;
    }
    if (slot->norm == WSR__NONE) {
        arg->pre = &relu_alone;
        *mask = (wsr__relu_mask){.pre = relu_alone};
    } else {
        const wsr__deferred *const deferred = &plan->steps[slot->norm].deferred;
        arg->pre = &deferred->pre[slot->relu];
        *mask = deferred->relu_mask[slot->relu];
        const bool shared = step->sums_shared && slot->diff_in == step->dst;
        mask->sums = step->summed == i || shared ? deferred->sums : NULL;
    }
    mask->src = arg->data;
    arg->relu_mask = mask;
}

// dst of the producer of a norm's source: its kernel writes the moments of the
// norm, or reads its diff through the norm, or has the norm in its weights.
static void bind_dst(const wsr_plan *plan, wsr__step *step)
{
    wsr__arg *const dst = &step->node.dst;
    int64_t diff_batch_stride = 0;
    dst->data = wsr__plan_data(plan, step->dst, &dst->batch_stride);
    dst->diff = plan->slots[step->dst].gets_diff
                    ? wsr__plan_diff(plan, step->dst, &diff_batch_stride)
                    : NULL;
    dst->diff_batch_stride = diff_batch_stride;
    dst->moments = NULL;
    dst->affine = NULL;
    step->node.fold = NULL;
    if (step->norm_consumer != WSR__NONE) {
        wsr__step *const norm = &plan->steps[step->norm_consumer];
        wsr__deferred *const deferred = &norm->deferred;
        step->node.fold = deferred->folded ? &norm->node : NULL;
        dst->moments = deferred->given_moments ? deferred->moments : NULL;
        dst->affine = deferred->through ? &deferred->affine : NULL;
    }
}

// A gradient that must be added up goes to a dense buffer of its own.
static void bind_src(const wsr_plan *plan, wsr__step *step, uint32_t i)
{
    wsr__arg *const arg = &step->node.src[i];
    arg->data = wsr__plan_data(plan, step->srcs[i], &arg->batch_stride);
    arg->diff = NULL;
    arg->diff_batch_stride = 0;
    if (!arg->want_diff) {
        return;
    }
    if (step->temp[i] != WSR__NONE) {
        arg->diff = wsr__plan_at(plan, step->temp[i]);
    } else {
        arg->diff =
            wsr__plan_diff(plan, step->srcs[i], &arg->diff_batch_stride);
    }
}

// The scratch of single threads lies in front of what a step has for all.
static void bind_scratch(const wsr_plan *plan, wsr__step *step)
{
    wsr__thread_scratch *const threads = &step->node.thread_scratch;
    threads->data = wsr__plan_at(plan, step->scratch);
    step->node.scratch = threads->data != NULL
                             ? threads->data + threads->count * threads->stride
                             : NULL;
}

static void bind_step(const wsr_plan *plan, wsr__step *step)
{
    for (uint32_t i = 0; i < step->node.n; i++) {
        bind_src(plan, step, i);
    }
    step->node.workspace = wsr__plan_at(plan, step->workspace);
    bind_scratch(plan, step);
    bind_dst(plan, step);
    if (step->node.impl->bind != NULL) {
        step->node.deferred = &step->deferred;
        step->node.impl->bind(&step->node);
    }
}

void wsr__plan_bind(wsr_plan *plan)
{
    if (plan->bound == plan->arena->base) {
        return;
    }
    // Norms first: others point to what they hand out.
    for (int pass = 0; pass < 2; pass++) {
        for (size_t s = 0; s < plan->step_count; s++) {
            wsr__step *const step = &plan->steps[s];
            const bool norm = step->node.impl->bind != NULL;
            if (!step->dead && norm == (pass == 0)) {
                bind_step(plan, step);
            }
        }
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        for (uint32_t i = 0; i < plan->steps[s].node.n; i++) {
            bind_deferred_src(plan, &plan->steps[s], i);
        }
    }
    plan->bound = plan->arena->base;
}

// Initial gradients start at 0: an output whose gradient the caller never sets
// then contributes nothing. The arena is not cleared, so this must be written
// out.
wsr_status wsr__plan_ready(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__arena_reserve(plan->arena, plan->floats));
    wsr__plan_bind(plan);
    for (size_t i = 0; i < plan->output_count; i++) {
        const uint32_t diff = plan->outputs[i].initial_diff;
        if (diff != WSR__NONE) {
            memset(wsr__plan_at(plan, diff), 0,
                   plan->spans[diff].floats * sizeof(float));
        }
    }
out:
    return status;
}
