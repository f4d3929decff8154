// SPDX-License-Identifier: Apache-2.0
//
// Images that a list names: lines of a path and a whole number, the label, as
// Caffe and many after it have them. Paths may hold blanks; they are relative
// to `root`, or to the list's own folder. `test` is the list of the test split.

#include "data/files.h"

#include <string.h>

typedef struct params {
    wsr__text file;
    wsr__text root;
    wsr__text test;
} params;

static const wsr__option schema[] = {
    {.key = "file",
     .kind = WSR__TEXT,
     .offset = offsetof(params, file),
     .fallback = "",
     .unit = "",
     .help = "list of the train split, lines of a path and a label"},
    {.key = "root",
     .kind = WSR__TEXT,
     .offset = offsetof(params, root),
     .fallback = "",
     .unit = "",
     .help = "folder that paths are relative to; empty: that of the list"},
    {.key = "test",
     .kind = WSR__TEXT,
     .offset = offsetof(params, test),
     .fallback = "",
     .unit = "",
     .help = "list of the test split"},
    {0},
};

static const char *const positional[] = {"file", "root", "test", NULL};

enum { MOST_CLASSES = 1000000, MOST_BYTES = 1 << 30 };

static const char blanks[] = " \t\r";

// Cut a line into its path and its last word, the label.
static bool split_line(int64_t *label, char *line)
{
    size_t n = strlen(line);
    while (n > 0 && strchr(blanks, line[n - 1]) != NULL) {
        line[--n] = '\0';
    }
    while (n > 0 && strchr(blanks, line[n - 1]) == NULL) {
        n--;
    }
    if (!wsr__parse_int(label, line + n)) {
        return false;
    }
    while (n > 0 && strchr(blanks, line[n - 1]) != NULL) {
        line[--n] = '\0';
    }
    return n > 0;
}

static wsr_status add_line(wsr__files *files, int64_t *classes, char *line,
                           const char *root, const char *place)
{
    wsr_status status = WSR_OK;
    int64_t label = 0;
    char *path = NULL;
    line += strspn(line, blanks);
    if (*line == '\0') {
        return WSR_OK;
    }
    if (!split_line(&label, line)) {
        return WSR_FAIL(WSR_FORMAT, "%s: '%.80s' is not a path and a label",
                        place, line);
    }
    if (label < 0 || label >= MOST_CLASSES) {
        return WSR_FAIL(WSR_FORMAT, "%s: label %lld is outside [0, %d]", place,
                        (long long)label, MOST_CLASSES - 1);
    }
    path = line[0] == '/' ? wsr__strdup(line) : wsr__path_join(root, line);
    if (path == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__files_add(files, path, (int32_t)label));
    *classes = label >= *classes ? label + 1 : *classes;
out:
    wsr__free(path);
    return status;
}

// Add the lines of a list and raise `classes` above their labels.
static wsr_status add_list(wsr__files *files, int64_t *classes,
                           const char *list, const char *root)
{
    wsr_status status = WSR_OK;
    unsigned char *bytes = NULL;
    size_t size = 0;
    size_t number = 1;
    wsr__str place = {0};
    WSR_TRY(wsr__file_read(&bytes, &size, list, MOST_BYTES));
    char *line = (char *)bytes;
    for (; line < (char *)bytes + size; number++) {
        char *const end = line + strcspn(line, "\n");
        *end = '\0';
        place.len = 0;
        wsr__str_addf(&place, "%s:%zu", list, number);
        WSR_TRY(wsr__str_status(&place));
        WSR_TRY(add_line(files, classes, line, root, place.s));
        line = end + 1;
    }
out:
    wsr__free(bytes);
    wsr__str_free(&place);
    return status;
}

// The folder of a list, or the one that is given.
static wsr_status root_of(char **out, const params *p, const char *list)
{
    const char *const slash = strrchr(list, '/');
    wsr__str folder = {0};
    if (p->root.s[0] != '\0') {
        wsr__str_add(&folder, p->root.s);
    } else if (slash != NULL) {
        wsr__str_addn(&folder, list, (size_t)(slash - list) + (slash == list));
    } else {
        wsr__str_add(&folder, ".");
    }
    return wsr__str_give(out, &folder);
}

static wsr_status read_list(wsr__files **out, int64_t *classes, const params *p,
                            const char *list)
{
    wsr_status status = WSR_OK;
    char *root = NULL;
    *out = wsr__alloc(1, sizeof(**out));
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    (*out)->view = (wsr__view){{3, 224, 224}, 0};
    WSR_TRY(root_of(&root, p, list));
    WSR_TRY(add_list(*out, classes, list, root));
out:
    wsr__free(root);
    return status;
}

// Both lists are read, so that both splits have the same number of classes.
static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const bool has_test = p->test.s[0] != '\0';
    const bool train = request->split == WSR__TRAIN ||
                       (request->split == WSR__ANY && !has_test);
    wsr__files *files[2] = {NULL, NULL}; // train, test
    int64_t classes = 0;
    if (!train && !has_test) {
        return WSR_FAIL(WSR_NOTFOUND,
                        "data.split: list:%.200s names no list of the test "
                        "split, write list:FILE,ROOT,TEST",
                        p->file.s);
    }
    WSR_TRY(read_list(&files[0], &classes, p, p->file.s));
    if (has_test) {
        WSR_TRY(read_list(&files[1], &classes, p, p->test.s));
    }
    WSR_TRY(wsr__files_give(dataset, &files[!train], request, classes,
                            train ? p->file.s : p->test.s));
out:
    wsr__files_free(files[0]);
    wsr__files_free(files[1]);
    return status;
}

const wsr__dataset_class wsr__dataset_list = {
    .super = {.name = "list",
              .summary = "JPEG and PNG files that a list names with labels",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .positional = positional,
    .required = 1,
    .load = load,
};
