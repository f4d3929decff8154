// SPDX-License-Identifier: Apache-2.0
//
// Largest number along axes; a NaN wins. Equal numbers share the gradient, as
// in PyTorch's amax.

#include "op/reduce.h"

#include <math.h>

static double fold(double sum, const float *x, int64_t n, int64_t stride)
{
    double best = sum;
    for (int64_t i = 0; i < n; i++) {
        const double v = (double)x[i * stride];
        best = v > best || isnan(v) ? v : best;
    }
    return best;
}

static const wsr__reduce function = {
    .fold = fold,
    .start = (double)-INFINITY,
    .extreme = true,
};

const wsr__op_class wsr__op_reduce_max = {
    .super = {"reduce_max", "largest number along axes", "", wsr__reduce_schema,
              sizeof(wsr__reduce_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src, with one element or none for each of the axes",
    .infer = wsr__reduce_infer,
    .impls = wsr__reduce_impls,
    .reduce = &function,
    .piecewise_linear = 1u,
};
