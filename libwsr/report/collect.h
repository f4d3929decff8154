// SPDX-License-Identifier: Apache-2.0
//
// The lines of a log, as collect.c and collect_eval.c read them.

#ifndef WSR_REPORT_COLLECT_H
#define WSR_REPORT_COLLECT_H

#include "report/report.h"
#include "wsr/log.h"

/// Text of a field, "" where there is no such field or it is no text.
const char *wsr__report_text(const wsr_log_reader *line, const char *key);

/// Take a line about one strength of one attack, or about a mean.
wsr_status wsr__report_on_eval(wsr__report *report, const wsr_log_reader *line);

/// Take the accuracy at all strengths of a min-norm attack.
wsr_status wsr__report_on_curve(wsr__report *report,
                                const wsr_log_reader *line);

/// Take a warning.
wsr_status wsr__report_on_warning(wsr__report *report,
                                  const wsr_log_reader *line);

/// Add a point to the series of this kind, phase and name; one of the same x is
/// replaced.
wsr_status wsr__report_put(wsr__report *report, wsr__report_kind kind,
                           const char *phase, const char *name,
                           wsr__report_point point);

/// Take a line of a test bench of estimators: about one strength, about times,
/// about leave-one-out.
wsr_status wsr__report_on_estimate(wsr__report *report,
                                   const wsr_log_reader *line);
wsr_status wsr__report_on_estimate_time(wsr__report *report,
                                        const wsr_log_reader *line);
wsr_status wsr__report_on_leave_one_out(wsr__report *report,
                                        const wsr_log_reader *line);
void wsr__report_clear_estimates(wsr__report *report);

/// Take a line about one corruption at one severity.
wsr_status wsr__report_on_corruption(wsr__report *report,
                                     const wsr_log_reader *line);
void wsr__report_clear_corruptions(wsr__report *report);

/// Take a line about the curvature of the loss.
wsr_status wsr__report_on_hessian(wsr__report *report,
                                  const wsr_log_reader *line);

/// Free curves and warnings.
void wsr__report_clear_evals(wsr__report *report);

/// Free the differences of runs.
void wsr__report_clear_differences(wsr__report *report);

/// A searcher of a comparison.
wsr_status wsr__report_on_compare(wsr__report *report,
                                  const wsr_log_reader *line);
void wsr__report_clear_searchers(wsr__report *report);

/// A predictor that ranked held-out architectures.
wsr_status wsr__report_on_predictor(wsr__report *report,
                                    const wsr_log_reader *line);
void wsr__report_clear_predictors(wsr__report *report);

#endif
