// SPDX-License-Identifier: Apache-2.0
//
// Prints configurations and filled sections as nested YAML that reads back to
// the same. A run keeps its resolved configuration in this form: options that
// have their default are printed too, so that a later version with other
// defaults repeats the run.

#include "config/config.h"

#include <string.h>

// ------------------------------------------------------------------- nesting

// Whether a leaf has exactly the first `len` characters of `key` as its key.
static bool is_leaf(const wsr__leaf *leaves, size_t n, const char *key,
                    size_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (strncmp(leaves[i].key, key, len) == 0 &&
            leaves[i].key[len] == '\0') {
            return true;
        }
    }
    return false;
}

// Two blanks a level.
static void indent(wsr__str *out, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        wsr__str_add(out, "  ");
    }
}

// Print the leaves whose keys share their first `len` characters with `key`.
// The depth is bounded, since the number of words in a key is.
static void print_level(wsr__str *out, wsr__leaf *leaves, size_t n,
                        const char *key, size_t len, size_t depth)
{
    for (size_t i = 0; i < n; i++) {
        wsr__leaf *const leaf = &leaves[i];
        if (leaf->printed || strncmp(leaf->key, key, len) != 0) {
            continue;
        }
        const char *const rest = leaf->key + len;
        const char *const dot = strchr(rest, '.');
        indent(out, depth);
        // A word cannot be both a value and a mapping: the latter stays dotted.
        if (dot == NULL ||
            is_leaf(leaves, n, leaf->key, (size_t)(dot - leaf->key))) {
            wsr__str_addf(out, "%s: %s\n", rest, leaf->value);
            leaf->printed = true;
            continue;
        }
        wsr__str_addn(out, rest, (size_t)(dot - rest));
        wsr__str_add(out, ":\n");
        print_level(out, leaves, n, leaf->key, (size_t)(dot + 1 - leaf->key),
                    depth + 1);
    }
}

void wsr__leaves_print(wsr__str *out, wsr__leaf *leaves, size_t n)
{
    wsr__str_add(out, "");
    print_level(out, leaves, n, "", 0, 0);
}

// ------------------------------------------------------------------ gathering

// Leaves in the order in which they were added. After a failure nothing more is
// added; whoever prints them reports it.
typedef struct gathering {
    wsr__leaf *leaves;
    size_t n;
    size_t capacity;
    bool failed;
} gathering;

static void gather_free(gathering *g)
{
    for (size_t i = 0; i < g->n; i++) {
        wsr__free(g->leaves[i].key);
        wsr__free(g->leaves[i].value);
    }
    wsr__free(g->leaves);
    *g = (gathering){0};
}

// Takes the texts over.
static void gather(gathering *g, wsr__str *key, wsr__str *value)
{
    void *array = g->leaves;
    if (g->failed || key->failed || value->failed ||
        wsr__reserve(&array, &g->capacity, g->n + 1, sizeof(wsr__leaf)) !=
            WSR_OK) {
        g->failed = true;
        wsr__str_free(key);
        wsr__str_free(value);
        return;
    }
    g->leaves = array;
    g->leaves[g->n++] = (wsr__leaf){.key = key->s, .value = value->s};
}

static void gather_scalar(gathering *g, const char *prefix, const char *word,
                          const char *text)
{
    wsr__str key = {0};
    wsr__str value = {0};
    wsr__str_addf(&key, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", word);
    wsr__yaml_add_scalar(&value, text);
    gather(g, &key, &value);
}

// Numbers and lists print as YAML already; texts may need quotes.
static void gather_option(gathering *g, const char *prefix, const void *params,
                          const wsr__option *option)
{
    wsr__str key = {0};
    wsr__str value = {0};
    wsr__str printed = {0};
    wsr__params_print(&printed, params, option);
    g->failed = g->failed || printed.failed;
    wsr__str_addf(&key, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "",
                  option->key);
    const char *const text = printed.s != NULL ? printed.s : "";
    if (option->kind == WSR__TEXT || option->kind == WSR__WORD) {
        wsr__yaml_add_scalar(&value, text);
    } else {
        wsr__str_add(&value, text);
    }
    wsr__str_free(&printed);
    gather(g, &key, &value);
}

static void print_gathered(wsr__str *out, gathering *g)
{
    if (g->failed) {
        out->failed = true;
    } else {
        wsr__leaves_print(out, g->leaves, g->n);
    }
    gather_free(g);
}

// A variant section prints its selected class first, then its options.
void wsr__sections_print(wsr__str *out, const wsr__section *sections, size_t n)
{
    gathering g = {0};
    for (size_t i = 0; i < n; i++) {
        const wsr__section *const s = &sections[i];
        const wsr__option *schema = s->schema;
        if (s->family != NULL) {
            gather_scalar(&g, s->prefix, "name", s->selected->name);
            schema = s->selected->schema;
        }
        for (const wsr__option *o = schema; o != NULL && o->key != NULL; o++) {
            if (s->given == NULL || s->given[o - schema]) {
                gather_option(&g, s->prefix, s->params, o);
            }
        }
    }
    print_gathered(out, &g);
}

// Here values are the texts that were given, and lists are "a,b".
wsr_status wsr_config_print(char **out, const wsr_config *cfg)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    gathering g = {0};
    *out = NULL;
    for (size_t i = 0; i < cfg->n; i++) {
        gather_scalar(&g, "", cfg->entries[i].key, cfg->entries[i].value);
    }
    print_gathered(&text, &g);
    WSR_TRY(wsr__str_give(out, &text));
out:
    wsr__str_free(&text);
    return status;
}
