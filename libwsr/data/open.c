// SPDX-License-Identifier: Apache-2.0
//
// Opens a data set from a text such as "cifar10:FOLDER" or
// "synthetic:classes=4". The text names the member of the family and gives its
// options; the caller adds the split and the view, that is, zero-padding to a
// size and repetition of a grey channel. The images themselves stay as they are
// stored; the view is applied whenever one is read.

#include "data/files.h"

#include <string.h>

// The order of the list is the order in which help and messages name them.
static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "data/datasets.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__datasets = {"dataset", classes};

// Options of every data set, besides those of its class.
const wsr__option wsr__data_schema[] = {
    {.key = "size",
     .kind = WSR__INT,
     .offset = offsetof(wsr__data_params, size),
     .fallback = "0",
     .min = 0,
     .max = WSR__SIDE_MAX,
     .unit = "pixels",
     .help = "centre the images in a square of zeros, 0: as stored"},
    {.key = "channels",
     .kind = WSR__INT,
     .offset = offsetof(wsr__data_params, channels),
     .fallback = "0",
     .min = 0,
     .max = WSR__CHANNELS_MAX,
     .unit = "channels",
     .help = "repeat the channel of grey images, 0: as stored"},
    {.key = "limit",
     .kind = WSR__INT,
     .offset = offsetof(wsr__data_params, limit),
     .fallback = "0",
     .min = 0,
     .max = INT32_MAX,
     .unit = "samples",
     .help = "take the first samples, 0: all"},
    WSR__FILE_OPTIONS(0),
    {0},
};

const char *const wsr__broken_words[] = {"refuse", "skip", NULL};

// The checks name the option and its bounds. stored is (c, h, w) of the bytes,
// view the same of the floats.
static wsr_status apply_view(wsr_dataset *dataset,
                             const wsr__data_params *params)
{
    const wsr__image stored = dataset->stored;
    wsr__image view = stored;
    if (dataset->files != NULL) {
        return wsr__files_view(dataset, params);
    }
    const int64_t side = stored.h > stored.w ? stored.h : stored.w;
    if (params->size > 0) {
        if (params->size < side) {
            return WSR_FAIL(WSR_CONFIG,
                            "data.size: %lld is outside [%lld, %d] (images "
                            "of %lldx%lld)",
                            (long long)params->size, (long long)side,
                            WSR__SIDE_MAX, (long long)stored.h,
                            (long long)stored.w);
        }
        view.h = params->size;
        view.w = params->size;
    }
    if (params->channels > 0 && params->channels != stored.c) {
        if (stored.c != 1) {
            return WSR_FAIL(WSR_CONFIG,
                            "data.channels: %lld channels cannot become "
                            "%lld, only a grey channel is repeated",
                            (long long)stored.c, (long long)params->channels);
        }
        view.c = params->channels;
    }
    if (wsr__image_floats(view) > WSR__IMAGE_FLOATS) {
        return WSR_FAIL(
            WSR_CONFIG, "data: an image of %lldx%lldx%lld is too large",
            (long long)view.c, (long long)view.h, (long long)view.w);
    }
    wsr__dataset_view(dataset, view);
    return WSR_OK;
}

// The message shows the whole form, "idx:images,labels", since who forgot one
// path may not know the order of the others. `given` counts the paths that were
// there, so it is also the number of the first that is missing.
static wsr_status missing(const wsr__dataset_class *cls, size_t given)
{
    wsr_status status = WSR_OK;
    wsr__str form = {0};
    for (size_t i = 0; i < cls->required; i++) {
        wsr__str_addf(&form, "%s%s", i > 0 ? "," : "", cls->positional[i]);
    }
    WSR_TRY(wsr__str_status(&form));
    status = WSR_FAIL(WSR_CONFIG, "data: %s is missing, write %s:%s",
                      cls->positional[given], cls->super.name, form.s);
out:
    wsr__str_free(&form);
    return status;
}

// Set the options that "A,B,..." gives by position. If a data set has only one
// such option, it takes the whole text, commas and brackets included, so that
// most paths need no quotes.
static wsr_status set_positional(void *params, const wsr__dataset_class *cls,
                                 const char *text)
{
    wsr_status status = WSR_OK;
    wsr__str value = {0};
    wsr__str prefix = {0};
    size_t n = 0;
    const bool single = cls->positional[1] == NULL;
    wsr__str_addf(&prefix, "%s.", cls->super.name);
    WSR_TRY(wsr__str_status(&prefix));
    while (*text != '\0' && cls->positional[n] != NULL) {
        const size_t len = single ? strlen(text) : wsr__spec_piece(text);
        WSR_TRY(wsr__spec_unquote(&value, text, len));
        WSR_TRY(wsr__params_set(params, cls->super.schema, prefix.s,
                                cls->positional[n], value.s, NULL));
        n++;
        text += len + (text[len] == ',');
    }
    if (*text != '\0') {
        status = WSR_FAIL(WSR_CONFIG,
                          "data: %s takes at most %zu paths; a comma inside "
                          "one is written \\, or in double quotes",
                          cls->super.name, n);
        goto out;
    }
    if (n < cls->required) {
        status = missing(cls, n);
    }
out:
    wsr__str_free(&value);
    wsr__str_free(&prefix);
    return status;
}

// Decoded params belong to the caller, also when a later step fails.
static wsr_status parse_spec(const wsr__dataset_class **cls, void **params,
                             const char *spec)
{
    wsr_status status = WSR_OK;
    const wsr__class *found = NULL;
    const char *text = NULL;
    char name[64];
    *params = NULL;
    WSR_TRY(wsr__spec_split(name, sizeof(name), &text, spec));
    WSR_TRY(wsr__class_find(&found, &wsr__datasets, name));
    // The family's classes start with their super.
    *cls = (const wsr__dataset_class *)(const void *)found;
    if ((*cls)->positional == NULL) {
        WSR_TRY(wsr__class_params(params, found, text));
        goto out;
    }
    WSR_TRY(wsr__class_params(params, found, ""));
    WSR_TRY(set_positional(*params, *cls, text));
out:
    return status;
}

// Without a split the test images are meant, where there are any.
static wsr_status parse_split(wsr__split *out, const char *split)
{
    if (split == NULL) {
        *out = WSR__ANY;
    } else if (wsr__streq(split, "train")) {
        *out = WSR__TRAIN;
    } else if (wsr__streq(split, "test")) {
        *out = WSR__TEST;
    } else {
        return WSR_FAIL(WSR_CONFIG,
                        "data.split: '%.40s' is not one of train, test", split);
    }
    return WSR_OK;
}

// The class fills an otherwise zeroed data set, so that freeing it is right at
// every point of failure. The number of samples is bounded while loading, not
// afterwards: a limit also saves the time and memory of the rest.
wsr_status wsr__dataset_make(wsr_dataset **out, const char *spec,
                             const char *split, const wsr__data_params *params)
{
    wsr_status status = WSR_OK;
    wsr_dataset *dataset = NULL;
    const wsr__dataset_class *cls;
    void *options = NULL;
    wsr__request request = {.limit = params->limit > 0 ? (size_t)params->limit
                                                       : SIZE_MAX};
    *out = NULL;
    WSR_TRY(parse_split(&request.split, split));
    WSR_TRY(parse_spec(&cls, &options, spec));
    dataset = wsr__alloc(1, sizeof(*dataset));
    if (dataset == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(cls->load(dataset, options, &request));
    WSR_TRY(apply_view(dataset, params));
    *out = dataset;
    dataset = NULL;
out:
    wsr__free(options);
    wsr_dataset_free(dataset);
    return status;
}

// Images in memory are never reduced.
wsr_status wsr__dataset_at_size(wsr_dataset **out, const wsr_dataset *dataset,
                                int64_t size)
{
    const wsr__image stored = dataset->stored;
    wsr_status status = WSR_OK;
    *out = NULL;
    if (size < stored.h || size < stored.w) {
        return WSR_FAIL(
            WSR_CONFIG, "images of %lldx%lld pixels cannot be shown with %lld",
            (long long)stored.h, (long long)stored.w, (long long)size);
    }
    WSR_TRY(wsr_dataset_subset(out, dataset, 0, dataset->count));
    wsr__dataset_view(*out, (wsr__image){dataset->view.c, size, size});
out:
    return status;
}

wsr_status wsr_dataset_open(wsr_dataset **out, const char *spec,
                            const char *split, const char *options)
{
    wsr_status status = WSR_OK;
    wsr__data_params params;
    if (out == NULL || spec == NULL) {
        return WSR_FAIL(WSR_ARG, "wsr_dataset_open: %s is NULL",
                        out != NULL ? "spec" : "out");
    }
    *out = NULL;
    wsr__params_default(&params, wsr__data_schema);
    WSR_TRY(wsr__params_parse(&params, wsr__data_schema, "data.",
                              options != NULL ? options : ""));
    WSR_TRY(wsr__dataset_make(out, spec, split, &params));
out:
    return status;
}
