// SPDX-License-Identifier: Apache-2.0
//
// Lists of names that own their texts. strcmp() compares bytes as unsigned, and
// the order of UTF-8 is that of code points.

#include "base/base.h"

#include <stdlib.h>
#include <string.h>

wsr_status wsr__names_add(wsr__names *names, const char *text)
{
    wsr_status status = WSR_OK;
    void *array = names->names;
    WSR_TRY(
        wsr__reserve(&array, &names->capacity, names->n + 1, sizeof(char *)));
    names->names = array;
    names->names[names->n] = wsr__strdup(text);
    WSR_TRY(names->names[names->n] != NULL ? WSR_OK : WSR_NOMEM);
    names->n++;
out:
    return status;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *const x = a;
    const char *const *const y = b;
    return strcmp(*x, *y);
}

void wsr__names_sort(wsr__names *names)
{
    if (names->n > 1) {
        qsort(names->names, names->n, sizeof(char *), compare_names);
    }
}

size_t wsr__names_at(const wsr__names *names, const char *text)
{
    const char *const *const all = (const char *const *)names->names;
    const char *const *const found =
        names->n > 0
            ? bsearch(&text, all, names->n, sizeof(char *), compare_names)
            : NULL;
    return found != NULL ? (size_t)(found - all) : names->n;
}

// Borrowed from the list.
const char *wsr__names_suggest(const wsr__names *names, const char *word)
{
    return wsr__suggest(word, (const char *const *)names->names, names->n);
}

// Leaves an empty list.
void wsr__names_free(wsr__names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        wsr__free(names->names[i]);
    }
    wsr__free(names->names);
    *names = (wsr__names){0};
}
