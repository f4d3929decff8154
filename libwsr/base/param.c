// SPDX-License-Identifier: Apache-2.0
//
// The schema engine: decodes options into params structs, prints them, and
// knows defaults. No other code decodes an option. A schema is an array of
// wsr__option that ends in {0}; each says the key, the kind, where in the
// struct the field lies, the default and the bounds. value.c knows what a
// single value looks like.

#include "base/param.h"

#include <assert.h>
#include <string.h>

enum { KEY_SIZE = 64, MOST_KEYS = 128 };

const wsr__option *wsr__schema_find(const wsr__option *schema, const char *key)
{
    for (const wsr__option *o = schema; o != NULL && o->key != NULL; o++) {
        if (wsr__streq(o->key, key)) {
            return o;
        }
    }
    return NULL;
}

static const char *fallback_of(const wsr__option *option)
{
    return option->fallback != NULL ? option->fallback : "";
}

// Defaults are decoded from the same text that help prints, so the two cannot
// differ.
void wsr__params_default(void *params, const wsr__option *schema)
{
    for (const wsr__option *o = schema; o != NULL && o->key != NULL; o++) {
        const wsr_status status = wsr__value_decode(params, o, fallback_of(o));
        assert(status == WSR_OK); // a schema's own promise, see its test
        (void)status;
    }
}

// `where` is the line of a file, or empty. With a suggestion the list of all
// keys would only distract.
static wsr_status unknown_key(const wsr__option *schema, const char *prefix,
                              const char *key, const char *where)
{
    const char *keys[MOST_KEYS];
    size_t n = 0;
    for (const wsr__option *o = schema; o != NULL && o->key != NULL; o++) {
        if (n < MOST_KEYS) {
            keys[n++] = o->key;
        }
    }
    const char *const gap = where[0] != '\0' ? " " : "";
    if (n == 0) {
        return WSR_FAIL(WSR_CONFIG, "%s%s: there are no options here%s%s",
                        prefix, key, gap, where);
    }
    const char *const near = wsr__suggest(key, keys, n);
    if (near != NULL) {
        return WSR_FAIL(WSR_CONFIG,
                        "%s%s: is not an option, did you mean '%s%s'%s%s",
                        prefix, key, prefix, near, gap, where);
    }
    wsr__str all = {0};
    for (size_t i = 0; i < n; i++) {
        wsr__str_addf(&all, "%s%s", i == 0 ? "" : ", ", keys[i]);
    }
    wsr_status status = wsr__str_status(&all);
    if (status == WSR_OK) {
        status = WSR_FAIL(WSR_CONFIG,
                          "%s%s: is not an option%s%s, permitted are %.300s",
                          prefix, key, gap, where, all.s);
    }
    wsr__str_free(&all);
    return status;
}

// NOMEM passes unchanged: it is not the fault of the value.
wsr_status wsr__params_set(void *params, const wsr__option *schema,
                           const char *prefix, const char *key,
                           const char *value, const char *where)
{
    const char *const place = where != NULL ? where : "";
    const wsr__option *const option = wsr__schema_find(schema, key);
    if (option == NULL) {
        return unknown_key(schema, prefix, key, place);
    }
    const wsr_status status = wsr__value_decode(params, option, value);
    if (status == WSR_OK || status == WSR_NOMEM) {
        return status;
    }
    return WSR_FAIL(status, "%s%s: %s%s%s", prefix, key, wsr_error_detail(),
                    place[0] != '\0' ? " " : "", place);
}

// Split "key=value" of `len` bytes; quotes and backslashes of the value go.
static wsr_status split_pair(char key[KEY_SIZE], wsr__str *value,
                             const char *prefix, const char *text, size_t len)
{
    const char *const equals = memchr(text, '=', len);
    const size_t key_len = equals != NULL ? (size_t)(equals - text) : len;
    if (key_len >= KEY_SIZE) {
        return WSR_FAIL(WSR_CONFIG, "%s%.40s...: is not an option", prefix,
                        text);
    }
    memcpy(key, text, key_len);
    key[key_len] = '\0';
    if (equals == NULL) {
        return WSR_FAIL(WSR_CONFIG, "%s%s: has no value, write %s=VALUE",
                        prefix, key, key);
    }
    wsr_status status = wsr__spec_unquote(value, equals + 1, len - key_len - 1);
    if (status == WSR_CONFIG) {
        status = wsr__fail_at(status, "%s%s", prefix, key);
    }
    return status;
}

// "key=value,key=value"; a comma inside brackets or quotes separates nothing.
// Keys that are not named keep their value.
wsr_status wsr__params_parse(void *params, const wsr__option *schema,
                             const char *prefix, const char *text)
{
    return wsr__params_parse_given(params, schema, NULL, prefix, text);
}

wsr_status wsr__params_parse_given(void *params, const wsr__option *schema,
                                   bool *given, const char *prefix,
                                   const char *text)
{
    wsr_status status = WSR_OK;
    char key[KEY_SIZE];
    wsr__str value = {0};
    const char *rest = text;
    while (*rest != '\0') {
        const size_t len = wsr__spec_piece(rest);
        WSR_TRY(split_pair(key, &value, prefix, rest, len));
        WSR_TRY(wsr__params_set(params, schema, prefix, key, value.s, NULL));
        if (given != NULL) {
            given[wsr__schema_find(schema, key) - schema] = true;
        }
        rest += len + (rest[len] == ',');
    }
out:
    wsr__str_free(&value);
    return status;
}

void wsr__value_copy(void *field, const void *from, wsr__kind kind)
{
    static const size_t sizes[] = {
        [WSR__BOOL] = sizeof(bool),      [WSR__INT] = sizeof(int64_t),
        [WSR__FLOAT] = sizeof(double),   [WSR__WORD] = sizeof(wsr__text),
        [WSR__TEXT] = sizeof(wsr__text), [WSR__FLOATS] = sizeof(wsr__floats),
        [WSR__INTS] = sizeof(wsr__ints)};
    memcpy(field, from, sizes[kind]);
}

// Two values are the same when they print the same. Sets `*failed` when memory
// runs short. Comparing texts spares a comparison for each kind, and 0.5 equals
// "1/2".
static bool is_default(bool *failed, const wsr__str *printed,
                       const wsr__option *option, void *scratch)
{
    wsr__str fallback = {0};
    wsr__option alone = *option;
    alone.offset = 0;
    bool same = false;
    if (wsr__value_decode(scratch, &alone, fallback_of(option)) == WSR_OK) {
        wsr__params_print(&fallback, scratch, &alone);
        *failed |= fallback.failed;
        same = !fallback.failed && !printed->failed &&
               fallback.len == printed->len &&
               (fallback.len == 0 ||
                memcmp(fallback.s, printed->s, printed->len) == 0);
    }
    wsr__str_free(&fallback);
    return same;
}

bool wsr__value_same(const wsr__option *option, const char *a, const char *b)
{
    wsr__field scratch;
    wsr__str printed = {0};
    bool failed = false;
    wsr__option alone = *option;
    alone.offset = 0;
    bool same = false;
    if (wsr__value_decode(&scratch, &alone, a) == WSR_OK) {
        wsr__params_print(&printed, &scratch, &alone);
        alone.fallback = b;
        same = is_default(&failed, &printed, &alone, &scratch);
    }
    wsr__str_free(&printed);
    return same;
}

// Only options that differ from their default: the text is short, and decodes
// to the same params.
void wsr__params_summary(wsr__str *out, const void *params,
                         const wsr__option *schema)
{
    wsr__field scratch;
    bool first = true;
    for (const wsr__option *o = schema; o != NULL && o->key != NULL; o++) {
        wsr__str value = {0};
        wsr__params_print(&value, params, o);
        if (value.failed) {
            out->failed = true;
        } else if (!is_default(&out->failed, &value, o, &scratch)) {
            const char *const text = value.s != NULL ? value.s : "";
            wsr__str_addf(out, "%s%s=", first ? "" : ",", o->key);
            if (o->kind == WSR__TEXT) {
                wsr__spec_quote(out, text);
            } else {
                wsr__str_add(out, text);
            }
            first = false;
        }
        wsr__str_free(&value);
    }
}
