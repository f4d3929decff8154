// SPDX-License-Identifier: Apache-2.0
//
// A configuration as a flat list of dotted keys, such as "attack.steps", each
// with its value as text and the place it came from ("file.yaml:14"). Files,
// presets and assignments are merged in the order in which they are given; a
// later one wins. Every such source has a number, so that it can be told later
// which of two keys was given after the other. What the keys mean is for
// sections.c to say.

#include "config/config.h"

#include <string.h>

enum {
    KEY_SIZE = 128,  // bytes of a dotted key
    WHERE_SIZE = 256 // bytes of an origin
};

// An empty list; allocation zeroes it.
wsr_status wsr_config_new(wsr_config **out)
{
    *out = wsr__alloc(1, sizeof(**out));
    return *out != NULL ? WSR_OK : WSR_NOMEM;
}

static void entry_free(wsr__entry *e)
{
    wsr__free(e->key);
    wsr__free(e->value);
    wsr__free(e->where);
    *e = (wsr__entry){0};
}

// Leaves an empty list that can be filled again.
static void clear(wsr_config *cfg)
{
    for (size_t i = 0; i < cfg->n; i++) {
        entry_free(&cfg->entries[i]);
    }
    wsr__free(cfg->entries);
    *cfg = (wsr_config){0};
}

void wsr_config_free(wsr_config *cfg)
{
    if (cfg != NULL) {
        clear(cfg);
        wsr__free(cfg);
    }
}

// Configurations have some hundred keys, so a linear search is enough.
const wsr__entry *wsr__config_find(const wsr_config *cfg, const char *key)
{
    for (size_t i = 0; i < cfg->n; i++) {
        if (wsr__streq(cfg->entries[i].key, key)) {
            return &cfg->entries[i];
        }
    }
    return NULL;
}

// -------------------------------------------------------------------- adding

// Entries may move: pointers to them end with the next addition.
static wsr_status reserve(wsr_config *cfg, size_t need)
{
    void *array = cfg->entries;
    const wsr_status status =
        wsr__reserve(&array, &cfg->capacity, need, sizeof(wsr__entry));
    cfg->entries = array;
    return status;
}

// Words of letters, digits, '_' and '-', with single dots between them, so few
// that they can be printed as nested mappings.
static wsr_status check_key(const char *key, const char *where)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_-";
    const char *rest = key;
    size_t words = 0;
    bool good = strlen(key) < KEY_SIZE;
    while (good) {
        const size_t n = strspn(rest, word);
        rest += n;
        good = n > 0 && ++words <= WSR__YAML_DEPTH &&
               (*rest == '\0' || *rest == '.');
        if (*rest == '\0') {
            break;
        }
        rest++;
    }
    return good ? WSR_OK
                : WSR_FAIL(WSR_CONFIG,
                           "'%.80s' is not a dotted key of letters, digits, "
                           "'_' and '-' (%s)",
                           key, where);
}

// What a YAML file could not hold either.
static wsr_status check_value(const char *key, const char *value,
                              const char *where)
{
    size_t n = 0;
    for (const char *s = value; *s != '\0'; s += n) {
        n = wsr__utf8_length(s);
        if (n == 0) {
            return WSR_FAIL(WSR_CONFIG, "%s: value is not UTF-8 (%s)", key,
                            where);
        }
        if (wsr__utf8_is_control(s)) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s: value holds a control character (%s)", key,
                            where);
        }
    }
    return WSR_OK;
}

// Append to a list that does not hold the key. Takes copies of all three texts.
static wsr_status append(wsr_config *cfg, const char *key, const char *value,
                         const char *where)
{
    wsr_status status = WSR_OK;
    wsr__entry e = {0};
    WSR_TRY(check_key(key, where));
    WSR_TRY(reserve(cfg, cfg->n + 1));
    e.key = wsr__strdup(key);
    e.value = wsr__strdup(value);
    e.where = wsr__strdup(where);
    if (e.key == NULL || e.value == NULL || e.where == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    cfg->entries[cfg->n++] = e;
    e = (wsr__entry){0};
out:
    entry_free(&e);
    return status;
}

// Move the entries of `from` into `cfg`, where they win, as one source. All
// room is made first, so that nothing can fail halfway: a file is taken as a
// whole or not at all. A key keeps the place in the list where it was first
// set.
static wsr_status merge(wsr_config *cfg, wsr_config *from)
{
    const wsr_status status = reserve(cfg, cfg->n + from->n);
    if (status != WSR_OK) {
        return status;
    }
    cfg->sources++;
    const size_t before = cfg->n;
    for (size_t i = 0; i < from->n; i++) {
        size_t at = 0;
        while (at < before &&
               !wsr__streq(cfg->entries[at].key, from->entries[i].key)) {
            at++;
        }
        if (at < before) {
            entry_free(&cfg->entries[at]);
        } else {
            at = cfg->n++;
        }
        cfg->entries[at] = from->entries[i];
        cfg->entries[at].source = cfg->sources;
        from->entries[i] = (wsr__entry){0};
    }
    return WSR_OK;
}

// ------------------------------------------------------------- reading YAML

// The tree is walked without recursion; `name` stands for the file. The dotted
// key of a leaf: the keys of all mappings around it.
static wsr_status join_key(wsr__str *out, const wsr__yaml_node *node)
{
    const wsr__yaml_node *path[WSR__YAML_DEPTH + 1];
    size_t n = 0;
    for (; node != NULL && node->key != NULL; node = node->parent) {
        path[n++] = node;
    }
    while (n > 0) {
        wsr__str_addf(out, "%s%s", out->len != 0 ? "." : "", path[--n]->key);
    }
    return wsr__str_status(out);
}

// "[a, b]" becomes "a,b", which is how options decode lists.
static wsr_status join_sequence(wsr__str *out, const wsr__yaml_node *node,
                                const char *key, const char *where)
{
    wsr__str_add(out, "");
    for (const wsr__yaml_node *e = node->first; e != NULL; e = e->next) {
        if (e->kind != WSR__YAML_SCALAR) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s: a list of lists or of mappings is no "
                            "configuration (%s)",
                            key, where);
        }
        wsr__str_addf(out, "%s%s", e != node->first ? "," : "", e->text);
    }
    return wsr__str_status(out);
}

// A scalar, or a list of scalars, of one file.
static wsr_status add_leaf(wsr_config *cfg, const wsr__yaml_node *node,
                           const char *name)
{
    wsr_status status = WSR_OK;
    wsr__str key = {0};
    wsr__str list = {0};
    char where[WHERE_SIZE];
    const char *value = node->text;
    (void)snprintf(where, sizeof(where), "%s:%zu", name, node->line);
    WSR_TRY(join_key(&key, node));
    if (node->kind == WSR__YAML_SEQUENCE) {
        WSR_TRY(join_sequence(&list, node, key.s, where));
        value = list.s;
    }
    // "a.b: 1" beside "a: {b: 2}" escapes the check for equal keys in YAML.
    const wsr__entry *const first = wsr__config_find(cfg, key.s);
    if (first != NULL) {
        status = WSR_FAIL(WSR_CONFIG,
                          "%s: key is given twice, first at %s "
                          "(%s)",
                          key.s, first->where, where);
        goto out;
    }
    WSR_TRY(append(cfg, key.s, value, where));
out:
    wsr__str_free(&key);
    wsr__str_free(&list);
    return status;
}

// Visits leaves in the order of the file. An empty file is an empty mapping.
static wsr_status flatten(wsr_config *cfg, const wsr__yaml_node *root,
                          const char *name)
{
    wsr_status status = WSR_OK;
    const wsr__yaml_node *node = root;
    if (root != NULL && root->kind != WSR__YAML_MAPPING) {
        status = WSR_FAIL(WSR_CONFIG,
                          "not a mapping of keys to values (%s:%zu)", name,
                          root->line);
        goto out;
    }
    while (node != NULL) {
        if (node->kind != WSR__YAML_MAPPING) {
            WSR_TRY(add_leaf(cfg, node, name));
        } else if (node->first != NULL) {
            node = node->first;
            continue;
        }
        while (node != NULL && node->next == NULL) {
            node = node->parent;
        }
        node = node != NULL ? node->next : NULL;
    }
out:
    return status;
}

// Into a list of its own first: a bad file leaves `cfg` as it was.
static wsr_status add_tree(wsr_config *cfg, const wsr__yaml_node *root,
                           const char *name)
{
    wsr_status status = WSR_OK;
    wsr_config fresh = {0};
    WSR_TRY(flatten(&fresh, root, name));
    WSR_TRY(merge(cfg, &fresh));
out:
    clear(&fresh);
    return status;
}

wsr_status wsr_config_load(wsr_config *cfg, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__yaml_node *root = NULL;
    WSR_TRY(wsr__yaml_load(&root, path));
    WSR_TRY(add_tree(cfg, root, path));
out:
    wsr__yaml_free(root);
    return status;
}

// `name` stands for the file in messages.
wsr_status wsr_config_load_text(wsr_config *cfg, const char *text,
                                const char *name)
{
    wsr_status status = WSR_OK;
    wsr__yaml_node *root = NULL;
    WSR_TRY(wsr__yaml_parse(&root, text, strlen(text), name));
    WSR_TRY(add_tree(cfg, root, name));
out:
    wsr__yaml_free(root);
    return status;
}

// Presets are shipped YAML files, one folder a tool.
wsr_status wsr_config_load_preset(wsr_config *cfg, const char *tool,
                                  const char *name)
{
    wsr_status status = WSR_OK;
    wsr__str directory = {0};
    char *path = NULL;
    wsr__str_addf(&directory, "presets/%s", tool);
    WSR_TRY(wsr__str_status(&directory));
    WSR_TRY(wsr__shipped_find(&path, "preset", directory.s, name));
    WSR_TRY(wsr_config_load(cfg, path));
out:
    wsr__str_free(&directory);
    wsr__free(path);
    return status;
}

wsr_status wsr_config_presets(char **out, const char *tool)
{
    wsr_status status = WSR_OK;
    wsr__str directory = {0};
    *out = NULL;
    wsr__str_addf(&directory, "presets/%s", tool);
    WSR_TRY(wsr__str_status(&directory));
    WSR_TRY(wsr__shipped_list(out, directory.s));
out:
    wsr__str_free(&directory);
    return status;
}

// ----------------------------------------------------------------- assigning

// "[a, b]" stands for the same list as in a file. A value such as "[a" stays a
// text, and the option's decoder refuses it.
static bool is_bracketed(const char *value)
{
    const size_t len = strlen(value);
    return len >= 2 && value[0] == '[' && value[len - 1] == ']';
}

// The elements of "[a, b]" without brackets, quotes and blanks.
static wsr_status read_list(wsr__str *out, const char *value, const char *key,
                            const char *where)
{
    wsr_status status = WSR_OK;
    wsr__yaml_node *root = NULL;
    WSR_TRY(wsr__yaml_parse(&root, value, strlen(value), where));
    WSR_TRY(join_sequence(out, root, key, where));
out:
    wsr__yaml_free(root);
    return status;
}

// One assignment is one source.
wsr_status wsr_config_put(wsr_config *cfg, const char *key, const char *value,
                          const char *where)
{
    wsr_status status = WSR_OK;
    wsr_config fresh = {0};
    wsr__str list = {0};
    WSR_TRY(check_value(key, value, where));
    if (is_bracketed(value)) {
        WSR_TRY(read_list(&list, value, key, where));
    }
    WSR_TRY(append(&fresh, key, list.s != NULL ? list.s : value, where));
    WSR_TRY(merge(cfg, &fresh));
out:
    clear(&fresh);
    wsr__str_free(&list);
    return status;
}

wsr_status wsr_config_set(wsr_config *cfg, const char *assignment)
{
    wsr_status status = WSR_OK;
    wsr__str key = {0};
    const char *const equals = strchr(assignment, '=');
    if (equals == NULL) {
        status = WSR_FAIL(WSR_CONFIG, "'%.80s' is not key=value (--set)",
                          assignment);
        goto out;
    }
    wsr__str_addn(&key, assignment, (size_t)(equals - assignment));
    WSR_TRY(wsr__str_status(&key));
    WSR_TRY(wsr_config_put(cfg, key.s, equals + 1, "--set"));
out:
    wsr__str_free(&key);
    return status;
}

// ------------------------------------------------------------------ reading

// Borrowed until the configuration changes.
const char *wsr_config_text(const wsr_config *cfg, const char *key)
{
    const wsr__entry *const e = wsr__config_find(cfg, key);
    return e != NULL ? e->value : NULL;
}

size_t wsr_config_count(const wsr_config *cfg)
{
    return cfg->n;
}

const char *wsr_config_key(const wsr_config *cfg, size_t i)
{
    return i < cfg->n ? cfg->entries[i].key : NULL;
}

const char *wsr_config_value(const wsr_config *cfg, size_t i)
{
    return i < cfg->n ? cfg->entries[i].value : NULL;
}

const char *wsr_config_where(const wsr_config *cfg, size_t i)
{
    return i < cfg->n ? cfg->entries[i].where : NULL;
}
