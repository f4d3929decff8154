// SPDX-License-Identifier: Apache-2.0
//
// Text and numbers in HTML and SVG. Whatever comes from a log or a file goes
// through here: names of networks, options and messages may hold any bytes, and
// a page must stay well-formed.

#include "config/config.h"
#include "report/report.h"

#include <math.h>
#include <string.h>

// Escaped, with bytes that are not UTF-8 and control characters replaced.
static void add_text(wsr__str *out, const char *text, bool name)
{
    while (*text != '\0') {
        const size_t length = wsr__utf8_length(text);
        const char c = *text;
        if (c == '&') {
            wsr__str_add(out, "&amp;");
        } else if (c == '<') {
            wsr__str_add(out, "&lt;");
        } else if (c == '>') {
            wsr__str_add(out, "&gt;");
        } else if (c == '"') {
            wsr__str_add(out, "&quot;");
        } else if (c == '\'') {
            wsr__str_add(out, "&#39;");
        } else if (name && c == '_') {
            wsr__str_add(out, " ");
        } else if (length == 0 || ((unsigned char)c < 32 && c != '\n') ||
                   c == 127) {
            wsr__str_add(out, "\xef\xbf\xbd"); // U+FFFD
        } else {
            wsr__str_addn(out, text, length);
        }
        text += length > 0 ? length : 1;
    }
}

// For whatever the run said.
void wsr__html_text(wsr__str *out, const char *text)
{
    add_text(out, text, false);
}

void wsr__html_name(wsr__str *out, const char *name)
{
    add_text(out, name, true);
}

// A dash for what is not known.
void wsr__html_number(wsr__str *out, double value, bool percent)
{
    if (isnan(value)) {
        wsr__str_add(out, "–");
    } else if (percent) {
        wsr__str_addf(out, "%.1f %%", 100.0 * value);
    } else if (fabs(value) >= 1e4 && fabs(value) < 1e9) {
        wsr__str_addf(out, "%.0f", value);
    } else {
        wsr__str_addf(out, "%.4g", value);
    }
}

// Papers write strengths of the L-infinity norm as n/255.
void wsr__html_eps(wsr__str *out, double eps)
{
    const double steps = eps * 255.0;
    const double whole = nearbyint(steps);
    if (whole > 0.0 && whole <= 64.0 && fabs(steps - whole) < 1e-3) {
        wsr__str_addf(out, "%.0f/255 (%.3g)", whole, eps);
    } else {
        wsr__str_addf(out, "%.3g", eps);
    }
}

// Two units at most.
void wsr__html_seconds(wsr__str *out, double seconds)
{
    if (seconds < 10.0) {
        wsr__str_addf(out, "%.2g s", seconds);
    } else if (seconds < 60.0) {
        wsr__str_addf(out, "%.0f s", seconds);
    } else if (seconds < 3600.0) {
        const double minutes = floor(seconds / 60.0);
        wsr__str_addf(out, "%.0f min %.0f s", minutes,
                      floor(seconds - 60.0 * minutes));
    } else {
        const double hours = floor(seconds / 3600.0);
        wsr__str_addf(out, "%.0f h %.0f min", hours,
                      floor((seconds - 3600.0 * hours) / 60.0));
    }
}
