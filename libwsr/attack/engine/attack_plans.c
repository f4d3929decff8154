// SPDX-License-Identifier: Apache-2.0
//
// Attacks inside of training and search, see attack_plans.h.

#include "attack/engine/attack_plans.h"
#include "attack/engine/model.h"
#include "graph/plan.h"

#include <string.h>

// What a plan of attacks computes with constant statistics.
static const unsigned CONSTANT = WSR_GRAD_INPUT;

wsr_status wsr__attack_plans_images(wsr__image_plans **out,
                                    const wsr_graph *graph, unsigned purpose,
                                    const wsr_plan *like)
{
    *out = NULL;
    return (purpose & WSR_TRAIN) != 0 || !wsr__image_plans_pay(like)
               ? WSR_OK
               : wsr__image_plans_new(out, graph, CONSTANT);
}

wsr_status wsr__attack_plans_make(wsr__attack_plans *out,
                                  const wsr__attack_of *of, size_t n)
{
    wsr_status status = WSR_OK;
    const bool clean = (of->purpose & WSR__CLEAN_STATS) != 0;
    *out = (wsr__attack_plans){.n = n, .images = of->images};
    if (of->images == NULL) {
        WSR_TRY(wsr__plan_new_in(&out->batch, of->graph, n,
                                 clean ? CONSTANT : of->purpose, of->arena));
    }
    if (clean) {
        WSR_TRY(wsr__plan_new_in(&out->clean, of->graph, n,
                                 WSR_TRAIN | WSR__TAKE_STATS, of->arena));
        out->params = of->params;
        out->stats = of->stats;
    }
out:
    if (status != WSR_OK) {
        wsr__attack_plans_free(out);
    }
    return status;
}

void wsr__attack_plans_free(wsr__attack_plans *plans)
{
    wsr_plan_free(plans->batch);
    wsr_plan_free(plans->clean);
    *plans = (wsr__attack_plans){0};
}

bool wsr__attack_plans_differentiable(const wsr__attack_plans *plans)
{
    return wsr_plan_diff_src(plans->batch != NULL
                                 ? plans->batch
                                 : wsr__image_plans_any(plans->images),
                             "x") != NULL;
}

// A failure leaves the running statistics.
wsr_status wsr__attack_plans_begin(const wsr__attack_plans *plans,
                                   const float *x)
{
    wsr_status status = WSR_OK;
    if (plans->clean == NULL) {
        return WSR_OK;
    }
    const int64_t floats = wsr_shape_count(wsr__plan_images(plans->clean));
    (void)wsr__stats_copy(plans->stats, plans->params);
    memcpy(wsr_plan_src(plans->clean, "x"), x, (size_t)floats * sizeof(*x));
    status = wsr_plan_forward(plans->clean);
    if (status != WSR_OK) {
        wsr__attack_plans_end(plans);
    }
    return status;
}

void wsr__attack_plans_end(const wsr__attack_plans *plans)
{
    if (plans->clean != NULL) {
        wsr__stats_put(plans->params, plans->stats);
    }
}

wsr_status wsr__attack_plans_rows(const wsr__attack_plans *plans,
                                  wsr__attack_plans_body body, void *ctx)
{
    return plans->batch != NULL
               ? body(ctx, plans->batch, 0)
               : wsr__image_plans_run(plans->images, plans->n, body, ctx);
}

typedef struct pgd_work {
    float *out;
    const float *x;
    const int32_t *labels;
    const wsr__pgd *pgd;
} pgd_work;

// A batch's arrays from row `first` on.
static wsr_status attack_rows(void *ctx, wsr_plan *plan, size_t first)
{
    const pgd_work *const work = ctx;
    const size_t rows = wsr_plan_batch(plan);
    const size_t pixels = (size_t)wsr_shape_count(wsr__plan_images(plan)) /
                          rows;
    const size_t classes = (size_t)wsr_plan_shape(plan, "logits")->dims[1];
    wsr__pgd pgd = *work->pgd;
    pgd.id += first;
    pgd.first += first;
    if (pgd.clean != NULL) {
        pgd.clean += first * classes;
    }
    if (pgd.start != NULL) {
        pgd.start += first * pixels;
    }
    if (pgd.mixed.others != NULL) {
        pgd.mixed.others += first;
        pgd.mixed.shares += first;
    }
    return wsr__pgd_plan(work->out + first * pixels, plan,
                         work->x + first * pixels, work->labels + first, &pgd);
}

wsr_status wsr__attack_plans_pgd(float *out, const wsr__attack_plans *plans,
                                 const float *x, const int32_t *labels,
                                 const wsr__pgd *pgd)
{
    pgd_work work = {out, x, labels, pgd};
    return wsr__attack_plans_rows(plans, attack_rows, &work);
}
