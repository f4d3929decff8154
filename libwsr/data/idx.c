// SPDX-License-Identifier: Apache-2.0
//
// Images and labels from any pair of IDX files, e.g. MNIST or one's own; a
// second pair is the test split. A folder stands for the four files of MNIST.
// The number of classes is the largest label of all files + 1, so that both
// splits agree.

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
     .help = "IDX file of images, may be .gz, or a folder of MNIST's four"},
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

// Classes grow to those of the other split. A network trained on one split must
// have an output for every label of the other.
static wsr_status grow_classes(wsr_dataset *dataset, const char *labels)
{
    wsr_status status = WSR_OK;
    unsigned char *raw = NULL;
    size_t count = 0;
    int64_t classes = 0;
    WSR_TRY(wsr__idx_labels(&raw, &count, labels));
    classes = wsr__idx_classes(raw, count);
    if (dataset->classes < classes) {
        dataset->classes = classes;
    }
out:
    wsr__free(raw);
    return status;
}

// Load a pair; `others` are the labels of the other split, NULL for none. Only
// labels of the other split are read, never its images.
static wsr_status load_pair(wsr_dataset *dataset, const char *images,
                            const char *labels, const char *others,
                            size_t limit)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__idx_load(dataset, images, labels, limit));
    if (others != NULL) {
        WSR_TRY(grow_classes(dataset, others));
    }
out:
    return status;
}

// The split that is asked for, from a folder of MNIST's four files. WSR__ANY
// takes the test split if it is there, else the train split. files[0] are
// images and labels of the split, files[1] those of the other, which may be
// absent.
static wsr_status load_folder(wsr_dataset *dataset, const char *folder,
                              const wsr__request *request)
{
    wsr_status status = WSR_OK;
    bool train = request->split == WSR__TRAIN;
    char *files[2][2] = {{NULL}};
    status = wsr__idx_find(&files[0][0], &files[0][1], folder, train);
    if (status == WSR_NOTFOUND && request->split == WSR__ANY) {
        train = true;
        status = wsr__idx_find(&files[0][0], &files[0][1], folder, train);
    }
    WSR_TRY(status);
    status = wsr__idx_find(&files[1][0], &files[1][1], folder, !train);
    WSR_TRY(status == WSR_NOTFOUND ? WSR_OK : status);
    WSR_TRY(load_pair(dataset, files[0][0], files[0][1], files[1][1],
                      request->limit));
out:
    for (size_t i = 0; i < 4; i++) {
        wsr__free(files[i / 2][i % 2]);
    }
    return status;
}

// Without labels, `images` must be a folder.
static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    const params *const p = options;
    const bool has_test = p->test_images.s[0] != '\0';
    const bool test = request->split == WSR__TEST ||
                      (request->split == WSR__ANY && has_test);
    if (p->labels.s[0] == '\0') {
        if (wsr__is_folder(p->images.s)) {
            return load_folder(dataset, p->images.s, request);
        }
        return WSR_FAIL(WSR_CONFIG,
                        "data: labels is missing, write idx:images,labels, or "
                        "idx:FOLDER for a folder of MNIST's four files");
    }
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
    const char *const others = test ? p->labels.s : p->test_labels.s;
    return load_pair(dataset, test ? p->test_images.s : p->images.s,
                     test ? p->test_labels.s : p->labels.s,
                     has_test ? others : NULL, request->limit);
}

const wsr__dataset_class wsr__dataset_idx = {
    .super = {.name = "idx",
              .summary = "images from IDX files, the format of MNIST",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .positional = positional,
    .required = 1,
    .load = load,
};
