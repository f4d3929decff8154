// SPDX-License-Identifier: Apache-2.0
//
// Layers with names of their own, of which kinds without cells are made.

#include "net/net.h"
#include "op/params.h"

wsr_value wsr__named_conv(const wsr__site *site, const char *name,
                          wsr__layer layer, wsr_value x)
{
    const wsr__site at = wsr__site_below(site, "%s.", name);
    layer.kind = WSR__LAYER_CONV;
    layer.dilation[0] = 1;
    layer.dilation[1] = 1;
    return wsr__build_conv(&at, "weight", &layer, x);
}

wsr_value wsr__named_norm(const wsr__site *site, const char *name, wsr_value x)
{
    const wsr__site at = wsr__site_below(site, "%s.", name);
    return wsr__build_norm(&at, x);
}

wsr_value wsr__named_linear(const wsr__site *site, const char *name,
                            int64_t width, wsr_value x)
{
    wsr__site at = wsr__site_below(site, "%s.", name);
    at.channels = width;
    return wsr__build_linear(&at, x);
}

wsr_value wsr__build_relu(const wsr__site *site, wsr_value x)
{
    return wsr__op1(site->graph, "relu", NULL, x);
}

wsr_value wsr__build_max_pool(const wsr__site *site, wsr__pool2d pool,
                              wsr_value x)
{
    return wsr__op1_of(site->graph, &wsr__op_max_pool, &pool, x);
}

wsr_value wsr__build_flat(const wsr__site *site, wsr_value x)
{
    static const wsr__reshape_params flat = {.dims = {1, {-1}}};
    return wsr__op1_of(site->graph, &wsr__op_reshape, &flat, x);
}
