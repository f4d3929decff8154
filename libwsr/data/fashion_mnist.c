// SPDX-License-Identifier: Apache-2.0
//
// Fashion-MNIST: 28x28 grey images of ten kinds of clothing (Xiao, Rasul,
// Vollgraf 2017, arXiv:1708.07747), in the four files that its distribution
// and Debian's package dataset-fashion-mnist hold, with or without .gz.

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

enum { CLASSES = sizeof names / sizeof names[0] };

// "dir/name.gz" if that is there, else "dir/name". NOTFOUND if neither is.
static wsr_status find_file(char **out, const char *dir, const char *name)
{
    wsr_status status = WSR_OK;
    wsr__str packed = {0};
    char *plain = NULL;

    *out = NULL;
    wsr__str_addf(&packed, "%s/%s.gz", dir, name);
    WSR_TRY(wsr__str_status(&packed));
    if (wsr__file_exists(packed.s)) {
        *out = packed.s;
        packed = (wsr__str){0};
        goto out;
    }
    plain = wsr__path_join(dir, name);
    if (!plain) {
        status = WSR_NOMEM;
        goto out;
    }
    if (!wsr__file_exists(plain)) {
        status = WSR_FAIL(WSR_NOTFOUND,
                          "%s: does not exist; Debian's package "
                          "dataset-fashion-mnist has it, or write "
                          "fashion-mnist:DIR",
                          packed.s);
        goto out;
    }
    *out = plain;
    plain = NULL;
out:
    wsr__str_free(&packed);
    wsr__free(plain);
    return status;
}

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    wsr_status status;
    const params *const p = options;
    const bool train = request->split == WSR__TRAIN;
    char *images = NULL;
    char *labels = NULL;

    WSR_TRY(find_file(&images, p->dir.s,
                      train ? "train-images-idx3-ubyte"
                            : "t10k-images-idx3-ubyte"));
    WSR_TRY(find_file(&labels, p->dir.s,
                      train ? "train-labels-idx1-ubyte"
                            : "t10k-labels-idx1-ubyte"));
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
