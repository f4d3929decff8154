// SPDX-License-Identifier: Apache-2.0
//
// A folder of images as torchvision's ImageFolder reads it: train/ and val/ (or
// test/) hold a folder for each class. Without train/ the folder itself holds
// the classes, and is the train split.

#include "data/files.h"

typedef struct params {
    wsr__text dir;
} params;

static const wsr__option schema[] = {
    {.key = "dir",
     .kind = WSR__TEXT,
     .offset = offsetof(params, dir),
     .fallback = "",
     .unit = "",
     .help = "folder of train/ and val/, or of the classes themselves"},
    {0},
};

static const char *const positional[] = {"dir", NULL};

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    const params *const p = options;
    static const char *const train[] = {"train", NULL};
    static const char *const test[] = {"val", "test", NULL};
    const wsr__folder_layout layout = {
        .root = p->dir.s,
        .train = train,
        .test = test,
        .bare = true,
        .view = {{3, 224, 224}, 0},
    };
    return wsr__folders_load(dataset, &layout, request);
}

const wsr__dataset_class wsr__dataset_imagefolder = {
    .super = {.name = "imagefolder",
              .summary = "JPEG and PNG files in a folder for each class",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .positional = positional,
    .required = 1,
    .load = load,
};
