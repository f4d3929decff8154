// SPDX-License-Identifier: Apache-2.0
//
// Folders of classes, in the order of torchvision's ImageFolder: classes by
// their names; the images of a class by the path of their folder, then by name.
// So a folder's own images come before those of its subfolders.

#include "data/files.h"

#include <string.h>

enum { MOST_DEPTH = 32 };

wsr_status wsr__classes_read(wsr__names *out, const char *folder)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__folder_read(out, folder, true));
    if (out->n == 0) {
        status =
            WSR_FAIL(WSR_FORMAT, "%s: holds no folders of classes", folder);
    }
out:
    return status;
}

// The first name of `a` that `b` lacks, or NULL.
static const char *lacking(const wsr__names *a, const wsr__names *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (wsr__names_at(b, a->names[i]) == b->n) {
            return a->names[i];
        }
    }
    return NULL;
}

wsr_status wsr__classes_compare(const wsr__names *a, const char *a_name,
                                const wsr__names *b, const char *b_name)
{
    const char *const only_a = lacking(a, b);
    const char *const only_b = lacking(b, a);
    if (only_a != NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: lacks the class '%.80s' of %s", b_name,
                        only_a, a_name);
    }
    if (only_b != NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: lacks the class '%.80s' of %s", a_name,
                        only_b, b_name);
    }
    return WSR_OK;
}

// All folders from `top` on, as paths; the list is worked through while it
// grows. Links may form circles, so the depth is bounded.
static wsr_status walk(wsr__names *out, const char *top)
{
    wsr_status status = WSR_OK;
    wsr__names below = {0};
    size_t end = 1; // of the folders of one depth
    size_t depth = 0;
    WSR_TRY(wsr__names_add(out, top));
    for (size_t i = 0; i < out->n; i++) {
        if (i == end) {
            end = out->n;
            depth++;
        }
        if (depth > MOST_DEPTH) {
            status =
                WSR_FAIL(WSR_FORMAT, "%s: folders are nested too deep", top);
            goto out;
        }
        WSR_TRY(wsr__folder_read(&below, out->names[i], true));
        for (size_t k = 0; k < below.n; k++) {
            char *const path = wsr__path_join(out->names[i], below.names[k]);
            if (path == NULL) {
                status = WSR_NOMEM;
                goto out;
            }
            status = wsr__names_add(out, path);
            wsr__free(path);
            WSR_TRY(status);
        }
        wsr__names_free(&below);
    }
    wsr__names_sort(out);
out:
    wsr__names_free(&below);
    return status;
}

static wsr_status add_folder(wsr__files *files, const char *folder,
                             int32_t label)
{
    wsr_status status = WSR_OK;
    wsr__names names = {0};
    WSR_TRY(wsr__folder_read(&names, folder, false));
    for (size_t i = 0; i < names.n; i++) {
        if (wsr__is_image_name(names.names[i])) {
            char *const path = wsr__path_join(folder, names.names[i]);
            status = path != NULL ? wsr__files_add(files, path, label)
                                  : WSR_NOMEM;
            wsr__free(path);
            WSR_TRY(status);
        }
    }
out:
    wsr__names_free(&names);
    return status;
}

static wsr_status add_class(wsr__files *files, const char *folder,
                            int32_t label)
{
    wsr_status status = WSR_OK;
    wsr__names folders = {0};
    const size_t before = files->count;
    WSR_TRY(walk(&folders, folder));
    for (size_t i = 0; i < folders.n; i++) {
        WSR_TRY(add_folder(files, folders.names[i], label));
    }
    if (files->count == before) {
        status = WSR_FAIL(WSR_FORMAT,
                          "%s: a class without images (.jpg, .jpeg, .png)",
                          folder);
    }
out:
    wsr__names_free(&folders);
    return status;
}

wsr_status wsr__classes_add(wsr__files *files, const char *folder, size_t limit)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < files->classes.n && files->count < limit; i++) {
        char *const path = wsr__path_join(folder, files->classes.names[i]);
        status = path != NULL ? add_class(files, path, (int32_t)i) : WSR_NOMEM;
        wsr__free(path);
        WSR_TRY(status);
    }
out:
    return status;
}
