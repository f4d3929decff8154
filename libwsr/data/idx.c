// SPDX-License-Identifier: Apache-2.0
//
// Grey images and labels from any pair of IDX files, e.g. MNIST or one's own;
// a second pair is the test split. The number of classes is the largest label
// of all files + 1, so that both splits agree.

#include "data/data.h"

typedef struct params {
    wsr__text images;
    wsr__text labels;
    wsr__text test_images;
    wsr__text test_labels;
} params;

static const wsr__option schema[] = {
    {.key = "images",
     .kind = WSR__TEXT,
     .offset = offsetof(params, images),
     .fallback = "",
     .unit = "",
     .help = "IDX file of images, may be .gz"},
    {.key = "labels",
     .kind = WSR__TEXT,
     .offset = offsetof(params, labels),
     .fallback = "",
     .unit = "",
     .help = "IDX file of labels, may be .gz"},
    {.key = "test_images",
     .kind = WSR__TEXT,
     .offset = offsetof(params, test_images),
     .fallback = "",
     .unit = "",
     .help = "images of the test split"},
    {.key = "test_labels",
     .kind = WSR__TEXT,
     .offset = offsetof(params, test_labels),
     .fallback = "",
     .unit = "",
     .help = "labels of the test split"},
    {0},
};

static const char *const positional[] = {"images", "labels", "test_images",
                                         "test_labels", NULL};

// Classes grow to those of the other split.
static wsr_status grow_classes(wsr_dataset *dataset, const char *labels)
{
    wsr_status status;
    unsigned char *raw = NULL;
    size_t count;
    int64_t classes;

    WSR_TRY(wsr__idx_labels(&raw, &count, labels));
    classes = wsr__idx_classes(raw, count);
    if (dataset->classes < classes) {
        dataset->classes = classes;
    }
out:
    wsr__free(raw);
    return status;
}

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    wsr_status status;
    const params *const p = options;
    const bool has_test = p->test_images.s[0] != '\0';
    const bool test = request->split == WSR__TEST ||
                      (request->split == WSR__ANY && has_test);

    if (has_test != (p->test_labels.s[0] != '\0')) {
        return WSR_FAIL(WSR_CONFIG,
                        "data: test_labels is missing, write "
                        "idx:images,labels,test_images,test_labels");
    }
    if (test && !has_test) {
        return WSR_FAIL(WSR_NOTFOUND,
                        "data.split: there is no test split, "
                        "write idx:images,labels,test_images,test_labels");
    }
    WSR_TRY(wsr__idx_load(dataset, test ? p->test_images.s : p->images.s,
                          test ? p->test_labels.s : p->labels.s,
                          request->limit));
    if (has_test) {
        WSR_TRY(grow_classes(dataset, test ? p->labels.s : p->test_labels.s));
    }
out:
    return status;
}

const wsr__dataset_class wsr__dataset_idx = {
    .super = {.name = "idx",
              .summary = "grey images from IDX files, the format of MNIST",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .positional = positional,
    .required = 2,
    .load = load,
};
