// SPDX-License-Identifier: Apache-2.0
//
// A second network beside the one that is trained, whose loss a trainer asks
// for. Its weights never change, its running statistics follow its passes.

#ifndef WSR_TRAIN_PAIRED_H
#define WSR_TRAIN_PAIRED_H

#include "train/train.h"

enum { WSR__PAIRED_PLANS = 2 }; // for whole batches, and the last of an epoch

typedef struct wsr__paired {
    wsr_net *net;
    wsr_graph *graph;
    wsr__arena arena;
    wsr_plan *plans[WSR__PAIRED_PLANS];
    size_t buffers; // floats of the running statistics
} wsr__paired;

/// Read a network file and make the plan of whole batches. SHAPE or ARG when
/// its images or classes are not those of the trained one. [out, owned] NULL on
/// failure
wsr_status wsr__paired_open(wsr__paired **out, const char *path,
                            const wsr__training_of *of, size_t batch);
void wsr__paired_free(wsr__paired *paired); // NULL is legal

/// Bytes of memory.
double wsr__paired_bytes(const wsr__paired *paired);
/// Floats of its state in checkpoints.
size_t wsr__paired_state(const wsr__paired *paired);

/// Mean cross entropy of the step's images in train mode. The running
/// statistics are read from `state`, unless it is all zeros, and written there.
wsr_status wsr__paired_loss(double *loss, wsr__paired *paired,
                            const wsr__train_step *step, const float *x,
                            float *state);

/// Loss of the clean images less that of the paired network on them; the plan
/// has run forward then.
wsr_status wsr__paired_constraint(double *constraint, wsr__paired *paired,
                                  const wsr__train_step *step, const float *x,
                                  float *state);

#endif
