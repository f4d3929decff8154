// SPDX-License-Identifier: Apache-2.0
//
// Labels in a list beside a folder of images: ImageNet's val.txt, Kaggle's
// LOC_val_solution.csv, Tiny ImageNet's val_annotations.txt. A line names an
// image and its class; images are found in the list whatever its order.

#include "data/files.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 28 };

static const char between[] = " \t,\r";

// One line: pointers into the text of the list.
typedef struct row {
    const char *stem; // name of the image without its ending
    const char *label;
    int number; // of the line
} row;

typedef struct table {
    char *text;
    row *rows; // sorted by stem
    size_t n;
    size_t room;
} table;

static int order(const void *a, const void *b)
{
    const row *const x = a;
    const row *const y = b;
    return strcmp(x->stem, y->stem);
}

static void cut_ending(char *name)
{
    char *const dot = strrchr(name, '.');
    if (dot != NULL && wsr__is_image_name(name)) {
        *dot = '\0';
    }
}

// The next field of a line, NUL-ended in place; NULL when there is none.
static char *field(char **line)
{
    char *const begin = *line + strspn(*line, between);
    char *const end = begin + strcspn(begin, between);
    if (*begin == '\0') {
        return NULL;
    }
    *line = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return begin;
}

// Empty lines and the head line of a table are stepped over.
static wsr_status add_row(table *t, char *line, int number, const char *path)
{
    wsr_status status = WSR_OK;
    void *array = t->rows;
    char *const name = field(&line);
    const char *const label = name != NULL ? field(&line) : NULL;
    if (name == NULL || (number == 1 && wsr__streq(name, "ImageId"))) {
        return WSR_OK;
    }
    if (label == NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s:%d: names an image without its label",
                        path, number);
    }
    status = wsr__reserve(&array, &t->room, t->n + 1, sizeof(*t->rows));
    t->rows = array;
    WSR_TRY(status);
    cut_ending(name);
    t->rows[t->n++] = (row){name, label, number};
out:
    return status;
}

static void free_table(table *t)
{
    wsr__free(t->text);
    wsr__free(t->rows);
}

static wsr_status read_table(table *t, const char *path)
{
    wsr_status status = WSR_OK;
    unsigned char *bytes = NULL;
    size_t size = 0;
    int number = 1;
    WSR_TRY(wsr__file_read(&bytes, &size, path, MOST_BYTES));
    t->text = (char *)bytes;
    for (char *line = t->text; line < t->text + size; number++) {
        char *const end = line + strcspn(line, "\n");
        *end = '\0';
        WSR_TRY(add_row(t, line, number, path));
        line = end + 1;
    }
    if (t->n > 1) {
        qsort(t->rows, t->n, sizeof(*t->rows), order);
    }
out:
    return status;
}

// A number, or the name of a class.
static wsr_status label_of(int32_t *out, const row *r,
                           const wsr__names *classes, const char *path)
{
    int64_t number = (int64_t)wsr__names_at(classes, r->label);
    if (number == (int64_t)classes->n && !wsr__parse_int(&number, r->label)) {
        number = -1;
    }
    if (number < 0 || number >= (int64_t)classes->n) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s:%d: '%.40s' is no class and not in [0, %zu]", path,
                        r->number, r->label, classes->n - 1);
    }
    *out = (int32_t)number;
    return WSR_OK;
}

static wsr_status add_image(wsr__files *files, const table *t,
                            const char *folder, char *name, const char *list)
{
    wsr_status status = WSR_OK;
    int32_t label = 0;
    char *const path = wsr__path_join(folder, name);
    row wanted = {.stem = name};
    const row *found = NULL;
    if (path == NULL) {
        return WSR_NOMEM;
    }
    cut_ending(name);
    if (t->n > 0) {
        found = bsearch(&wanted, t->rows, t->n, sizeof(row), order);
    }
    if (found == NULL) {
        status = WSR_FAIL(WSR_FORMAT, "%s: has no label for %s", list, path);
        goto out;
    }
    WSR_TRY(label_of(&label, found, &files->classes, list));
    WSR_TRY(wsr__files_add(files, path, label));
out:
    wsr__free(path);
    return status;
}

// Every image was found in the list; as many lines as images then mean that
// each line has its image, unless one is there twice.
wsr_status wsr__labelled_add(wsr__files *files, const char *folder,
                             const char *list)
{
    wsr_status status = WSR_OK;
    wsr__names names = {0};
    table t = {0};
    WSR_TRY(read_table(&t, list));
    WSR_TRY(wsr__folder_read(&names, folder, false));
    for (size_t i = 0; i < names.n; i++) {
        if (wsr__is_image_name(names.names[i])) {
            WSR_TRY(add_image(files, &t, folder, names.names[i], list));
        }
    }
    if (files->count != t.n) {
        status = WSR_FAIL(WSR_FORMAT, "%s: has %zu labels, %s %zu images", list,
                          t.n, folder, files->count);
    }
out:
    wsr__names_free(&names);
    free_table(&t);
    return status;
}
