// SPDX-License-Identifier: Apache-2.0
//
// What an evaluation run measures besides attacks, in steps: accuracy on
// corrupted images, the Hessian of the loss. measure.c takes one to its end,
// measures.c makes those that were asked for.

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

/// In the order in which they are made.
enum { WSR__CORRUPTION, WSR__HESSIAN, WSR__MEASURES };

typedef struct wsr__measures_params {
    wsr__corruptions_params corruption; // list "": not asked for
    wsr__hessian_params hessian;        // of "none": likewise
} wsr__measures_params;

/// {0}: none.
typedef struct wsr__measures {
    wsr__measure list[WSR__MEASURES];
} wsr__measures;

/// Whether anything is asked for.
bool wsr__measures_any(const wsr__measures_params *params);

/// Make what needs no files: errors in options.
wsr_status wsr__measures_make(wsr__measures *measures,
                              const wsr__measures_params *params);

/// What is measured, and on which images. [borrowed]
typedef struct wsr__measured {
    const wsr_net *net;
    wsr_model *model; // of it
    const wsr_dataset *dataset;
} wsr__measured;

/// Make the rest, and add what it needs.
wsr_status wsr__measures_open(wsr__needs *needs, wsr__measures *measures,
                              const wsr__measures_params *params,
                              const wsr__measured *of);

void wsr__measures_free(wsr__measures *measures);

wsr_status wsr__measures_save(wsr__st_builder *builder,
                              const wsr__measures *measures);
wsr_status wsr__measures_load(wsr__measures *measures,
                              const wsr__st *checkpoint);

/// Lines of all that is complete. [out, owned]
wsr_status wsr__measures_json(char **out, const wsr__measures *measures);

/// Passes of images that each takes; 0 for one that was not asked for.
void wsr__measures_passes(double *out, const wsr__measures *measures);

/// Whether a step of any is done.
bool wsr__measures_begun(const wsr__measures *measures);

#endif
