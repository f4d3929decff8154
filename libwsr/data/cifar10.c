// SPDX-License-Identifier: Apache-2.0
//
// CIFAR-10: 32x32 colour images of ten classes (Krizhevsky 2009), from the
// binary version; the format is in cifar.c. The five train files are one split
// of 50,000 images, in the order in which they are listed here.

#include "data/data.h"

static const char *const train[] = {"data_batch_1.bin", "data_batch_2.bin",
                                    "data_batch_3.bin", "data_batch_4.bin",
                                    "data_batch_5.bin", NULL};

static const char *const test[] = {"test_batch.bin", NULL};

// Index: label, as in batches.meta.txt.
static const char *const names[] = {
    "airplane", "automobile", "bird",  "cat",  "deer",
    "dog",      "frog",       "horse", "ship", "truck",
};

// A record has one label byte.
static const int32_t label_ends[] = {10};

static const wsr__cifar_layout layout = {
    .archive = "cifar-10-binary.tar.gz",
    .folder = "cifar-10-batches-bin",
    .python = "cifar-10-batches-py",
    .train = train,
    .test = test,
    .label_bytes = 1,
    .label_ends = label_ends,
    .names = names,
};

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    return wsr__cifar_load(dataset, &layout, options, request);
}

const wsr__dataset_class wsr__dataset_cifar10 = {
    .super = {.name = "cifar10",
              .summary = "32x32 colour images of ten classes",
              .reference = "Krizhevsky 2009, Learning multiple layers of "
                           "features from tiny images",
              .schema = wsr__cifar_schema,
              .params_size = sizeof(wsr__cifar_params)},
    .positional = wsr__cifar_positional,
    .required = 1,
    .load = load,
};
