// SPDX-License-Identifier: Apache-2.0
//
// Sum along axes; each number gets the gradient of its sum.

#include "op/reduce.h"

static const wsr__reduce function = {
    .fold = wsr__reduce_add,
};

const wsr__op_class wsr__op_reduce_sum = {
    .super = {"reduce_sum", "sum along axes", "", wsr__reduce_schema,
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
