// SPDX-License-Identifier: Apache-2.0
//
// Builds layers from tables: each row becomes an op of the graph with its
// parameters, named and initialised as in PyTorch. Unless the site says
// otherwise, the weights and biases of convolutions and linear maps are uniform
// in [-1, 1] / sqrt(fan in), which is what PyTorch's
// kaiming_uniform_(a=sqrt(5)) comes to; kaiming_normal_() has the deviation
// sqrt(2 / fan). Params of ops are passed as structs, never as text.

#include "cell/cell.h"
#include "op/conv2d.h"
#include "op/pool.h"

#include <math.h>

static const wsr__init ones = {.value = 1};
static const wsr__init zeros = {0};

static wsr__init uniform(int64_t fan_in)
{
    return (wsr__init){.bound = (float)(1 / sqrt((double)fan_in))};
}

static wsr__init normal(int64_t fan)
{
    return (wsr__init){.deviation = (float)sqrt(2 / (double)fan)};
}

// The shape is (co, ci / groups, kh, kw) or (m, k).
static wsr__init weight_init(const wsr__site *site, const wsr_shape *shape)
{
    const int64_t count = wsr_shape_count(shape);
    switch (site->init) {
    case WSR__INIT_FAN_IN:
        return normal(count / shape->dims[0]);
    case WSR__INIT_FAN_OUT:
        return normal(count / shape->dims[1]);
    case WSR__INIT_ZERO:
        return zeros;
    case WSR__INIT_DEFAULT:
    case WSR__INIT_ZERO_BIAS:
    default:
        return uniform(count / shape->dims[0]);
    }
}

static wsr__init bias_init(const wsr__site *site, const wsr_shape *weights)
{
    return site->init == WSR__INIT_DEFAULT ? weight_init(site, weights) : zeros;
}

// Room for a prefix of WSR__SITE_PREFIX and the longest name of a layer.
static void name_of(char out[WSR__SITE_NAME], const wsr__site *site,
                    const char *name)
{
    (void)snprintf(out, WSR__SITE_NAME, "%s%s", site->prefix, name);
}

// Found again if it exists: plans of one network share their parameters.
static wsr_value param(const wsr__site *site, const char *name, wsr_shape shape,
                       wsr__init init)
{
    char full[WSR__SITE_NAME];
    name_of(full, site, name);
    return wsr__param_value(site->graph, full, shape, init);
}

// Not trained, but saved with the network.
static wsr_value buffer(const wsr__site *site, const char *name,
                        wsr_shape shape, float value)
{
    char full[WSR__SITE_NAME];
    name_of(full, site, name);
    return wsr__buffer_value(site->graph, full, shape, value);
}

// The number of batches that running statistics have seen, an integer.
static wsr_value counter(const wsr__site *site)
{
    static const char name[] = "num_batches_tracked";
    const wsr_value value = buffer(site, name, (wsr_shape){0}, 0);
    char full[WSR__SITE_NAME];
    name_of(full, site, name);
    wsr__param *const p = wsr__params_named(site->graph->params, full);
    if (p != NULL) {
        p->integer = true;
    }
    return value;
}

// Parameters of a norm over c channels are (c), in PyTorch's order.
wsr_value wsr__build_norm(const wsr__site *site, wsr_value x)
{
    const wsr_shape c = wsr__shape1(wsr__site_size(site, x, 1));
    wsr_value weight = 0;
    wsr_value bias = 0;
    if (site->affine) {
        weight = param(site, "weight", c, ones);
        bias = param(site, "bias", c, zeros);
    }
    const wsr_value mean = buffer(site, "running_mean", c, 0);
    const wsr_value var = buffer(site, "running_var", c, 1);
    const wsr_value srcs[] = {x, mean, var, counter(site), weight, bias};
    return wsr__opn(site->graph, "batch_norm", NULL, srcs,
                    site->affine ? 6 : 4);
}

static int64_t stride_of(const wsr__site *site, const wsr__layer *layer,
                         int axis)
{
    return layer->stride[axis] != 0 ? layer->stride[axis] : site->stride;
}

// Half of what the kernel spans: odd kernels keep the size at stride 1.
static int64_t pad_of(const wsr__layer *layer, int axis)
{
    return layer->valid ? 0
                        : layer->dilation[axis] * (layer->kernel[axis] - 1) / 2;
}

// weight is (co, ci / groups, kh, kw). Widths are counted in halves of the
// site's channels, since a factorised reduction makes two halves.
wsr_value wsr__build_conv(const wsr__site *site, const char *name,
                          const wsr__layer *layer, wsr_value x)
{
    const int64_t ci = wsr__site_size(site, x, 1);
    const bool depthwise = layer->kind == WSR__LAYER_DEPTHWISE;
    const int64_t wide = layer->width != 0 ? layer->width
                                           : layer->halves * site->channels / 2;
    const int64_t groups = depthwise ? ci : 1;
    const wsr_shape shape = wsr__shape4(depthwise ? ci : wide, ci / groups,
                                        layer->kernel[0], layer->kernel[1]);
    const wsr__conv2d conv = {
        .stride = {2, {stride_of(site, layer, 0), stride_of(site, layer, 1)}},
        .pad = {2, {pad_of(layer, 0), pad_of(layer, 1)}},
        .dilation = {2, {layer->dilation[0], layer->dilation[1]}},
        .groups = groups,
        .offset = layer->offset};
    wsr_value srcs[3] = {x,
                         param(site, name, shape, weight_init(site, &shape))};
    if (layer->bias) {
        srcs[2] = param(site, "bias", wsr__shape1(shape.dims[0]),
                        bias_init(site, &shape));
    }
    return wsr__opn_of(site->graph, &wsr__op_conv2d, &conv, srcs,
                       layer->bias ? 3 : 2);
}

// x is (n, k), weight (m, k).
wsr_value wsr__build_linear(const wsr__site *site, wsr_value x)
{
    const int64_t k = wsr__site_size(site, x, 1);
    const int64_t m = site->channels;
    const wsr_shape shape = wsr__shape2(m, k);
    const wsr_value weight =
        param(site, "weight", shape, weight_init(site, &shape));
    const wsr_value bias =
        param(site, "bias", wsr__shape1(m), bias_init(site, &shape));
    return wsr__op3(site->graph, "linear", NULL, x, weight, bias);
}

// Averages leave padding out (count_pad is false), as DARTS has it.
static wsr_value build_pool(const wsr__site *site, const wsr__layer *layer,
                            wsr_value x)
{
    const bool max = layer->kind == WSR__LAYER_MAX_POOL;
    const wsr__pool2d pool = wsr__pool2d_square(
        layer->kernel[0], stride_of(site, layer, 0), pad_of(layer, 0));
    return wsr__op1_of(site->graph, max ? &wsr__op_max_pool : &wsr__op_avg_pool,
                       &pool, x);
}

static wsr_value build_layer(const wsr__site *site, const wsr__layer *layer,
                             wsr_value x)
{
    switch (layer->kind) {
    case WSR__LAYER_RELU:
        return wsr__op1(site->graph, "relu", NULL, x);
    case WSR__LAYER_CONV:
    case WSR__LAYER_DEPTHWISE:
        return wsr__build_conv(site, "weight", layer, x);
    case WSR__LAYER_NORM:
        return wsr__build_norm(site, x);
    case WSR__LAYER_MAX_POOL:
    case WSR__LAYER_AVG_POOL:
        return build_pool(site, layer, x);
    case WSR__LAYER_END:
    default:
        return x;
    }
}

// Layer i is named "i.", as in nn.Sequential.
wsr_value wsr__build_layers(const wsr__site *site, const wsr__layer *layers,
                            wsr_value x)
{
    for (size_t i = 0; layers[i].kind != WSR__LAYER_END; i++) {
        const wsr__site at = wsr__site_below(site, "%zu.", i);
        x = build_layer(&at, &layers[i], x);
    }
    return x;
}

wsr_value wsr__cell_build_plain(const wsr__cell_class *cls,
                                const wsr__site *site, wsr_value x)
{
    return wsr__build_layers(site, cls->layers, x);
}

wsr_value wsr__cell_build_layers(const wsr__cell_class *cls,
                                 const wsr__site *site, wsr_value x)
{
    const wsr__site below = wsr__site_below(site, "op.");
    return wsr__build_layers(&below, cls->layers, x);
}

wsr_value wsr__build_relu_conv_norm(const wsr__site *site, wsr_value x)
{
    static const wsr__layer layers[] = {WSR__RELU, WSR__POINTWISE, WSR__NORM,
                                        WSR__LAYERS_END};
    const wsr__site below = wsr__site_below(site, "op.");
    return wsr__build_layers(&below, layers, x);
}
