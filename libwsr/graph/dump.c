// SPDX-License-Identifier: Apache-2.0
//
// Writes a plan as text, a line per live step: the op, its implementation, the
// shape of its result and where it lies, multiply-adds and bytes, and after
// timed runs the milliseconds and the share of the whole.

#include "graph/plan.h"

// Seconds of all steps and runs, the whole that shares are taken of.
static double total_seconds(const wsr_plan *plan)
{
    double total = 0;
    for (size_t s = 0; s < plan->step_count; s++) {
        total += plan->steps[s].forward_s + plan->steps[s].backward_s;
    }
    return total;
}

// Parameters and inputs by name, other slots as %number; an apostrophe marks a
// source whose gradient is computed.
static void dump_sources(wsr__str *out, const wsr_plan *plan,
                         const wsr__step *step)
{
    for (size_t i = 0; i < step->node.n; i++) {
        const wsr__slot *const slot = &plan->slots[step->srcs[i]];
        wsr__str_add(out, i > 0 ? ", " : "");
        if (slot->param != NULL) {
            wsr__str_add(out, slot->param->name);
        } else if (slot->name != NULL) {
            wsr__str_add(out, slot->name);
        } else {
            wsr__str_addf(out, "%%%u", step->srcs[i]);
        }
        wsr__str_add(out, step->node.src[i].want_diff ? "'" : "");
    }
}

// Multiply-adds of a forward pass, and the bytes of what it reads and writes,
// each once; a deferred norm whose source came with its moments does nothing by
// itself.
static void dump_work(wsr__str *out, const wsr__node *node)
{
    const wsr_shape *const dst = &node->dst.desc.shape;
    double floats = (double)wsr_shape_count(dst);
    double madds = 0;
    for (size_t i = 0; i < node->n; i++) {
        const double n = (double)wsr_shape_count(&node->src[i].desc.shape);
        if (i < 32 && (node->cls->weights >> i & 1) != 0) {
            // Each weight is used once for every position and image of dst: dst
            // / channels times. For a convolution that is co ci k k / groups *
            // n h w.
            madds += n * (double)wsr_shape_count(dst) / (double)dst->dims[1];
        }
        floats += n;
    }
    if (madds > 0) {
        wsr__str_addf(out, "  %.2f Mmadd", 1e-6 * madds);
    }
    const bool idle = node->impl->bind != NULL &&
                      (node->deferred->given_moments || !node->train);
    if (!idle && !node->impl->alias) {
        wsr__str_addf(out, "  %.2f MB", 1e-6 * sizeof(float) * floats);
    }
}

static void dump_step(wsr__str *out, const wsr_plan *plan, size_t s,
                      double total)
{
    const wsr__step *const step = &plan->steps[s];
    if (step->dead) {
        return;
    }
    int64_t at = 0;
    const uint32_t storage = wsr__data_storage(plan, step->dst, &at);
    const wsr__slot *const dst = &plan->slots[step->dst];
    char shape[96];
    wsr__shape_print(shape, &dst->desc.shape);
    wsr__str_addf(out, "%%%-4u = %-14s %-10s %s%s", step->dst,
                  step->node.cls->super.name, step->node.impl->name, shape,
                  dst->desc.layout == WSR__BLOCKED ? " nChw8c" : "");
    if (storage == step->dst) {
        wsr__str_addf(out, " @%zu (", plan->spans[dst->data].offset);
    } else {
        wsr__str_addf(out, " in %%%u (", storage);
    }
    dump_sources(out, plan, step);
    wsr__str_add(out, ")");
    dump_work(out, &step->node);
    if (plan->runs > 0 && total > 0) {
        const double runs = (double)plan->runs;
        wsr__str_addf(out, "  fwd %.3f ms  bwd %.3f ms  %.1f%%",
                      1e3 * step->forward_s / runs,
                      1e3 * step->backward_s / runs,
                      100 * (step->forward_s + step->backward_s) / total);
    }
    wsr__str_add(out, "\n");
}

wsr_status wsr_plan_dump(char **out, const wsr_plan *plan)
{
    wsr__str text = {0};
    const double total = total_seconds(plan);
    size_t steps = 0;
    for (size_t s = 0; s < plan->step_count; s++) {
        steps += plan->steps[s].dead ? 0 : 1;
    }
    wsr__str_addf(&text,
                  "plan: batch %zu, %zu steps, %.1f MiB; 'name' marks a "
                  "wanted gradient\n",
                  plan->batch, steps,
                  (double)wsr_plan_bytes(plan) / (1024 * 1024));
    for (size_t s = 0; s < plan->step_count; s++) {
        dump_step(&text, plan, s, total);
    }
    return wsr__str_give(out, &text);
}
