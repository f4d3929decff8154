// SPDX-License-Identifier: Apache-2.0
//
// The lines of a log, as collect.c and collect_eval.c read them.

#ifndef WSR_REPORT_COLLECT_H
#define WSR_REPORT_COLLECT_H

#include "report/report.h"

#include <jansson.h>

/// Text of a field, "" where there is no such field or it is no text.
const char *wsr__log_text(const json_t *line, const char *key);

/// Number of a field, NAN where there is no such field or it is no number.
double wsr__log_number(const json_t *line, const char *key);

/// Take a line about one strength of one attack, or about a mean.
wsr_status wsr__report_on_eval(wsr__report *report, const json_t *line);

/// Take a warning.
wsr_status wsr__report_on_warning(wsr__report *report, const json_t *line);

/// Free curves and warnings.
void wsr__report_clear_evals(wsr__report *report);

#endif
