// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes network files. Files of this library carry a description in
// their metadata (net/describe.c). Files of other programs do not, so the
// reader infers what it can from names and shapes of tensors. Sizes are
// inferred in any case: a file whose metadata claim a huge network cannot make
// the reader allocate more than a small multiple of the file.

#include "io/io.h"

#include "io/format.h"
#include "net/net.h"
#include "onnx/onnx.h"

#include <string.h>

enum {
    PREFIX_SIZE = 128,
    NAME_SIZE = PREFIX_SIZE + 96,
    MOST_NAMES = 4, // in a message
    LIST_SIZE = 512 // of numbers as text
};

// What is known of the network in a file.
typedef struct reader {
    const wsr__st *st;
    char prefix[PREFIX_SIZE]; // of the network's names: "", "module.", ...
    const wsr__net_class *kind;
    wsr__net_options *options; // of the kind, as the tensors tell them
    // Of a layer in front of the network that normalises images, and its values
    // as "[a,b,c]"; NULL and "" where there is none.
    const wsr__st_tensor *mean_tensor;
    const wsr__st_tensor *std_tensor;
    char mean[LIST_SIZE];
    char std[LIST_SIZE];
} reader;

// For wsr__net_tensors. A tensor of more dimensions than a network's have is
// none of a network.
static wsr_shape shape_of(const void *ctx, const char *name)
{
    const reader *const r = ctx;
    char full[PREFIX_SIZE + NAME_SIZE];
    wsr_shape shape = {0};
    (void)snprintf(full, sizeof(full), "%s%s", r->prefix, name);
    const wsr__st_tensor *const t = wsr__st_find(r->st, full);
    if (t != NULL && t->ndims <= WSR_MAX_DIMS) {
        shape.ndims = (int)t->ndims;
        memcpy(shape.dims, t->dims, t->ndims * sizeof(*t->dims));
    }
    return shape;
}

static wsr__net_tensors tensors_of(const reader *r)
{
    return (wsr__net_tensors){.ctx = r, .shape = shape_of};
}

// Length of what stands before the name of a parameter that every network of
// the kind has, -1 for other names.
static int prefix_length(const wsr__net_class *kind, const char *name)
{
    const char *const anchor = wsr__net_anchor(kind);
    const size_t tail = strlen(anchor);
    const size_t n = strlen(name);
    if (n < tail || strcmp(name + n - tail, anchor) != 0 ||
        n - tail >= PREFIX_SIZE || (n > tail && name[n - tail - 1] != '.')) {
        return -1;
    }
    return (int)(n - tail);
}

static const wsr__net_class *kind_at(size_t i)
{
    return (const wsr__net_class *)wsr__nets.classes[i];
}

// The kind that the names of a file's tensors tell of. Kinds of cells share
// their anchor, so a name of a certain kind's own goes before it.
static const wsr__net_class *infer_kind(const wsr__st *st)
{
    const wsr__net_class *found = NULL;
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const char *const name = wsr__st_at(st, i)->name;
        for (size_t k = 0; wsr__nets.classes[k] != NULL; k++) {
            const wsr__net_class *const kind = kind_at(k);
            if (kind->tells != NULL && kind->tells(name)) {
                return kind;
            }
            if (found == NULL && prefix_length(kind, name) >= 0) {
                found = kind;
            }
        }
    }
    return found != NULL ? found : kind_at(0);
}

// A description that names no kind of ours fails later, by that name.
static const wsr__net_class *find_kind(const wsr__st *st)
{
    const char *const claimed = wsr__st_metadata(st, "wsr.kind");
    for (size_t k = 0; claimed != NULL && wsr__nets.classes[k] != NULL; k++) {
        if (wsr__streq(kind_at(k)->super.name, claimed)) {
            return kind_at(k);
        }
    }
    return infer_kind(st);
}

// Wrappers put words before the names: "module." (DataParallel), "_orig_mod."
// (torch.compile), "model." (Lightning), "1." (Sequential), or several.
static wsr_status find_prefix(reader *r)
{
    bool found = false;
    for (size_t i = 0; i < wsr__st_count(r->st); i++) {
        const char *const name = wsr__st_at(r->st, i)->name;
        const int n = prefix_length(r->kind, name);
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
    const bool fits = n == 1 || n == r->options->image_channels;
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
    void *options = NULL;
    const wsr__net_tensors tensors = tensors_of(r);
    r->kind = find_kind(r->st);
    WSR_TRY(find_prefix(r));
    WSR_TRY(wsr__class_copy(&options, &r->kind->super, NULL));
    r->options = options;
    status = wsr__net_infer(r->kind, r->options, &tensors, false);
    if (status == WSR_FORMAT) {
        status = wsr__fail_at(status, "%s", wsr__st_path(r->st));
    }
    WSR_TRY(status);
    WSR_TRY(find_normalization(r));
    WSR_TRY(check_beside(r));
out:
    return status;
}

// What metadata say. A layer that normalises goes before them.
static const char *get(void *ctx, const char *key)
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

static wsr_status make(wsr_net **out, reader *r,
                       const wsr__net_override *override)
{
    const wsr__net_tensors tensors = tensors_of(r);
    const wsr__net_source source = {.get = get,
                                    .ctx = r,
                                    .kind = r->kind->super.name,
                                    .tensors = &tensors,
                                    .override = override};
    const wsr_status status = wsr__net_from_source(out, &source, 0);
    return status == WSR_OK || status == WSR_NOMEM
               ? status
               : wsr__fail_at(status, "%s", wsr__st_path(r->st));
}

// Options given by the caller go before what the file says.
wsr_status wsr__net_from_file(wsr_net **out, const char *path,
                              const wsr__net_override *override)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    wsr_net *net = NULL;
    reader r = {0};
    *out = NULL;
    if (wsr__onnx_is_path(path)) {
        return wsr__net_from_onnx(out, path, override);
    }
    WSR_TRY(wsr__st_open(&st, path));
    r.st = st;
    WSR_TRY(infer(&r));
    WSR_TRY(make(&net, &r, override));
    WSR_TRY(wsr__st_read_params(net->params, st, r.prefix));
    *out = net;
    net = NULL;
out:
    wsr_net_free(net);
    wsr__free(r.options);
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

// Nothing is read into a network of another kind or size.
wsr_status wsr_net_load_params(wsr_net *net, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    reader r = {0};
    WSR_TRY(wsr__st_open(&st, path));
    r.st = st;
    WSR_TRY(infer(&r));
    status = wsr__net_agrees(net, get, &r);
    if (status != WSR_OK && status != WSR_NOMEM) {
        status = wsr__fail_at(status, "%s", path);
    }
    WSR_TRY(status);
    WSR_TRY(wsr__st_read_params(net->params, st, r.prefix));
out:
    wsr__free(r.options);
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
    const wsr__format_class *const format = wsr__format_for(path);
    if (format->write_net != NULL) {
        return format->write_net(net, path);
    }
    if (net->cls == &wsr__net_onnx) {
        return WSR_FAIL(WSR_ARG,
                        "%s: a network of an ONNX file is written as .onnx, "
                        "since other formats hold no graph",
                        path);
    }
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_set(builder, "format", "pt"));
    WSR_TRY(wsr__net_metadata(net, put, builder));
    WSR_TRY(wsr__st_add_params(builder, net->params, ""));
    WSR_TRY(wsr__st_write(builder, path));
out:
    wsr__st_builder_free(builder);
    return status;
}
