// SPDX-License-Identifier: Apache-2.0
//
// Drawing from the controller, one step of the LSTM after the other. The steps
// are those of the graph of controller_graph.c, so that log-probabilities are
// the same, but the part of it before a decision is not computed again.

#include "search/controller.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HIDDEN = WSR__CONTROLLER_HIDDEN, ROW = HIDDEN * sizeof(float) };

// Where the controller stands.
typedef struct position {
    const wsr__controller *of;
    wsr__rng *rng;
    uint32_t *choices;
    float x[HIDDEN]; // what the next step reads
    float h[HIDDEN];
    float c[HIDDEN];
    size_t anchors; // of the cell so far
    float anchor[WSR__CONTROLLER_ANCHORS][HIDDEN];
    float mapped[WSR__CONTROLLER_ANCHORS][HIDDEN];
} position;

// Row 0 of the embedding is the start, row i operation i - 1.
static void embed(position *p, size_t row)
{
    const wsr__param *const embedding =
        wsr__params_named(p->of->params, "embedding.weight");
    memcpy(p->x, embedding->data + row * HIDDEN, ROW);
}

static wsr_status advance(position *p, wsr_plan *plan)
{
    wsr_status status = WSR_OK;
    memcpy(wsr_plan_src(plan, "x"), p->x, ROW);
    memcpy(wsr_plan_src(plan, "h"), p->h, ROW);
    memcpy(wsr_plan_src(plan, "c"), p->c, ROW);
    WSR_TRY(wsr_plan_forward(plan));
    memcpy(p->h, wsr_plan_dst(plan, "h"), ROW);
    memcpy(p->c, wsr_plan_dst(plan, "c"), ROW);
out:
    return status;
}

// Those of a cell's inputs (NULL) are zeros, but attention sees their hidden
// states.
static wsr_status add_anchor(position *p, const float *anchor)
{
    wsr_status status = WSR_OK;
    wsr_plan *const plan = p->of->steps[WSR__STEP_ANCHOR];
    WSR_TRY(advance(p, plan));
    memset(p->anchor[p->anchors], 0, ROW);
    if (anchor != NULL) {
        memcpy(p->anchor[p->anchors], anchor, ROW);
    }
    memcpy(p->mapped[p->anchors], wsr_plan_dst(plan, "mapped"), ROW);
    p->anchors++;
out:
    return status;
}

// The last choice with a probability takes what rounding leaves.
static uint32_t draw(const float *log_p, size_t n, wsr__rng *rng)
{
    const double u = (double)wsr__rng_uniform(rng);
    double sum = 0;
    uint32_t choice = 0;
    for (size_t k = 0; k < n; k++) {
        const double p = exp((double)log_p[k]);
        choice = p > 0 ? (uint32_t)k : choice;
        sum += p;
        if (u < sum) {
            break;
        }
    }
    return choice;
}

static void choose(position *p, wsr_plan *plan, size_t i, size_t n)
{
    const float *const log_p = wsr_plan_dst(plan, "log_p");
    p->choices[i] = p->rng != NULL ? draw(log_p, n, p->rng)
                                   : (uint32_t)wsr__argmax(log_p, n);
}

// Decision i; the second of a node may have to be another state than the first.
static wsr_status decide_state(position *p, size_t i)
{
    wsr_status status = WSR_OK;
    const size_t n = p->anchors;
    wsr_plan *const plan = p->of->steps[n];
    float *const mask = wsr_plan_src(plan, "mask");
    memset(mask, 0, n * sizeof(*mask));
    if (i % 2 == 1 && p->of->distinct) {
        mask[p->choices[i - 1]] = WSR__EXCLUDED;
    }
    for (size_t k = 0; k < n; k++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "mapped.%zu", k);
        memcpy(wsr_plan_src(plan, name), p->mapped[k], ROW);
    }
    WSR_TRY(advance(p, plan));
    choose(p, plan, i, n);
    memcpy(p->x, p->anchor[p->choices[i]], ROW);
out:
    return status;
}

static wsr_status decide_op(position *p, size_t i)
{
    wsr_status status = WSR_OK;
    wsr_plan *const plan = p->of->steps[WSR__STEP_OP];
    WSR_TRY(advance(p, plan));
    choose(p, plan, i, p->of->ops);
    embed(p, p->choices[i] + 1);
out:
    return status;
}

static wsr_status walk_cell(position *p, size_t first)
{
    wsr_status status = WSR_OK;
    size_t i = first;
    p->anchors = 0;
    embed(p, 0);
    WSR_TRY(add_anchor(p, NULL));
    WSR_TRY(add_anchor(p, NULL));
    for (size_t node = 0; node < p->of->nodes; node++, i += 4) {
        WSR_TRY(decide_state(p, i));
        WSR_TRY(decide_state(p, i + 1));
        WSR_TRY(decide_op(p, i + 2));
        WSR_TRY(decide_op(p, i + 3));
        WSR_TRY(add_anchor(p, p->h));
        embed(p, 0);
    }
out:
    return status;
}

// The reduction cell goes on from the state of the normal cell.
wsr_status wsr__controller_sample(uint32_t *choices, wsr__controller *c,
                                  wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    position p = {.of = c, .rng = rng, .choices = choices};
    WSR_TRY(walk_cell(&p, 0));
    WSR_TRY(walk_cell(&p, c->decisions / 2));
out:
    return status;
}
