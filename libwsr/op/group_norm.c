// SPDX-License-Identifier: Apache-2.0
//
// Normalisation over groups of channels of each image; weight and bias, where
// given, have one number per channel.

#include "op/norm_groups.h"

#include <stddef.h>

typedef struct group_norm_params {
    double tol;
    int64_t groups;
} group_norm_params;

static const wsr__option schema[] = {
    {"tol", WSR__FLOAT, offsetof(group_norm_params, tol), "1e-5", 0, 1, "",
     "added to the variance", NULL},
    {"groups", WSR__INT, offsetof(group_norm_params, groups), "1", 1, 1 << 20,
     "", "of channels; 1: over all of them", NULL},
    {0},
};

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    const group_norm_params *const o = params;
    const wsr_shape *const src = &srcs[0];
    if (src->ndims < 2 || src->dims[1] % o->groups != 0) {
        return wsr__op_shape_fail("groups must divide the channels", src);
    }
    return wsr__norm_infer_channels(dst, srcs, n);
}

static wsr__norm_groups groups_of(const wsr__node *node)
{
    const group_norm_params *const o = node->params;
    return wsr__norm_of_channels(node, o->groups, o->tol);
}

static const wsr__norm_class division = {groups_of};

const wsr__op_class wsr__op_group_norm = {
    .super = {"group_norm", "normalisation over groups of channels",
              "Wu and He 2018, arXiv:1803.08494", schema,
              sizeof(group_norm_params)},
    .min_srcs = 1,
    .max_srcs = 3,
    .sources = "src (n, c, ...), weight (c) or none, bias (c) or none",
    .result = "as src",
    .infer = infer,
    .impls = wsr__norm_impls,
    .norm = &division,
};
