// SPDX-License-Identifier: Apache-2.0
//
// Finds data files that come with the library by name: presets, genotypes and
// RobNet codes. A name is a word; it stands for the file "directory/name.yaml"
// below share/wsr, which share.c finds. Nothing is compiled in: a file put
// there is a name like any other.

#include "config/config.h"

#include <dirent.h>
#include <string.h>

// Whether a file is one of ours; its name then loses the suffix. Hidden files,
// editors' backups and other suffixes are passed over.
static bool cut_suffix(char *file)
{
    static const char suffix[] = ".yaml";
    const size_t n = strlen(file);
    const size_t tail = sizeof(suffix) - 1;
    if (file[0] == '.' || n <= tail || strcmp(file + n - tail, suffix) != 0) {
        return false;
    }
    file[n - tail] = '\0';
    return true;
}

// Sorted, so that help and messages are the same everywhere.
wsr_status wsr__shipped_names(wsr__names *names, const char *directory)
{
    wsr_status status = WSR_OK;
    DIR *stream = NULL;
    *names = (wsr__names){0};
    char *const path = wsr__share_path(directory);
    WSR_TRY(path != NULL ? WSR_OK : WSR_NOMEM);
    stream = opendir(path);
    if (stream == NULL) {
        status = WSR_FAIL(WSR_NOTFOUND,
                          "%s: is not readable, WSR_SHARE may say where the "
                          "data files are",
                          path);
        goto out;
    }
    for (struct dirent *e = readdir(stream); e != NULL; e = readdir(stream)) {
        if (cut_suffix(e->d_name)) {
            WSR_TRY(wsr__names_add(names, e->d_name));
        }
    }
    wsr__names_sort(names);
out:
    if (stream != NULL) {
        (void)closedir(stream);
    }
    if (status != WSR_OK) {
        wsr__names_free(names);
    }
    wsr__free(path);
    return status;
}

// "" for an empty folder, never NULL.
wsr_status wsr__shipped_list(char **out, const char *directory)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    wsr__names names = {0};
    *out = NULL;
    WSR_TRY(wsr__shipped_names(&names, directory));
    wsr__str_add(&text, "");
    for (size_t i = 0; i < names.n; i++) {
        wsr__str_addf(&text, "%s\n", names.names[i]);
    }
    WSR_TRY(wsr__str_give(out, &text));
out:
    wsr__str_free(&text);
    wsr__names_free(&names);
    return status;
}

// All names that exist are in the message, cut to what a line holds.
static wsr_status fail_unknown(const char *what, const char *directory,
                               const char *name)
{
    wsr_status status = WSR_OK;
    wsr__str list = {0};
    wsr__names names = {0};
    WSR_TRY(wsr__shipped_names(&names, directory));
    for (size_t i = 0; i < names.n; i++) {
        wsr__str_addf(&list, "%s%s", i != 0 ? ", " : "", names.names[i]);
    }
    WSR_TRY(wsr__str_status(&list));
    const char *const near = wsr__names_suggest(&names, name);
    const bool found = near != NULL;
    status = WSR_FAIL(WSR_NOTFOUND,
                      "%s: there is no '%.64s'%s%s%s, there are %.300s", what,
                      name, found ? ", did you mean '" : "", found ? near : "",
                      found ? "'" : "", names.n != 0 ? list.s : "none");
out:
    wsr__str_free(&list);
    wsr__names_free(&names);
    return status;
}

// *path is NULL unless the file exists.
wsr_status wsr__shipped_find(char **path, const char *what,
                             const char *directory, const char *name)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_-";
    wsr_status status = WSR_OK;
    wsr__str file = {0};
    *path = NULL;
    // Anything but a word could lead out of the directory.
    if (name[0] != '\0' && strspn(name, word) == strlen(name)) {
        wsr__str_addf(&file, "%s/%s.yaml", directory, name);
        WSR_TRY(wsr__str_status(&file));
        *path = wsr__share_path(file.s);
        WSR_TRY(*path != NULL ? WSR_OK : WSR_NOMEM);
        if (wsr__file_exists(*path)) {
            goto out;
        }
        wsr__free(*path);
        *path = NULL;
    }
    status = fail_unknown(what, directory, name);
out:
    wsr__str_free(&file);
    return status;
}
