// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: that of the search, narrower.

#include "estimator/estimator.h"

static void build(wsr_value *dst, const wsr__estimator_graph *g)
{
    wsr__vector_build(dst, g, 4);
}

const wsr__estimator_class wsr__estimator_dummy = {
    .super = {"dummy", "four filters", "", wsr__vector_schema,
              sizeof(wsr__vector_options)},
    .build = build,
    .min_side = WSR__VECTOR_SIDE,
};
