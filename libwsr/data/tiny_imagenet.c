// SPDX-License-Identifier: Apache-2.0
//
// Tiny ImageNet (CS231n, 2015): 64x64 images of 200 synsets. train/ has a
// folder for each synset, the images one deeper; val/ has them in one folder,
// with labels in val_annotations.txt, or, as many rearrange it, a folder for
// each synset. Labels follow the order of the synsets' names, as with
// ImageFolder.

#include "data/files.h"

#include <string.h>

static const wsr__option schema[] = {
    WSR__DIR_OPTION("folder of wnids.txt, train/ and val/"),
    {0},
};

static const char *const positional[] = {"dir", NULL};

enum { MOST_BYTES = 1 << 20, SIDE = 64 };

// The lines of wnids.txt, sorted.
static wsr_status read_wnids(wsr__names *out, const char *path)
{
    wsr_status status = WSR_OK;
    unsigned char *bytes = NULL;
    size_t size = 0;
    WSR_TRY(wsr__file_read(&bytes, &size, path, MOST_BYTES));
    char *word = (char *)bytes;
    for (;;) {
        word += strspn(word, " \t\r\n");
        const size_t n = strcspn(word, " \t\r\n");
        const bool last = word[n] == '\0';
        if (n == 0) {
            break;
        }
        word[n] = '\0';
        WSR_TRY(wsr__names_add(out, word));
        word += n + !last;
    }
    wsr__names_sort(out);
out:
    wsr__free(bytes);
    return status;
}

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    wsr_status status = WSR_OK;
    const wsr__dir_params *const p = options;
    static const char *const train[] = {"train", NULL};
    static const char *const test[] = {"val", NULL};
    static const char *const lists[] = {"val/val_annotations.txt", NULL};
    wsr__names wnids = {0};
    char *path = wsr__path_join(p->dir.s, "wnids.txt");
    const wsr__folder_layout layout = {
        .root = p->dir.s,
        .train = train,
        .test = test,
        .flat = "images",
        .lists = lists,
        .classes = &wnids,
        .classes_file = "wnids.txt",
        .view = {{3, SIDE, SIDE}, SIDE},
    };
    if (path == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(read_wnids(&wnids, path));
    WSR_TRY(wsr__folders_load(dataset, &layout, request));
out:
    wsr__names_free(&wnids);
    wsr__free(path);
    return status;
}

const wsr__dataset_class wsr__dataset_tiny_imagenet = {
    .super = {.name = "tiny-imagenet",
              .summary = "64x64 images of 200 classes of ImageNet",
              .reference = "Le and Yang 2015, Tiny ImageNet visual recognition "
                           "challenge",
              .schema = schema,
              .params_size = sizeof(wsr__dir_params)},
    .positional = positional,
    .required = 1,
    .load = load,
};
