// SPDX-License-Identifier: Apache-2.0
//
// Decodes the flat list of keys into params structs. All keys are checked
// against all sections before anything is filled in, so that a misspelt key is
// reported with the nearest key of the whole program, not of one section.

#include "config/config.h"

#include <string.h>

enum { PREFIX_SIZE = 128, WHERE_SIZE = 300 };

// Whether a key begins with the section's prefix; `*word` is what follows.
static bool is_in(const wsr__section *s, const char *key, const char **word)
{
    const size_t n = strlen(s->prefix);
    *word = key;
    if (n == 0) {
        return true;
    }
    if (strncmp(key, s->prefix, n) != 0 || key[n] != '.') {
        return false;
    }
    *word = key + n + 1;
    return true;
}

// Of a variant section only once its class is selected.
static const wsr__option *schema_of(const wsr__section *s)
{
    return s->selected != NULL ? s->selected->schema : s->schema;
}

// ----------------------------------------------------------------- selecting

// Entry of an option of the section, NULL when it is not set.
static const wsr__entry *entry_of(const wsr_config *cfg, const wsr__section *s,
                                  const char *word)
{
    char key[PREFIX_SIZE];
    const int n = snprintf(key, sizeof(key), "%s.%s", s->prefix, word);
    return n > 0 && (size_t)n < sizeof(key) ? wsr__config_find(cfg, key) : NULL;
}

// Without "prefix.name" the last entry that is not empty among the classes'
// selectors selects. NULL: there is none.
static const wsr__entry *selector_entry(const wsr__class **cls,
                                        const wsr_config *cfg,
                                        const wsr__section *s)
{
    const wsr__entry *found = NULL;
    for (size_t i = 0; s->selector != NULL && s->family->classes[i] != NULL;
         i++) {
        const char *const word = s->selector(s->family->classes[i]);
        const wsr__entry *const e = word != NULL ? entry_of(cfg, s, word)
                                                 : NULL;
        if (e != NULL && e->value[0] != '\0' &&
            (found == NULL || e->source > found->source)) {
            found = e;
            *cls = s->family->classes[i];
        }
    }
    return found;
}

static const wsr__class *class_named(const wsr__section *s, const char *name)
{
    for (size_t i = 0; s->family->classes[i] != NULL; i++) {
        if (wsr__streq(s->family->classes[i]->name, name)) {
            return s->family->classes[i];
        }
    }
    return NULL;
}

// The class and the entry that selects it; NULL where no entry does, or where
// it names no class.
static const wsr__entry *selecting_entry(const wsr__class **cls,
                                         const wsr_config *cfg,
                                         const wsr__section *s)
{
    const wsr__entry *const e = entry_of(cfg, s, "name");
    *cls = NULL;
    if (e == NULL) {
        return selector_entry(cls, cfg, s);
    }
    *cls = class_named(s, e->value);
    return e;
}

// The message lists or suggests the family's names.
static wsr_status fail_name(const wsr__section *s, const wsr__entry *e)
{
    // Only to have the family's own words about the name.
    const wsr__class *cls = NULL;
    const char *const name = e != NULL ? e->value : "";
    const wsr_status status = wsr__class_find(&cls, s->family, name);
    if (status != WSR_NOTFOUND) {
        return status;
    }
    if (e == NULL) {
        return WSR_FAIL(WSR_CONFIG, "%s.name: is not given: %s", s->prefix,
                        wsr_error_detail());
    }
    return WSR_FAIL(WSR_CONFIG, "%s.name: %s (%s)", s->prefix,
                    wsr_error_detail(), e->where);
}

// Selected before keys are checked: which keys exist depends on it.
static wsr_status select_class(const wsr_config *cfg, wsr__section *s)
{
    const wsr__entry *const e = selecting_entry(&s->selected, cfg, s);
    if (e == NULL && s->fallback != NULL) {
        s->selected = class_named(s, s->fallback);
    }
    return s->selected != NULL ? WSR_OK : fail_name(s, e);
}

// ------------------------------------------------------------------ checking

// Section of a key that it knows, NULL when there is none.
static const wsr__section *section_of(const wsr__section *sections, size_t n,
                                      const char *key)
{
    for (size_t i = 0; i < n; i++) {
        const wsr__section *const s = &sections[i];
        const char *word = NULL;
        if (is_in(s, key, &word) &&
            ((s->family != NULL && wsr__streq(word, "name")) ||
             wsr__schema_find(schema_of(s), word) != NULL)) {
            return s;
        }
    }
    return NULL;
}

// Whether a key belongs to a class that a later entry replaced: a preset's
// "attack.steps" means nothing after "--set attack.name=fgsm".
static bool is_overtaken(const wsr_config *cfg, const wsr__section *sections,
                         size_t n, const wsr__entry *e)
{
    for (size_t i = 0; i < n; i++) {
        const wsr__section *const s = &sections[i];
        const char *word = NULL;
        if (s->family == NULL || !is_in(s, e->key, &word)) {
            continue;
        }
        const wsr__class *cls = NULL;
        const wsr__entry *const by = selecting_entry(&cls, cfg, s);
        if (by == NULL || by->source <= e->source) {
            continue;
        }
        for (size_t k = 0; s->family->classes[k] != NULL; k++) {
            if (wsr__schema_find(s->family->classes[k]->schema, word) != NULL) {
                return true;
            }
        }
    }
    return false;
}

bool wsr__config_passed_over(const wsr_config *cfg,
                             const wsr__section *sections, size_t n, size_t i)
{
    const wsr__entry *const e = &cfg->entries[i];
    return section_of(sections, n, e->key) == NULL &&
           is_overtaken(cfg, sections, n, e);
}

// --------------------------------------------------------------- suggesting

// Walks over all permitted keys.
typedef struct walk {
    const wsr__section *section;
    const wsr__section *end;
    const wsr__option *next; // of the section, NULL: not begun
    const char *word;        // the key is section->prefix "." word
} walk;

// Moves to the next key; false at the end.
static bool step(walk *w)
{
    static const wsr__option none = {0}; // of a class without options
    while (w->section != w->end) {
        const wsr__option *const schema = schema_of(w->section);
        if (w->next == NULL) {
            w->next = schema != NULL ? schema : &none;
            if (w->section->family != NULL) {
                w->word = "name";
                return true;
            }
        }
        if (w->next != NULL && w->next->key != NULL) {
            w->word = w->next++->key;
            return true;
        }
        w->section++;
        w->next = NULL;
    }
    return false;
}

// Length of what is before the last dot of a key.
static size_t prefix_length(const char *key)
{
    const char *const dot = strrchr(key, '.');
    return dot != NULL ? (size_t)(dot - key) : 0;
}

static bool has_prefix(const wsr__section *s, const char *key)
{
    const size_t n = prefix_length(key);
    return strlen(s->prefix) == n && strncmp(s->prefix, key, n) == 0;
}

// One more candidate.
static wsr_status add_candidate(wsr__names *names, const char *prefix,
                                const char *word)
{
    wsr_status status = WSR_OK;
    wsr__str key = {0};
    wsr__str_addf(&key, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", word);
    WSR_TRY(wsr__str_status(&key));
    WSR_TRY(wsr__names_add(names, key.s));
out:
    wsr__str_free(&key);
    return status;
}

// The key that was probably meant, "" when that is anybody's guess: in a
// section that exists the nearest word of it; where the section is unknown the
// nearest key of all, or the only place of that very word.
static wsr_status suggest(wsr__str *out, const wsr__section *sections, size_t n,
                          const char *key)
{
    wsr_status status = WSR_OK;
    wsr__names names = {0};
    const size_t len = prefix_length(key);
    const char *const word = key + len + (key[len] == '.');
    const char *elsewhere = NULL;
    bool known = false;
    wsr__str_add(out, "");
    for (size_t i = 0; i < n; i++) {
        known = known || has_prefix(&sections[i], key);
    }
    for (walk w = {.section = sections, .end = sections + n}; step(&w);) {
        if (known && has_prefix(w.section, key)) {
            WSR_TRY(add_candidate(&names, "", w.word));
        } else if (!known) {
            WSR_TRY(add_candidate(&names, w.section->prefix, w.word));
        }
        if (wsr__streq(w.word, word)) {
            elsewhere = w.section->prefix;
        }
    }
    const char *const near = wsr__names_suggest(&names, known ? word : key);
    if (near != NULL) {
        wsr__str_addn(out, key, known ? len : 0);
        wsr__str_addf(out, "%s%s", known && len != 0 ? "." : "", near);
    } else if (elsewhere != NULL) {
        wsr__str_addf(out, "%s%s%s", elsewhere, elsewhere[0] != '\0' ? "." : "",
                      word);
    }
    WSR_TRY(wsr__str_status(out));
out:
    wsr__names_free(&names);
    return status;
}

// A key that another class of the section has, or that is a section itself.
static wsr_status fail_misplaced(const wsr__section *s, const wsr__entry *e)
{
    const char *word = NULL;
    if (wsr__streq(s->prefix, e->key)) {
        return WSR_FAIL(WSR_CONFIG, "%s: is a section, not an option (%s)",
                        e->key, e->where);
    }
    if (s->selected == NULL || !is_in(s, e->key, &word)) {
        return WSR_OK;
    }
    for (size_t k = 0; s->family->classes[k] != NULL; k++) {
        const wsr__class *const cls = s->family->classes[k];
        if (wsr__schema_find(cls->schema, word) != NULL) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s: is an option of %s '%s', not of '%s' (%s)",
                            e->key, s->family->name, cls->name,
                            s->selected->name, e->where);
        }
    }
    return WSR_OK;
}

// The most telling message first: a key of another class, else the nearest.
static wsr_status fail_unknown(const wsr__section *sections, size_t n,
                               const wsr__entry *e)
{
    wsr_status status = WSR_OK;
    wsr__str near = {0};
    for (size_t i = 0; i < n; i++) {
        WSR_TRY(fail_misplaced(&sections[i], e));
    }
    WSR_TRY(suggest(&near, sections, n, e->key));
    const bool found = near.len != 0;
    status = WSR_FAIL(WSR_CONFIG, "%s: is not an option%s%s%s (%s)", e->key,
                      found ? ", did you mean '" : "", near.s,
                      found ? "'" : ", --help lists them", e->where);
out:
    wsr__str_free(&near);
    return status;
}

// ------------------------------------------------------------------- filling

// The name itself was used up by select_class().
static wsr_status fill(const wsr__section *s, const wsr__entry *e)
{
    char prefix[PREFIX_SIZE];
    char where[WHERE_SIZE];
    const char *word = NULL;
    if (!is_in(s, e->key, &word) ||
        (s->family != NULL && wsr__streq(word, "name"))) {
        return WSR_OK;
    }
    (void)snprintf(prefix, sizeof(prefix), "%.*s", (int)(word - e->key),
                   e->key);
    (void)snprintf(where, sizeof(where), "(%s)", e->where);
    const wsr_status status =
        wsr__params_set(s->params, schema_of(s), prefix, word, e->value, where);
    if (status == WSR_OK && s->given != NULL) {
        s->given[wsr__schema_find(s->schema, word) - s->schema] = true;
    }
    return status;
}

// Params start with the defaults; given keys then overwrite theirs.
static wsr_status prepare(wsr__section *s)
{
    if (s->family != NULL) {
        return wsr__class_params(&s->params, s->selected, "");
    }
    wsr__params_default(s->params, s->schema);
    for (size_t i = 0; s->given != NULL && s->schema[i].key != NULL; i++) {
        s->given[i] = false;
    }
    return WSR_OK;
}

// In four passes: select classes, check keys, set defaults, fill in. A failure
// frees the params of variant sections.
wsr_status wsr__config_decode(const wsr_config *cfg, wsr__section *sections,
                              size_t n)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < n; i++) {
        sections[i].selected = NULL;
        if (sections[i].family != NULL) {
            sections[i].params = NULL;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (sections[i].family != NULL) {
            WSR_TRY(select_class(cfg, &sections[i]));
        }
    }
    for (size_t i = 0; i < cfg->n; i++) {
        const wsr__entry *const e = &cfg->entries[i];
        if (section_of(sections, n, e->key) == NULL &&
            !is_overtaken(cfg, sections, n, e)) {
            status = fail_unknown(sections, n, e);
            goto out;
        }
    }
    for (size_t i = 0; i < n; i++) {
        WSR_TRY(prepare(&sections[i]));
    }
    for (size_t i = 0; i < cfg->n; i++) {
        const wsr__entry *const e = &cfg->entries[i];
        const wsr__section *const s = section_of(sections, n, e->key);
        if (s != NULL) {
            WSR_TRY(fill(s, e));
        }
    }
out:
    if (status != WSR_OK) {
        wsr__sections_free(sections, n);
    }
    return status;
}

bool wsr__config_same(const wsr__section *sections, size_t n, const char *key,
                      const char *a, const char *b)
{
    const char *word = NULL;
    const wsr__section *const s = section_of(sections, n, key);
    if (wsr__streq(a, b) || s == NULL || !is_in(s, key, &word)) {
        return wsr__streq(a, b);
    }
    const wsr__option *const option = wsr__schema_find(schema_of(s), word);
    return option != NULL && wsr__value_same(option, a, b);
}

// Params of plain sections are the caller's.
void wsr__sections_free(wsr__section *sections, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (sections[i].family != NULL) {
            wsr__free(sections[i].params);
            sections[i].params = NULL;
        }
    }
}
