// SPDX-License-Identifier: Apache-2.0
//
// What a configured evaluation is made of: the sections of its configuration
// (run_params.c) for run.c.

#ifndef WSR_EVAL_RUN_PARAMS_H
#define WSR_EVAL_RUN_PARAMS_H

#include "eval/eval.h"
#include "eval/measure.h"

/// A network file, and what the configuration says otherwise than the file; or
/// a program (target.h).
typedef struct wsr__eval_file_params {
    wsr__text file;
    double timeout; // of a program
    wsr__net_override options;
} wsr__eval_file_params;

typedef struct wsr__eval_data_params {
    wsr__text spec;
    wsr__text split;
    wsr__data_params view;
} wsr__eval_data_params;

typedef struct wsr__eval_attack_params {
    wsr__text list;
    wsr__text eps;
    wsr__eval_settings settings; // seed and keep are set later
    wsr__text save;
    int64_t show;
    wsr__text fidelity;
} wsr__eval_attack_params;

typedef struct wsr__eval_run_params {
    wsr__eval_file_params net;
    wsr__eval_file_params source; // that attacks work on, file "": the same
    wsr__eval_data_params data;
    wsr__eval_attack_params attack; // list "": no attack
    wsr__measures_params measures;
    float eps[WSR__STRENGTHS]; // of attack.eps
    size_t n_eps;
    bool released; // attack.fidelity
    wsr__released_params released_params;
} wsr__eval_run_params;

enum { WSR__EVAL_RUN_SECTIONS = 8 };

/// Sections "net", "source", "data", "attack", "corruption" and
/// "hessian".
void wsr__eval_run_sections(wsr__eval_run_params *params, wsr__section *out);

/// What follows from attack.fidelity. CONFIG for what the released measure has
/// no place for.
wsr_status wsr__eval_run_fidelity(wsr__eval_run_params *params,
                                  const wsr_config *config);

/// The strengths that attack.eps lists: "0.03", "8/255" or "inf". CONFIG.
wsr_status wsr__eval_run_strengths(wsr__eval_run_params *params);

/// The images of the section "data", as the model takes them. [out, owned]
wsr_status wsr__eval_open_data(wsr_dataset **out,
                               const wsr__eval_run_params *params,
                               const wsr_model *model);

#endif
