// SPDX-License-Identifier: Apache-2.0
//
// Pointers of a plan, set anew whenever its arena has moved.

#include "graph/plan.h"

#include <string.h>

float *wsr__plan_at(const wsr_plan *plan, uint32_t span)
{
    return span == WSR__NONE ? NULL
                             : plan->arena->base + plan->spans[span].offset;
}

// Floats from image to image of a part that lies in a larger home.
static int64_t step_in(const wsr_plan *plan, uint32_t slot, uint32_t home)
{
    const wsr__desc *const part = &plan->slots[slot].desc;
    const wsr__desc *const whole = &plan->slots[home].desc;
    if (part->layout == WSR__PLAIN || whole->layout == WSR__PLAIN) {
        return 0;
    }
    const int64_t floats = wsr__desc_floats(whole);
    return floats == wsr__desc_floats(part) ? 0 : floats / whole->shape.dims[0];
}

float *wsr__plan_data(const wsr_plan *plan, uint32_t slot, int64_t *step)
{
    int64_t at = 0;
    const uint32_t home = wsr__data_home(plan, slot, &at);
    const wsr__slot *const h = &plan->slots[home];
    *step = step_in(plan, slot, home);
    return h->param != NULL ? h->param->data : wsr__plan_at(plan, h->data) + at;
}

float *wsr__plan_diff(const wsr_plan *plan, uint32_t slot, int64_t *step)
{
    int64_t at = 0;
    const uint32_t home = wsr__diff_home(plan, slot, &at);
    const wsr__slot *const h = &plan->slots[home];
    *step = step_in(plan, slot, home);
    if (h->param != NULL) {
        return h->param->grad;
    }
    float *const base = wsr__plan_at(plan, h->diff);
    return base == NULL ? NULL : base + at;
}

static const wsr__pre relu_alone = {NULL, NULL, true};

// A lazy source: what is to be applied to it, and its backward.
static void bind_lazy_src(const wsr_plan *plan, wsr__step *step, uint32_t i)
{
    const wsr__slot *const slot = &plan->slots[step->srcs[i]];
    wsr__arg *const arg = &step->node.src[i];
    wsr__gate *const gate = &step->gates[i];
    arg->pre = NULL;
    arg->gate = NULL;
    if (!slot->lazy) {
        return;
    }
    if (slot->norm == WSR__NONE) {
        arg->pre = &relu_alone;
        *gate = (wsr__gate){.pre = relu_alone};
    } else {
        const wsr__lazy *const lazy = &plan->steps[slot->norm].lazy;
        arg->pre = &lazy->pre[slot->relu];
        *gate = lazy->gate[slot->relu];
        const bool shared = step->sums_shared && slot->diff_in == step->dst;
        gate->sums = step->summed == i || shared ? lazy->sums : NULL;
    }
    gate->src = arg->data;
    arg->gate = gate;
}

static void bind_dst(const wsr_plan *plan, wsr__step *step)
{
    wsr__arg *const dst = &step->node.dst;
    int64_t diff_step = 0;
    dst->data = wsr__plan_data(plan, step->dst, &dst->step);
    dst->diff = plan->slots[step->dst].gets_diff
                    ? wsr__plan_diff(plan, step->dst, &diff_step)
                    : NULL;
    dst->diff_step = diff_step;
    dst->moments = NULL;
    dst->affine = NULL;
    step->node.fold = NULL;
    if (step->feeds != WSR__NONE) {
        wsr__step *const norm = &plan->steps[step->feeds];
        wsr__lazy *const lazy = &norm->lazy;
        step->node.fold = lazy->folded ? &norm->node : NULL;
        dst->moments = lazy->given_moments ? lazy->moments : NULL;
        dst->affine = lazy->through ? &lazy->affine : NULL;
    }
}

static void bind_src(const wsr_plan *plan, wsr__step *step, uint32_t i)
{
    wsr__arg *const arg = &step->node.src[i];
    arg->data = wsr__plan_data(plan, step->srcs[i], &arg->step);
    arg->diff = NULL;
    arg->diff_step = 0;
    if (!arg->want_diff) {
        return;
    }
    if (step->temp[i] != WSR__NONE) {
        arg->diff = wsr__plan_at(plan, step->temp[i]);
    } else {
        arg->diff = wsr__plan_diff(plan, step->srcs[i], &arg->diff_step);
    }
}

// Slots of threads come first, then what a step has for all of them.
static void bind_scratch(const wsr_plan *plan, wsr__step *step)
{
    wsr__slots *const slots = &step->node.slots;
    slots->data = wsr__plan_at(plan, step->scratch);
    step->node.scratch =
        slots->data != NULL ? slots->data + slots->count * slots->step : NULL;
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
        step->node.lazy = &step->lazy;
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
            bind_lazy_src(plan, &plan->steps[s], i);
        }
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
