// SPDX-License-Identifier: Apache-2.0
//
// Finds a class of a family by name, and makes its params. A family (attacks,
// ops, data sets, ...) is a NULL-terminated table of constant classes, filled
// by a .def list; params are the decoded options of one class, a struct that
// its schema describes. No variant is known here.

#include "base/registry.h"

#include <string.h>

enum { NAME_SIZE = 64, MOST_CLASSES = 128 };

// The nearest name if the text looks like a typing mistake, else all names.
static wsr_status unknown_class(const wsr__family *family, const char *name)
{
    const char *names[MOST_CLASSES];
    size_t n = 0;
    while (n < MOST_CLASSES && family->classes[n] != NULL) {
        names[n] = family->classes[n]->name;
        n++;
    }
    const char *const near = wsr__suggest(name, names, n);
    if (near != NULL) {
        return WSR_FAIL(WSR_NOTFOUND, "%s: there is no '%s', did you mean '%s'",
                        family->name, name, near);
    }
    wsr__str all = {0};
    for (size_t i = 0; i < n; i++) {
        wsr__str_addf(&all, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    wsr_status status = wsr__str_status(&all);
    if (status == WSR_OK) {
        status = WSR_FAIL(WSR_NOTFOUND,
                          "%s: there is no '%.64s', there are %.300s",
                          family->name, name, n == 0 ? "none at all" : all.s);
    }
    wsr__str_free(&all);
    return status;
}

wsr_status wsr__class_find(const wsr__class **out, const wsr__family *family,
                           const char *name)
{
    *out = NULL;
    for (size_t i = 0; family->classes[i] != NULL; i++) {
        if (wsr__streq(family->classes[i]->name, name)) {
            *out = family->classes[i];
            return WSR_OK;
        }
    }
    return unknown_class(family, name);
}

// Params hold no pointers, so a copy of their bytes is a copy. NULL stands for
// the defaults, and a class without options has NULL for params.
wsr_status wsr__class_copy(void **out, const wsr__class *cls,
                           const void *params)
{
    *out = NULL;
    if (cls->params_size == 0) {
        return WSR_OK;
    }
    *out = wsr__alloc(1, cls->params_size);
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    if (params != NULL) {
        memcpy(*out, params, cls->params_size);
    } else {
        wsr__params_default(*out, cls->schema);
    }
    return WSR_OK;
}

// Messages name the option as "class.key".
wsr_status wsr__class_params(void **out, const wsr__class *cls,
                             const char *options)
{
    wsr_status status = WSR_OK;
    void *params = NULL;
    wsr__str prefix = {0};
    *out = NULL;
    WSR_TRY(wsr__class_copy(&params, cls, NULL));
    wsr__str_addf(&prefix, "%s.", cls->name);
    WSR_TRY(wsr__str_status(&prefix));
    WSR_TRY(wsr__params_parse(params, cls->schema, prefix.s, options));
    *out = params;
    params = NULL;
out:
    wsr__free(params);
    wsr__str_free(&prefix);
    return status;
}

// "name:options". On failure both results are NULL.
wsr_status wsr__class_spec(const wsr__class **cls, void **params,
                           const wsr__family *family, const char *spec)
{
    wsr_status status = WSR_OK;
    char name[NAME_SIZE];
    const char *options = NULL;
    *cls = NULL;
    *params = NULL;
    WSR_TRY(wsr__spec_split(name, sizeof(name), &options, spec));
    WSR_TRY(wsr__class_find(cls, family, name));
    WSR_TRY(wsr__class_params(params, *cls, options));
out:
    if (status != WSR_OK) {
        *cls = NULL;
    }
    return status;
}

// The inverse of wsr__class_spec(): options that have their default are left
// out, so what is printed decodes to the same params.
void wsr__class_print(wsr__str *out, const wsr__class *cls, const void *params)
{
    wsr__str options = {0};
    wsr__params_summary(&options, params, cls->schema);
    wsr__str_add(out, cls->name);
    if (options.len > 0) {
        wsr__str_addf(out, ":%s", options.s);
    }
    out->failed |= options.failed;
    wsr__str_free(&options);
}
