// SPDX-License-Identifier: Apache-2.0
//
// Numbers as text, in both directions and independent of the locale. Only
// plain decimal notation of finite numbers is a number here: "nan", "inf" and
// hexadecimal floats in a configuration are mistakes, and so is a text other
// than 0 that strtod() rounds to 0.

#include "base/base.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// The mantissa decides whether the text means 0: "0.00e5" does, "1e-999" does
// not, though strtod() returns 0 for both.
bool wsr__parse_decimal(double *out, bool *zero, const char *text)
{
    const size_t len = strlen(text);
    if (len == 0 || strspn(text, "+-.0123456789eE") != len) {
        return false;
    }
    const wsr__locale locale = wsr__locale_enter();
    char *end = NULL;
    const double value = strtod(text, &end);
    wsr__locale_leave(locale);
    if (end != text + len) {
        return false;
    }
    const size_t digits = strspn(text, "+-.0");
    *zero = text[digits] == '\0' || strchr("eE", text[digits]) != NULL;
    *out = value;
    return true;
}

bool wsr__parse_double(double *out, const char *text)
{
    double value = 0.0;
    bool zero = false;
    if (!wsr__parse_decimal(&value, &zero, text) || !isfinite(value) ||
        zero != (value == 0.0)) {
        return false;
    }
    *out = value;
    return true;
}

bool wsr__parse_int(int64_t *out, const char *text)
{
    const size_t len = strlen(text);
    if (len == 0 || strspn(text, "+-0123456789") != len) {
        return false;
    }
    errno = 0;
    char *end = NULL;
    const intmax_t value = strtoimax(text, &end, 10);
    if (end != text + len || errno == ERANGE || value < INT64_MIN ||
        value > INT64_MAX) {
        return false;
    }
    *out = (int64_t)value;
    return true;
}

// The fewest digits that read back to the same value; `most` always suffice.
// Whole numbers of moderate size are spelled out: 1000, not 1e+03.
static void format_shortest(char out[32], double value, bool is_float)
{
    const int most = is_float ? 9 : 17;
    const wsr__locale locale = wsr__locale_enter();
    if (fabs(value) < 1e15 && value == floor(value)) {
        (void)snprintf(out, 32, "%.0f", value);
        wsr__locale_leave(locale);
        return;
    }
    for (int digits = 1; digits <= most; digits++) {
        (void)snprintf(out, 32, "%.*g", digits, value);
        const double back = strtod(out, NULL);
        const bool same = is_float ? (float)back == (float)value
                                   : back == value;
        if (same) {
            break;
        }
    }
    wsr__locale_leave(locale);
}

void wsr__format_float(char out[32], float value)
{
    format_shortest(out, (double)value, true);
}

void wsr__format_double(char out[32], double value)
{
    format_shortest(out, value, false);
}
