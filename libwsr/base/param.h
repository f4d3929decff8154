// SPDX-License-Identifier: Apache-2.0
//
// Schemas: the options of a variant as a table, and the one engine that
// decodes, checks, prints and documents them.

#ifndef WSR_BASE_PARAM_H
#define WSR_BASE_PARAM_H

#include "base/base.h"

/// What an option holds, and the C type of its field in the params struct.
typedef enum wsr__kind {
    WSR__BOOL,   // bool
    WSR__INT,    // int64_t, bounds apply
    WSR__FLOAT,  // double, bounds apply; "8/255" is understood
    WSR__WORD,   // wsr__text, one of `words`
    WSR__TEXT,   // wsr__text, anything
    WSR__FLOATS, // wsr__floats, bounds apply to each
    WSR__INTS    // wsr__ints, bounds apply to each
} wsr__kind;

enum { WSR__TEXT_SIZE = 4096, WSR__LIST_SIZE = 32 }; // PATH_MAX of Linux

typedef struct wsr__text {
    char s[WSR__TEXT_SIZE];
} wsr__text;

typedef struct wsr__floats {
    size_t n;
    double v[WSR__LIST_SIZE];
} wsr__floats;

typedef struct wsr__ints {
    size_t n;
    int64_t v[WSR__LIST_SIZE];
} wsr__ints;

/// Room for the value of any option.
typedef union wsr__field {
    bool boolean;
    int64_t integer;
    double number;
    wsr__text text;
    wsr__floats floats;
    wsr__ints ints;
} wsr__field;

/// One option. A schema is an array of them, ended by one whose key is NULL.
typedef struct wsr_option {
    const char *key; // lower_case
    wsr__kind kind;
    size_t offset;            // of the field in the params struct
    const char *fallback;     // default as text; must itself be permitted
    double min, max;          // inclusive; both 0: unbounded
    const char *unit;         // "epochs", "pixels", "" ...
    const char *help;         // one line
    const char *const *words; // of WORD, ended by NULL
} wsr__option;

/// Set every option of `params` to its default.
void wsr__params_default(void *params, const wsr__option *schema);

/// Decode one option's value into its field. CONFIG, with a detail that names
/// neither key nor place; use wsr__params_set where these are known.
wsr_status wsr__value_decode(void *params, const wsr__option *option,
                             const char *text);

/// Whether the option permits a value of its kind that another schema, whose
/// bounds or words are wider, has decoded. CONFIG as wsr__value_decode.
wsr_status wsr__value_check(const wsr__option *option, const void *value);

/// Set one option from text. `prefix` is put before the key in messages
/// ("attack." or ""), `where` after them ("(search.yaml:14)" or NULL). CONFIG
/// for an unknown key (with a suggestion) or a value that is not permitted.
wsr_status wsr__params_set(void *params, const wsr__option *schema,
                           const char *prefix, const char *key,
                           const char *value, const char *where);

/// Set several options from "key=value,key=value"; a value may hold commas
/// inside [brackets], inside "quotes" and behind a backslash, see
/// wsr__spec_unquote. Defaults are not applied first.
wsr_status wsr__params_parse(void *params, const wsr__option *schema,
                             const char *prefix, const char *text);

/// The same, marking in `given`, which has a place for each row of the schema,
/// which options the text sets.
wsr_status wsr__params_parse_given(void *params, const wsr__option *schema,
                                   bool *given, const char *prefix,
                                   const char *text);

/// Copy the value of an option of this kind from one field to another.
void wsr__value_copy(void *field, const void *from, wsr__kind kind);

/// Print one option's value so that wsr__params_set reads it back.
void wsr__params_print(wsr__str *out, const void *params,
                       const wsr__option *option);

/// Whether two texts mean the same value of an option: "8/255" and
/// "0.03137254901960784", "[1, 2]" and "1,2".
bool wsr__value_same(const wsr__option *option, const char *a, const char *b);

/// Print "key=value,..." of all options that differ from their defaults.
void wsr__params_summary(wsr__str *out, const void *params,
                         const wsr__option *schema);

/// Find an option by key, NULL when there is none.
const wsr__option *wsr__schema_find(const wsr__option *schema, const char *key);

/// "pgd:steps=20,random_start=true": split a variant spec into its name and
/// the option text behind the colon ("" when there is none).
wsr_status wsr__spec_split(char *name, size_t size, const char **options,
                           const char *spec);

/// Length of the first spec of a list "a,b:k=v,k=v,c": a comma ends it outside
/// brackets and quotes where no "key=" follows.
size_t wsr__spec_length(const char *specs);

/// Text inside the brackets of a list, or the whole. [out, owned] NOMEM
wsr_status wsr__spec_list(char **out, const char *text);

/// Take the next spec from the rest of a list, without blanks around it; the
/// list is done when the rest is "". [out, owned] NOMEM
wsr_status wsr__spec_next(char **out, const char **rest);

/// Length of the text up to the first comma that separates: one outside
/// brackets and quotes and without a backslash before it.
size_t wsr__spec_piece(const char *text);

/// Unquote `len` bytes of a spec into an emptied `*out`, which the caller
/// frees: leave out double quotes, and backslashes before one of , [ ] " \ .
/// Text inside brackets stays as it is. CONFIG when a quote is not closed.
wsr_status wsr__spec_unquote(wsr__str *out, const char *text, size_t len);

/// Append a text, quoted so that wsr__spec_unquote gives it back.
void wsr__spec_quote(wsr__str *out, const char *text);

#endif
