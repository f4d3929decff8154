// SPDX-License-Identifier: Apache-2.0
//
// Finds the four IDX files of MNIST and its relatives in a folder. They are
// published as .gz; Kaggle unpacks them, writes their names with a '.', and
// puts each into a folder of its own name as well; torchvision keeps them in
// NAME/raw.

#include "data/data.h"

#include <string.h>
#include <sys/stat.h>

bool wsr__is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

// "folder/below/name", an owned string, when it exists and is no folder. Not
// finding it is no failure: *out stays NULL.
static wsr_status try_file(char **out, const char *folder, const char *below,
                           const char *name, const char *suffix)
{
    wsr__str path = {0};
    *out = NULL;
    wsr__str_addf(&path, "%s/%s%s%s", folder, below, name, suffix);
    if (wsr__str_status(&path) == WSR_OK && wsr__file_exists(path.s) &&
        !wsr__is_folder(path.s)) {
        return wsr__str_give(out, &path);
    }
    const wsr_status status = wsr__str_status(&path);
    wsr__str_free(&path);
    return status;
}

// The file of a name in one of its spellings, below one folder. The compressed
// file is tried first, then the two with Kaggle's '.'.
static wsr_status try_names(char **out, const char *folder, const char *below,
                            const char *name)
{
    static const char *const suffixes[] = {".gz", ""};
    wsr_status status = WSR_OK;
    char dotted[64];
    (void)snprintf(dotted, sizeof(dotted), "%s", name);
    *strstr(dotted, "-idx") = '.';
    for (size_t i = 0; i < 4 && *out == NULL; i++) {
        WSR_TRY(try_file(out, folder, below, i < 2 ? name : dotted,
                         suffixes[i % 2]));
    }
out:
    return status;
}

// The folder itself, torchvision's places below it, then Kaggle's folder that
// has the file's own name. The first hit counts.
static wsr_status find_file(char **out, const char *folder, const char *name)
{
    static const char *const below[] = {"", "raw/", "FashionMNIST/raw/",
                                        "MNIST/raw/"};
    enum { N_BELOW = sizeof(below) / sizeof(below[0]) };
    wsr_status status = WSR_OK;
    char own[64];
    *out = NULL;
    for (size_t i = 0; i < N_BELOW && *out == NULL; i++) {
        WSR_TRY(try_names(out, folder, below[i], name));
    }
    if (*out == NULL) {
        (void)snprintf(own, sizeof(own), "%s/", name);
        WSR_TRY(try_names(out, folder, own, name));
    }
    if (*out == NULL) {
        status =
            WSR_FAIL(WSR_NOTFOUND, "%s/%s.gz: does not exist", folder, name);
    }
out:
    return status;
}

wsr_status wsr__idx_find(char **images, char **labels, const char *folder,
                         bool train)
{
    wsr_status status = WSR_OK;
    *labels = NULL;
    WSR_TRY(find_file(images, folder,
                      train ? "train-images-idx3-ubyte"
                            : "t10k-images-idx3-ubyte"));
    WSR_TRY(find_file(labels, folder,
                      train ? "train-labels-idx1-ubyte"
                            : "t10k-labels-idx1-ubyte"));
out:
    if (status != WSR_OK) {
        wsr__free(*images);
        *images = NULL;
    }
    return status;
}
