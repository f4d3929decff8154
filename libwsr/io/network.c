// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes network files. Files of this library carry a description in
// their metadata (net/describe.c). Files of other programs do not, so the
// reader infers what it can from names and shapes of tensors. Sizes are
// inferred in any case: a file whose metadata claim a huge network cannot make
// the reader allocate more than a small multiple of the file.

#include "io/io.h"

#include "net/net.h"

#include <string.h>

enum {
    NUMBER_SIZE = 24,
    PREFIX_SIZE = 128,
    NAME_SIZE = PREFIX_SIZE + 96,
    MOST_LAYERS = 256,
    MOST_NAMES = 4, // in a message
    LIST_SIZE = 512 // of numbers as text
};

typedef struct number {
    char s[NUMBER_SIZE];
} number;

// What is known of the network in a file. Numbers are kept as text, since
// metadata are, and options too.
typedef struct reader {
    const wsr__st *st;
    char prefix[PREFIX_SIZE]; // of the network's names: "", "module.", ...
    const char *kind;
    const char *stem;
    const char *auxiliary;
    number channels;
    number layers;
    number classes;
    number image_channels;
    // Of a layer in front of the network that normalises images, and its values
    // as "[a,b,c]"; NULL and "" where there is none.
    const wsr__st_tensor *mean_tensor;
    const wsr__st_tensor *std_tensor;
    char mean[LIST_SIZE];
    char std[LIST_SIZE];
} reader;

static number as_number(int64_t value)
{
    number out;
    (void)snprintf(out.s, sizeof(out.s), "%lld", (long long)value);
    return out;
}

static const wsr__st_tensor *find(const reader *r, const char *name)
{
    char full[PREFIX_SIZE + NAME_SIZE];
    (void)snprintf(full, sizeof(full), "%s%s", r->prefix, name);
    return wsr__st_find(r->st, full);
}

// Rows of a convolution's or a linear map's weights, 0 when there are none.
static int64_t rows_of(const reader *r, const char *name)
{
    const wsr__st_tensor *const t = find(r, name);
    return t != NULL && t->ndims >= 2 ? t->dims[0] : 0;
}

// Output channels of the 1x1 convolution in front of each cell; its weights are
// (co, ci, 1, 1). 0: there is no such cell.
static int64_t cell_width(const reader *r, size_t cell)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "cells.%zu.preprocess1.op.1.weight",
                   cell);
    return rows_of(r, name);
}

// `why` names the tensor or the rule that is missing.
static wsr_status no_network(const reader *r, const char *why)
{
    return WSR_FAIL(WSR_FORMAT, "%s: is no network file, %s",
                    wsr__st_path(r->st), why);
}

// Number of cells, and the width of the first; the others must follow.
static wsr_status infer_cells(reader *r)
{
    size_t n = 0;
    while (n < MOST_LAYERS && cell_width(r, n) > 0) {
        n++;
    }
    if (n == 0) {
        return no_network(r, "cells.0.preprocess1.op.1.weight is missing");
    }
    const bool halved = n / 3 == 0;
    const int64_t channels = cell_width(r, 0) / (halved ? 2 : 1);
    int64_t width = channels;
    for (size_t i = 0; i < n; i++) {
        width *= i == n / 3 || i == 2 * n / 3 ? 2 : 1;
        if (cell_width(r, i) != width) {
            return no_network(r, "its cells do not double their width at a "
                                 "third and two thirds");
        }
    }
    r->channels = as_number(channels);
    r->layers = as_number((int64_t)n);
    return WSR_OK;
}

// Stems differ in their names and number of convolutions.
static wsr_status infer_ends(reader *r)
{
    const bool one = find(r, "stem.0.weight") != NULL;
    const wsr__st_tensor *const stem =
        find(r, one ? "stem.0.weight" : "stem0.0.weight");
    const int64_t classes = rows_of(r, "classifier.weight");
    if (stem == NULL || stem->ndims != 4 || classes == 0) {
        return no_network(r, "it lacks a stem or a classifier");
    }
    const bool deep = find(r, "stem0.3.weight") != NULL;
    r->stem = one ? "cifar" : deep ? "imagenet" : "imagenet_tiny";
    r->classes = as_number(classes);
    r->image_channels = as_number(stem->dims[1]);
    const bool two = find(r, "auxiliary_head.classifier.weight") != NULL;
    r->auxiliary = two ? "true" : "false";
    return WSR_OK;
}

// The kind that the name of a tensor tells of, NULL for most.
static const wsr__class *kind_of(const char *name)
{
    for (size_t i = 0; wsr__nets.classes[i] != NULL; i++) {
        const wsr__net_class *const cls =
            (const wsr__net_class *)wsr__nets.classes[i];
        if (cls->tells != NULL && cls->tells(name)) {
            return &cls->super;
        }
    }
    return NULL;
}

static const char *infer_kind(const wsr__st *st)
{
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const wsr__class *const cls = kind_of(wsr__st_at(st, i)->name);
        if (cls != NULL) {
            return cls->name;
        }
    }
    return wsr__nets.classes[0]->name;
}

// What the tensors tell goes before what metadata claim; only where they
// cannot know, metadata do.
static const char *get(void *ctx, const char *key)
{
    const reader *const r = ctx;
    const struct {
        const char *key;
        const char *value;
    } told[] = {{"wsr.channels", r->channels.s},
                {"wsr.layers", r->layers.s},
                {"wsr.classes", r->classes.s},
                {"wsr.image_channels", r->image_channels.s},
                {"wsr.auxiliary", r->auxiliary},
                {"wsr.mean", r->mean},
                {"wsr.std", r->std}};
    for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
        if (wsr__streq(told[i].key, key) && told[i].value[0] != '\0') {
            return told[i].value;
        }
    }
    const char *const claimed = wsr__st_metadata(r->st, key);
    if (claimed == NULL && wsr__streq(key, "wsr.kind")) {
        return r->kind;
    }
    if (claimed == NULL && wsr__streq(key, "wsr.stem")) {
        return r->stem;
    }
    return claimed;
}

// Length of what stands before the name of a network's first weights, -1 for
// other names.
static int prefix_length(const char *name)
{
    static const char first[] = "cells.0.preprocess1.op.1.weight";
    const size_t tail = sizeof(first) - 1;
    const size_t n = strlen(name);
    if (n < tail || strcmp(name + n - tail, first) != 0 ||
        n - tail >= PREFIX_SIZE || (n > tail && name[n - tail - 1] != '.')) {
        return -1;
    }
    return (int)(n - tail);
}

// Wrappers put words before the names: "module." (DataParallel), "_orig_mod."
// (torch.compile), "model." (Lightning), "1." (Sequential), or several.
static wsr_status find_prefix(reader *r)
{
    bool found = false;
    for (size_t i = 0; i < wsr__st_count(r->st); i++) {
        const char *const name = wsr__st_at(r->st, i)->name;
        const int n = prefix_length(name);
        if (n < 0) {
            continue;
        }
        if (found) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: holds two networks, '%s' and '%.*s', keep "
                            "the tensors of one",
                            wsr__st_path(r->st), r->prefix, n, name);
        }
        memcpy(r->prefix, name, (size_t)n);
        r->prefix[n] = '\0';
        found = true;
    }
    return WSR_OK;
}

// Not below the network's prefix: another module of the file.
static bool is_beside(const reader *r, const char *name)
{
    return strncmp(name, r->prefix, strlen(r->prefix)) != 0;
}

static const char *last_word(const char *name)
{
    const char *const dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

// The values of a tensor beside the network as "[a,b,c]"; nothing for one that
// has not one value, or one a channel.
static wsr_status read_list(char out[LIST_SIZE], const reader *r,
                            const wsr__st_tensor *t)
{
    wsr_status status = WSR_OK;
    float values[WSR__LIST_SIZE];
    wsr__str text = {0};
    int64_t n = 1;
    out[0] = '\0';
    for (size_t i = 0; i < t->ndims; i++) {
        n *= t->dims[i] > WSR__LIST_SIZE ? 0 : t->dims[i];
    }
    const bool fits = n == 1 || wsr__streq(as_number(n).s, r->image_channels.s);
    if (!wsr__st_is_float(t) || !fits || n > WSR__LIST_SIZE) {
        return WSR_OK;
    }
    WSR_TRY(wsr__st_read_f32(values, r->st, t->name, (size_t)n));
    for (int64_t i = 0; i < n; i++) {
        wsr__str_addf(&text, "%s%.9g", i == 0 ? "[" : ",", (double)values[i]);
    }
    wsr__str_add(&text, "]");
    WSR_TRY(wsr__str_status(&text));
    if (text.len < LIST_SIZE) {
        memcpy(out, text.s, text.len + 1);
    }
out:
    wsr__str_free(&text);
    return status;
}

// The tensor that is to the images' deviation what `mean` is to their mean;
// NULL when `mean` is none beside the network, or stands alone.
static const wsr__st_tensor *std_of(const reader *r, const wsr__st_tensor *mean)
{
    static const char *const words[][2] = {{"mean", "std"}, {"mu", "sigma"}};
    const char *const word = last_word(mean->name);
    for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++) {
        char name[WSR__ST_NAME];
        if (is_beside(r, mean->name) && wsr__streq(word, words[k][0])) {
            (void)snprintf(name, sizeof(name), "%.*s%s",
                           (int)(word - mean->name), mean->name, words[k][1]);
            return wsr__st_find(r->st, name);
        }
    }
    return NULL;
}

// Wrappers often hold a layer in front of the network that subtracts "mean"
// and divides by "std" (or "mu" and "sigma"): what net.mean and net.std do.
static wsr_status find_normalization(reader *r)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < wsr__st_count(r->st); i++) {
        const wsr__st_tensor *const mean = wsr__st_at(r->st, i);
        const wsr__st_tensor *const std = std_of(r, mean);
        if (std == NULL) {
            continue;
        }
        if (r->mean_tensor != NULL) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: two layers beside the network normalise "
                            "images, that of %.80s and that of %.80s",
                            wsr__st_path(r->st), r->mean_tensor->name,
                            mean->name);
        }
        r->mean_tensor = mean;
        r->std_tensor = std;
        WSR_TRY(read_list(r->mean, r, mean));
        WSR_TRY(read_list(r->std, r, std));
    }
out:
    return status;
}

static bool is_normalization(const reader *r, const wsr__st_tensor *t)
{
    return (t == r->mean_tensor || t == r->std_tensor) && r->mean[0] != '\0' &&
           r->std[0] != '\0';
}

// Whatever else stands beside a network in its wrapper would change what it
// computes, if it is a layer. The number of models that were averaged
// (AveragedModel) would not.
static wsr_status check_beside(const reader *r)
{
    static const char harmless[] = "n_averaged";
    wsr_status status = WSR_OK;
    wsr__str list = {0};
    size_t n = 0;
    for (size_t i = 0; i < wsr__st_count(r->st); i++) {
        const wsr__st_tensor *const t = wsr__st_at(r->st, i);
        if (!is_beside(r, t->name) || is_normalization(r, t) ||
            wsr__streq(last_word(t->name), harmless)) {
            continue;
        }
        if (n++ < MOST_NAMES) {
            wsr__str_addf(&list, "%s%.80s", n == 1 ? "" : ", ", t->name);
        }
    }
    WSR_TRY(wsr__str_status(&list));
    if (n > 0) {
        status = WSR_FAIL(WSR_FORMAT,
                          "%s: %zu tensors stand beside the network '%s' (%s%s)"
                          " and are not read, such as a layer whose mean and "
                          "std are not one value, or one a channel; remove "
                          "them, and say a normalisation by options",
                          wsr__st_path(r->st), n, r->prefix, list.s,
                          n > MOST_NAMES ? ", ..." : "");
    }
out:
    wsr__str_free(&list);
    return status;
}

static wsr_status infer(reader *r)
{
    wsr_status status = WSR_OK;
    WSR_TRY(find_prefix(r));
    WSR_TRY(infer_cells(r));
    WSR_TRY(infer_ends(r));
    WSR_TRY(find_normalization(r));
    WSR_TRY(check_beside(r));
    r->kind = infer_kind(r->st);
out:
    return status;
}

// Options given by the caller go before what the file says.
wsr_status wsr__net_from_file(wsr_net **out, const char *path,
                              const wsr__net_override *override)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    wsr_net *net = NULL;
    *out = NULL;
    WSR_TRY(wsr__st_open(&st, path));
    reader r = {.st = st};
    WSR_TRY(infer(&r));
    status = wsr__net_from_metadata(&net, get, &r, override, 0);
    if (status != WSR_OK && status != WSR_NOMEM) {
        status = wsr__fail_at(status, "%s", path);
    }
    WSR_TRY(status);
    WSR_TRY(wsr__st_read_params(net->params, st, r.prefix));
    *out = net;
    net = NULL;
out:
    wsr_net_free(net);
    wsr__st_free(st);
    return status;
}

wsr_status wsr_net_load(wsr_net **out, const char *path, const char *options)
{
    wsr_status status = WSR_OK;
    wsr__net_override override = {0};
    *out = NULL;
    WSR_TRY(wsr__params_parse_given(&override.values,
                                    wsr__net_override_schema(), override.given,
                                    "net.", options == NULL ? "" : options));
    WSR_TRY(wsr__net_from_file(out, path, &override));
out:
    return status;
}

// What metadata say, where tensors tell nothing.
static const char *claimed(void *ctx, const char *key)
{
    const reader *const r = ctx;
    if (r->mean[0] != '\0' && wsr__streq(key, "wsr.mean")) {
        return r->mean;
    }
    if (r->std[0] != '\0' && wsr__streq(key, "wsr.std")) {
        return r->std;
    }
    return wsr__st_metadata(r->st, key);
}

// Nothing is read into a network of another kind or size.
wsr_status wsr_net_load_params(wsr_net *net, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    WSR_TRY(wsr__st_open(&st, path));
    reader r = {.st = st};
    WSR_TRY(infer(&r));
    status = wsr__net_agrees(net, claimed, &r);
    if (status != WSR_OK && status != WSR_NOMEM) {
        status = wsr__fail_at(status, "%s", path);
    }
    WSR_TRY(status);
    WSR_TRY(wsr__st_read_params(net->params, st, r.prefix));
out:
    wsr__st_free(st);
    return status;
}

// Metadata of our own files, see net/describe.c.
static wsr_status put(void *ctx, const char *key, const char *value)
{
    return wsr__st_set(ctx, key, value);
}

// "format": "pt" tells other readers that names and layouts are PyTorch's.
wsr_status wsr_net_save(const wsr_net *net, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *builder = NULL;
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_set(builder, "format", "pt"));
    WSR_TRY(wsr__net_metadata(net, put, builder));
    WSR_TRY(wsr__st_add_params(builder, net->params, ""));
    WSR_TRY(wsr__st_write(builder, path));
out:
    wsr__st_builder_free(builder);
    return status;
}
