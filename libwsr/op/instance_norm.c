// SPDX-License-Identifier: Apache-2.0
//
// Normalisation of each channel of each image; weight and bias, where given,
// have one number per channel.

#include "op/norm_groups.h"

#include <stddef.h>

typedef struct instance_norm_params {
    double tol;
} instance_norm_params;

static const wsr__option schema[] = {
    {"tol", WSR__FLOAT, offsetof(instance_norm_params, tol), "1e-5", 0, 1, "",
     "added to the variance", NULL},
    {0},
};

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    const wsr_shape *const src = &srcs[0];
    if (src->ndims < 3) {
        return wsr__op_shape_fail("source must have pixels", src);
    }
    return wsr__norm_infer_channels(dst, srcs, n);
}

// A group for each channel.
static wsr__norm_groups groups_of(const wsr__node *node)
{
    const instance_norm_params *const o = node->params;
    const int64_t channels = node->src[0].desc.shape.dims[1];
    return wsr__norm_of_channels(node, channels, o->tol);
}

static const wsr__norm_class division = {groups_of};

const wsr__op_class wsr__op_instance_norm = {
    .super = {"instance_norm", "normalisation of each channel of each image",
              "Ulyanov et al. 2016, arXiv:1607.08022", schema,
              sizeof(instance_norm_params)},
    .min_srcs = 1,
    .max_srcs = 3,
    .sources = "src (n, c, ...), weight (c) or none, bias (c) or none",
    .result = "as src",
    .infer = infer,
    .impls = wsr__norm_impls,
    .norm = &division,
};
