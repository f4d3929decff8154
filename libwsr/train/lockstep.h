// SPDX-License-Identifier: Apache-2.0
//
// Parts of a batch that advance together: whoever reaches a synchronised norm
// waits until all parts are there. See lockstep.c.

#ifndef WSR_TRAIN_LOCKSTEP_H
#define WSR_TRAIN_LOCKSTEP_H

#include "graph/graph.h"

typedef struct wsr__lockstep wsr__lockstep;

/// For a batch of `parts`, at least one for each process. Parts of this process
/// are numbered from 0 below. [out, owned] NULL on failure; params are
/// borrowed.
wsr_status wsr__lockstep_new(wsr__lockstep **out, const wsr_params *params,
                             size_t parts);
void wsr__lockstep_free(wsr__lockstep *lockstep); // NULL is legal

/// Parts of this process.
size_t wsr__lockstep_count(const wsr__lockstep *lockstep);
/// Bytes of memory, gradients excluded.
double wsr__lockstep_bytes(const wsr__lockstep *lockstep);

/// What plans of a part get, see wsr__plan_sync_norms().
const wsr__norm_sync *wsr__lockstep_sync(const wsr__lockstep *lockstep,
                                         size_t part);

/// Exchange the gradients of the parameters for those of a part; the same call
/// again undoes it. Plans of a part are made and run in between.
void wsr__lockstep_exchange(wsr__lockstep *lockstep, size_t part);

/// Call body(ctx, part) for all parts of this process, each with its gradients,
/// so that all reach each norm before any goes on. Collective; a failure of
/// another process is WSR_OK here, since that process tells what it is.
wsr_status wsr__lockstep_run(wsr__lockstep *lockstep,
                             wsr_status (*body)(void *ctx, size_t part),
                             void *ctx);

#endif
