// SPDX-License-Identifier: Apache-2.0
//
// Parses YAML into a tree of nodes that know their line, with libyaml's event
// parser. Configuration and genotype files need scalars, sequences and mappings
// only. Anchors, aliases, tags and several documents are rejected with the line
// they stand on, so that nothing in a file is silently ignored. libyaml
// allocates by itself, outside the library's allocator.

#include "base/magic.h"
#include "config/config.h"

#include <string.h>
#include <yaml.h>

enum {
    NODES_MAX = 1 << 14, // of a document: bounds time and memory of bad input
    NAME_SIZE = 256
};

// State of one parse: the tree so far, and the collection that is open.
typedef struct build {
    yaml_parser_t yaml;
    wsr__yaml_node *root;
    wsr__yaml_node *open; // innermost open collection
    char *key;            // read, its value is due
    size_t depth;
    size_t nodes;
    bool done;
    const char *text;
    size_t size;
    char name[NAME_SIZE]; // of the document, for messages
} build;

// libyaml counts from 0, people from 1.
static size_t line_of(const yaml_event_t *event)
{
    return event->start_mark.line + 1;
}

// Write the message of libyaml's own complaint. libyaml's own words, with our
// place behind them. A line is counted from the start where libyaml gives only
// an offset.
static wsr_status fail_parser(const build *b)
{
    const yaml_parser_t *p = &b->yaml;
    const char *const problem = p->problem != NULL ? p->problem : "not YAML";
    size_t line = p->problem_mark.line + 1;
    if (p->error == YAML_MEMORY_ERROR) {
        return WSR_FAIL(WSR_NOMEM, "out of memory (%s)", b->name);
    }
    if (p->error == YAML_READER_ERROR) {
        // The reader runs ahead of the marks and gives an offset only.
        line = 1;
        for (size_t i = 0; i < p->problem_offset && i < b->size; i++) {
            line += b->text[i] == '\n';
        }
    } else if (p->context != NULL) {
        return WSR_FAIL(WSR_CONFIG, "%s %s (%s:%zu)", p->context, problem,
                        b->name, line);
    }
    return WSR_FAIL(WSR_CONFIG, "%s (%s:%zu)", problem, b->name, line);
}

// "&name" and "!tag" change what a value means to other readers.
static wsr_status check_adornment(const build *b, const yaml_event_t *event,
                                  const yaml_char_t *anchor,
                                  const yaml_char_t *tag)
{
    if (anchor != NULL) {
        return WSR_FAIL(WSR_CONFIG, "anchors are not supported (%s:%zu)",
                        b->name, line_of(event));
    }
    if (tag != NULL) {
        return WSR_FAIL(WSR_CONFIG, "tags are not supported (%s:%zu)", b->name,
                        line_of(event));
    }
    return WSR_OK;
}

// Values end up in messages and logs of one line.
static wsr_status check_text(const build *b, const yaml_event_t *event)
{
    const char *const text = (const char *)event->data.scalar.value;
    for (size_t i = 0; i < event->data.scalar.length; i++) {
        if (wsr__utf8_is_control(text + i)) {
            return WSR_FAIL(
                WSR_CONFIG, "control character 0x%02x in a value (%s:%zu)",
                (unsigned)event->data.scalar.value[i], b->name, line_of(event));
        }
    }
    return WSR_OK;
}

// Quadratic in the size of a mapping, which NODES_MAX bounds.
static wsr_status take_key(build *b, const yaml_event_t *event)
{
    const char *const text = (const char *)event->data.scalar.value;
    for (const wsr__yaml_node *e = b->open->first; e != NULL; e = e->next) {
        if (wsr__streq(e->key, text)) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s: key is given twice, first in line %zu "
                            "(%s:%zu)",
                            text, e->line, b->name, line_of(event));
        }
    }
    b->key = wsr__strdup(text);
    return b->key != NULL ? WSR_OK : WSR_NOMEM;
}

// Attach a new node to the innermost open collection.
static wsr_status add_node(build *b, wsr__yaml_node **out,
                           const yaml_event_t *event, wsr__yaml_kind kind)
{
    *out = NULL;
    if (++b->nodes > NODES_MAX) {
        return WSR_FAIL(WSR_CONFIG, "more than %d values (%s:%zu)", NODES_MAX,
                        b->name, line_of(event));
    }
    wsr__yaml_node *const node = wsr__alloc(1, sizeof(*node));
    if (node == NULL) {
        return WSR_NOMEM;
    }
    node->kind = kind;
    node->line = line_of(event);
    node->key = b->key;
    b->key = NULL;
    node->parent = b->open;
    if (b->open == NULL) {
        b->root = node;
    } else {
        if (b->open->last != NULL) {
            b->open->last->next = node;
        } else {
            b->open->first = node;
        }
        b->open->last = node;
        b->open->count++;
    }
    *out = node;
    return WSR_OK;
}

// Inside a mapping scalars are keys and values in turn.
static bool key_is_due(const build *b)
{
    return b->open != NULL && b->open->kind == WSR__YAML_MAPPING &&
           b->key == NULL;
}

// The node exists before its text: if that fails, the tree frees it.
static wsr_status on_scalar(build *b, const yaml_event_t *event)
{
    wsr_status status = WSR_OK;
    wsr__yaml_node *node = NULL;
    WSR_TRY(check_adornment(b, event, event->data.scalar.anchor,
                            event->data.scalar.tag));
    WSR_TRY(check_text(b, event));
    if (key_is_due(b)) {
        WSR_TRY(take_key(b, event));
        goto out;
    }
    WSR_TRY(add_node(b, &node, event, WSR__YAML_SCALAR));
    node->text = wsr__strdup((const char *)event->data.scalar.value);
    status = node->text != NULL ? WSR_OK : WSR_NOMEM;
out:
    return status;
}

// Depth is bounded, so that printing may recurse.
static wsr_status on_start(build *b, const yaml_event_t *event,
                           wsr__yaml_kind kind)
{
    wsr_status status = WSR_OK;
    wsr__yaml_node *node = NULL;
    if (kind == WSR__YAML_MAPPING) {
        WSR_TRY(check_adornment(b, event, event->data.mapping_start.anchor,
                                event->data.mapping_start.tag));
    } else {
        WSR_TRY(check_adornment(b, event, event->data.sequence_start.anchor,
                                event->data.sequence_start.tag));
    }
    if (key_is_due(b)) {
        status = WSR_FAIL(WSR_CONFIG, "a key must be a word (%s:%zu)", b->name,
                          line_of(event));
        goto out;
    }
    if (++b->depth > WSR__YAML_DEPTH) {
        status = WSR_FAIL(WSR_CONFIG, "nested deeper than %d levels (%s:%zu)",
                          WSR__YAML_DEPTH, b->name, line_of(event));
        goto out;
    }
    WSR_TRY(add_node(b, &node, event, kind));
    b->open = node;
out:
    return status;
}

// Other events (stream start, document end) carry nothing.
static wsr_status on_event(build *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(b, event, WSR__YAML_SEQUENCE);
    case YAML_MAPPING_START_EVENT:
        return on_start(b, event, WSR__YAML_MAPPING);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->open = b->open->parent;
        b->depth--;
        return WSR_OK;
    case YAML_ALIAS_EVENT:
        return WSR_FAIL(WSR_CONFIG, "aliases are not supported (%s:%zu)",
                        b->name, line_of(event));
    case YAML_DOCUMENT_START_EVENT:
        if (b->root != NULL) {
            return WSR_FAIL(WSR_CONFIG, "a second document begins (%s:%zu)",
                            b->name, line_of(event));
        }
        return WSR_OK;
    case YAML_STREAM_END_EVENT:
        b->done = true;
        return WSR_OK;
    default:
        return WSR_OK;
    }
}

// Byte order marks, and what begins with them.
static const struct {
    const char *bytes;
    size_t size;
    const char *encoding; // NULL: the one that is read
} marks[] = {
    {"\xef\xbb\xbf", 3, NULL},     {"\xff\xfe\0\0", 4, "UTF-32"},
    {"\0\0\xfe\xff", 4, "UTF-32"}, {"\xff\xfe", 2, "UTF-16"},
    {"\xfe\xff", 2, "UTF-16"},
};

// Editors of some systems write UTF-16 by default; libyaml would read it, but
// every later step expects UTF-8.
wsr_status wsr__text_begin(const char **text, size_t *size, const char *name)
{
    const char *encoding = NULL;
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        if (*size < marks[i].size ||
            memcmp(*text, marks[i].bytes, marks[i].size) != 0) {
            continue;
        }
        if (marks[i].encoding == NULL) {
            *text += marks[i].size;
            *size -= marks[i].size;
            return WSR_OK;
        }
        encoding = marks[i].encoding;
        break;
    }
    // Without a mark, the zeros of ASCII letters give it away.
    if (encoding == NULL && *size > 1 &&
        ((*text)[0] == 0) != ((*text)[1] == 0)) {
        encoding = "UTF-16";
    }
    return encoding == NULL
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG, "text is %s, write it in UTF-8 (%s)",
                          encoding, name);
}

// The size is checked before libyaml sees the text; what it allocates is
// bounded by that.
wsr_status wsr__yaml_parse(wsr__yaml_node **root, const char *text, size_t size,
                           const char *name)
{
    wsr_status status = WSR_OK;
    build b = {0};
    *root = NULL;
    (void)snprintf(b.name, sizeof(b.name), "%s", name);
    status = wsr__text_begin(&text, &size, b.name);
    if (status != WSR_OK) {
        return status;
    }
    b.text = text;
    b.size = size;
    if (size > WSR__YAML_SIZE) {
        return WSR_FAIL(WSR_CONFIG, "%zu bytes are more than %d (%s)", size,
                        WSR__YAML_SIZE, b.name);
    }
    if (!yaml_parser_initialize(&b.yaml)) {
        return WSR_FAIL(WSR_NOMEM, "out of memory (%s)", b.name);
    }
    yaml_parser_set_encoding(&b.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.yaml, (const unsigned char *)text, size);
    while (!b.done) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b.yaml, &event)) {
            status = fail_parser(&b);
            goto out;
        }
        status = on_event(&b, &event);
        yaml_event_delete(&event);
        if (status != WSR_OK) {
            goto out;
        }
    }
    *root = b.root;
    b.root = NULL;
out:
    yaml_parser_delete(&b.yaml);
    wsr__yaml_free(b.root);
    wsr__free(b.key);
    return status;
}

// A PNG or a checkpoint given by mistake is named as what it is.
wsr_status wsr__yaml_load(wsr__yaml_node **root, const char *path)
{
    wsr_status status = WSR_OK;
    unsigned char *data = NULL;
    size_t size = 0;
    *root = NULL;
    WSR_TRY(wsr__file_read(&data, &size, path, WSR__YAML_SIZE));
    const wsr__magic *const magic = wsr__magic_of(data, size);
    if (magic != NULL) {
        status = WSR_FAIL(WSR_CONFIG, "%s: is %s, not a text file", path,
                          magic->what);
        goto out;
    }
    WSR_TRY(wsr__yaml_parse(root, (const char *)data, size, path));
out:
    wsr__free(data);
    return status;
}

// Deep documents must not exhaust the stack.
void wsr__yaml_free(wsr__yaml_node *root)
{
    wsr__yaml_node *node = root;
    // Depth first without recursion: a node goes when its children are gone.
    while (node != NULL) {
        if (node->first != NULL) {
            wsr__yaml_node *const child = node->first;
            node->first = child->next;
            node = child;
            continue;
        }
        wsr__yaml_node *const parent = node == root ? NULL : node->parent;
        wsr__free(node->key);
        wsr__free(node->text);
        wsr__free(node);
        node = parent;
    }
}

// Keys of a mapping are unique, see take_key().
const wsr__yaml_node *wsr__yaml_find(const wsr__yaml_node *mapping,
                                     const char *key)
{
    for (const wsr__yaml_node *e = mapping->first; e != NULL; e = e->next) {
        if (wsr__streq(e->key, key)) {
            return e;
        }
    }
    return NULL;
}

// The table is that of RFC 3629, section 4.
size_t wsr__utf8_length(const char *text)
{
    const unsigned char *const s = (const unsigned char *)text;
    // Ranges of the second byte rule out overlong forms and surrogates.
    static const struct {
        unsigned char first, last, low, high, length;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (s[0] < forms[i].first || s[0] > forms[i].last) {
            continue;
        }
        if (forms[i].length > 1 &&
            (s[1] < forms[i].low || s[1] > forms[i].high)) {
            return 0;
        }
        for (size_t k = 2; k < forms[i].length; k++) {
            if (s[k] < 0x80 || s[k] > 0xbf) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

// Of the two-byte forms C2 80 to C2 9F, of the others E2 80 A8, E2 80 A9, EF BF
// BE and EF BF BF.
bool wsr__utf8_is_control(const char *text)
{
    static const char *const others[] = {"\xe2\x80\xa8", "\xe2\x80\xa9",
                                         "\xef\xbf\xbe", "\xef\xbf\xbf"};
    const unsigned char *const s = (const unsigned char *)text;
    bool found = s[0] < 0x20 || s[0] == 0x7f ||
                 (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        found = found || strncmp(text, others[i], 3) == 0;
    }
    return found;
}

// Whether a text means itself without quotes, in a block or a flow context.
// Stricter than YAML: what is doubtful gets quotes.
static bool plain_is_safe(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_./+-:=";
    static const char *const special[] = {"null", "yes", "no", "on", "off"};
    const size_t n = strlen(text);
    if (n == 0 || strspn(text, safe) != n || text[n - 1] == ':' ||
        strchr(":=+", text[0])) {
        return false;
    }
    if (text[0] == '-' && (n == 1 || strchr("-:=+/", text[1]))) {
        return false;
    }
    if (strcmp(text, "...") == 0) {
        return false;
    }
    // Words to us, but booleans and nothing to other readers of YAML.
    for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++) {
        if (strcmp(text, special[i]) == 0) {
            return false;
        }
    }
    return true;
}

// Values hold no control characters, so quotes and backslashes are all that
// needs escaping.
void wsr__yaml_add_scalar(wsr__str *out, const char *text)
{
    if (plain_is_safe(text)) {
        wsr__str_add(out, text);
        return;
    }
    wsr__str_add(out, "\"");
    for (const char *s = text; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\') {
            wsr__str_add(out, "\\");
        }
        wsr__str_addn(out, s, 1);
    }
    wsr__str_add(out, "\"");
}
