// SPDX-License-Identifier: Apache-2.0
//
// Prints the options of sections for people: the end of --help, and the help on
// a topic. Every option appears as "key=default", which is what --set takes.
// All of it is made from schemas and lists of classes, so it cannot differ from
// what the program accepts.

#include "config/config.h"

#include <string.h>

// What an option may hold, in words: "[1, 1000]", "linf or l2". Bounds of 0 and
// 0 mean that a schema has none.
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

// Schemas leave out what they have nothing to say about.
static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

// A section without a prefix goes by another name.
static const char *name_of(const wsr__section *s)
{
    return s->prefix[0] != '\0' ? s->prefix : "general";
}

// "a, b or c".
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

// Append words with line breaks, every line behind `margin` blanks. A word
// longer than a line gets a line of its own.
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

// Takes over the text.
static void add_paragraph(wsr__str *out, wsr__str *text, size_t margin,
                          size_t width)
{
    if (text->failed) {
        out->failed = true;
    } else {
        add_wrapped(out, text_or_empty(text->s), margin, width);
    }
    wsr__str_free(text);
}

// " attack.eps=8/255", and below it what it means, permits and measures.
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
    add_paragraph(out, &text, 6, width);
}

// A NULL schema has no options; so has one that begins with its end.
static void help_schema(wsr__str *out, const char *prefix,
                        const wsr__option *schema, size_t width)
{
    for (const wsr__option *o = schema; o != NULL && o->key != NULL; o++) {
        help_option(out, prefix, o, width);
    }
}

// The options of a class follow the words that select it.
static void help_member(wsr__str *out, const wsr__section *s,
                        const wsr__class *cls, size_t width)
{
    wsr__str text = {0};
    wsr__str_addf(&text, "with %s.name=%s: %s", s->prefix, cls->name,
                  text_or_empty(cls->summary));
    add_paragraph(out, &text, 2, width);
    help_schema(out, s->prefix, cls->schema, width);
}

// An option that overrides something has no default.
static wsr__option shown(const wsr__section *s, const wsr__option *option)
{
    wsr__option copy = *option;
    copy.fallback = s->given != NULL ? "" : option->fallback;
    return copy;
}

static void help_plain(wsr__str *out, const wsr__section *s, size_t width)
{
    for (const wsr__option *o = s->schema; o != NULL && o->key != NULL; o++) {
        const wsr__option option = shown(s, o);
        help_option(out, s->prefix, &option, width);
    }
}

// The options of a section, without its name.
// A section with a family has the key "prefix.name", and its other keys depend
// on that one.
static void help_section(wsr__str *out, const wsr__section *s, size_t width)
{
    wsr__str names = {0};
    if (s->family == NULL) {
        help_plain(out, s, width);
        return;
    }
    wsr__str_addf(out, "  %s.name=%s\n", s->prefix, text_or_empty(s->fallback));
    add_names(&names, s->family);
    add_paragraph(out, &names, 6, width);
    for (size_t i = 0; s->family->classes[i] != NULL; i++) {
        help_member(out, s, s->family->classes[i], width);
    }
}

// Several sections may have one name: the first of them stands for all.
static bool is_first(const wsr__section *sections, size_t i)
{
    bool first = true;
    for (size_t k = 0; k < i; k++) {
        first = first &&
                !wsr__streq(name_of(&sections[k]), name_of(&sections[i]));
    }
    return first;
}

// All sections of a name; false when there is none.
static bool help_name(wsr__str *out, const wsr__section *sections, size_t n,
                      const char *name, size_t width)
{
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        if (wsr__streq(name_of(&sections[i]), name)) {
            if (!found) {
                wsr__str_addf(out, "%s:\n", name);
            }
            help_section(out, &sections[i], width);
            found = true;
        }
    }
    return found;
}

// An empty line between sections; width counts characters of a line.
void wsr__config_help(wsr__str *out, const wsr__section *sections, size_t n,
                      size_t width)
{
    for (size_t i = 0; i < n; i++) {
        if (is_first(sections, i)) {
            wsr__str_add(out, i == 0 ? "" : "\n");
            help_name(out, sections, n, name_of(&sections[i]), width);
        }
    }
}

// "pgd: projected gradient descent (Madry et al. 2018, ...)" A paper is given
// where the class names one.
static void help_class(wsr__str *out, const wsr__class *cls, size_t width)
{
    const char *const paper = text_or_empty(cls->reference);
    wsr__str text = {0};
    wsr__str_addf(&text, "%s: %s%s%s%s", cls->name, text_or_empty(cls->summary),
                  paper[0] != '\0' ? " (" : "", paper,
                  paper[0] != '\0' ? ")" : "");
    add_paragraph(out, &text, 0, width);
}

// For families that are given as specs, "pgd:steps=20": no prefix.
void wsr__config_help_family(wsr__str *out, const wsr__family *family,
                             size_t width)
{
    for (size_t i = 0; family->classes[i] != NULL; i++) {
        help_class(out, family->classes[i], width);
        help_schema(out, "", family->classes[i]->schema, width);
    }
}

// -------------------------------------------------------------------- topics

// " data spec, size, channels": as many as fit on the line. Fifteen columns,
// which help_overview() takes off the width.
static void list_begin(wsr__str *out, const char *topic)
{
    wsr__str_addf(out, "  %-12s ", topic);
}

// Room for ", ..." is kept, so the line says that there is more.
static bool list_add(wsr__str *line, const char *word, size_t width)
{
    if (line->len + strlen(", ") + strlen(word) + strlen(", ...") > width) {
        wsr__str_add(line, ", ...");
        return false;
    }
    wsr__str_addf(line, "%s%s", line->len == 0 ? "" : ", ", word);
    return true;
}

// The keys of all sections with the name of section `first`; the topic has the
// rest.
static void list_sections(wsr__str *out, const wsr__help *help, size_t first,
                          size_t width)
{
    wsr__str line = {0};
    const char *const name = name_of(&help->sections[first]);
    bool fits = true;
    for (size_t i = first; i < help->n_sections && fits; i++) {
        const wsr__section *const s = &help->sections[i];
        const wsr__option *o = wsr__streq(name_of(s), name) ? s->schema : NULL;
        for (; fits && o != NULL && o->key != NULL; o++) {
            fits = list_add(&line, o->key, width);
        }
    }
    add_paragraph(out, &line, 0, SIZE_MAX);
}

// As many names as the line holds.
static void list_family(wsr__str *out, const wsr__family *family, size_t width)
{
    wsr__str line = {0};
    for (size_t i = 0; family->classes[i] != NULL; i++) {
        if (!list_add(&line, family->classes[i]->name, width)) {
            break;
        }
    }
    add_paragraph(out, &line, 0, SIZE_MAX);
}

static bool is_section(const wsr__help *help, const char *name)
{
    for (size_t i = 0; i < help->n_sections; i++) {
        if (wsr__streq(name_of(&help->sections[i]), name)) {
            return true;
        }
    }
    return false;
}

// One line for each section and family: the topics that --help takes. A family
// with the name of a section has its topic there.
static void help_overview(wsr__str *out, const wsr__help *help)
{
    const size_t width = help->width - 15;
    for (size_t i = 0; i < help->n_sections; i++) {
        const wsr__section *const s = &help->sections[i];
        if (!is_first(help->sections, i)) {
            continue;
        }
        list_begin(out, name_of(s));
        if (s->family != NULL) {
            list_family(out, s->family, width);
        } else {
            list_sections(out, help, i, width);
        }
    }
    for (size_t i = 0; i < help->n_families; i++) {
        if (!is_section(help, help->families[i]->name)) {
            list_begin(out, help->families[i]->name);
            list_family(out, help->families[i], width);
        }
    }
}

// The members of a family, a line each. Summaries only; a member's own topic
// has its options.
static void help_members(wsr__str *out, const wsr__family *family, size_t width)
{
    wsr__str_addf(out, "%s (options of one: %s:NAME):\n", family->name,
                  family->name);
    for (size_t i = 0; family->classes[i] != NULL; i++) {
        const wsr__class *const cls = family->classes[i];
        wsr__str text = {0};
        wsr__str_addf(&text, "%s: %s", cls->name, text_or_empty(cls->summary));
        add_paragraph(out, &text, 2, width);
    }
}

// "attack:pgd" names a member of a family. NULL: it names none.
static const wsr__class *member_of(const wsr__family *family, const char *topic)
{
    const size_t n = strlen(family->name);
    if (strncmp(topic, family->name, n) != 0 || topic[n] != ':') {
        return NULL;
    }
    for (size_t i = 0; family->classes[i] != NULL; i++) {
        if (wsr__streq(family->classes[i]->name, topic + n + 1)) {
            return family->classes[i];
        }
    }
    return NULL;
}

// A topic may be a section, a class of its family, or one key.
static bool find_in_section(wsr__str *out, const wsr__section *s,
                            const char *topic, size_t width)
{
    const size_t n = strlen(s->prefix);
    const wsr__class *const cls =
        s->family == NULL ? NULL : member_of(s->family, topic);
    if (cls != NULL) {
        help_member(out, s, cls, width);
        return true;
    }
    const bool inside = n == 0 ||
                        (strncmp(topic, s->prefix, n) == 0 && topic[n] == '.');
    const wsr__option *const option =
        s->schema == NULL || !inside
            ? NULL
            : wsr__schema_find(s->schema, topic + (n == 0 ? 0 : n + 1));
    if (option != NULL) {
        const wsr__option one = shown(s, option);
        help_option(out, s->prefix, &one, width);
    }
    return option != NULL;
}

// A topic may be the family or one of its members.
static bool find_in_family(wsr__str *out, const wsr__family *family,
                           const char *topic, size_t width)
{
    const wsr__class *const cls = member_of(family, topic);
    if (wsr__streq(topic, family->name)) {
        wsr__str_add(out, out->len == 0 ? "" : "\n"); // behind a section's
        help_members(out, family, width);
        return true;
    }
    if (cls != NULL) {
        help_class(out, cls, width);
        help_schema(out, "", cls->schema, width);
    }
    return cls != NULL;
}

// Candidates for "did you mean".
static wsr_status add_topics(wsr__names *names, const wsr__family *family)
{
    wsr_status status = wsr__names_add(names, family->name);
    for (size_t i = 0; status == WSR_OK && family->classes[i] != NULL; i++) {
        wsr__str topic = {0};
        wsr__str_addf(&topic, "%s:%s", family->name, family->classes[i]->name);
        status = wsr__str_status(&topic);
        if (status == WSR_OK) {
            status = wsr__names_add(names, topic.s);
        }
        wsr__str_free(&topic);
    }
    return status;
}

// Members count as topics too, so "atack:pgd" finds "attack:pgd".
static wsr_status fail_unknown(const wsr__help *help, const char *topic)
{
    wsr_status status = WSR_OK;
    wsr__names names = {0};
    WSR_TRY(wsr__names_add(&names, "all"));
    for (size_t i = 0; i < help->n_sections; i++) {
        const wsr__section *const s = &help->sections[i];
        WSR_TRY(s->family != NULL ? add_topics(&names, s->family)
                                  : wsr__names_add(&names, name_of(s)));
    }
    for (size_t i = 0; i < help->n_families; i++) {
        WSR_TRY(add_topics(&names, help->families[i]));
    }
    const char *const near = wsr__names_suggest(&names, topic);
    status = WSR_FAIL(WSR_NOTFOUND, "help: there is no topic '%.64s'%s%s%s",
                      topic, near != NULL ? ", did you mean '" : "",
                      near != NULL ? near : "", near != NULL ? "'" : "");
out:
    wsr__names_free(&names);
    return status;
}

// Several sections may answer to one topic, and each of them does.
wsr_status wsr__config_help_topic(wsr__str *out, const wsr__help *help,
                                  const char *topic)
{
    const bool all = topic == NULL || wsr__streq(topic, "all");
    bool found = false;
    if (all) {
        wsr__config_help(out, help->sections, help->n_sections, help->width);
        for (size_t i = 0; i < help->n_families; i++) {
            wsr__str_addf(out, "%s%s (name:key=value,...):\n\n",
                          out->len == 0 ? "" : "\n", help->families[i]->name);
            wsr__config_help_family(out, help->families[i], help->width);
        }
        return WSR_OK;
    }
    if (topic[0] == '\0') {
        help_overview(out, help);
        return WSR_OK;
    }
    found =
        help_name(out, help->sections, help->n_sections, topic, help->width);
    for (size_t i = 0; i < help->n_sections && !found; i++) {
        found = find_in_section(out, &help->sections[i], topic, help->width);
    }
    for (size_t i = 0; i < help->n_families; i++) {
        found |= find_in_family(out, help->families[i], topic, help->width);
    }
    return found ? WSR_OK : fail_unknown(help, topic);
}

wsr_status wsr__config_help_text(char **out, const wsr__help *help,
                                 const char *topic)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    *out = NULL;
    WSR_TRY(wsr__config_help_topic(&text, help, topic));
    WSR_TRY(wsr__str_give(out, &text));
out:
    wsr__str_free(&text);
    return status;
}
