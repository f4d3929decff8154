// SPDX-License-Identifier: Apache-2.0
//
// Accuracy on corrupted images, step by step (corruptions.c), what was found
// (corruptions_results.c), and the part of an evaluation run (measure.c).
//
// A step classifies one batch in one cell, and with several processes one for
// each. Cell 0 is the clean images; then
// come the corruptions in their order, each at its severities.

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

struct wsr_corruption_eval {
    wsr__corruptions_params params;
    const wsr__corruption_class **classes; // (n)
    size_t n;
    wsr_corruption **made; // (n), NULL before opening
    wsr_model *model;      // NULL before opening
    const wsr_dataset *dataset;
    size_t images;
    size_t batch;
    size_t position;
    int64_t *correct; // of each cell, among the batches that are done
    int64_t *found;   // in this step, by each process
    float *clean;     // (batch, c, h, w)
    float *x;         // likewise
    float *logits;    // (batch, classes)
    size_t *index;    // (batch)
};

/// Number of cells: the clean images, and each corruption at each severity.
static inline size_t wsr__corruption_cells(const wsr_corruption_eval *s)
{
    return 1 + s->n * s->params.severities.n;
}

static inline size_t wsr__corruption_batches(const wsr_corruption_eval *s)
{
    return (s->images + s->batch - 1) / s->batch;
}

/// Corruption and severity of a cell but the first.
static inline size_t wsr__corruption_of_cell(const wsr_corruption_eval *s,
                                             size_t cell)
{
    return (cell - 1) / s->params.severities.n;
}

static inline int64_t wsr__severity_of_cell(const wsr_corruption_eval *s,
                                            size_t cell)
{
    return s->params.severities.v[(cell - 1) % s->params.severities.n];
}

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
