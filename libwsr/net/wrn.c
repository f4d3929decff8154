// SPDX-License-Identifier: Apache-2.0
//
// Wide residual networks (Zagoruyko and Komodakis 2016, arXiv:1605.07146):
// three groups of (depth - 4) / 6 blocks of 16, 32 and 64 times `width`
// channels, before activation,
//
//   r = relu(norm(x)),  dst = shortcut + conv(relu(norm(conv(r)))),
//
// where the shortcut is x, or a 1x1 convolution of r where the width changes.
// Names and initial values are those of the repository of TRADES; its networks
// also hold a group `sub_block1`, which nothing uses but files contain. Its
// last pool takes 8x8 pixels.

#include "net/net.h"

enum { GROUPS = 3, BASE = 16, NAME_SIZE = 64, MOST_BLOCKS = 1666 };

typedef struct wrn_options {
    wsr__net_options super;
    int64_t depth;
    int64_t width;
    bool sub_block1;
} wrn_options;

#define AT(field) offsetof(wrn_options, field)

static const wsr__option schema[] = {
    {"depth", WSR__INT, AT(depth), "34", 10, 10000, "layers",
     "number of layers with weights, 6 n + 4", NULL},
    {"width", WSR__INT, AT(width), "10", 1, 256, "",
     "channels of the first blocks in units of 16", NULL},
    {"sub_block1", WSR__BOOL, AT(sub_block1), "false", 0, 0, "",
     "hold the parameters that files of TRADES have beside the network", NULL},
    WSR__NET_OPTIONS("3"),
    {0},
};

static const wrn_options *options_of(const wsr_net *net)
{
    const void *const options = net->options;
    return options;
}

static wsr_status check(const wsr_net *net)
{
    const int64_t depth = options_of(net)->depth;
    return depth % 6 == 4 ? WSR_OK
                          : WSR_FAIL(WSR_CONFIG,
                                     "wrn.depth: %lld is not 6 n + 4, such as "
                                     "28 or 34",
                                     (long long)depth);
}

static int64_t image_size(const wsr__net_options *options)
{
    (void)options;
    return 32;
}

// ------------------------------------------------------------------- building

// A shortcut is a convolution where the width changes, whatever the stride.
// Parameters are made in PyTorch's order: those of the shortcut last.
static wsr_value build_block(const wsr__site *site, int64_t width,
                             int64_t stride, wsr_value x)
{
    const bool same = wsr__site_size(site, x, 1) == width;
    const wsr_value r = wsr__build_relu(site, wsr__named_norm(site, "bn1", x));
    wsr_value y =
        wsr__named_conv(site, "conv1", WSR__NAMED_CONV(3, stride, width), r);
    y = wsr__build_relu(site, wsr__named_norm(site, "bn2", y));
    y = wsr__named_conv(site, "conv2", WSR__NAMED_CONV(3, 1, width), y);
    if (!same) {
        x = wsr__named_conv(site, "convShortcut",
                            WSR__NAMED_CONV(1, stride, width), r);
    }
    return wsr__op2(site->graph, "add", NULL, x, y);
}

typedef struct group {
    const char *name;
    int64_t width;
    int64_t stride;
} group;

static wsr_value build_group(const wsr_net *net, const wsr__site *site, group g,
                             wsr_value x)
{
    const size_t blocks = (size_t)(options_of(net)->depth - 4) / 6;
    for (size_t i = 0; i < blocks; i++) {
        const wsr_status before = site->graph->status;
        const wsr__site at = wsr__site_below(site, "%s.layer.%zu.", g.name, i);
        x = build_block(&at, g.width, i == 0 ? g.stride : 1, x);
        wsr__site_blame(&at, before);
    }
    return x;
}

// The unused group is only in the graph that makes all parameters.
static wsr_value body(const wsr__build *build, const wsr__site *site,
                      wsr_value x)
{
    const wsr_net *const net = build->net;
    const wrn_options *const options = options_of(net);
    const int64_t width = BASE * options->width;
    wsr__site at = *site;
    at.init = WSR__INIT_FAN_OUT;
    const group groups[] = {{"block1", width, 1},
                            {"block2", 2 * width, 2},
                            {"block3", 4 * width, 2}};
    x = wsr__named_conv(&at, "conv1", WSR__NAMED_CONV(3, 1, BASE), x);
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
        const wsr_value source = x;
        x = build_group(net, &at, groups[i], source);
        if (i == 0 && options->sub_block1 && build->all) {
            const group unused = {"sub_block1", width, 1};
            (void)build_group(net, &at, unused, source);
        }
        x = wsr__build_stage(build, source, x);
    }
    x = wsr__build_relu(&at, wsr__named_norm(&at, "bn1", x));
    x = wsr__build_last_pool(&at, 8, x);
    at.init = WSR__INIT_ZERO_BIAS;
    return wsr__named_linear(&at, "fc", options->super.classes, x);
}

// -------------------------------------------------------------- foreign files

static wsr_status infer(wsr__net_options *common,
                        const wsr__net_tensors *tensors, bool described)
{
    wrn_options *const options = (wrn_options *)common;
    char name[NAME_SIZE];
    int64_t n = 0;
    (void)described; // the tensors tell all
    do {
        (void)snprintf(name, sizeof(name), "block1.layer.%lld.conv1.weight",
                       (long long)n);
    } while (wsr__net_dim(tensors, name, 4, 0) > 0 && ++n < MOST_BLOCKS);
    const int64_t width =
        wsr__net_dim(tensors, "block1.layer.0.conv1.weight", 4, 0);
    common->classes = wsr__net_dim(tensors, "fc.weight", 2, 0);
    common->image_channels = wsr__net_dim(tensors, "conv1.weight", 4, 1);
    if (n == 0 || common->classes == 0 || common->image_channels == 0) {
        return WSR_FAIL(WSR_FORMAT, "it lacks conv1.weight, block1.layer.0."
                                    "conv1.weight or fc.weight");
    }
    if (width % BASE != 0) {
        return WSR_FAIL(WSR_FORMAT,
                        "block1.layer.0.conv1.weight has %lld rows, no "
                        "multiple of %d",
                        (long long)width, BASE);
    }
    options->depth = 6 * n + 4;
    options->width = width / BASE;
    options->sub_block1 =
        wsr__net_dim(tensors, "sub_block1.layer.0.conv1.weight", 4, 0) > 0;
    return WSR_OK;
}

const wsr__net_class wsr__net_wrn = {
    .super = {"wrn", "wide residual network", "arXiv:1605.07146", schema,
              sizeof(wrn_options)},
    .check = check,
    .body = body,
    .image_size = image_size,
    .anchor = "block1.layer.0.conv1.weight",
    .infer = infer,
};
