// SPDX-License-Identifier: Apache-2.0
//
// Accuracy on corrupted images, step by step (corruptions.c) and as a stage of
// an evaluation run (measure.c).

#ifndef WSR_EVAL_CORRUPTIONS_H
#define WSR_EVAL_CORRUPTIONS_H

#include "attack/engine/model.h"
#include "corrupt/corrupt.h"
#include "data/data.h"
#include "io/io.h"

typedef struct wsr__corruptions_params {
    wsr__text list; // "all", or names; empty: none
    wsr__ints severities;
    int64_t count;
    int64_t batch;
    wsr__text scale;
    int64_t seed; // outside of the configuration's section
} wsr__corruptions_params;

/// Section "corruption" of an evaluation run.
extern const wsr__option wsr__corruptions_schema[];

/// wsr_corruption_eval_new() with decoded options.
wsr_status wsr__corruption_eval_make(wsr_corruption_eval **out,
                                     const wsr__corruptions_params *params);

/// Add position and outcomes to a checkpoint, and read them back. CONFIG for a
/// checkpoint of another evaluation.
wsr_status wsr__corruption_eval_save(wsr__st_builder *builder,
                                     const wsr_corruption_eval *eval);
wsr_status wsr__corruption_eval_load(wsr_corruption_eval *eval,
                                     const wsr__st *checkpoint);

/// What the next step does, for people: "fog 3".
void wsr__corruption_eval_note(char out[64], const wsr_corruption_eval *eval);

/// Bytes of memory of an evaluation that is open.
double wsr__corruption_eval_bytes(const wsr_corruption_eval *eval);

/// Passes of images through the model and back that all steps take.
double wsr__corruption_eval_passes(const wsr_corruption_eval *eval);

#endif
