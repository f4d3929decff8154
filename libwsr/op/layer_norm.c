// SPDX-License-Identifier: Apache-2.0
//
// Normalisation over the last axes of each image or token; weight and bias,
// where given, have the shape of these axes.

#include "op/norm_groups.h"

#include <stddef.h>

typedef struct layer_norm_params {
    double tol;
    int64_t axes;
} layer_norm_params;

static const wsr__option schema[] = {
    {"tol", WSR__FLOAT, offsetof(layer_norm_params, tol), "1e-5", 0, 1, "",
     "added to the variance", NULL},
    {"axes", WSR__INT, offsetof(layer_norm_params, axes), "1", 1,
     WSR_MAX_DIMS - 1, "", "how many of the last axes are normalised over",
     NULL},
    {0},
};

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    const layer_norm_params *const o = params;
    const wsr_shape *const src = &srcs[0];
    if (o->axes >= src->ndims) {
        return wsr__op_shape_fail("source must have axes in front of these",
                                  src);
    }
    wsr_shape weight = {.ndims = (int)o->axes};
    for (int i = 0; i < weight.ndims; i++) {
        weight.dims[i] = src->dims[src->ndims - weight.ndims + i];
    }
    *dst = *src;
    return wsr__norm_check(&weight, srcs, n);
}

static wsr__norm_groups groups_of(const wsr__node *node)
{
    const layer_norm_params *const o = node->params;
    const wsr_shape *const src = &node->src[0].desc.shape;
    int64_t floats = 1;
    for (int i = src->ndims - (int)o->axes; i < src->ndims; i++) {
        floats *= src->dims[i];
    }
    return (wsr__norm_groups){.count = wsr_shape_count(src) / floats,
                              .floats = floats,
                              .groups = 1,
                              .weights = floats,
                              .repeat = 1,
                              .tol = o->tol};
}

static const wsr__norm_class division = {groups_of};

const wsr__op_class wsr__op_layer_norm = {
    .super = {"layer_norm", "normalisation over the last axes",
              "Ba et al. 2016, arXiv:1607.06450", schema,
              sizeof(layer_norm_params)},
    .min_srcs = 1,
    .max_srcs = 3,
    .sources = "src (n, ..., k), weight (k) or none, bias (k) or none",
    .result = "as src",
    .infer = infer,
    .impls = wsr__norm_impls,
    .norm = &division,
};
