// SPDX-License-Identifier: Apache-2.0
//
// Cell operations: the candidates of a search on the edges of a cell. Each maps
// c channels to c channels at stride 1 or 2. An operation is one class in one
// file; most are a sequence of layers.

#ifndef WSR_CELL_CELL_H
#define WSR_CELL_CELL_H

#include "base/registry.h"
#include "graph/graph.h"

// ------------------------------------------------------------------- layers

typedef enum wsr__layer_kind {
    WSR__LAYER_END,
    WSR__LAYER_RELU,
    WSR__LAYER_CONV,      // dense
    WSR__LAYER_DEPTHWISE, // one filter per channel
    WSR__LAYER_NORM,      // batch norm
    WSR__LAYER_MAX_POOL,
    WSR__LAYER_AVG_POOL // padding is not counted
} wsr__layer_kind;

/// A layer of a sequence. Its position is its number in parameter names, as
/// in PyTorch's nn.Sequential.
typedef struct wsr__layer {
    wsr__layer_kind kind;
    int64_t kernel[2];   // height, width
    int64_t stride[2];   // height, width; 0: that of the site
    int64_t dilation[2]; // height, width
    bool valid;          // no padding; otherwise as much as keeps the size
    int64_t width;       // channels out of CONV; 0: by halves
    int64_t halves;      // channels out of CONV in halves of the site's
    int64_t offset;      // first rows and columns that CONV leaves out
    bool bias;           // CONV has one; only in networks without cells
} wsr__layer;

// Rows of tables of layers. A stride of 0 is that of the site.
#define WSR__ROW(what, k, s, d)                                 \
    .kind = (what), .kernel = {(k), (k)}, .stride = {(s), (s)}, \
    .dilation = {(d), (d)}
// clang-format off
#define WSR__LAYERS_END {.kind = WSR__LAYER_END}
#define WSR__RELU {.kind = WSR__LAYER_RELU}
#define WSR__NORM {.kind = WSR__LAYER_NORM}
#define WSR__POOL(what, k, s) {WSR__ROW(what, k, s, 1)}
#define WSR__DEPTHWISE(k, s, d) {WSR__ROW(WSR__LAYER_DEPTHWISE, k, s, d)}
#define WSR__CONV(k, s, n) {WSR__ROW(WSR__LAYER_CONV, k, s, 1), .halves = (n)}
#define WSR__POINTWISE WSR__CONV(1, 1, 2)
// clang-format on

/// ReLU, depthwise k x k with stride and dilation, pointwise, norm.
#define WSR__DIL_CONV(k, s, d) \
    WSR__RELU, WSR__DEPTHWISE(k, s, d), WSR__POINTWISE, WSR__NORM
/// That twice, undilated, the second time at stride 1.
#define WSR__SEP_CONV(k) WSR__DIL_CONV(k, 0, 1), WSR__DIL_CONV(k, 1, 1)

// -------------------------------------------------------------------- sites

enum { WSR__SITE_PREFIX = 96, WSR__SITE_NAME = 160 };

/// How weights of convolutions and linear maps start, and biases with them.
typedef enum wsr__weight_init {
    WSR__INIT_DEFAULT,   // PyTorch's: uniform by fan in, biases too
    WSR__INIT_FAN_IN,    // kaiming_normal_(mode="fan_in"), biases 0
    WSR__INIT_FAN_OUT,   // kaiming_normal_(mode="fan_out"), biases 0
    WSR__INIT_ZERO_BIAS, // weights as by default, biases 0
    WSR__INIT_ZERO       // all 0
} wsr__weight_init;

/// Where something is built and how.
typedef struct wsr__site {
    wsr_graph *graph;
    char prefix[WSR__SITE_PREFIX]; // of parameter names: "cells.0._ops.5."
    int64_t channels;              // that come out
    int64_t stride;
    bool affine;           // norms have weights and biases
    bool pads;             // factorised reductions take odd sides
    wsr__weight_init init; // of what is built here and below
} wsr__site;

/// The site with more of a prefix.
wsr__site wsr__site_below(const wsr__site *site, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/// Channels, height or width (axis 1, 2, 3) of an image value.
int64_t wsr__site_size(const wsr__site *site, wsr_value x, int axis);

/// Fail the graph, saying where, unless it has failed before.
void wsr__site_fail(const wsr__site *site, wsr_status code, const char *what);

/// Put the site's prefix in front of the detail when building below it has
/// failed; `before` is the graph's status before that.
void wsr__site_blame(const wsr__site *site, wsr_status before);

/// A sequence of layers applied to x, ended by WSR__LAYERS_END.
wsr_value wsr__build_layers(const wsr__site *site, const wsr__layer *layers,
                            wsr_value x);

/// A convolution, the row `layer` of a table. Parameters: prefix + name, and,
/// where it has one, prefix + "bias".
wsr_value wsr__build_conv(const wsr__site *site, const char *name,
                          const wsr__layer *layer, wsr_value x);

/// A batch norm. Parameters: prefix + running_mean, ...
wsr_value wsr__build_norm(const wsr__site *site, wsr_value x);

/// A linear map to site->channels with bias. Parameters: prefix + weight, bias.
wsr_value wsr__build_linear(const wsr__site *site, wsr_value x);

/// ReLU, 1x1 convolution to site->channels, norm.
wsr_value wsr__build_relu_conv_norm(const wsr__site *site, wsr_value x);

/// Half the size, rounded up, site->channels (even): see factorized_reduce.c.
wsr_value wsr__build_factorized_reduce(const wsr__site *site, wsr_value x);

// --------------------------------------------------------------- operations

typedef struct wsr__cell_class wsr__cell_class;

struct wsr__cell_class {
    wsr__class super;
    /// Apply the operation. The result is x itself when there is nothing to
    /// do.
    wsr_value (*build)(const wsr__cell_class *cls, const wsr__site *site,
                       wsr_value x);
    const wsr__layer *layers; // of wsr__cell_build_layers
    bool none;                // its result is zero
    bool codes_only;          // of RobNet codes; no genotype may name it
    bool bare;                // without a norm; a supernet puts one behind it
};

/// The build of an operation that is a row of layers, named prefix + "op.N.".
wsr_value wsr__cell_build_layers(const wsr__cell_class *cls,
                                 const wsr__site *site, wsr_value x);
/// The same, named prefix + "N.".
wsr_value wsr__cell_build_plain(const wsr__cell_class *cls,
                                const wsr__site *site, wsr_value x);

#define WSR_REG(family, name) extern const wsr__cell_class wsr__cell_##name;
#include "cell/cells.def"
#undef WSR_REG

extern const wsr__family wsr__cells;

/// Find an operation by name.
wsr_status wsr__cell_find(const wsr__cell_class **out, const char *name);

#endif
