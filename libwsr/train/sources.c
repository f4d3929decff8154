// SPDX-License-Identifier: Apache-2.0
//
// From the sections "data" and "net" of a configuration to data sets and a
// network that fits them. All runs have these sections; the schemas are here,
// the constructors in data/ and net/.
//
// The data set determines the number of classes and the shape of the images,
// so the section "net" has no options for them.

#include "train/train.h"

#define DATA(field) offsetof(wsr__source_params, field)

// `limit` and `test_limit` read only as many images as needed.
const wsr__option wsr__source_schema[] = {
    {"spec", WSR__TEXT, DATA(spec), "fashion-mnist", 0, 0, "",
     "fashion-mnist[:DIR], cifar10:PATH, cifar100:PATH, idx:IMAGES,LABELS, "
     "synthetic",
     NULL},
    {"size", WSR__INT, DATA(size), "0", 0, WSR__SIDE_MAX, "pixels",
     "side of the images, zeros around them; 0: as stored", NULL},
    {"channels", WSR__INT, DATA(channels), "0", 0, WSR__CHANNELS_MAX, "",
     "repeat a grey channel; 0: as stored", NULL},
    {"limit", WSR__INT, DATA(limit), "0", 0, 1e9, "images",
     "first images of the training split, 0: all", NULL},
    {"test_limit", WSR__INT, DATA(test_limit), "0", 0, 1e9, "images",
     "first images of the test split, 0: all", NULL},
    {0},
};

// `test` may be NULL: a search needs the training split only. On failure
// neither data set is left.
wsr_status wsr__source_load(wsr_dataset **train, wsr_dataset **test,
                            const wsr__source_params *params)
{
    wsr_status status = WSR_OK;
    wsr__data_params view = {params->size, params->channels, params->limit};
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
    return status;
}

// Images are kept as bytes for the whole run.
void wsr__source_needs(wsr__needs *needs, const wsr_dataset *train,
                       const wsr_dataset *test)
{
    wsr__needs_memory(needs, "images",
                      wsr__dataset_bytes(train) +
                          (test != NULL ? wsr__dataset_bytes(test) : 0));
}

#define NET(field) offsetof(wsr__network_config, field)

const wsr__option wsr__network_config_schema[] = {
    {"genotype", WSR__TEXT, NET(genotype), "", 0, 0, "",
     "name of a genotype, or a file", NULL},
    {"codes", WSR__TEXT, NET(codes), "", 0, 0, "",
     "name of RobNet codes, or a file, instead of a genotype", NULL},
    {"channels", WSR__INT, NET(channels), "36", 1, 4096, "",
     "width of the first cells", NULL},
    {"layers", WSR__INT, NET(layers), "20", 1, 256, "cells", "number of cells",
     NULL},
    {"stem", WSR__WORD, NET(stem), "cifar", 0, 0, "",
     "what comes before the cells", wsr__stem_names},
    WSR__NORMALIZE_OPTIONS(NET(normalize)),
    {"auxiliary", WSR__BOOL, NET(auxiliary), "false", 0, 0, "",
     "second classifier in training", NULL},
    {"drop_path", WSR__FLOAT, NET(drop_path), "0", 0, 0.99, "",
     "probability of dropping an operation's result in training", NULL},
    {0},
};

static void fill_options(wsr__net_options *options,
                         const wsr__network_config *config,
                         const wsr_dataset *dataset)
{
    const wsr_shape *const image = wsr_dataset_shape(dataset);
    options->channels = config->channels;
    options->layers = config->layers;
    options->classes = wsr_dataset_classes(dataset);
    options->image_size = image->dims[1];
    options->image_channels = image->dims[0];
    options->stem = config->stem;
    options->normalize = config->normalize;
    options->auxiliary = config->auxiliary;
    options->drop_path = config->drop_path;
}

// A network has either a genotype or RobNet codes. A run of its own, as in a
// search, passes a genotype that it found, so the option may be empty.
// Reductions halve both sides, so images must be square.
static wsr_status check_config(const wsr__network_config *params,
                               const wsr_genotype *genotype,
                               const wsr_dataset *dataset)
{
    const wsr_shape *const image = wsr_dataset_shape(dataset);
    const bool named = params->genotype.s[0] != '\0' || genotype != NULL;
    const bool coded = params->codes.s[0] != '\0';
    if (named == coded) {
        return WSR_FAIL(WSR_CONFIG,
                        coded ? "net.codes: excludes net.genotype"
                              : "net.genotype: is missing, the network that "
                                "is to be trained");
    }
    if (coded && (params->auxiliary || params->drop_path > 0)) {
        return WSR_FAIL(WSR_CONFIG, "net.codes: excludes net.auxiliary and "
                                    "net.drop_path");
    }
    if (image->dims[1] != image->dims[2]) {
        return WSR_FAIL(WSR_CONFIG,
                        "data: images of %lldx%lld pixels are not square, "
                        "data.size makes them so",
                        (long long)image->dims[1], (long long)image->dims[2]);
    }
    return wsr__normalize_fit(&params->normalize, "net.", image->dims[0]);
}

// `genotype` and `codes` are used instead of the options' names, where they
// are given; NULL loads what the options name.
wsr_status wsr__network_from_config(wsr_net **out,
                                    const wsr__network_config *params,
                                    const wsr_genotype *genotype,
                                    const wsr_robnet_codes *codes,
                                    const wsr_dataset *dataset, uint64_t seed)
{
    wsr_status status = WSR_OK;
    const bool coded = params->codes.s[0] != '\0';
    const wsr__net_class *const cls = coded ? &wsr__net_robnet
                                            : &wsr__net_network;
    const void *const given = coded ? (const void *)codes : genotype;
    void *copy = NULL;
    *out = NULL;
    WSR_TRY(check_config(params, genotype, dataset));
    WSR_TRY(wsr__class_copy(&copy, &cls->super, NULL));
    wsr__net_options *const options = copy;
    fill_options(options, params, dataset);
    options->cells = coded ? params->codes : params->genotype;
    WSR_TRY(wsr__net_make(out, cls, given, options, seed));
out:
    wsr__free(copy);
    return status;
}
