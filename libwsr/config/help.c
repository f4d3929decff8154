// SPDX-License-Identifier: Apache-2.0
//
// The options of sections for people: the end of --help, and Markdown tables
// for the documentation. Every option appears as "key=default", which is what
// --set takes.

#include "config/config.h"

#include <string.h>

// What an option may hold, in words: "[1, 1000]", "linf or l2".
static void add_permitted(wsr__str *out, const wsr__option *o)
{
    static const char *const plain[] = {[WSR__BOOL] = "true or false",
                                        [WSR__INT] = "whole number",
                                        [WSR__FLOAT] = "number",
                                        [WSR__WORD] = "",
                                        [WSR__TEXT] = "text",
                                        [WSR__FLOATS] = "list of numbers",
                                        [WSR__INTS] = "list of whole numbers"};
    const bool bounded = o->min != 0.0 || o->max != 0.0;
    const bool list = o->kind == WSR__FLOATS || o->kind == WSR__INTS;
    if (o->kind == WSR__WORD) {
        for (size_t i = 0; o->words[i] != NULL; i++) {
            const bool last = o->words[i + 1] == NULL;
            wsr__str_addf(out, "%s%s",
                          i == 0 ? ""
                          : last ? " or "
                                 : ", ",
                          o->words[i]);
        }
        return;
    }
    if (!bounded || o->kind == WSR__BOOL || o->kind == WSR__TEXT) {
        wsr__str_add(out, plain[o->kind]);
        return;
    }
    char min[32];
    char max[32];
    wsr__format_double(min, o->min);
    wsr__format_double(max, o->max);
    wsr__str_addf(out, "%s[%s, %s]", list ? "list in " : "", min, max);
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void add_names(wsr__str *out, const wsr__family *family)
{
    for (size_t i = 0; family->classes[i] != NULL; i++) {
        const bool last = family->classes[i + 1] == NULL;
        wsr__str_addf(out, "%s%s",
                      i == 0 ? ""
                      : last ? " or "
                             : ", ",
                      family->classes[i]->name);
    }
}

// ---------------------------------------------------------------------- text

// Append words with line breaks, every line behind `margin` blanks.
static void add_wrapped(wsr__str *out, const char *text, size_t margin,
                        size_t width)
{
    size_t column = 0;
    const char *rest = text + strspn(text, " ");
    while (*rest != '\0') {
        const size_t n = strcspn(rest, " ");
        if (column != 0 && column + 1 + n > width) {
            wsr__str_add(out, "\n");
            column = 0;
        }
        if (column == 0) {
            wsr__str_addf(out, "%*s", (int)margin, "");
            column = margin;
        } else {
            wsr__str_add(out, " ");
            column++;
        }
        wsr__str_addn(out, rest, n);
        column += n;
        rest += n;
        rest += strspn(rest, " ");
    }
    wsr__str_add(out, "\n");
}

static void help_option(wsr__str *out, const char *prefix, const wsr__option *o,
                        size_t width)
{
    wsr__str text = {0};
    wsr__str_addf(out, "  %s%s%s=%s\n", prefix, prefix[0] != '\0' ? "." : "",
                  o->key, text_or_empty(o->fallback));
    const char *const unit = text_or_empty(o->unit);
    wsr__str_addf(&text, "%s (", text_or_empty(o->help));
    add_permitted(&text, o);
    wsr__str_addf(&text, "%s%s)", unit[0] != '\0' ? " " : "", unit);
    if (text.failed) {
        out->failed = true;
    } else {
        add_wrapped(out, text.s, 6, width);
    }
    wsr__str_free(&text);
}

static void help_schema(wsr__str *out, const char *prefix,
                        const wsr__option *schema, size_t width)
{
    for (const wsr__option *o = schema; o != NULL && o->key != NULL; o++) {
        help_option(out, prefix, o, width);
    }
}

static void help_family(wsr__str *out, const wsr__section *s, size_t width)
{
    wsr__str text = {0};
    wsr__str_addf(out, "  %s.name=%s\n", s->prefix, text_or_empty(s->fallback));
    add_names(&text, s->family);
    if (text.failed) {
        out->failed = true;
    } else {
        add_wrapped(out, text.s, 6, width);
    }
    wsr__str_free(&text);
    for (size_t i = 0; s->family->classes[i] != NULL; i++) {
        const wsr__class *const cls = s->family->classes[i];
        wsr__str_addf(&text, "with %s.name=%s: %s", s->prefix, cls->name,
                      text_or_empty(cls->summary));
        if (text.failed) {
            out->failed = true;
        } else {
            add_wrapped(out, text.s, 2, width);
        }
        wsr__str_free(&text);
        help_schema(out, s->prefix, cls->schema, width);
    }
}

void wsr__config_help(wsr__str *out, const wsr__section *sections, size_t n,
                      size_t width)
{
    for (size_t i = 0; i < n; i++) {
        const wsr__section *const s = &sections[i];
        wsr__str_addf(out, "%s%s:\n", i == 0 ? "" : "\n",
                      s->prefix[0] != '\0' ? s->prefix : "general");
        if (s->family != NULL) {
            help_family(out, s, width);
        } else {
            help_schema(out, s->prefix, s->schema, width);
        }
    }
}

void wsr__config_help_family(wsr__str *out, const wsr__family *family,
                             size_t width)
{
    for (size_t i = 0; family->classes[i] != NULL; i++) {
        const wsr__class *const cls = family->classes[i];
        const char *const paper = text_or_empty(cls->reference);
        wsr__str text = {0};
        wsr__str_addf(&text, "%s: %s%s%s%s", cls->name,
                      text_or_empty(cls->summary), paper[0] != '\0' ? " (" : "",
                      paper, paper[0] != '\0' ? ")" : "");
        if (text.failed) {
            out->failed = true;
        } else {
            add_wrapped(out, text.s, 0, width);
        }
        wsr__str_free(&text);
        help_schema(out, "", cls->schema, width);
    }
}

// ------------------------------------------------------------------ Markdown

// A bar would end the cell of a table.
static void add_cell(wsr__str *out, const char *text)
{
    wsr__str_add(out, "| ");
    for (const char *s = text; *s != '\0'; s++) {
        if (*s == '|') {
            wsr__str_add(out, "\\");
        }
        wsr__str_addn(out, s, 1);
    }
    wsr__str_add(out, " ");
}

static void markdown_schema(wsr__str *out, const char *prefix,
                            const wsr__option *schema)
{
    if (schema == NULL || schema->key == NULL) {
        wsr__str_add(out, "No options.\n\n");
        return;
    }
    wsr__str_add(out, "| key | default | permitted | unit | meaning |\n"
                      "|---|---|---|---|---|\n");
    for (const wsr__option *o = schema; o->key != NULL; o++) {
        wsr__str permitted = {0};
        add_permitted(&permitted, o);
        wsr__str_addf(out, "| `%s%s%s` ", prefix, prefix[0] != '\0' ? "." : "",
                      o->key);
        add_cell(out, text_or_empty(o->fallback));
        add_cell(out, text_or_empty(permitted.s));
        add_cell(out, text_or_empty(o->unit));
        add_cell(out, text_or_empty(o->help));
        wsr__str_add(out, "|\n");
        out->failed = out->failed || permitted.failed;
        wsr__str_free(&permitted);
    }
    wsr__str_add(out, "\n");
}

static void markdown_family(wsr__str *out, const wsr__section *s)
{
    wsr__str_addf(out, "`%s.name` is ", s->prefix);
    add_names(out, s->family);
    wsr__str_addf(out, "; by default %s.\n\n",
                  s->fallback != NULL ? s->fallback : "it must be given");
    for (size_t i = 0; s->family->classes[i] != NULL; i++) {
        const wsr__class *const cls = s->family->classes[i];
        wsr__str_addf(out, "#### %s\n\n%s", cls->name,
                      text_or_empty(cls->summary));
        if (text_or_empty(cls->reference)[0] != '\0') {
            wsr__str_addf(out, " (%s)", cls->reference);
        }
        wsr__str_add(out, "\n\n");
        markdown_schema(out, s->prefix, cls->schema);
    }
}

void wsr__config_markdown(wsr__str *out, const wsr__section *sections, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const wsr__section *const s = &sections[i];
        wsr__str_addf(out, "### %s\n\n",
                      s->prefix[0] != '\0' ? s->prefix : "general");
        if (s->family != NULL) {
            markdown_family(out, s);
        } else {
            markdown_schema(out, s->prefix, s->schema);
        }
    }
}
