// SPDX-License-Identifier: Apache-2.0
//
// When the gradients of parameters are complete in the course of a backward
// pass, so that processes can begin to add them. Every step that adds to a
// gradient is known beforehand; the last one in a backward pass is the first
// one of the plan.

#include "graph/plan.h"

#include <stdlib.h>

// A parameter's gradient may be written through another slot that lies in it.
static wsr__param *param_behind(const wsr_plan *plan, uint32_t slot)
{
    int64_t at = 0;
    return plan->slots[wsr__diff_storage(plan, slot, &at)].param;
}

static bool adds(const wsr_plan *plan, const wsr__step *step, size_t i)
{
    return !step->dead && step->node.backward && step->node.src[i].want_diff &&
           param_behind(plan, step->srcs[i]) != NULL;
}

static size_t count_all(const wsr_plan *plan)
{
    size_t n = 0;
    for (size_t s = 0; s < plan->step_count; s++) {
        for (size_t i = 0; i < plan->steps[s].node.n; i++) {
            n += adds(plan, &plan->steps[s], i);
        }
    }
    for (size_t i = 0; i < plan->output_count; i++) {
        n += plan->outputs[i].initial_diff != WSR__NONE &&
             plan->slots[plan->outputs[i].slot].param != NULL;
    }
    return n;
}

// Entries of one parameter lie behind each other, the first of its steps first.
static int by_param(const void *a, const void *b)
{
    const wsr__grad_ready *const x = a;
    const wsr__grad_ready *const y = b;
    const uintptr_t p = (uintptr_t)x->param;
    const uintptr_t q = (uintptr_t)y->param;
    return p != q ? (p > q) - (p < q)
                  : (x->step > y->step) - (x->step < y->step);
}

static int by_step_backward(const void *a, const void *b)
{
    const wsr__grad_ready *const x = a;
    const wsr__grad_ready *const y = b;
    return x->step != y->step ? (x->step < y->step) - (x->step > y->step)
                              : by_param(a, b);
}

static size_t list_all(wsr__grad_ready *out, const wsr_plan *plan)
{
    size_t n = 0;
    for (size_t s = 0; s < plan->step_count; s++) {
        for (size_t i = 0; i < plan->steps[s].node.n; i++) {
            if (adds(plan, &plan->steps[s], i)) {
                out[n++] = (wsr__grad_ready){
                    param_behind(plan, plan->steps[s].srcs[i]), s};
            }
        }
    }
    for (size_t i = 0; i < plan->output_count; i++) {
        const wsr__port *const port = &plan->outputs[i];
        wsr__param *const param = plan->slots[port->slot].param;
        if (port->initial_diff != WSR__NONE && param != NULL) {
            out[n++] = (wsr__grad_ready){param, plan->step_count};
        }
    }
    return n;
}

wsr_status wsr__plan_grads_ready(const wsr__grad_ready **out, size_t *n,
                                 wsr_plan *plan)
{
    size_t kept = 0;
    const size_t all = plan->ready == NULL ? count_all(plan) : 0;
    if (plan->ready == NULL) {
        plan->ready = wsr__alloc(all + 1, sizeof(*plan->ready));
        if (plan->ready == NULL) {
            return WSR_NOMEM;
        }
        const size_t listed = list_all(plan->ready, plan);
        qsort(plan->ready, listed, sizeof(*plan->ready), by_param);
        for (size_t i = 0; i < listed; i++) {
            if (kept == 0 ||
                plan->ready[kept - 1].param != plan->ready[i].param) {
                plan->ready[kept++] = plan->ready[i];
            }
        }
        qsort(plan->ready, kept, sizeof(*plan->ready), by_step_backward);
        plan->ready_count = kept;
    }
    *out = plan->ready;
    *n = plan->ready_count;
    return WSR_OK;
}
