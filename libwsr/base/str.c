// SPDX-License-Identifier: Apache-2.0
//
// Growing strings and bounded copies. A wsr__str remembers that memory ran
// short, and further appends do nothing: a sequence of appends is checked once
// at its end. Formatting never depends on the caller's locale: a configuration
// printed in one country is read in another.

#include "base/base.h"

#include <locale.h>
#include <string.h>

// The C library keeps one object for "C" in all categories; making and
// freeing it allocates nothing.
wsr__locale wsr__locale_enter(void)
{
    wsr__locale locale = {NULL, NULL};
    const locale_t neutral = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (neutral != (locale_t)0) {
        locale.neutral = neutral;
        locale.previous = uselocale(neutral);
    }
    return locale;
}

// Nothing to undo where the neutral locale could not be had.
void wsr__locale_leave(wsr__locale locale)
{
    if (locale.neutral != NULL) {
        uselocale((locale_t)locale.previous);
        freelocale((locale_t)locale.neutral);
    }
}

// Room for `more` bytes and the terminating NUL. The size is checked before it
// is added up: a length from a file may be huge.
static bool make_room(wsr__str *str, size_t more)
{
    if (str->failed || more > SIZE_MAX - 1 - str->len) {
        str->failed = true;
        return false;
    }
    void *array = str->s;
    const size_t need = str->len + more + 1;
    if (wsr__reserve(&array, &str->capacity, need, 1) != WSR_OK) {
        str->failed = true;
        return false;
    }
    str->s = array;
    return true;
}

// `text` must not point into the string itself, which may move.
void wsr__str_addn(wsr__str *str, const char *text, size_t len)
{
    if (!make_room(str, len)) {
        return;
    }
    memcpy(str->s + str->len, text, len);
    str->len += len;
    str->s[str->len] = '\0';
}

void wsr__str_add(wsr__str *str, const char *text)
{
    wsr__str_addn(str, text, strlen(text));
}

// Measured first, then written: two passes, but no truncation.
void wsr__str_addf(wsr__str *str, const char *format, ...)
{
    const wsr__locale locale = wsr__locale_enter();
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        str->failed = true;
    } else if (make_room(str, (size_t)n)) {
        va_start(args, format);
        (void)vsnprintf(str->s + str->len, (size_t)n + 1, format, args);
        va_end(args);
        str->len += (size_t)n;
    }
    wsr__locale_leave(locale);
}

void wsr__str_free(wsr__str *str)
{
    wsr__free(str->s);
    *str = (wsr__str){0};
}

wsr_status wsr__str_status(const wsr__str *str)
{
    return str->failed ? WSR_NOMEM : WSR_OK;
}

void wsr__str_add_csv(wsr__str *str, const char *text)
{
    wsr__str_add(str, "\"");
    for (const char *c = text; *c != '\0'; c++) {
        wsr__str_addn(str, c, 1);
        if (*c == '"') { // quotes inside quotes are doubled
            wsr__str_add(str, "\"");
        }
    }
    wsr__str_add(str, "\"");
}

// Nothing appended gives NULL with WSR_OK; whoever needs "" appends "" first.
wsr_status wsr__str_give(char **out, wsr__str *str)
{
    const wsr_status status = wsr__str_status(str);
    if (status != WSR_OK) {
        wsr__str_free(str);
    }
    *out = str->s;
    *str = (wsr__str){0};
    return status;
}

bool wsr__streq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

wsr_status wsr__strcpy(char *dst, size_t size, const char *src)
{
    const size_t len = strlen(src);
    if (len >= size) {
        return WSR_FAIL(WSR_ARG, "text: %zu bytes are more than %zu (%.40s...)",
                        len, size - 1, src);
    }
    memcpy(dst, src, len + 1);
    return WSR_OK;
}

void wsr_text_free(char *text)
{
    wsr__free(text);
}
