// SPDX-License-Identifier: Apache-2.0
//
// Status codes and the detail of the last failure. The detail lives in a
// fixed buffer per thread, so that reporting a failure needs no memory, no
// set-up and no tear-down, and cannot fail itself.

#include "base/base.h"

#include <string.h>

enum { DETAIL_SIZE = 512 };

static _Thread_local char detail[DETAIL_SIZE];

// Indexed by code. Tests check that each code has a text.
static const char *const names[] = {
    [WSR_OK] = "ok",
    [WSR_NOMEM] = "out of memory",
    [WSR_ARG] = "argument not permitted",
    [WSR_CONFIG] = "configuration not permitted",
    [WSR_NOTFOUND] = "not found",
    [WSR_IO] = "input or output failed",
    [WSR_FORMAT] = "malformed file",
    [WSR_SHAPE] = "shapes do not fit",
    [WSR_UNSUPPORTED] = "not supported",
    [WSR_NUMERIC] = "not a finite number",
    [WSR_CANCELED] = "canceled",
    [WSR_BACKEND] = "backend failed",
    [WSR_INTERNAL] = "internal error",
    [WSR_BUSY] = "in use by another process",
};

const char *wsr_status_string(wsr_status status)
{
    const size_t index = (size_t)status;
    const size_t n = sizeof(names) / sizeof(names[0]);
    return index < n ? names[index] : "unknown status";
}

const char *wsr_error_detail(void)
{
    return detail;
}

// Values in a message may come from a file; the detail stays one line. Bytes
// from 0x80 on pass, for UTF-8.
static void keep_one_line(char *text)
{
    for (char *p = text; *p != '\0'; p++) {
        const unsigned char byte = (unsigned char)*p;
        if (byte < 0x20 || byte == 0x7f) {
            *p = '?';
        }
    }
}

wsr_status wsr__fail(wsr_status code, const char *format, ...)
{
    char text[DETAIL_SIZE]; // arguments may point into the old detail
    const wsr__locale locale = wsr__locale_enter();
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    wsr__locale_leave(locale);
    if (n < 0) {
        text[0] = '\0';
    }
    keep_one_line(text);
    memcpy(detail, text, sizeof(detail));
    return code;
}

// What does not fit is cut at the end: the place in front says more.
wsr_status wsr__fail_at(wsr_status code, const char *format, ...)
{
    char text[DETAIL_SIZE];
    const wsr__locale locale = wsr__locale_enter();
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    wsr__locale_leave(locale);
    if (n < 0) {
        return code;
    }
    keep_one_line(text);
    size_t len = strlen(text);
    const char *const parts[] = {": ", detail};
    for (size_t i = 0; i < 2; i++) {
        const size_t room = sizeof(text) - 1 - len;
        const size_t want = strlen(parts[i]);
        const size_t take = want < room ? want : room;
        memcpy(text + len, parts[i], take);
        len += take;
    }
    text[len] = '\0';
    memcpy(detail, text, len + 1);
    return code;
}
