// SPDX-License-Identifier: Apache-2.0
//
// Text and numbers in HTML and SVG: svg_text.c.

#ifndef WSR_REPORT_TEXT_H
#define WSR_REPORT_TEXT_H

#include "base/base.h"

/// Append text, escaped for HTML and SVG.
void wsr__html_text(wsr__str *out, const char *text);

/// The same for a name of the log: "robust_accuracy" as "robust accuracy".
void wsr__html_name(wsr__str *out, const char *name);

/// Shares as percent, other numbers with a few digits.
void wsr__html_number(wsr__str *out, double value, bool percent);

/// A strength: "8/255 (0.0314)" where it is one of those, else "0.03".
void wsr__html_eps(wsr__str *out, double eps);

/// Seconds as "2 min 5 s".
void wsr__html_seconds(wsr__str *out, double seconds);

#endif
