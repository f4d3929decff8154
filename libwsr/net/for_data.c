// SPDX-License-Identifier: Apache-2.0
//
// The kinds of networks that a configuration can ask for beside a data set.
// The data set determines the number of classes and the shape of the images,
// so these options are left out of the schemas. Kinds that have a graph per
// path only, such as supernets, are left out as well.

#include "net/net.h"

#include <pthread.h>

static wsr__option rows[WSR__NET_KINDS][WSR__NET_ROWS + 1];
static wsr__class kinds[WSR__NET_KINDS];
static const wsr__class *list[WSR__NET_KINDS + 1];
static const wsr__family family = {"network kind", list};

static bool determined(const char *key)
{
    return wsr__streq(key, "classes") || wsr__streq(key, "image_size") ||
           wsr__streq(key, "image_channels");
}

// Rows beyond the places are left out; a test sees that there are enough.
static void copy_rows(wsr__option *to, const wsr__option *from)
{
    size_t n = 0;
    for (; from->key != NULL && n < WSR__NET_ROWS; from++) {
        if (!determined(from->key)) {
            to[n++] = *from;
        }
    }
}

static void make_list(void)
{
    size_t n = 0;
    for (size_t i = 0; wsr__nets.classes[i] != NULL && n < WSR__NET_KINDS;
         i++) {
        const wsr__class *const kind = wsr__nets.classes[i];
        if (!((const wsr__net_class *)kind)->paths) {
            copy_rows(rows[n], kind->schema);
            kinds[n] = *kind;
            kinds[n].schema = rows[n];
            list[n] = &kinds[n];
            n++;
        }
    }
}

const wsr__family *wsr__nets_for_data(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_list);
    return &family;
}

const wsr__net_class *wsr__net_kind(const wsr__class *cls)
{
    size_t i = 0;
    while (!wsr__streq(wsr__nets.classes[i]->name, cls->name)) {
        i++;
    }
    return (const wsr__net_class *)wsr__nets.classes[i];
}

const char *wsr__net_selector(const wsr__class *cls)
{
    return wsr__net_kind(cls)->cells.key;
}

const wsr__option *wsr__net_schema_for_data(const wsr__net_class *cls)
{
    const wsr__class *const *c = wsr__nets_for_data()->classes;
    while (!wsr__streq((*c)->name, cls->super.name)) {
        c++;
    }
    return (*c)->schema;
}
