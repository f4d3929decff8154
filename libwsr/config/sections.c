// SPDX-License-Identifier: Apache-2.0
//
// From the flat list of keys to filled params structs. All keys are checked
// against all sections before anything is filled in, so that a misspelt key is
// reported with the nearest one of the whole program, not of a part of it.

#include "config/config.h"

#include <string.h>

enum { PREFIX_SIZE = 128, WHERE_SIZE = 300 };

// The words of `key` behind the section's prefix, NULL when it is elsewhere.
static const char *behind_prefix(const wsr__section *s, const char *key)
{
    const size_t n = strlen(s->prefix);
    if (n == 0) {
        return key;
    }
    return strncmp(key, s->prefix, n) == 0 && key[n] == '.' ? key + n + 1
                                                            : NULL;
}

static const wsr__option *schema_of(const wsr__section *s)
{
    return s->family != NULL ? s->selected->schema : s->schema;
}

// ----------------------------------------------------------------- selecting

static const wsr__entry *name_entry(const wsr_config *cfg,
                                    const wsr__section *s)
{
    char key[PREFIX_SIZE];
    const int n = snprintf(key, sizeof(key), "%s.name", s->prefix);
    return n > 0 && (size_t)n < sizeof(key) ? wsr__config_find(cfg, key) : NULL;
}

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

static wsr_status select_class(const wsr_config *cfg, wsr__section *s)
{
    const wsr__entry *const e = name_entry(cfg, s);
    const char *const name = e != NULL ? e->value : s->fallback;
    for (size_t i = 0; name != NULL && s->family->classes[i] != NULL; i++) {
        if (wsr__streq(s->family->classes[i]->name, name)) {
            s->selected = s->family->classes[i];
            return WSR_OK;
        }
    }
    return fail_name(s, e);
}

// ------------------------------------------------------------------ checking

// Section of a key that it knows, NULL when there is none.
static const wsr__section *section_of(const wsr__section *sections, size_t n,
                                      const char *key)
{
    for (size_t i = 0; i < n; i++) {
        const wsr__section *const s = &sections[i];
        const char *const word = behind_prefix(s, key);
        if (word != NULL && ((s->family != NULL && wsr__streq(word, "name")) ||
                             wsr__schema_find(schema_of(s), word) != NULL)) {
            return s;
        }
    }
    return NULL;
}

// Whether a key belongs to a class that a later "prefix.name" replaced: a
// preset's "attack.steps" means nothing after "--set attack.name=fgsm".
static bool is_overtaken(const wsr_config *cfg, const wsr__section *sections,
                         size_t n, const wsr__entry *e)
{
    for (size_t i = 0; i < n; i++) {
        const wsr__section *const s = &sections[i];
        const char *const word = behind_prefix(s, e->key);
        if (s->family == NULL || word == NULL) {
            continue;
        }
        const wsr__entry *const name = name_entry(cfg, s);
        if (name == NULL || name->source <= e->source) {
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

// All keys that are permitted. [out, owned]
static wsr_status permitted_keys(char ***keys, size_t *n_keys,
                                 const wsr__section *sections, size_t n)
{
    wsr_status status = WSR_OK;
    void *array = NULL;
    size_t capacity = 0;
    *keys = NULL;
    *n_keys = 0;
    for (size_t i = 0; i < n; i++) {
        const wsr__section *const s = &sections[i];
        const char *const dot = s->prefix[0] != '\0' ? "." : "";
        const wsr__option *o = schema_of(s);
        const char *word = s->family != NULL ? "name" : NULL;
        for (;;) {
            if (word == NULL) {
                if (o == NULL || o->key == NULL) {
                    break;
                }
                word = o++->key;
            }
            wsr__str key = {0};
            wsr__str_addf(&key, "%s%s%s", s->prefix, dot, word);
            WSR_TRY(wsr__str_status(&key));
            status =
                wsr__reserve(&array, &capacity, *n_keys + 1, sizeof(char *));
            if (status != WSR_OK) {
                wsr__str_free(&key);
                goto out;
            }
            ((char **)array)[(*n_keys)++] = key.s;
            word = NULL;
        }
    }
    *keys = array;
    array = NULL;
out:
    wsr__names_free(array, array != NULL ? *n_keys : 0);
    return status;
}

static wsr_status fail_unknown(const wsr__section *sections, size_t n,
                               const wsr__entry *e)
{
    wsr_status status = WSR_OK;
    char **keys = NULL;
    size_t n_keys = 0;
    for (size_t i = 0; i < n; i++) {
        if (wsr__streq(sections[i].prefix, e->key)) {
            status = WSR_FAIL(WSR_CONFIG,
                              "%s: is a section, not an option (%s)", e->key,
                              e->where);
            goto out;
        }
    }
    WSR_TRY(permitted_keys(&keys, &n_keys, sections, n));
    const char *const near =
        wsr__suggest(e->key, (const char *const *)keys, n_keys);
    const bool found = near != NULL;
    status = WSR_FAIL(WSR_CONFIG, "%s: is not an option%s%s%s (%s)", e->key,
                      found ? ", did you mean '" : "", found ? near : "",
                      found ? "'" : ", --help lists them", e->where);
out:
    wsr__names_free(keys, n_keys);
    return status;
}

// ------------------------------------------------------------------- filling

static wsr_status fill(const wsr__section *s, const wsr__entry *e)
{
    char prefix[PREFIX_SIZE];
    char where[WHERE_SIZE];
    const char *const word = behind_prefix(s, e->key);
    if (s->family != NULL && wsr__streq(word, "name")) {
        return WSR_OK;
    }
    (void)snprintf(prefix, sizeof(prefix), "%.*s", (int)(word - e->key),
                   e->key);
    (void)snprintf(where, sizeof(where), "(%s)", e->where);
    return wsr__params_set(s->params, schema_of(s), prefix, word, e->value,
                           where);
}

static wsr_status prepare(wsr__section *s)
{
    if (s->family != NULL) {
        return wsr__class_params(&s->params, s->selected, "");
    }
    wsr__params_default(s->params, s->schema);
    return WSR_OK;
}

wsr_status wsr__config_decode(const wsr_config *cfg, wsr__section *sections,
                              size_t n)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < n; i++) {
        if (sections[i].family != NULL) {
            sections[i].selected = NULL;
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

void wsr__sections_free(wsr__section *sections, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (sections[i].family != NULL) {
            wsr__free(sections[i].params);
            sections[i].params = NULL;
        }
    }
}
