// SPDX-License-Identifier: Apache-2.0
//
// Network files. Our own carry a description (net/describe.c); of files that
// other programs wrote, and of the sizes in any file, the tensors themselves
// tell: what metadata claim can then not make a reader allocate more than a
// small multiple of the file.

#include "io/io.h"

#include "net/net.h"

#include <string.h>

enum { NUMBER_SIZE = 24, NAME_SIZE = 96, MOST_LAYERS = 256 };

typedef struct number {
    char s[NUMBER_SIZE];
} number;

typedef struct reader {
    const wsr__st *st;
    const char *prefix; // of all names: "" or "module."
    const char *kind;
    const char *stem;
    const char *auxiliary;
    number channels;
    number layers;
    number classes;
    number image_channels;
} reader;

static number as_number(int64_t value)
{
    number out;
    (void)snprintf(out.s, sizeof(out.s), "%lld", (long long)value);
    return out;
}

static const wsr__st_tensor *find(const reader *r, const char *name)
{
    char full[NAME_SIZE];
    (void)snprintf(full, sizeof(full), "%s%s", r->prefix, name);
    return wsr__st_find(r->st, full);
}

// Rows of a convolution's or a linear map's weights, 0 when there are none.
static int64_t rows_of(const reader *r, const char *name)
{
    const wsr__st_tensor *const t = find(r, name);
    return t != NULL && t->ndims >= 2 ? t->dims[0] : 0;
}

static int64_t cell_width(const reader *r, size_t cell)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "cells.%zu.preprocess1.op.1.weight",
                   cell);
    return rows_of(r, name);
}

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

static const char *infer_kind(const wsr__st *st)
{
    for (size_t i = 0; i < wsr__st_count(st); i++) {
        const char *const name = wsr__st_at(st, i)->name;
        if (strstr(name, "._ops.0._ops.") != NULL) {
            return "supernet";
        }
        if (strstr(name, ".op.op.") != NULL ||
            strstr(name, ".op.conv.op.") != NULL) {
            return "robnet";
        }
    }
    return "network";
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
                {"wsr.auxiliary", r->auxiliary}};
    for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
        if (wsr__streq(told[i].key, key)) {
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

static wsr_status infer(reader *r)
{
    wsr_status status = WSR_OK;
    r->prefix = "module.";
    if (find(r, "classifier.weight") == NULL) {
        r->prefix = "";
    }
    WSR_TRY(infer_cells(r));
    WSR_TRY(infer_ends(r));
    r->kind = infer_kind(r->st);
out:
    return status;
}

wsr_status wsr_net_load(wsr_net **out, const char *path, const char *options)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    wsr_net *net = NULL;
    *out = NULL;
    WSR_TRY(wsr__st_open(&st, path));
    reader r = {.st = st};
    WSR_TRY(infer(&r));
    status = wsr__net_from_metadata(&net, get, &r, options, 0);
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

static wsr_status put(void *ctx, const char *key, const char *value)
{
    return wsr__st_set(ctx, key, value);
}

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
