// SPDX-License-Identifier: Apache-2.0
//
// Gives the same numbers other dimensions, in row-major order, as reshape
// does, but the first dimension takes what the others leave: (n, v, d) becomes
// (n v, d). So ops on rows work on the parts of each sample, and another view
// brings the samples back.

#include "op/params.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"dims", WSR__INTS, offsetof(wsr__view_params, dims), "[1]", 1, 1 << 30, "",
     "dimensions behind the first, which takes what they leave", NULL},
    {0},
};

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__view_params *const o = params;
    const int64_t count = wsr_shape_count(&srcs[0]);
    int64_t known = 1;
    bool fits = srcs[0].ndims > 0 && o->dims.n < WSR_MAX_DIMS;
    *dst = (wsr_shape){.ndims = (int)o->dims.n + 1};
    for (size_t i = 0; fits && i < o->dims.n; i++) {
        fits = o->dims.v[i] <= count / known; // and cannot overflow
        known *= fits ? o->dims.v[i] : 1;
        dst->dims[i + 1] = o->dims.v[i];
    }
    if (!fits || count % known != 0) {
        return wsr__op_shape_fail("dims must divide the numbers of the source",
                                  &srcs[0]);
    }
    dst->dims[0] = count / known;
    return WSR_OK;
}

static const wsr__impl *const impls[] = {&wsr__reshape_alias, NULL};

const wsr__op_class wsr__op_view = {
    .super = {"view", "other rows, same numbers", "", schema,
              sizeof(wsr__view_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "(as many as there are, dims)",
    .infer = infer,
    .impls = impls,
};
