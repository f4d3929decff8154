// SPDX-License-Identifier: Apache-2.0
//
// The inside of a result. The methods of runs move their parts here.

#ifndef WSR_EVAL_RESULT_H
#define WSR_EVAL_RESULT_H

#include "eval/eval.h"
#include "eval/measure.h"
#include "wsr/result.h"

struct wsr_result {
    wsr_net *net;
    wsr__evaluated evaluated;         // of `dataset`, by the model of `net`
    wsr_dataset *dataset;             // NULL: nothing was evaluated
    wsr_net *source_net;              // that attacks worked on, NULL: `net`
    wsr_model *source;                // of it
    wsr_corruption_eval *corruptions; // NULL: not asked for
    wsr_hessian *hessian;             // likewise
    float eps[WSR__STRENGTHS];
    double released[WSR__STRENGTHS];
    wsr_estimate_row *estimates; // of a test bench, NULL without
    size_t n_estimates;
    char **estimate_names; // that the rows point to
    size_t n_estimate_names;
    size_t n_released; // 0: the research code's measure was not asked for
};

/// An empty result. [out, owned]
wsr_status wsr__result_new(wsr_result **out);

/// The result of a run whose evaluation was a stage: [out, owned] it takes over
/// network, data set and evaluation, which are NULL and {0} afterwards. Of a
/// run that failed before anything was measured there is none: *out stays NULL,
/// and so do they stay.
wsr_status wsr__result_of_stage(wsr_result **out, wsr__evaluated *evaluated,
                                wsr_net **net, wsr_dataset **dataset,
                                bool failed);

#endif
