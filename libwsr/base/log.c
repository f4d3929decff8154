// SPDX-License-Identifier: Apache-2.0
//
// Log lines go to the caller's hook or nowhere.

#include "base/base.h"

enum { LINE_SIZE = 1024 };

// Set before anything else and then only read, so it needs no lock.
static wsr_log_hook hook_function;
static void *hook_user;

void wsr_set_log_hook(wsr_log_hook hook, void *user)
{
    hook_function = hook;
    hook_user = user;
}

void wsr__log(wsr_log_level level, const char *format, ...)
{
    if (hook_function == NULL) {
        return;
    }
    char line[LINE_SIZE];
    const wsr__locale locale = wsr__locale_enter();
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    wsr__locale_leave(locale);
    if (n >= 0) {
        hook_function(level, line, hook_user);
    }
}
