// SPDX-License-Identifier: Apache-2.0
//
// The small convolutional network with which MNIST is defended (Zhang et al.
// 2019, arXiv:1901.08573; Carlini and Wagner 2017): twice two 3x3 convolutions
// without padding and a max pool, then three linear maps. Names and initial
// values are those of SmallCNN in the repository of TRADES: the last map starts
// at 0. Training graphs may have its dropout, behind the first linear map.

#include "net/net.h"

#include <stddef.h>

enum { HIDDEN = 200, LEAST = 16, MOST = 4096 };

typedef struct small_cnn {
    wsr__net_options super;
    double dropout;
} small_cnn;

static const wsr__option schema[] = {
    WSR__NET_OPTIONS("1"),
    {"dropout", WSR__FLOAT, offsetof(small_cnn, dropout), "0", 0, 0.99, "",
     "probability that training drops a value behind the first linear map; "
     "TRADES: 0.5",
     NULL},
    {0},
};

static double dropout(const wsr__net_options *options)
{
    const void *const own = options;
    return ((const small_cnn *)own)->dropout;
}

// Zeros, and elsewhere one over the probability of staying. See
// wsr_net_dropout().
static wsr_value drop(const wsr__build *build, const wsr__site *site,
                      wsr_value x)
{
    if (!build->training || dropout(build->net->options) <= 0) {
        return x;
    }
    const wsr_value mask =
        wsr__input(site->graph, WSR__DROPOUT_NAME, (wsr_shape){2, {1, HIDDEN}});
    return wsr__op2(site->graph, "mul", NULL, x, mask);
}

// Both pools halve, and the four convolutions take 2 pixels each.
static int64_t side_behind(int64_t image_size)
{
    return ((image_size - 4) / 2 - 4) / 2;
}

static wsr_status check(const wsr_net *net)
{
    const int64_t size = net->options->image_size;
    return size >= LEAST
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG,
                          "small_cnn.image_size: %lld is below %d, which its "
                          "convolutions and pools reduce to a pixel",
                          (long long)size, LEAST);
}

static int64_t image_size(const wsr__net_options *options)
{
    (void)options;
    return 28;
}

static wsr_value convolve(const wsr__site *site, const char *name,
                          int64_t width, wsr_value x)
{
    wsr__layer conv = WSR__NAMED_CONV(3, 1, width);
    conv.valid = true;
    conv.bias = true;
    return wsr__build_relu(site, wsr__named_conv(site, name, conv, x));
}

// Two convolutions and a pool.
static wsr_value build_half(const wsr__build *build, const wsr__site *site,
                            const char *const names[2], int64_t width,
                            wsr_value x)
{
    const wsr__pool2d pool = wsr__pool2d_square(2, 2, 0);
    wsr_value y = convolve(site, names[0], width, x);
    y = convolve(site, names[1], width, y);
    return wsr__build_stage(build, x, wsr__build_max_pool(site, pool, y));
}

static wsr_value body(const wsr__build *build, const wsr__site *site,
                      wsr_value x)
{
    static const char *const names[2][2] = {{"conv1", "conv2"},
                                            {"conv3", "conv4"}};
    wsr__site features = wsr__site_below(site, "feature_extractor.");
    wsr__site at = wsr__site_below(site, "classifier.");
    features.init = WSR__INIT_FAN_IN;
    x = build_half(build, &features, names[0], 32, x);
    x = build_half(build, &features, names[1], 64, x);
    x = wsr__named_linear(&at, "fc1", HIDDEN, wsr__build_flat(site, x));
    x = drop(build, site, wsr__build_relu(site, x));
    x = wsr__named_linear(&at, "fc2", HIDDEN, x);
    at.init = WSR__INIT_ZERO;
    return wsr__named_linear(&at, "fc3", build->net->options->classes,
                             wsr__build_relu(site, x));
}

// The first linear map tells the size of the images, but for a pixel or two
// that the pools leave out: a description knows better.
static wsr_status infer(wsr__net_options *options,
                        const wsr__net_tensors *tensors, bool described)
{
    const int64_t width =
        wsr__net_dim(tensors, "feature_extractor.conv4.weight", 4, 0);
    const int64_t inputs = wsr__net_dim(tensors, "classifier.fc1.weight", 2, 1);
    options->classes = wsr__net_dim(tensors, "classifier.fc3.weight", 2, 0);
    options->image_channels =
        wsr__net_dim(tensors, "feature_extractor.conv1.weight", 4, 1);
    if (width == 0 || inputs == 0 || options->classes == 0 ||
        options->image_channels == 0) {
        return WSR_FAIL(WSR_FORMAT,
                        "it lacks feature_extractor.conv1.weight, "
                        "feature_extractor.conv4.weight, classifier.fc1.weight "
                        "or classifier.fc3.weight");
    }
    const int64_t behind = side_behind(options->image_size);
    if (!described || behind * behind * width != inputs) {
        int64_t size = LEAST;
        while (size < MOST &&
               side_behind(size) * side_behind(size) * width < inputs) {
            size += 4;
        }
        options->image_size = size;
    }
    return WSR_OK;
}

const wsr__net_class wsr__net_small_cnn = {
    .super = {"small_cnn", "small convolutional network for MNIST",
              "arXiv:1901.08573", schema, sizeof(small_cnn)},
    .check = check,
    .body = body,
    .dropout = dropout,
    .image_size = image_size,
    .anchor = "feature_extractor.conv1.weight",
    .infer = infer,
};
