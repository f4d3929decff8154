// SPDX-License-Identifier: Apache-2.0
//
// Runs a plan. Forward runs the live steps in order, backward runs those with a
// wanted gradient in reverse. No op is known by name. Nothing is allocated
// here, and every pointer was set by bind.c: a run is a loop over calls of
// kernels. Backward reads what forward left in the arena, so it belongs to the
// forward pass before it.

#include "graph/plan.h"

#include <string.h>

// Another plan in the same arena may have moved it since the last run; binding
// again costs one comparison when it has not.
wsr_status wsr_plan_forward(wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__threads_start());
    wsr__plan_bind(plan);
    for (size_t s = 0; s < plan->step_count; s++) {
        wsr__step *const step = &plan->steps[s];
        if (step->dead) {
            continue;
        }
        const double start = plan->timed ? wsr__seconds() : 0;
        WSR_TRY(step->node.impl->forward(&step->node));
        step->forward_s += plan->timed ? wsr__seconds() - start : 0;
    }
    plan->runs++;
out:
    return status;
}

// Add gradients that a kernel could only write, dense, to what is there.
// Parameters also learn here that they have a gradient: an optimiser skips
// those that no backward pass has reached.
static void add_up(const wsr_plan *plan, wsr__step *step)
{
    for (size_t i = 0; i < step->node.n; i++) {
        const wsr__slot *const slot = &plan->slots[step->srcs[i]];
        if (!step->node.src[i].want_diff) {
            continue;
        }
        if (step->temp[i] != WSR__NONE) {
            int64_t stride = 0;
            float *const sum = wsr__plan_diff(plan, step->srcs[i], &stride);
            wsr__axpy(sum, 1, step->node.src[i].diff,
                      wsr__desc_floats(&slot->desc));
        }
        if (slot->param != NULL) {
            slot->param->has_grad = true;
        }
    }
}

// Backward begins with the gradients that the caller gave for the outputs.
static void set_initial_gradients(const wsr_plan *plan)
{
    for (size_t i = 0; i < plan->output_count; i++) {
        const wsr__port *const port = &plan->outputs[i];
        wsr__param *const param = plan->slots[port->slot].param;
        int64_t stride = 0;
        if (port->initial_diff == WSR__NONE) {
            continue;
        }
        float *const diff = wsr__plan_diff(plan, port->slot, &stride);
        const float *const given = wsr__plan_at(plan, port->initial_diff);
        const size_t floats = plan->spans[port->initial_diff].floats;
        if (port->adds) {
            wsr__axpy(diff, 1, given, (int64_t)floats);
        } else {
            memcpy(diff, given, floats * sizeof(*diff));
        }
        if (param != NULL) {
            param->has_grad = true;
        }
    }
}

static wsr_status tell(const wsr__backward_watch *watch, size_t step)
{
    return watch == NULL ? WSR_OK : watch->passed(watch->ctx, step);
}

wsr_status wsr_plan_backward(wsr_plan *plan)
{
    return wsr__plan_backward(plan, NULL);
}

wsr_status wsr__plan_backward(wsr_plan *plan, const wsr__backward_watch *watch)
{
    wsr_status status = WSR_OK;
    if (!wsr__plan_backwards(plan)) {
        return WSR_FAIL(WSR_ARG, "plan: made without WSR_GRAD_INPUT or "
                                 "WSR_GRAD_PARAMS, so it cannot run backward");
    }
    WSR_TRY(wsr__threads_start());
    wsr__plan_bind(plan);
    set_initial_gradients(plan);
    WSR_TRY(tell(watch, plan->step_count));
    for (size_t s = plan->step_count; s-- > 0;) {
        wsr__step *const step = &plan->steps[s];
        if (step->dead || !step->node.backward) {
            continue;
        }
        const double start = plan->timed ? wsr__seconds() : 0;
        WSR_TRY(step->node.impl->backward(&step->node));
        add_up(plan, step);
        step->backward_s += plan->timed ? wsr__seconds() - start : 0;
        WSR_TRY(tell(watch, s));
    }
out:
    return status;
}
