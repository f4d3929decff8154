// SPDX-License-Identifier: Apache-2.0
//
// One plan of one image for each thread. Loops inside of another parallel loop
// run in the calling thread, so that a plan needs no mode for this. oneDNN
// divides the work of a primitive when it is made; plans are therefore made
// where they run, inside of a parallel loop over as many threads.

#include "graph/image_plans.h"
#include "graph/plan.h"

#include <string.h>

enum { LINE = 512 };

// What belongs to a thread.
typedef struct lane {
    wsr_plan *plan;
    wsr_status status; // first failure
    size_t image;      // where it was
    char detail[LINE]; // failures leave their line in the thread
} lane;

struct wsr__image_plans {
    const wsr_graph *graph;
    unsigned purpose;
    lane *lanes;
    size_t count;
};

typedef struct run {
    wsr__image_plans *plans;
    wsr__image_body body;
    void *ctx;
} run;

wsr_status wsr__image_plans_new(wsr__image_plans **out, const wsr_graph *graph,
                                unsigned purpose)
{
    wsr__image_plans *const plans = wsr__alloc(1, sizeof(*plans));
    *out = plans;
    if (plans == NULL) {
        return WSR_NOMEM;
    }
    plans->graph = graph;
    plans->purpose = purpose;
    return WSR_OK;
}

static void free_lanes(wsr__image_plans *plans)
{
    for (size_t k = 0; k < plans->count; k++) {
        wsr_plan_free(plans->lanes[k].plan);
    }
    wsr__free(plans->lanes);
    plans->lanes = NULL;
    plans->count = 0;
}

void wsr__image_plans_free(wsr__image_plans *plans)
{
    if (plans != NULL) {
        free_lanes(plans);
        wsr__free(plans);
    }
}

static void note(lane *l, wsr_status status, size_t image)
{
    if (status != WSR_OK && (l->status == WSR_OK || image < l->image)) {
        l->status = status;
        l->image = image;
        (void)snprintf(l->detail, sizeof(l->detail), "%s", wsr_error_detail());
    }
}

// Of several failures that of the first image.
static wsr_status outcome(const wsr__image_plans *plans)
{
    const lane *first = NULL;
    for (size_t k = 0; k < plans->count; k++) {
        const lane *const l = &plans->lanes[k];
        if (l->status != WSR_OK && (first == NULL || l->image < first->image)) {
            first = l;
        }
    }
    return first == NULL ? WSR_OK
                         : WSR_FAIL(first->status, "%s", first->detail);
}

static void forget(wsr__image_plans *plans)
{
    for (size_t k = 0; k < plans->count; k++) {
        plans->lanes[k].status = WSR_OK;
    }
}

static void make_lanes(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const wsr__image_plans *const plans = ctx;
    (void)part;
    for (int64_t k = begin; k < end; k++) {
        lane *const l = &plans->lanes[k];
        note(l, wsr_plan_new(&l->plan, plans->graph, 1, plans->purpose),
             (size_t)k);
    }
}

// Plans for another number of threads are made again.
static wsr_status prepare(wsr__image_plans *plans)
{
    wsr_status status = WSR_OK;
    const size_t threads = wsr_threads();
    if (plans->count == threads) {
        return WSR_OK;
    }
    WSR_TRY(wsr__threads_start());
    free_lanes(plans);
    plans->lanes = wsr__alloc(threads, sizeof(*plans->lanes));
    if (plans->lanes == NULL) {
        return WSR_NOMEM;
    }
    plans->count = threads;
    wsr__parallel((int64_t)threads, make_lanes, plans);
    status = outcome(plans);
out:
    if (status != WSR_OK) {
        free_lanes(plans);
    }
    return status;
}

wsr_status wsr__image_plans_reserve(double *bytes, wsr__image_plans *plans)
{
    const wsr_status status = prepare(plans);
    *bytes = 0;
    for (size_t k = 0; k < plans->count; k++) {
        *bytes += (double)wsr_plan_bytes(plans->lanes[k].plan);
    }
    return status;
}

const wsr_plan *wsr__image_plans_any(const wsr__image_plans *plans)
{
    return plans->count == 0 ? NULL : plans->lanes[0].plan;
}

static void run_images(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const run *const r = ctx;
    lane *const l = &r->plans->lanes[part];
    for (int64_t i = begin; i < end && l->status == WSR_OK; i++) {
        note(l, r->body(r->ctx, l->plan, (size_t)i), (size_t)i);
    }
}

wsr_status wsr__image_plans_run(wsr__image_plans *plans, size_t n,
                                wsr__image_body body, void *ctx)
{
    wsr_status status = WSR_OK;
    run r = {plans, body, ctx};
    WSR_TRY(prepare(plans));
    forget(plans);
    wsr__parallel_among((int64_t)n, (int64_t)plans->count, run_images, &r);
    status = outcome(plans);
out:
    return status;
}

static size_t activations(const wsr_plan *plan)
{
    size_t floats = 0;
    for (size_t i = 0; i < plan->slot_count; i++) {
        const wsr__slot *const slot = &plan->slots[i];
        if (slot->role == WSR__OP && slot->data != WSR__NONE) {
            floats += plan->spans[slot->data].floats;
        }
    }
    return floats;
}

static size_t parameters(const wsr_plan *plan)
{
    size_t floats = 0;
    for (size_t i = 0; i < plan->slot_count; i++) {
        const wsr__slot *const slot = &plan->slots[i];
        if (slot->role == WSR__PARAM) {
            floats += (size_t)wsr__desc_floats(&slot->desc);
        }
    }
    return floats;
}

// Batches save the reading of parameters, once for each image and pass;
// image by image saves that activations are written and read at least once.
bool wsr__image_plans_pay(const wsr_plan *plan)
{
    return 2 * (activations(plan) / plan->batch) >= parameters(plan);
}
