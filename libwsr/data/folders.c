// SPDX-License-Identifier: Apache-2.0
//
// Data sets whose splits are folders: finds the splits of a layout, checks that
// they have the same classes, and reads one.

#include "data/files.h"

// The folders of one load; NULL where there is none.
typedef struct splits {
    const wsr__folder_layout *layout;
    char *train;
    char *test;
    char *flat; // where the images of test lie, if not in folders of classes
    bool train_wanted;
} splits;

// [out, owned] The first path below root that exists, or NULL.
static wsr_status find(char **out, const char *root, const char *const *paths,
                       bool folder)
{
    *out = NULL;
    for (size_t i = 0; paths != NULL && paths[i] != NULL; i++) {
        char *const path = wsr__path_join(root, paths[i]);
        if (path == NULL) {
            return WSR_NOMEM;
        }
        if (wsr__file_exists(path) && wsr__is_folder(path) == folder) {
            *out = path;
            return WSR_OK;
        }
        wsr__free(path);
    }
    return WSR_OK;
}

static wsr_status find_flat(splits *s)
{
    wsr_status status = WSR_OK;
    const char *const flat = s->layout->flat;
    wsr__names below = {0};
    if (s->test == NULL || flat == NULL) {
        return WSR_OK;
    }
    if (flat[0] != '\0') {
        const char *const paths[] = {flat, NULL};
        return find(&s->flat, s->test, paths, true);
    }
    WSR_TRY(wsr__folder_read(&below, s->test, true));
    if (below.n == 0) {
        s->flat = wsr__strdup(s->test);
        status = s->flat != NULL ? WSR_OK : WSR_NOMEM;
    }
out:
    wsr__names_free(&below);
    return status;
}

static void free_splits(splits *s)
{
    wsr__free(s->train);
    wsr__free(s->test);
    wsr__free(s->flat);
}

static wsr_status find_splits(splits *s, const wsr__request *request)
{
    wsr_status status = WSR_OK;
    const wsr__folder_layout *const l = s->layout;
    if (!wsr__is_folder(l->root)) {
        return WSR_FAIL(WSR_NOTFOUND, "%s: is no folder", l->root);
    }
    WSR_TRY(find(&s->train, l->root, l->train, true));
    WSR_TRY(find(&s->test, l->root, l->test, true));
    WSR_TRY(find_flat(s));
    if (s->train == NULL && s->test == NULL && l->bare) {
        s->train = wsr__strdup(l->root);
        status = s->train != NULL ? WSR_OK : WSR_NOMEM;
        WSR_TRY(status);
    }
    s->train_wanted = request->split == WSR__TRAIN ||
                      (request->split == WSR__ANY && s->test == NULL);
    if ((s->train_wanted ? s->train : s->test) == NULL) {
        status = WSR_FAIL(WSR_NOTFOUND, "%s/%s: does not exist", l->root,
                          s->train_wanted ? l->train[0] : l->test[0]);
    }
out:
    return status;
}

// ------------------------------------------------------------------- classes

static wsr_status check_names(const splits *s, const wsr__names *classes,
                              const char *folder)
{
    wsr_status status = WSR_OK;
    const wsr__folder_layout *const l = s->layout;
    for (size_t i = 0; i < classes->n && l->check_class != NULL; i++) {
        WSR_TRY(l->check_class(classes->names[i], folder));
    }
    if (l->classes != NULL) {
        WSR_TRY(
            wsr__classes_compare(l->classes, l->classes_file, classes, folder));
    }
out:
    return status;
}

// The classes of a folder must be those that are known; the first folder makes
// them known.
static wsr_status take_classes(wsr__names *known, const char **known_from,
                               const splits *s, const char *folder)
{
    wsr_status status = WSR_OK;
    wsr__names classes = {0};
    WSR_TRY(wsr__classes_read(&classes, folder));
    WSR_TRY(check_names(s, &classes, folder));
    if (*known_from != NULL) {
        WSR_TRY(wsr__classes_compare(known, *known_from, &classes, folder));
        goto out;
    }
    *known = classes;
    *known_from = folder;
    classes = (wsr__names){0};
out:
    wsr__names_free(&classes);
    return status;
}

// From the folders of the train split, those of the test split, or both.
static wsr_status read_classes(wsr__names *out, const splits *s)
{
    wsr_status status = WSR_OK;
    const char *from = NULL;
    if (s->train != NULL) {
        WSR_TRY(take_classes(out, &from, s, s->train));
    }
    if (s->test != NULL && s->flat == NULL) {
        WSR_TRY(take_classes(out, &from, s, s->test));
    }
    if (from == NULL) {
        status = WSR_FAIL(WSR_NOTFOUND,
                          "%s/%s: does not exist, its folders name the classes",
                          s->layout->root, s->layout->train[0]);
    }
out:
    return status;
}

// ------------------------------------------------------------------- loading

static wsr_status add_flat(wsr__files *files, const splits *s)
{
    wsr_status status = WSR_OK;
    const wsr__folder_layout *const l = s->layout;
    char *list = NULL;
    WSR_TRY(find(&list, l->root, l->lists, false));
    if (list == NULL) {
        status = WSR_FAIL(WSR_NOTFOUND,
                          "%s: holds no folders of classes, and %s/%s with "
                          "the labels does not exist",
                          s->flat, l->root, l->lists[0]);
        goto out;
    }
    WSR_TRY(wsr__labelled_add(files, s->flat, list));
out:
    wsr__free(list);
    return status;
}

wsr_status wsr__folders_load(wsr_dataset *dataset,
                             const wsr__folder_layout *layout,
                             const wsr__request *request)
{
    wsr_status status = WSR_OK;
    splits s = {.layout = layout};
    wsr__files *files = wsr__alloc(1, sizeof(*files));
    if (files == NULL) {
        return WSR_NOMEM;
    }
    files->view = layout->view;
    WSR_TRY(find_splits(&s, request));
    WSR_TRY(read_classes(&files->classes, &s));
    if (!s.train_wanted && s.flat != NULL) {
        WSR_TRY(add_flat(files, &s));
    } else {
        WSR_TRY(wsr__classes_add(files, s.train_wanted ? s.train : s.test,
                                 request->limit));
    }
    WSR_TRY(wsr__files_give(dataset, &files, request, (int64_t)files->classes.n,
                            layout->root));
out:
    free_splits(&s);
    wsr__files_free(files);
    return status;
}
