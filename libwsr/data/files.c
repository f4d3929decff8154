// SPDX-License-Identifier: Apache-2.0
//
// The list of the files of a data set, and the entries of folders. Paths
// lie one behind another in one block, since there may be millions.

#include "data/files.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

static wsr_status add_entry(wsr__names *out, const char *folder,
                            const char *name, bool folders)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    if (wsr__streq(name, ".") || wsr__streq(name, "..")) {
        return WSR_OK;
    }
    path = wsr__path_join(folder, name);
    if (path == NULL) {
        return WSR_NOMEM;
    }
    if (wsr__is_folder(path) == folders) {
        WSR_TRY(wsr__names_add(out, name));
    }
out:
    wsr__free(path);
    return status;
}

wsr_status wsr__folder_read(wsr__names *out, const char *folder, bool folders)
{
    wsr_status status = WSR_OK;
    const struct dirent *entry;
    DIR *const dir = opendir(folder);
    *out = (wsr__names){0};
    if (dir == NULL) {
        return wsr__fail_open(folder, errno);
    }
    errno = 0;
    while ((entry = readdir(dir)) != NULL) {
        WSR_TRY(add_entry(out, folder, entry->d_name, folders));
        errno = 0;
    }
    if (errno != 0) {
        status = wsr__fail_errno(folder, errno);
        goto out;
    }
    wsr__names_sort(out);
out:
    (void)closedir(dir);
    if (status != WSR_OK) {
        wsr__names_free(out);
    }
    return status;
}

bool wsr__is_image_name(const char *name)
{
    static const char *const ends[] = {".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                       ".pgm", ".tif",  ".tiff", ".webp"};
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const size_t m = strlen(ends[i]);
        if (n >= m && strcasecmp(name + n - m, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

// ---------------------------------------------------------------------- files

// Both arrays grow together.
static wsr_status grow(wsr__files *files)
{
    wsr_status status = WSR_OK;
    size_t room = files->room;
    void *array = files->starts;
    status =
        wsr__reserve(&array, &room, files->count + 1, sizeof(*files->starts));
    files->starts = array;
    WSR_TRY(status);
    room = files->room;
    array = files->labels;
    status =
        wsr__reserve(&array, &room, files->count + 1, sizeof(*files->labels));
    files->labels = array;
    WSR_TRY(status);
    files->room = room;
out:
    return status;
}

wsr_status wsr__files_add(wsr__files *files, const char *path, int32_t label)
{
    wsr_status status = WSR_OK;
    const size_t start = files->paths.len;
    if (files->count >= INT32_MAX) {
        return WSR_FAIL(WSR_FORMAT, "%s: is one image too many", path);
    }
    WSR_TRY(grow(files));
    wsr__str_addn(&files->paths, path, strlen(path));
    wsr__str_addn(&files->paths, "", 1);
    WSR_TRY(wsr__str_status(&files->paths));
    files->starts[files->count] = start;
    files->labels[files->count] = label;
    files->count++;
out:
    return status;
}

const char *wsr__files_path(const wsr__files *files, size_t i)
{
    return files->paths.s + files->starts[i];
}

void wsr__files_free(wsr__files *files)
{
    if (files == NULL) {
        return;
    }
    wsr__str_free(&files->paths);
    wsr__free(files->starts);
    wsr__free(files->labels);
    wsr__names_free(&files->classes);
    wsr__free(files);
}

wsr_status wsr__files_give(wsr_dataset *dataset, wsr__files **files,
                           const wsr__request *request, int64_t classes,
                           const char *where)
{
    wsr__files *const f = *files;
    if (f->count == 0) {
        return WSR_FAIL(WSR_FORMAT, "%s: holds no images", where);
    }
    if (f->count > request->limit) {
        f->count = request->limit;
    }
    dataset->files = f;
    dataset->labels = f->labels;
    dataset->count = f->count;
    dataset->stored = (wsr__image){3, 0, 0};
    dataset->classes = classes;
    if (f->classes.n > 0) {
        dataset->names = (const char *const *)f->classes.names;
    }
    *files = NULL;
    return WSR_OK;
}

const wsr__files *wsr__files_of(const wsr_dataset *dataset, size_t *index)
{
    while (dataset->parent != NULL) {
        *index += dataset->first;
        dataset = dataset->parent;
    }
    return dataset->files;
}
