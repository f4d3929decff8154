// SPDX-License-Identifier: Apache-2.0
//
// The plans of an estimator. A search uses two or three combinations of batch,
// sources and targets in turn, an attack with a shrinking batch some more; a
// new plan replaces the least recently used one. All plans share one arena,
// since only one runs at a time.

#include "estimator/estimator.h"

// Inputs are found again by the names "noise0", "target1", ...
static wsr_value input(wsr_graph *graph, const char *name, size_t i,
                       wsr_shape shape)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%s%zu", name, i);
    return wsr__input(graph, text, shape);
}

// Shapes are those of one sample: image and noises (1, c, h, w), numbers (1,
// 1), and a row of weights over the sources, (1, n), for each target.
static void add_inputs(wsr__estimator_graph *g)
{
    const wsr_shape image = wsr__shape4(1, g->c, g->h, g->w);
    const wsr_shape number = wsr__shape2(1, 1);
    const wsr_shape row = wsr__shape2(1, (int64_t)g->n);
    g->image = wsr__input(g->graph, "image", image);
    for (size_t i = 0; i < g->n; i++) {
        g->noise[i] = input(g->graph, "noise", i, image);
        g->norm[i] = input(g->graph, "norm", i, number);
    }
    for (size_t i = 0; i < g->t; i++) {
        g->target[i].norm = input(g->graph, "target", i, number);
        g->target[i].lower = input(g->graph, "lower", i, row);
        g->target[i].upper = input(g->graph, "upper", i, row);
        g->target[i].is_lower = input(g->graph, "is_lower", i, row);
        g->target[i].is_upper = input(g->graph, "is_upper", i, row);
    }
}

// For training each target also has a label and a loss, the mean squared
// difference per sample.
static void add_outputs(const wsr__estimator_graph *g, const wsr_value *dst,
                        bool train)
{
    for (size_t i = 0; i < g->t; i++) {
        char text[32];
        if (train) {
            const wsr_value label =
                input(g->graph, "label", i, wsr__shape4(1, g->c, g->h, g->w));
            (void)snprintf(text, sizeof(text), "loss%zu", i);
            wsr__set_output(g->graph, text,
                            wsr__op2(g->graph, "mse", NULL, dst[i], label));
        }
        (void)snprintf(text, sizeof(text), "dst%zu", i);
        wsr__set_output(g->graph, text, dst[i]);
    }
}

// An input that the class does not use is in the graph but in no plan.
wsr_status wsr__estimator_build(wsr_graph **out, wsr_estimator *estimator,
                                size_t n, size_t t, bool train)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    wsr__estimator_graph *g = NULL;
    wsr_value dst[WSR_ESTIMATOR_TARGETS] = {0};
    *out = NULL;
    g = wsr__alloc(1, sizeof(*g));
    if (g == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr_graph_new(&graph, estimator->params));
    g->graph = graph;
    g->options = estimator->options;
    g->c = estimator->image.dims[0];
    g->h = estimator->image.dims[1];
    g->w = estimator->image.dims[2];
    g->n = n;
    g->t = t;
    add_inputs(g);
    estimator->cls->build(dst, g);
    add_outputs(g, dst, train);
    WSR_TRY(wsr__graph_status(graph));
    *out = graph;
    graph = NULL;
out:
    wsr_graph_free(graph);
    wsr__free(g);
    return status;
}

static bool uses_batch_stats(const wsr_estimator *estimator)
{
    const wsr__estimator_class *const cls = estimator->cls;
    return cls->batch_stats != NULL && cls->batch_stats(estimator->options);
}

// A plan serves exactly one combination: its batch is part of it.
static bool fits(const wsr__estimator_plan *p, const size_t counts[3],
                 bool train)
{
    return p->plan != NULL && p->batch == counts[0] && p->n == counts[1] &&
           p->t == counts[2] && p->train == train;
}

// The old plan goes first, so that its memory can be used.
static wsr_status make(wsr__estimator_plan *p, wsr_estimator *estimator,
                       const size_t counts[3], bool train)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    unsigned purpose = WSR_FORWARD;
    if (train) {
        purpose = WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS;
    } else if (uses_batch_stats(estimator)) {
        purpose = WSR_TRAIN | WSR_MOVE_STATS; // never in evaluation mode
    }
    wsr_plan_free(p->plan);
    *p = (wsr__estimator_plan){
        .batch = counts[0], .n = counts[1], .t = counts[2], .train = train};
    WSR_TRY(
        wsr__estimator_build(&graph, estimator, counts[1], counts[2], train));
    WSR_TRY(wsr__plan_new_in(&p->plan, graph, counts[0], purpose,
                             &estimator->arena));
out:
    wsr_graph_free(graph);
    return status;
}

// `used` counts requests; 0 marks a place that was never taken.
wsr_status wsr__estimator_plan_for(wsr_plan **out, wsr_estimator *estimator,
                                   const size_t counts[3], bool train)
{
    wsr_status status = WSR_OK;
    wsr__estimator_plan *found = &estimator->plans[0];
    for (size_t i = 0; i < WSR__ESTIMATOR_PLANS; i++) {
        wsr__estimator_plan *const p = &estimator->plans[i];
        if (fits(p, counts, train)) {
            found = p;
            break;
        }
        if (p->used < found->used) {
            found = p;
        }
    }
    if (!fits(found, counts, train)) {
        WSR_TRY(make(found, estimator, counts, train));
    }
    found->used = ++estimator->uses;
    *out = found->plan;
out:
    return status;
}

static void free_images(wsr__estimator_images *images)
{
    wsr__image_plans_free(images->plans);
    wsr_graph_free(images->graph);
    *images = (wsr__estimator_images){0};
}

wsr_status wsr__estimator_images_for(wsr__image_plans **out,
                                     wsr_estimator *estimator, size_t n,
                                     size_t t)
{
    wsr_status status = WSR_OK;
    wsr__estimator_images *const images = &estimator->images;
    const size_t one[] = {1, n, t};
    wsr_plan *like = NULL;
    *out = NULL;
    if (uses_batch_stats(estimator)) {
        return WSR_OK;
    }
    if (images->n == n && images->t == t) {
        *out = images->plans;
        return WSR_OK;
    }
    free_images(images);
    WSR_TRY(wsr__estimator_build(&images->graph, estimator, n, t, false));
    WSR_TRY(wsr__estimator_plan_for(&like, estimator, one, false));
    if (wsr__image_plans_pay(like)) {
        WSR_TRY(
            wsr__image_plans_new(&images->plans, images->graph, WSR_FORWARD));
    }
    images->n = n;
    images->t = t;
    *out = images->plans;
out:
    return status;
}

void wsr__estimator_plans_free(wsr_estimator *estimator)
{
    free_images(&estimator->images);
    for (size_t i = 0; i < WSR__ESTIMATOR_PLANS; i++) {
        wsr_plan_free(estimator->plans[i].plan);
    }
    wsr__arena_free(&estimator->arena);
}
