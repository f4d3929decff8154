// SPDX-License-Identifier: Apache-2.0
//
// Configuration: a reader of YAML that knows the line of each node, the flat
// list of dotted keys that is made from it, and the engine that checks such a
// list against the schemas of a program's sections. The functions that find
// shipped data files are declared here too.

#ifndef WSR_CONFIG_CONFIG_H
#define WSR_CONFIG_CONFIG_H

#include "base/registry.h"
#include "wsr/config.h"

// -------------------------------------------------------------- YAML trees

enum {
    WSR__YAML_SIZE = 1 << 20, // bytes of one document
    WSR__YAML_DEPTH = 16      // nested collections
};

typedef enum wsr__yaml_kind {
    WSR__YAML_SCALAR,
    WSR__YAML_SEQUENCE,
    WSR__YAML_MAPPING
} wsr__yaml_kind;

/// A node of a document. Children of collections form a list.
typedef struct wsr__yaml_node {
    wsr__yaml_kind kind;
    size_t line;  // of its first character, from 1
    char *key;    // of an entry of a mapping, else NULL
    char *text;   // of a scalar, else NULL
    size_t count; // children
    struct wsr__yaml_node *parent;
    struct wsr__yaml_node *first;
    struct wsr__yaml_node *last;
    struct wsr__yaml_node *next;
} wsr__yaml_node;

/// Parse one document. Rejected with one line that ends in "(name:line)":
/// text that is not UTF-8, anchors, aliases, tags, several documents,
/// duplicate keys, keys that are not scalars, control characters, and more
/// than WSR__YAML_SIZE or WSR__YAML_DEPTH. [out, owned] `*root` is NULL for an
/// empty document.
wsr_status wsr__yaml_parse(wsr__yaml_node **root, const char *text, size_t size,
                           const char *name);

/// Read and parse a file.
wsr_status wsr__yaml_load(wsr__yaml_node **root, const char *path);

void wsr__yaml_free(wsr__yaml_node *root); // NULL is legal

/// Entry of a mapping, NULL when there is none.
const wsr__yaml_node *wsr__yaml_find(const wsr__yaml_node *mapping,
                                     const char *key);

/// Append a scalar so that it reads back to the same text: plain where that
/// is safe, double-quoted elsewhere.
void wsr__yaml_add_scalar(wsr__str *out, const char *text);

/// Step over the byte order mark that a text may begin with. CONFIG, naming
/// the encoding, when the text is in UTF-16 or UTF-32.
wsr_status wsr__text_begin(const char **text, size_t *size, const char *name);

/// Bytes of the UTF-8 sequence at `text`, 0 when it is not one (RFC 3629).
size_t wsr__utf8_length(const char *text);

/// Whether the character at `text` is no part of a line of text: a control
/// character, also of the upper ones (U+0080 to U+009F), a separator of lines
/// (U+2028, U+2029), or none (U+FFFE, U+FFFF). YAML can hold them as escapes
/// only.
bool wsr__utf8_is_control(const char *text);

// ---------------------------------------------------------------- flat list

typedef struct wsr__entry {
    char *key;     // dotted
    char *value;   // text
    char *where;   // "file.yaml:14"
    size_t source; // number of the file or assignment, later is higher
} wsr__entry;

struct wsr_config {
    wsr__entry *entries; // in the order in which keys were first set
    size_t n;
    size_t capacity;
    size_t sources;
};

/// Entry of a key, NULL when it is not set.
const wsr__entry *wsr__config_find(const wsr_config *cfg, const char *key);

/// A dotted key and its value, as YAML, on their way to nested YAML.
typedef struct wsr__leaf {
    char *key;
    char *value;
    bool printed;
} wsr__leaf;

/// Print leaves as nested mappings, in the order in which words first appear.
void wsr__leaves_print(wsr__str *out, wsr__leaf *leaves, size_t n);

// ------------------------------------------------------- shipped data files

/// Path of a shipped file or directory: below $WSR_SHARE when that is set, else
/// beside the installed library or program, else in the source tree that the
/// library was built from while it is there, else where it was to be installed.
/// [out, owned] NULL when memory is short.
char *wsr__share_path(const char *relative);

/// Path of a plug-in: beside the installed library or program, else in the
/// build, else where it was to be installed. [out, owned] NULL when memory is
/// short.
char *wsr__plugin_path(const char *name);

/// Sorted names, without ".yaml", of the YAML files in a directory below
/// share/wsr. [out, owned]
wsr_status wsr__shipped_names(wsr__names *names, const char *directory);

/// The same as text, one a line. [out, owned]
wsr_status wsr__shipped_list(char **out, const char *directory);

/// Path of the shipped file "directory/name.yaml". NOTFOUND, with a suggestion
/// and the names that exist, when there is none. `what` names the kind of
/// thing in messages: "preset", "genotype". [out, owned]
wsr_status wsr__shipped_find(char **path, const char *what,
                             const char *directory, const char *name);

// ---------------------------------------------------------------- sections

/// A part of a program's configuration: the options of `schema` under
/// "prefix.", or, with a family, the key "prefix.name" that selects a class
/// and the options of that class beside it.
typedef struct wsr__section {
    const char *prefix;        // dotted; "" puts the keys at top level
    const wsr__option *schema; // plain section, else NULL
    const wsr__family *family; // variant section, else NULL
    const char *fallback;      // class taken without "prefix.name"
    /// Variant: the option of a class that selects it when "prefix.name" is
    /// missing and the option's value is not empty; NULL: none does.
    const char *(*selector)(const wsr__class *cls);
    void *params;               // plain: [borrowed]; variant: [out, owned]
    const wsr__class *selected; // variant: [out]
    /// Plain, of options that override what something else says: [out] which
    /// were given, a place for each row of the schema. Others have no default,
    /// and are not printed. NULL: all options count.
    bool *given;
} wsr__section;

/// Check every key of `cfg` against every section, then fill the params.
/// CONFIG for an unknown key, with a suggestion, and for a value that is not
/// permitted. Options of a class that lost its place to another one, which a
/// later entry selects, are passed over. Variant params are NULL on failure.
wsr_status wsr__config_decode(const wsr_config *cfg, wsr__section *sections,
                              size_t n);

/// Whether entry i of `cfg` belongs to a class that lost its place to another
/// one: decoding passes it over. The sections are decoded.
bool wsr__config_passed_over(const wsr_config *cfg,
                             const wsr__section *sections, size_t n, size_t i);

/// Whether two texts mean the same value of a key of decoded sections.
bool wsr__config_same(const wsr__section *sections, size_t n, const char *key,
                      const char *a, const char *b);

/// Release the params of variant sections; plain ones are the caller's.
void wsr__sections_free(wsr__section *sections, size_t n);

/// Print filled sections as nested YAML that decodes to the same.
void wsr__sections_print(wsr__str *out, const wsr__section *sections, size_t n);

/// Print the options of all sections for --help.
void wsr__config_help(wsr__str *out, const wsr__section *sections, size_t n,
                      size_t width);

/// Append the members of a family as "name:" with their options, for lists of
/// specs such as "pgd:steps=20".
void wsr__config_help_family(wsr__str *out, const wsr__family *family,
                             size_t width);

/// What --help can tell of: a program's sections, and the families that values
/// of its options name, such as "optim" for "sgd:momentum=0.9".
typedef struct wsr__help {
    const wsr__section *sections;
    size_t n_sections;
    const wsr__family *const *families;
    size_t n_families;
    size_t width; // of a line
} wsr__help;

/// Print the help on a topic: "data" (a section), "data.spec" (a key), "attack"
/// (a family, a line per member), "attack:pgd" (a member with its options);
/// NULL or "all" for everything; "" for the list of sections and families.
/// NOTFOUND, with a suggestion, for others.
wsr_status wsr__config_help_topic(wsr__str *out, const wsr__help *help,
                                  const char *topic);

/// The same as a text for callers. [out, owned] NULL on failure
wsr_status wsr__config_help_text(char **out, const wsr__help *help,
                                 const char *topic);

#endif
