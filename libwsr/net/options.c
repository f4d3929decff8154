// SPDX-License-Identifier: Apache-2.0
//
// Options of all kinds of networks, each key once: those that a caller gives
// beside a file of whichever kind, and those of networks that have one graph,
// for programs that make them by name.

#include "net/net.h"

#include <pthread.h>

// Whether a kind before this one has the key.
static bool seen_before(const wsr__class *const *end, const char *key)
{
    for (const wsr__class *const *c = wsr__nets.classes; c != end; c++) {
        const wsr__net_class *const cls = (const wsr__net_class *)*c;
        if (!cls->paths && wsr__schema_find((*c)->schema, key) != NULL) {
            return true;
        }
    }
    return false;
}

static const wsr__option *option_at(size_t i)
{
    for (const wsr__class *const *c = wsr__nets.classes; *c != NULL; c++) {
        const wsr__option *o = (*c)->schema;
        for (; o->key != NULL && !((const wsr__net_class *)*c)->paths; o++) {
            if (!seen_before(c, o->key) && i-- == 0) {
                return o;
            }
        }
    }
    return NULL;
}

// ---------------------------------------------------------------- overriding

static wsr__option overrides[WSR__NET_OVERRIDES + 1];

static size_t row_of(const char *key)
{
    size_t i = 0;
    while (overrides[i].key != NULL && !wsr__streq(overrides[i].key, key)) {
        i++;
    }
    return i;
}

static bool among(const char *const *words, const char *word)
{
    while (*words != NULL && !wsr__streq(*words, word)) {
        words++;
    }
    return *words != NULL;
}

// Kinds may differ in what they permit. A row permits what any of them does;
// the kind of the file then checks the value against its own.
static void widen(wsr__option *row, const wsr__option *o)
{
    row->min = o->min < row->min ? o->min : row->min;
    row->max = o->max > row->max ? o->max : row->max;
    for (size_t i = 0; row->words != NULL && o->words[i] != NULL; i++) {
        if (!among(row->words, o->words[i])) {
            row->kind = WSR__TEXT;
            row->words = NULL;
        }
    }
}

// Keys beyond the places are left out; a test sees that there are enough.
static void list_override(const wsr__option *o)
{
    const size_t i = row_of(o->key);
    if (overrides[i].key != NULL) {
        widen(&overrides[i], o);
    } else if (i < WSR__NET_OVERRIDES) {
        overrides[i] = *o;
        overrides[i].offset = i * sizeof(wsr__field);
    }
}

static void list_overrides(void)
{
    for (const wsr__class *const *c = wsr__nets.classes; *c != NULL; c++) {
        for (const wsr__option *o = (*c)->schema; o->key != NULL; o++) {
            list_override(o);
        }
    }
    for (const wsr__option *o = wsr__net_onnx.super.schema; o->key != NULL;
         o++) {
        list_override(o);
    }
}

const wsr__option *wsr__net_override_schema(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, list_overrides);
    return overrides;
}

// ----------------------------------------------------------- for programs

const char *wsr_net_option(size_t i)
{
    const wsr__option *const option = option_at(i);
    return option == NULL ? NULL : option->key;
}

const char *wsr_net_option_help(size_t i)
{
    const wsr__option *const option = option_at(i);
    return option == NULL ? NULL : option->help;
}
