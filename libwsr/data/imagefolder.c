// SPDX-License-Identifier: Apache-2.0
//
// A folder of images as torchvision's ImageFolder reads it: train/ and val/ (or
// test/) hold a folder for each class. Without train/ the folder itself holds
// the classes, and is the train split.

#include "data/files.h"

static const wsr__option schema[] = {
    WSR__DIR_OPTION("folder of train/ and val/, or of the classes themselves"),
    {0},
};

static const char *const positional[] = {"dir", NULL};

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    const wsr__dir_params *const p = options;
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
              .params_size = sizeof(wsr__dir_params)},
    .positional = positional,
    .required = 1,
    .load = load,
};
