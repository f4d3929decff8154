// SPDX-License-Identifier: Apache-2.0
//
// Fashion-MNIST: 28x28 grey images of ten kinds of clothing (Xiao, Rasul,
// Vollgraf 2017, arXiv:1708.07747), in the four files that its distribution
// and Debian's package dataset-fashion-mnist hold; idx_folder.c finds them.

#include "data/data.h"

typedef struct params {
    wsr__text dir;
} params;

static const wsr__option schema[] = {
    {.key = "dir",
     .kind = WSR__TEXT,
     .offset = offsetof(params, dir),
     .fallback = "/usr/share/datasets/fashion-mnist",
     .unit = "",
     .help = "folder of the four IDX files"},
    {0},
};

static const char *const positional[] = {"dir", NULL};

static const char *const names[] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};

// Of both splits, whatever labels the file at hand happens to hold.
enum { CLASSES = sizeof(names) / sizeof(names[0]) };

// The default folder is where Debian's package puts the files; who lacks them
// learns of the package from the message.
static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const bool train = request->split == WSR__TRAIN;
    char *images = NULL;
    char *labels = NULL;
    status = wsr__idx_find(&images, &labels, p->dir.s, train);
    if (status == WSR_NOTFOUND) {
        char missing[WSR__TEXT_SIZE + 64];
        (void)snprintf(missing, sizeof(missing), "%s", wsr_error_detail());
        status = WSR_FAIL(WSR_NOTFOUND,
                          "%s; Debian's package dataset-fashion-mnist has it, "
                          "or write fashion-mnist:DIR",
                          missing);
    }
    WSR_TRY(status);
    WSR_TRY(wsr__idx_load(dataset, images, labels, request->limit));
    if (dataset->classes > CLASSES) {
        status = WSR_FAIL(WSR_FORMAT, "%s: label %lld is outside [0, %d]",
                          labels, (long long)dataset->classes - 1, CLASSES - 1);
        goto out;
    }
    dataset->classes = CLASSES;
    dataset->names = names;
out:
    wsr__free(images);
    wsr__free(labels);
    return status;
}

const wsr__dataset_class wsr__dataset_fashion_mnist = {
    .super = {.name = "fashion-mnist",
              .summary = "28x28 grey images of ten kinds of clothing",
              .reference = "Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747",
              .schema = schema,
              .params_size = sizeof(params)},
    .positional = positional,
    .load = load,
};
