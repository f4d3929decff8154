// SPDX-License-Identifier: Apache-2.0
//
// Named data files that come with the library: presets, genotypes, RobNet
// codes. A name is a word, the file "directory/name.yaml" below share/wsr. The
// environment says first where that is, so that a package or a test can point
// elsewhere; the source tree comes before the installation, so that a build
// under development never reads the files of an older one.

#include "config/config.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

char *wsr__share_path(const char *relative)
{
    const char *root = getenv("WSR_SHARE");
    if (root == NULL || root[0] == '\0') {
        root = wsr__file_exists(WSR_SHARE_BUILD) ? WSR_SHARE_BUILD
                                                 : WSR_SHARE_INSTALL;
    }
    return wsr__path_join(root, relative);
}

static int compare_names(const void *a, const void *b)
{
    const char *const *const x = a;
    const char *const *const y = b;
    return strcmp(*x, *y);
}

void wsr__names_free(char **names, size_t n)
{
    for (size_t i = 0; names != NULL && i < n; i++) {
        wsr__free(names[i]);
    }
    wsr__free(names);
}

// The name before ".yaml", NULL in `*out` for files of another kind.
static wsr_status base_name(char **out, const char *file)
{
    static const char suffix[] = ".yaml";
    const size_t n = strlen(file);
    const size_t tail = sizeof(suffix) - 1;
    *out = NULL;
    if (file[0] == '.' || n <= tail || strcmp(file + n - tail, suffix) != 0) {
        return WSR_OK;
    }
    *out = wsr__strdup(file);
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    (*out)[n - tail] = '\0';
    return WSR_OK;
}

wsr_status wsr__shipped_names(char ***names, size_t *n, const char *directory)
{
    wsr_status status = WSR_OK;
    void *array = NULL;
    size_t count = 0;
    size_t capacity = 0;
    char *path = NULL;
    DIR *stream = NULL;
    *names = NULL;
    *n = 0;
    path = wsr__share_path(directory);
    WSR_TRY(path != NULL ? WSR_OK : WSR_NOMEM);
    stream = opendir(path);
    if (stream == NULL) {
        status = WSR_FAIL(WSR_NOTFOUND,
                          "%s: is not readable, WSR_SHARE may say where the "
                          "data files are",
                          path);
        goto out;
    }
    for (const struct dirent *e = readdir(stream); e; e = readdir(stream)) {
        char *name = NULL;
        WSR_TRY(wsr__reserve(&array, &capacity, count + 1, sizeof(char *)));
        WSR_TRY(base_name(&name, e->d_name));
        if (name != NULL) {
            ((char **)array)[count++] = name;
        }
    }
    if (count > 1) {
        qsort(array, count, sizeof(char *), compare_names);
    }
    *names = array;
    *n = count;
    array = NULL;
out:
    if (stream != NULL) {
        (void)closedir(stream);
    }
    wsr__names_free(array, count);
    wsr__free(path);
    return status;
}

wsr_status wsr__shipped_list(char **out, const char *directory)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    char **names = NULL;
    size_t n = 0;
    *out = NULL;
    WSR_TRY(wsr__shipped_names(&names, &n, directory));
    wsr__str_add(&text, "");
    for (size_t i = 0; i < n; i++) {
        wsr__str_addf(&text, "%s\n", names[i]);
    }
    WSR_TRY(wsr__str_status(&text));
    *out = text.s;
    text = (wsr__str){0};
out:
    wsr__str_free(&text);
    wsr__names_free(names, n);
    return status;
}

static wsr_status fail_unknown(const char *what, const char *directory,
                               const char *name)
{
    wsr_status status = WSR_OK;
    wsr__str list = {0};
    char **names = NULL;
    size_t n = 0;
    WSR_TRY(wsr__shipped_names(&names, &n, directory));
    for (size_t i = 0; i < n; i++) {
        wsr__str_addf(&list, "%s%s", i != 0 ? ", " : "", names[i]);
    }
    WSR_TRY(wsr__str_status(&list));
    const char *const near = wsr__suggest(name, (const char *const *)names, n);
    const bool found = near != NULL;
    status = WSR_FAIL(WSR_NOTFOUND,
                      "%s: there is no '%.64s'%s%s%s, there are %.300s", what,
                      name, found ? ", did you mean '" : "", found ? near : "",
                      found ? "'" : "", n != 0 ? list.s : "none");
out:
    wsr__str_free(&list);
    wsr__names_free(names, n);
    return status;
}

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
