// SPDX-License-Identifier: Apache-2.0
//
// What the tensors of a file tell of a network: the lookup that all kinds use,
// and the kinds that are made of cells.

#include "net/net.h"

enum { NAME_SIZE = 96, MOST_LAYERS = 256 };

int64_t wsr__net_dim(const wsr__net_tensors *tensors, const char *name,
                     int ndims, int i)
{
    const wsr_shape shape = tensors->shape(tensors->ctx, name);
    return shape.ndims == ndims ? shape.dims[i] : 0;
}

static bool has(const wsr__net_tensors *tensors, const char *name)
{
    return tensors->shape(tensors->ctx, name).ndims != 0;
}

// ---------------------------------------------------------- networks of cells

static const char first_weights[] = "cells.0.preprocess1.op.1.weight";

// Output channels of the 1x1 convolution in front of each cell; its weights are
// (co, ci, 1, 1). 0: there is no such cell.
static int64_t cell_width(const wsr__net_tensors *tensors, size_t cell)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "cells.%zu.preprocess1.op.1.weight",
                   cell);
    return wsr__net_dim(tensors, name, 4, 0);
}

// Networks of a single space have residual blocks at a third and two thirds.
// How many cells follow the second, which may have no parameters, a description
// knows better.
static wsr_status infer_single(wsr__cells_options *options,
                               const wsr__net_tensors *tensors, bool described)
{
    size_t found[2] = {0, 0};
    size_t n = 0;
    for (size_t i = 0; i < MOST_LAYERS && n < 2; i++) {
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof(name), "cells.%zu.conv_a.op.1.weight", i);
        if (has(tensors, name)) {
            found[n++] = i;
        }
    }
    const int64_t first = (int64_t)found[0];
    const int64_t second = (int64_t)found[n > 0 ? n - 1 : 0];
    const bool agrees = options->layers / 3 == first &&
                        2 * options->layers / 3 == second;
    if (n == 0 || (second != 2 * first && second != 2 * first + 1)) {
        return WSR_FAIL(WSR_FORMAT, "%s is missing", first_weights);
    }
    options->layers = described && agrees ? options->layers
                                          : first + second + 1;
    options->channels = wsr__net_dim(tensors, "stem.0.weight", 4, 0);
    return WSR_OK;
}

// Number of cells, and the width of the first; the others must follow.
static wsr_status infer_cells(wsr__cells_options *options,
                              const wsr__net_tensors *tensors, bool described)
{
    size_t n = 0;
    while (n < MOST_LAYERS && cell_width(tensors, n) > 0) {
        n++;
    }
    if (n == 0) {
        return infer_single(options, tensors, described);
    }
    const bool halved = n / 3 == 0;
    const int64_t channels = cell_width(tensors, 0) / (halved ? 2 : 1);
    int64_t width = channels;
    for (size_t i = 0; i < n; i++) {
        width *= i == n / 3 || i == 2 * n / 3 ? 2 : 1;
        if (cell_width(tensors, i) != width) {
            return WSR_FAIL(WSR_FORMAT, "its cells do not double their width "
                                        "at a third and two thirds");
        }
    }
    options->channels = channels;
    options->layers = (int64_t)n;
    return WSR_OK;
}

// Stems differ in their names and number of convolutions. Some differ in their
// strides only, which no tensor shows: a description knows better.
static wsr_status infer_ends(wsr__cells_options *options,
                             const wsr__net_tensors *tensors, bool described)
{
    const bool one = has(tensors, "stem.0.weight");
    const int64_t colours =
        wsr__net_dim(tensors, one ? "stem.0.weight" : "stem0.0.weight", 4, 1);
    const int64_t classes = wsr__net_dim(tensors, "classifier.weight", 2, 0);
    if (colours == 0 || classes == 0) {
        return WSR_FAIL(WSR_FORMAT, "it lacks a stem or a classifier");
    }
    if (!described) {
        const bool deep = has(tensors, "stem0.3.weight");
        const char *const stem = one    ? "cifar"
                                 : deep ? "imagenet"
                                        : "imagenet_tiny";
        (void)snprintf(options->stem.s, sizeof(options->stem.s), "%s", stem);
    }
    options->super.classes = classes;
    options->super.image_channels = colours;
    options->auxiliary = has(tensors, "auxiliary_head.classifier.weight");
    return WSR_OK;
}

static wsr_status infer_network(wsr__net_options *options,
                                const wsr__net_tensors *tensors, bool described)
{
    wsr_status status = WSR_OK;
    wsr__cells_options *const own = (wsr__cells_options *)options;
    WSR_TRY(infer_cells(own, tensors, described));
    WSR_TRY(infer_ends(own, tensors, described));
out:
    return status;
}

// ------------------------------------------------------------------ all kinds

const char *wsr__net_anchor(const wsr__net_class *cls)
{
    return cls->anchor != NULL ? cls->anchor : first_weights;
}

// Sizes that no network of ours may have are refused before anything of that
// size is made.
static wsr_status check_bounds(const wsr__net_class *cls, const void *options)
{
    for (const wsr__option *o = cls->super.schema; o->key != NULL; o++) {
        if (wsr__value_check(o, (const char *)options + o->offset) != WSR_OK) {
            return wsr__fail_at(WSR_FORMAT, "%s", o->key);
        }
    }
    return WSR_OK;
}

wsr_status wsr__net_infer_inner(const wsr__net_class *cls,
                                wsr__net_options *options,
                                const wsr__net_tensors *tensors, bool described)
{
    const wsr_status status = cls->infer != NULL
                                  ? cls->infer(options, tensors, described)
                                  : infer_network(options, tensors, described);
    return status == WSR_OK ? check_bounds(cls, options) : status;
}

wsr_status wsr__net_infer(const wsr__net_class *cls, wsr__net_options *options,
                          const wsr__net_tensors *tensors, bool described)
{
    const wsr_status status =
        wsr__net_infer_inner(cls, options, tensors, described);
    return status == WSR_FORMAT ? wsr__fail_at(status, "is no network file")
                                : status;
}
