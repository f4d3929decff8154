// SPDX-License-Identifier: Apache-2.0
//
// Files of one JSON object, read as a whole. Values are jansson's, under a name
// of ours, so that its header stays in this directory.

#include "io/io.h"

#include <jansson.h>
#include <math.h>

// Values are handed out as const, and jansson's readers of objects and lists
// take const; only its iterators do not, which nothing is written through.
static const json_t *ours(const wsr__json_value *value)
{
    return (const json_t *)value;
}

static const wsr__json_value *theirs(const json_t *value)
{
    return (const wsr__json_value *)value;
}

wsr_status wsr__json_open(wsr__json_value **out, const char *path)
{
    wsr_status status = WSR_OK;
    unsigned char *text = NULL;
    size_t size = 0;
    json_t *root = NULL;
    json_error_t error = {0};
    *out = NULL;
    WSR_TRY(wsr__file_read(&text, &size, path, 1U << 30));
    root = json_loadb((const char *)text, size, 0, &error);
    if (!json_is_object(root)) {
        status = WSR_FAIL(WSR_FORMAT, "%s: is no JSON object%s%s", path,
                          root == NULL ? ": " : "",
                          root == NULL ? error.text : "");
        goto out;
    }
    *out = (wsr__json_value *)root;
    root = NULL;
out:
    json_decref(root);
    wsr__free(text);
    return status;
}

void wsr__json_close(wsr__json_value *root)
{
    json_decref((json_t *)root);
}

const wsr__json_value *wsr__json_get(const wsr__json_value *object,
                                     const char *key)
{
    return theirs(json_object_get(ours(object), key));
}

const wsr__json_value *wsr__json_at(const wsr__json_value *list, size_t i)
{
    return theirs(json_array_get(ours(list), i));
}

bool wsr__json_is_object(const wsr__json_value *value)
{
    return json_is_object(ours(value));
}

size_t wsr__json_length(const wsr__json_value *list)
{
    return json_array_size(ours(list));
}

double wsr__json_double(const wsr__json_value *value)
{
    return json_is_number(ours(value)) ? json_number_value(ours(value))
                                       : (double)NAN;
}

const char *wsr__json_string(const wsr__json_value *value)
{
    return json_string_value(ours(value));
}

bool wsr__json_next(wsr__json_member *member, const wsr__json_value *object)
{
    union {
        const wsr__json_value *constant;
        json_t *value;
    } own = {.constant = object};
    member->place = member->place == NULL
                        ? json_object_iter(own.value)
                        : json_object_iter_next(own.value, member->place);
    if (member->place != NULL) {
        member->key = json_object_iter_key(member->place);
        member->value = theirs(json_object_iter_value(member->place));
    }
    return member->place != NULL;
}
