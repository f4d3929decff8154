// SPDX-License-Identifier: Apache-2.0
//
// The gradients of parts go into the tree (comm/tree.c). Those of the last part
// of a process are complete one after another in the course of its backward
// pass, the last layers first. Where the tree permits it, each is taken then,
// and its bucket begins to pass among the processes while the backward pass
// goes on. What is added in which order stays the same, so bits do not depend
// on it.
//
// Messages move in calls of MPI alone, so the reducer polls after each step of
// the plan. A process whose loss is not finite, say, still takes part in what
// others have begun, and says so afterwards.

#include "train/reducer.h"

#include <stdlib.h>

// ------------------------------------------------------------------- layout

size_t wsr__gradients_floats(const wsr_params *params)
{
    size_t floats = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        floats += p->trainable ? (size_t)p->count + 1 : 0;
    }
    return floats;
}

static void take_one(float *out, const wsr__param *p, double weight)
{
    *out++ = p->has_grad ? 1.0F : 0.0F;
    for (int64_t k = 0; k < p->count; k++) {
        out[k] = p->has_grad ? (float)((double)p->grad[k] * weight) : 0.0F;
    }
}

void wsr__gradients_take(float *out, const wsr_params *params, double weight)
{
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        if (p->trainable) {
            take_one(out, p, weight);
            out += p->count + 1;
        }
    }
}

wsr_status wsr__gradients_put(const wsr_params *params, const float *sum,
                              const float *before)
{
    wsr_status status = WSR_OK;
    size_t at = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        if (!p->trainable) {
            continue;
        }
        p->has_grad = sum[at] > 0 || (before != NULL && before[at] > 0);
        at++;
        if (p->has_grad) {
            WSR_TRY(wsr__param_need_grad(p));
        }
        for (int64_t k = 0; p->has_grad && k < p->count; k++) {
            const size_t of = at + (size_t)k;
            p->grad[k] = before == NULL ? sum[of] : before[of] + sum[of];
        }
        at += (size_t)p->count;
    }
out:
    return status;
}

// ---------------------------------------------------------------- lifetime

// A parameter that is trained, and its place in the layout.
typedef struct entry {
    const wsr__param *param;
    size_t at;
    bool awaited; // its gradient is not complete yet
    bool taken;
} entry;

struct wsr__reducer {
    wsr__tree *tree;
    size_t floats;
    entry *list; // by address of the parameter
    size_t count;
    size_t left; // parts of this process that have not begun
    float *leaf; // of the part, NULL: there is none
    double weight;
    const wsr__grad_ready *order; // of the plan that runs backward
    size_t order_count;
    size_t order_at;
};

static int by_address(const void *a, const void *b)
{
    const uintptr_t p = (uintptr_t)((const entry *)a)->param;
    const uintptr_t q = (uintptr_t)((const entry *)b)->param;
    return (p > q) - (p < q);
}

static void list_parameters(wsr__reducer *r, const wsr_params *params)
{
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        if (p->trainable) {
            r->list[r->count++] = (entry){.param = p, .at = r->floats};
            r->floats += (size_t)p->count + 1;
        }
    }
    qsort(r->list, r->count, sizeof(*r->list), by_address);
}

wsr_status wsr__reducer_new(wsr__reducer **out, const wsr_params *params)
{
    wsr_status status = WSR_OK;
    wsr__reducer *r = wsr__alloc(1, sizeof(*r));
    *out = NULL;
    if (r == NULL) {
        return WSR_NOMEM;
    }
    r->list = wsr__alloc(wsr_params_count(params) + 1, sizeof(*r->list));
    if (r->list == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    list_parameters(r, params);
    WSR_TRY(wsr__tree_new(&r->tree, r->floats));
    *out = r;
    r = NULL;
out:
    wsr__reducer_free(r);
    return status;
}

void wsr__reducer_free(wsr__reducer *reducer)
{
    if (reducer != NULL) {
        wsr__tree_free(reducer->tree);
        wsr__free(reducer->list);
        wsr__free(reducer);
    }
}

// A leaf, what is added to it, and what comes from other processes.
double wsr__reducer_bytes(const wsr__reducer *reducer)
{
    return 3.0 * (double)reducer->floats * sizeof(float);
}

// ------------------------------------------------------------------- parts

void wsr__reducer_begin(wsr__reducer *r, size_t parts, size_t leaves)
{
    const wsr__items mine = wsr__comm_share(parts, wsr_comm_rank());
    const size_t end = mine.end < leaves ? mine.end : leaves;
    wsr__tree_begin(r->tree, parts, leaves);
    r->left = end > mine.begin ? end - mine.begin : 0;
    r->leaf = NULL;
}

wsr_status wsr__reducer_part(wsr__reducer *r, double weight)
{
    r->leaf = wsr__tree_leaf(r->tree);
    if (r->leaf == NULL) {
        return WSR_NOMEM;
    }
    r->left--;
    r->weight = weight;
    for (size_t i = 0; i < r->count; i++) {
        r->list[i].awaited = false;
        r->list[i].taken = false;
    }
    return WSR_OK;
}

static wsr_status take(wsr__reducer *r, entry *e)
{
    take_one(r->leaf + e->at, e->param, r->weight);
    e->taken = true;
    return wsr__tree_ready(r->tree, e->at, (size_t)e->param->count + 1);
}

wsr_status wsr__reducer_take(wsr__reducer *r)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < r->count; i++) {
        if (!r->list[i].taken && !r->list[i].awaited) {
            WSR_TRY(take(r, &r->list[i]));
        }
    }
out:
    return status;
}

// ---------------------------------------------------------- backward passes

static entry *find(const wsr__reducer *r, const wsr__param *param)
{
    const entry key = {.param = param};
    return bsearch(&key, r->list, r->count, sizeof(key), by_address);
}

// A backward pass has run a step: take what it completed.
static wsr_status passed(void *ctx, size_t step)
{
    wsr_status status = WSR_OK;
    wsr__reducer *const r = ctx;
    for (; r->order_at < r->order_count && r->order[r->order_at].step >= step;
         r->order_at++) {
        entry *const e = find(r, r->order[r->order_at].param);
        if (e != NULL) {
            e->awaited = false;
            WSR_TRY(take(r, e));
        }
    }
    WSR_TRY(wsr__tree_poll(r->tree));
out:
    return status;
}

wsr_status wsr__reducer_backward(wsr__reducer *r, wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    const wsr__backward_watch watch = {passed, r};
    if (r->left > 0 || r->leaf == NULL || !wsr__tree_overlaps(r->tree)) {
        return wsr_plan_backward(plan);
    }
    WSR_TRY(wsr__plan_grads_ready(&r->order, &r->order_count, plan));
    r->order_at = 0;
    for (size_t i = 0; i < r->order_count; i++) {
        entry *const e = find(r, r->order[i].param);
        if (e != NULL) {
            e->awaited = true;
        }
    }
    WSR_TRY(wsr__reducer_take(r)); // those that the pass does not reach
    WSR_TRY(wsr__plan_backward(plan, &watch));
out:
    return status;
}

wsr_status wsr__reducer_sum(const float **out, wsr__reducer *r, wsr_status own,
                            const wsr__reducer_agree *agree)
{
    wsr_status status = own;
    *out = NULL;
    if (wsr__tree_overlaps(r->tree)) {
        const wsr_status summed = wsr__tree_sum(out, r->tree);
        return agree->agree(agree->ctx, own == WSR_OK ? summed : own);
    }
    WSR_TRY(agree->agree(agree->ctx, own));
    WSR_TRY(wsr__tree_sum(out, r->tree));
out:
    return status;
}
