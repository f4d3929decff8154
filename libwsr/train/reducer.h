// SPDX-License-Identifier: Apache-2.0
//
// The sum of the gradients of a batch's parts over all processes, as PyTorch's
// DistributedDataParallel has it in its Reducer. See reducer.c.

#ifndef WSR_TRAIN_REDUCER_H
#define WSR_TRAIN_REDUCER_H

#include "comm/comm.h"
#include "graph/graph.h"

/// Floats of all gradients behind each other, before each a mark that says
/// whether the parameter has one.
size_t wsr__gradients_floats(const wsr_params *params);
/// Copy gradients, times `weight`.
void wsr__gradients_take(float *out, const wsr_params *params, double weight);
/// Set gradients; `before`, NULL or others, is added.
wsr_status wsr__gradients_put(const wsr_params *params, const float *sum,
                              const float *before);

typedef struct wsr__reducer wsr__reducer;

/// [out, owned] NULL on failure; all parameters must be there. [borrowed]
wsr_status wsr__reducer_new(wsr__reducer **out, const wsr_params *params);
void wsr__reducer_free(wsr__reducer *reducer); // NULL is legal
/// Bytes of memory that it may come to need.
double wsr__reducer_bytes(const wsr__reducer *reducer);

/// Begin the sum of a batch of `parts` parts; those below `leaves` have images.
void wsr__reducer_begin(wsr__reducer *reducer, size_t parts, size_t leaves);
/// The next part of this process begins, whose gradients count `weight` times.
/// NOMEM.
wsr_status wsr__reducer_part(wsr__reducer *reducer, double weight);
/// The last backward pass that adds to the gradients of the part. Those of the
/// last part are taken as soon as they are complete, and passed on.
wsr_status wsr__reducer_backward(wsr__reducer *reducer, wsr_plan *plan);
/// Take the gradients of the part as far as they have not been taken.
wsr_status wsr__reducer_take(wsr__reducer *reducer);

/// How processes learn that one has failed, collective; `own` is how the parts
/// of this process went.
typedef struct wsr__reducer_agree {
    wsr_status (*agree)(void *ctx, wsr_status own);
    void *ctx;
} wsr__reducer_agree;

/// Collective. The sum, in the layout of wsr__gradients_take(). [borrowed until
/// the next begin]
wsr_status wsr__reducer_sum(const float **out, wsr__reducer *reducer,
                            wsr_status own, const wsr__reducer_agree *agree);

#endif
