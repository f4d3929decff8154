// SPDX-License-Identifier: Apache-2.0
//
// Residual networks (He et al. 2016, arXiv:1512.03385): four groups of blocks,
// each but the first of which halves the image and doubles the width. A block
// adds to its source what its convolutions make of it,
//
//   dst = relu(shortcut(x) + norm(conv(relu(norm(conv(x)))))),
//
// or, before activation (He et al. 2016, arXiv:1603.05027), with the norms and
// relus in front of the convolutions and shortcut(relu(norm(x))). Shortcuts
// that change the shape are 1x1 convolutions. Some published networks apply
// these to x itself (shortcut=source), and some have no norm behind the last
// block; no tensor tells the former.
//
// With the ImageNet stem, names and initial values are those of torchvision;
// with the CIFAR stem, those of the repository of TRADES, whose last pool takes
// 4x4 pixels. Networks before activation start as kaiming_normal_ by fan out.

#include "net/net.h"

enum { GROUPS = 4, NAME_SIZE = 64, MOST_BLOCKS = 64 };

typedef struct resnet_options {
    wsr__net_options super;
    int64_t depth;
    int64_t width;
    wsr__text stem;
    bool pre_activation;
    wsr__text shortcut;
    bool last_norm;
} resnet_options;

static const char *const stems[] = {"cifar", "imagenet", NULL};
static const char *const shortcuts[] = {"activated", "source", NULL};

#define AT(field) offsetof(resnet_options, field)

static const wsr__option schema[] = {
    {"depth", WSR__INT, AT(depth), "18", 1, 10000, "layers",
     "number of layers with weights: 18, 34, 50, 101 or 152", NULL},
    {"width", WSR__INT, AT(width), "64", 1, 4096, "",
     "channels of the first blocks", NULL},
    {"stem", WSR__WORD, AT(stem), "cifar", 0, 0, "",
     "what comes before the blocks", stems},
    {"pre_activation", WSR__BOOL, AT(pre_activation), "false", 0, 0, "",
     "norms and relus in front of the convolutions", NULL},
    {"shortcut", WSR__WORD, AT(shortcut), "activated", 0, 0, "",
     "what 1x1 convolutions read before activation", shortcuts},
    {"last_norm", WSR__BOOL, AT(last_norm), "true", 0, 0, "",
     "before activation: norm and relu behind the last block", NULL},
    WSR__NET_OPTIONS("3"),
    {0},
};

typedef struct variant {
    int64_t depth;
    bool bottleneck; // 1x1, 3x3 and 1x1 to the fourfold width, not twice 3x3
    size_t blocks[GROUPS];
} variant;

static const variant variants[] = {
    {18, false, {2, 2, 2, 2}},  {34, false, {3, 4, 6, 3}},
    {50, true, {3, 4, 6, 3}},   {101, true, {3, 4, 23, 3}},
    {152, true, {3, 8, 36, 3}},
};

enum { VARIANTS = sizeof(variants) / sizeof(*variants) };

// NULL for a depth that is not permitted.
static const variant *variant_of(int64_t depth)
{
    size_t i = 0;
    while (i < VARIANTS && variants[i].depth != depth) {
        i++;
    }
    return i < VARIANTS ? &variants[i] : NULL;
}

static const resnet_options *options_of(const wsr_net *net)
{
    const void *const options = net->options;
    return options;
}

static bool is_imagenet(const resnet_options *options)
{
    return wsr__streq(options->stem.s, "imagenet");
}

static wsr_status check(const wsr_net *net)
{
    const int64_t depth = options_of(net)->depth;
    return variant_of(depth) != NULL
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG,
                          "resnet.depth: %lld is not one of 18, 34, 50, 101, "
                          "152",
                          (long long)depth);
}

static int64_t image_size(const wsr__net_options *options)
{
    return is_imagenet((const resnet_options *)options) ? 224 : 32;
}

// ------------------------------------------------------------------- building

typedef struct block {
    const resnet_options *options;
    wsr__site site; // prefix "layer1.0."
    bool bottleneck;
    int64_t width; // of the 3x3 convolutions
    int64_t stride;
} block;

// Convolution `i` of a block, the stride of which the 3x3 one of a bottleneck
// has, otherwise the first.
static wsr_value convolve(const block *b, int i, wsr_value x)
{
    char name[NAME_SIZE];
    const bool small = b->bottleneck && i != 2;
    const bool strided = i == (b->bottleneck ? 2 : 1);
    const int64_t k = small ? 1 : 3;
    const int64_t s = strided ? b->stride : 1;
    const int64_t width = (i == 3 ? 4 : 1) * b->width;
    (void)snprintf(name, sizeof(name), "conv%d", i);
    return wsr__named_conv(&b->site, name, WSR__NAMED_CONV(k, s, width), x);
}

static wsr_value normalize(const block *b, int i, wsr_value x)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "bn%d", i);
    return wsr__named_norm(&b->site, name, x);
}

// Where the shape changes: a strided 1x1 convolution and, behind activations, a
// norm.
static wsr_value shorten(const block *b, wsr_value x)
{
    const int64_t width = (b->bottleneck ? 4 : 1) * b->width;
    if (b->stride == 1 && wsr__site_size(&b->site, x, 1) == width) {
        return x;
    }
    const wsr__site site = wsr__site_below(
        &b->site, is_imagenet(b->options) ? "downsample." : "shortcut.");
    const wsr_value y =
        wsr__named_conv(&site, "0", WSR__NAMED_CONV(1, b->stride, width), x);
    return b->options->pre_activation ? y : wsr__named_norm(&site, "1", y);
}

// Parameters are made in PyTorch's order: those of the shortcut last.
static wsr_value build_block(const block *b, wsr_value x)
{
    const bool before = b->options->pre_activation;
    const bool activated = wsr__streq(b->options->shortcut.s, "activated");
    const int n = b->bottleneck ? 3 : 2;
    wsr_value first = x; // what the shortcut reads
    wsr_value y = x;
    for (int i = 1; i <= n; i++) {
        if (before) {
            y = wsr__build_relu(&b->site, normalize(b, i, y));
            first = i == 1 && activated ? y : first;
            y = convolve(b, i, y);
        } else {
            y = normalize(b, i, convolve(b, i, y));
            y = i < n ? wsr__build_relu(&b->site, y) : y;
        }
    }
    const wsr_value shortcut = shorten(b, first);
    // A shortcut that is no convolution is the source, not yet activated.
    y = wsr__op2(b->site.graph, "add", NULL, y,
                 shortcut == first ? x : shortcut);
    return before ? y : wsr__build_relu(&b->site, y);
}

static wsr_value build_stem(const resnet_options *options,
                            const wsr__site *site, wsr_value x)
{
    const bool imagenet = is_imagenet(options);
    const wsr__layer conv = imagenet ? WSR__NAMED_CONV(7, 2, options->width)
                                     : WSR__NAMED_CONV(3, 1, options->width);
    x = wsr__named_conv(site, "conv1", conv, x);
    if (!options->pre_activation) {
        x = wsr__build_relu(site, wsr__named_norm(site, "bn1", x));
    }
    return imagenet ? wsr__build_max_pool(site, wsr__pool2d_square(3, 2, 1), x)
                    : x;
}

static wsr_value build_groups(const wsr__build *build, const wsr__site *site,
                              wsr_value x)
{
    const resnet_options *const options = options_of(build->net);
    const variant *const v = variant_of(options->depth);
    block b = {.options = options,
               .bottleneck = v->bottleneck,
               .width = options->width};
    for (size_t g = 0; g < GROUPS; g++) {
        const wsr_value source = x;
        for (size_t i = 0; i < v->blocks[g]; i++) {
            const wsr_status before = site->graph->status;
            b.site = wsr__site_below(site, "layer%zu.%zu.", g + 1, i);
            b.stride = g > 0 && i == 0 ? 2 : 1;
            x = build_block(&b, x);
            wsr__site_blame(&b.site, before);
        }
        x = wsr__build_stage(build, source, x);
        b.width *= 2;
    }
    return x;
}

static wsr_value body(const wsr__build *build, const wsr__site *site,
                      wsr_value x)
{
    const resnet_options *const options = options_of(build->net);
    const bool imagenet = is_imagenet(options);
    const bool before = options->pre_activation;
    wsr__site at = *site;
    at.init = imagenet || before ? WSR__INIT_FAN_OUT : WSR__INIT_DEFAULT;
    x = build_groups(build, &at, build_stem(options, &at, x));
    if (before && options->last_norm) {
        x = wsr__build_relu(&at, wsr__named_norm(&at, "bn", x));
    }
    x = wsr__build_last_pool(&at, imagenet ? 0 : 4, x);
    at.init = before ? WSR__INIT_ZERO_BIAS : WSR__INIT_DEFAULT;
    return wsr__named_linear(&at, imagenet ? "fc" : "linear",
                             options->super.classes, x);
}

// -------------------------------------------------------------- foreign files

static size_t count_blocks(const wsr__net_tensors *tensors, size_t group)
{
    char name[NAME_SIZE];
    size_t n = 0;
    do {
        (void)snprintf(name, sizeof(name), "layer%zu.%zu.conv1.weight",
                       group + 1, n);
    } while (wsr__net_dim(tensors, name, 4, 0) > 0 && ++n < MOST_BLOCKS);
    return n;
}

// The number of blocks of each group and their kind tell the depth.
static wsr_status infer_depth(resnet_options *options,
                              const wsr__net_tensors *tensors)
{
    const bool bottleneck =
        wsr__net_dim(tensors, "layer1.0.conv3.weight", 4, 0) > 0;
    size_t blocks[GROUPS];
    for (size_t g = 0; g < GROUPS; g++) {
        blocks[g] = count_blocks(tensors, g);
    }
    for (size_t i = 0; i < VARIANTS; i++) {
        const variant *const v = &variants[i];
        bool same = v->bottleneck == bottleneck;
        for (size_t g = 0; g < GROUPS; g++) {
            same = same && v->blocks[g] == blocks[g];
        }
        if (same) {
            options->depth = v->depth;
            return WSR_OK;
        }
    }
    return WSR_FAIL(WSR_FORMAT,
                    "layer1 to layer4 hold %zu, %zu, %zu and %zu blocks, as no "
                    "network of 18, 34, 50, 101 or 152 layers does",
                    blocks[0], blocks[1], blocks[2], blocks[3]);
}

static wsr_status infer(wsr__net_options *common,
                        const wsr__net_tensors *tensors, bool described)
{
    resnet_options *const options = (resnet_options *)common;
    const int64_t fc = wsr__net_dim(tensors, "fc.weight", 2, 0);
    const int64_t linear = wsr__net_dim(tensors, "linear.weight", 2, 0);
    (void)described; // the tensors tell what they can
    options->width = wsr__net_dim(tensors, "conv1.weight", 4, 0);
    common->image_channels = wsr__net_dim(tensors, "conv1.weight", 4, 1);
    common->classes = fc > 0 ? fc : linear;
    if (options->width == 0 || common->image_channels == 0 ||
        common->classes == 0) {
        return WSR_FAIL(WSR_FORMAT, "it lacks conv1.weight, or fc.weight or "
                                    "linear.weight");
    }
    options->pre_activation = wsr__net_dim(tensors, "bn1.weight", 1, 0) == 0;
    options->last_norm = !options->pre_activation ||
                         wsr__net_dim(tensors, "bn.weight", 1, 0) > 0;
    options->stem = (wsr__text){""};
    (void)snprintf(options->stem.s, sizeof(options->stem.s), "%s",
                   fc > 0 ? "imagenet" : "cifar");
    return infer_depth(options, tensors);
}

const wsr__net_class wsr__net_resnet = {
    .super = {"resnet", "residual network", "arXiv:1512.03385", schema,
              sizeof(resnet_options)},
    .check = check,
    .body = body,
    .image_size = image_size,
    .anchor = "layer1.0.conv1.weight",
    .infer = infer,
};
