// SPDX-License-Identifier: Apache-2.0
//
// A graph in evaluation mode, run image by image. There no image depends on
// another, so each thread takes one image through the whole graph, forward and
// backward: what a layer writes is in the thread's cache when the next one
// reads it, threads wait for each other once per run instead of once per layer,
// and activations take the memory of one image per thread.

#ifndef WSR_GRAPH_IMAGE_PLANS_H
#define WSR_GRAPH_IMAGE_PLANS_H

#include "graph/graph.h"

typedef struct wsr__image_plans wsr__image_plans;

/// Takes image `i` through a plan of one image. Runs on several threads.
typedef wsr_status (*wsr__image_body)(void *ctx, wsr_plan *plan, size_t i);

/// `graph` [borrowed] must outlive the result. `purpose` without WSR_TRAIN and
/// without gradients of parameters. Plans are made when they are first needed.
wsr_status wsr__image_plans_new(wsr__image_plans **out, const wsr_graph *graph,
                                unsigned purpose);
void wsr__image_plans_free(wsr__image_plans *plans);

/// Make the plans for as many threads as there are; `bytes` receives the memory
/// of all.
wsr_status wsr__image_plans_reserve(double *bytes, wsr__image_plans *plans);

/// One of the plans, NULL before they are made.
const wsr_plan *wsr__image_plans_any(const wsr__image_plans *plans);

/// Run a body for images 0 to n - 1. Which thread takes which image is by
/// chance. A thread stops at its first failure.
wsr_status wsr__image_plans_run(wsr__image_plans *plans, size_t n,
                                wsr__image_body body, void *ctx);

/// Whether a plan's graph had better go image by image than by whole batches:
/// each image reads all parameters, so its activations must be half as many at
/// least.
bool wsr__image_plans_pay(const wsr_plan *plan);

#endif
