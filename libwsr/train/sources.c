// SPDX-License-Identifier: Apache-2.0
//
// From the sections "data" and "net" of a configuration to data sets and a
// network that fits them. The schema of "data" is here, that of "net" in
// net/for_data.c, the constructors in data/ and net/.

#include "train/train.h"

#define DATA(field) offsetof(wsr__source_params, field)

// `limit` and `test_limit` read only as many images as needed.
const wsr__option wsr__source_schema[] = {
    {"spec", WSR__TEXT, DATA(spec), "fashion-mnist", 0, 0, "",
     "fashion-mnist[:DIR], cifar10:PATH, cifar100:PATH, imagenet:DIR, "
     "imagefolder:DIR, idx:IMAGES,LABELS, synthetic, ...",
     NULL},
    {"size", WSR__INT, DATA(view.size), "0", 0, WSR__SIDE_MAX, "pixels",
     "side of the images, zeros around them; 0: as stored", NULL},
    {"channels", WSR__INT, DATA(view.channels), "0", 0, WSR__CHANNELS_MAX, "",
     "repeat a grey channel; 0: as stored", NULL},
    {"limit", WSR__INT, DATA(view.limit), "0", 0, 1e9, "images",
     "first images of the training split, 0: all", NULL},
    {"test_limit", WSR__INT, DATA(test_limit), "0", 0, 1e9, "images",
     "first images of the test split, 0: all", NULL},
    WSR__FILE_OPTIONS(DATA(view)),
    {0},
};

// `test` may be NULL: a search needs the training split only. On failure
// neither data set is left.
wsr_status wsr__source_load(wsr_dataset **train, wsr_dataset **test,
                            const wsr__source_params *params)
{
    wsr_status status = WSR_OK;
    wsr__data_params view = params->view;
    *train = NULL;
    if (test != NULL) {
        *test = NULL;
    }
    WSR_TRY(wsr__dataset_make(train, params->spec.s, "train", &view));
    if (test != NULL) {
        view.limit = params->test_limit;
        WSR_TRY(wsr__dataset_make(test, params->spec.s, "test", &view));
    }
    if (wsr_dataset_classes(*train) < 2) {
        status = WSR_FAIL(WSR_CONFIG,
                          "data.spec: %.80s: has %lld classes, at least 2 are "
                          "told apart",
                          params->spec.s,
                          (long long)wsr_dataset_classes(*train));
        goto out;
    }
out:
    if (status != WSR_OK) {
        wsr_dataset_free(*train);
        *train = NULL;
        if (test != NULL) {
            wsr_dataset_free(*test);
            *test = NULL;
        }
    }
    // The presets of large data sets name a file or folder that most do not
    // have.
    return status == WSR_NOTFOUND
               ? wsr__fail_at(status, "data.spec must name the images")
               : status;
}

// Images are kept as bytes for the whole run.
void wsr__source_needs(wsr__needs *needs, const wsr_dataset *train,
                       const wsr_dataset *test)
{
    wsr__needs_memory(needs, "images",
                      wsr__dataset_bytes(train) +
                          (test != NULL ? wsr__dataset_bytes(test) : 0));
}

// A run of its own, as in a search, passes cells that it found. Reductions
// halve both sides, so images must be square.
static wsr_status check_config(const wsr__net_class *cls,
                               const wsr__net_options *options,
                               const void *cells, const wsr_shape *image)
{
    const void *const own = options;
    const wsr__cells_options *const named = cls->cells.key != NULL ? own : NULL;
    if (named != NULL && cells == NULL && named->cells.s[0] == '\0') {
        return WSR_FAIL(WSR_CONFIG,
                        "net.%s: is missing, the network that is to be "
                        "trained",
                        cls->cells.key);
    }
    if (image->dims[1] != image->dims[2]) {
        return WSR_FAIL(WSR_CONFIG,
                        "data: images of %lldx%lld pixels are not square, "
                        "data.size makes them so",
                        (long long)image->dims[1], (long long)image->dims[2]);
    }
    return wsr__normalize_fit(&options->normalize, "net.", image->dims[0]);
}

wsr_status wsr__network_from_config(wsr_net **out, const wsr__net_class *cls,
                                    const wsr__net_options *params,
                                    const void *cells,
                                    const wsr_dataset *dataset, uint64_t seed)
{
    wsr_status status = WSR_OK;
    const wsr_shape *const image = wsr_dataset_shape(dataset);
    void *copy = NULL;
    *out = NULL;
    WSR_TRY(check_config(cls, params, cells, image));
    WSR_TRY(wsr__class_copy(&copy, &cls->super, params));
    wsr__net_options *const options = copy;
    options->classes = wsr_dataset_classes(dataset);
    options->image_size = image->dims[1];
    options->image_channels = image->dims[0];
    WSR_TRY(wsr__net_make(out, cls, cells, options, seed));
out:
    wsr__free(copy);
    return status;
}
