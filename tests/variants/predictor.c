// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: an LSTM of one number.

#include "predictor/predictor.h"

static const wsr__option schema[] = {
    WSR__PREDICTOR_OPTIONS,
    {0},
};

static wsr_value param(wsr_graph *g, const char *name, wsr_shape shape)
{
    return wsr__param_value(g, name, shape, (wsr__init){1, 0});
}

static wsr_value build(wsr_graph *g, const void *params, wsr_value x,
                       size_t heads)
{
    (void)params;
    const wsr_shape *const shape = wsr_graph_shape(g, x);
    const int64_t cols = shape == NULL ? 1 : shape->dims[2];
    const wsr_value srcs[] = {x, param(g, "w", wsr__shape2(4, cols)),
                              param(g, "u", wsr__shape2(4, 1)),
                              param(g, "b", wsr__shape1(4)),
                              param(g, "c", wsr__shape1(4))};
    const wsr_value h = wsr__opn(g, "lstm", NULL, srcs, 5);
    const int64_t n = (int64_t)heads;
    return wsr__op3(g, "linear", NULL, h, param(g, "v", wsr__shape2(n, 1)),
                    param(g, "d", wsr__shape1(n)));
}

const wsr__predictor_class wsr__predictor_dummy = {
    .super = {"dummy", "an LSTM of one number", "", schema,
              sizeof(wsr__predictor_options)},
    .build = build,
};
