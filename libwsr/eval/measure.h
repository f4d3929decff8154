// SPDX-License-Identifier: Apache-2.0
//
// What an evaluation run measures besides attacks, in steps: accuracy on
// corrupted images, the Hessian of the loss. measure.c takes one to its end.

#ifndef WSR_EVAL_MEASURE_H
#define WSR_EVAL_MEASURE_H

#include "eval/corruptions.h"
#include "hessian/hessian.h"
#include "run/run.h"

enum { WSR__MEASURE_NOTE = 64 }; // bytes

typedef struct wsr__measure_class {
    const char *phase; // in progress, and the name of the stage
    size_t (*steps)(const void *self);
    size_t (*position)(const void *self);
    wsr_status (*step)(void *self);
    /// Have `watch` asked inside of long steps. NULL: there are none.
    void (*watch)(void *self, wsr_status (*watch)(void *ctx), void *ctx);
    /// What the next step does, for people.
    void (*note)(char out[WSR__MEASURE_NOTE], const void *self);
    /// What is complete, as lines of the log.
    wsr_status (*json)(char **out, const void *self);
    wsr_status (*save)(wsr__st_builder *builder, const void *self);
    wsr_status (*load)(void *self, const wsr__st *checkpoint);
    double (*bytes)(const void *self);
    double (*passes)(const void *self); // of images, forward and back
    void (*free)(void *self);
} wsr__measure_class;

extern const wsr__measure_class wsr__measure_corruption;
extern const wsr__measure_class wsr__measure_hessian;

typedef struct wsr__measure {
    const wsr__measure_class *cls;
    void *self; // NULL: not asked for
} wsr__measure;

/// Do all steps that are left: progress before each, a checkpoint every 15
/// seconds, and the results as lines of the log, also of what was complete when
/// the run's hook or a failure ended it.
wsr_status wsr__measure_run(const wsr__measure *measure, wsr__run *run);

#endif
