// SPDX-License-Identifier: Apache-2.0
//
// ImageNet (ILSVRC 2012): train/ and val/ hold a folder for each synset, whose
// order is that of torchvision's classes. val/ may also hold the images
// themselves, as they are distributed; their labels are then in val.txt (Caffe)
// beside it or in it, or in Kaggle's LOC_val_solution.csv. Any number of
// synsets will do, so subsets are read as well.

#include "data/files.h"

static const wsr__option schema[] = {
    WSR__DIR_OPTION("folder of train/ and val/, or of Kaggle's ILSVRC/"),
    {0},
};

static const char *const positional[] = {"dir", NULL};

// "n01440764".
static bool is_synset(const char *name)
{
    size_t n = 1;
    if (name[0] != 'n') {
        return false;
    }
    while (name[n] >= '0' && name[n] <= '9') {
        n++;
    }
    return n == 9 && name[n] == '\0';
}

static wsr_status check_class(const char *name, const char *folder)
{
    return is_synset(name)
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT,
                          "%s: '%.80s' is no synset such as n01440764, "
                          "imagefolder:DIR reads other classes",
                          folder, name);
}

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    const wsr__dir_params *const p = options;
    static const char *const train[] = {"train", "ILSVRC/Data/CLS-LOC/train",
                                        NULL};
    static const char *const test[] = {"val", "ILSVRC/Data/CLS-LOC/val", NULL};
    static const char *const lists[] = {"val.txt", "val/val.txt",
                                        "LOC_val_solution.csv", NULL};
    const wsr__folder_layout layout = {
        .root = p->dir.s,
        .train = train,
        .test = test,
        .flat = "",
        .lists = lists,
        .check_class = check_class,
        .view = {{3, 224, 224}, 256},
    };
    return wsr__folders_load(dataset, &layout, request);
}

const wsr__dataset_class wsr__dataset_imagenet = {
    .super = {.name = "imagenet",
              .summary = "photographs of a thousand classes",
              .reference = "Russakovsky et al. 2015, arXiv:1409.0575",
              .schema = schema,
              .params_size = sizeof(wsr__dir_params)},
    .positional = positional,
    .required = 1,
    .load = load,
};
