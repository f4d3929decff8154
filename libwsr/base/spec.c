// SPDX-License-Identifier: Apache-2.0
//
// Reads and quotes specs, "name:key=value,key=value" and "name:FILE,FILE", and
// lists of them.
//
// A value without special characters stands as it is. Commas and brackets in a
// value are protected in one of two ways: by double quotes around it, or by a
// backslash in front of the character. A backslash that is not followed by one
// of , [ ] " \ is an ordinary character. Text inside [brackets] is passed on
// unchanged: it is a list, whose elements are specs with quotes of their own.

#include "base/param.h"

#include <string.h>

static const char special[] = ",[]\"\\";

// Where a scan of a spec is.
typedef struct scan {
    const char *at;
    int depth; // of brackets
    bool quoted;
} scan;

static bool is_escape(const char *s)
{
    return s[0] == '\\' && s[1] != '\0' && strchr(special, s[1]) != NULL;
}

// Step over one character, an escaped one with its backslash.
static void step(scan *s)
{
    if (is_escape(s->at)) {
        s->at += 2;
        return;
    }
    const char c = *s->at++;
    s->quoted ^= c == '"';
    if (!s->quoted) {
        s->depth += (c == '[') - (c == ']');
    }
}

static bool at_end(const scan *s)
{
    return *s->at == '\0' || (*s->at == ',' && !s->quoted && s->depth <= 0);
}

size_t wsr__spec_piece(const char *text)
{
    scan s = {.at = text};
    while (!at_end(&s)) {
        step(&s);
    }
    return (size_t)(s.at - text);
}

// Whether text starts with "key=": an option of the spec before the comma.
static bool is_option(const char *text)
{
    return text[strcspn(text, ":=,[\"\\")] == '=';
}

size_t wsr__spec_length(const char *specs)
{
    size_t n = wsr__spec_piece(specs);
    while (specs[n] == ',' && is_option(specs + n + 1)) {
        n += 1 + wsr__spec_piece(specs + n + 1);
    }
    return n;
}

wsr_status wsr__spec_list(char **out, const char *text)
{
    const size_t n = strlen(text);
    const bool bracketed = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    *out = wsr__strdup(text + bracketed);
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    (*out)[bracketed ? n - 2 : n] = '\0';
    return WSR_OK;
}

// YAML lists come without brackets and blanks, others as they are typed.
wsr_status wsr__spec_next(char **out, const char **rest)
{
    const char *first = *rest;
    size_t n = wsr__spec_length(first);
    *rest += n + (first[n] == ',');
    for (; n > 0 && *first == ' '; n--) {
        first++;
    }
    while (n > 0 && first[n - 1] == ' ') {
        n--;
    }
    *out = wsr__alloc(n + 1, 1);
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    memcpy(*out, first, n);
    return WSR_OK;
}

wsr_status wsr__spec_unquote(wsr__str *out, const char *text, size_t len)
{
    scan s = {.at = text};
    wsr__str_free(out);
    wsr__str_add(out, "");
    while (s.at < text + len) {
        const char *const from = s.at;
        const bool outside = s.depth <= 0;
        step(&s);
        if (outside && is_escape(from)) {
            wsr__str_addn(out, from + 1, 1);
        } else if (!outside || *from != '"') {
            wsr__str_addn(out, from, (size_t)(s.at - from));
        }
    }
    if (s.quoted) {
        return WSR_FAIL(WSR_CONFIG, "'%.80s' has a quote that is not closed",
                        text);
    }
    return wsr__str_status(out);
}

void wsr__spec_quote(wsr__str *out, const char *text)
{
    if (strpbrk(text, special) == NULL) {
        wsr__str_add(out, text);
        return;
    }
    wsr__str_add(out, "\"");
    for (const char *s = text; *s != '\0'; s++) {
        wsr__str_add(out, *s == '"' || is_escape(s) ? "\\" : "");
        wsr__str_addn(out, s, 1);
    }
    // A backslash at the end must not take the quote with it.
    const size_t n = strlen(text);
    wsr__str_add(out, text[n - 1] == '\\' ? "\\\"" : "\"");
}

wsr_status wsr_option_quote(char **out, const char *value)
{
    wsr__str text = {0};
    wsr__str_add(&text, "");
    wsr__spec_quote(&text, value);
    return wsr__str_give(out, &text);
}

wsr_status wsr__spec_split(char *name, size_t size, const char **options,
                           const char *spec)
{
    const char *const colon = strchr(spec, ':');
    const size_t len = colon != NULL ? (size_t)(colon - spec) : strlen(spec);
    *options = colon != NULL ? colon + 1 : "";
    if (len == 0 || len >= size) {
        return WSR_FAIL(WSR_CONFIG, "'%.40s': does not start with a name",
                        spec);
    }
    memcpy(name, spec, len);
    name[len] = '\0';
    return WSR_OK;
}
