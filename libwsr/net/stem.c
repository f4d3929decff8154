// SPDX-License-Identifier: Apache-2.0
//
// Stems and auxiliary classifiers as tables of layers. A stem of two parts
// gives the two states that the first cell reads different sizes. Widths are
// in halves of the network's channels: 6 is three times as many.

#include "net/net.h"

static const wsr__layer cifar[] = {WSR__CONV(3, 1, 6), WSR__NORM,
                                   WSR__LAYERS_END};

static const wsr__layer half[] = {WSR__CONV(3, 2, 6), WSR__NORM,
                                  WSR__LAYERS_END};

static const wsr__layer imagenet0[] = {
    WSR__CONV(3, 2, 1), WSR__NORM, WSR__RELU,
    WSR__CONV(3, 2, 2), WSR__NORM, WSR__LAYERS_END,
};

static const wsr__layer tiny0[] = {WSR__CONV(3, 1, 2), WSR__NORM,
                                   WSR__LAYERS_END};

static const wsr__layer last[] = {WSR__RELU, WSR__CONV(3, 2, 2), WSR__NORM,
                                  WSR__LAYERS_END};

// clang-format off
#define UNPADDED(what, k, s, n) \
    {WSR__ROW(what, k, s, 1), .valid = true, .width = (n)}
#define AUXILIARY(stride)                                  \
    WSR__RELU, UNPADDED(WSR__LAYER_AVG_POOL, 5, stride, 0), \
    UNPADDED(WSR__LAYER_CONV, 1, 1, 128), WSR__NORM,        \
    WSR__RELU, UNPADDED(WSR__LAYER_CONV, 2, 1, 768)
// clang-format on

static const wsr__layer auxiliary_cifar[] = {AUXILIARY(3), WSR__NORM, WSR__RELU,
                                             WSR__LAYERS_END};

// Without the last norm: so trained networks have it.
static const wsr__layer auxiliary_imagenet[] = {AUXILIARY(2), WSR__RELU,
                                                WSR__LAYERS_END};

static const wsr__layer auxiliary_tiny[] = {AUXILIARY(2), WSR__NORM, WSR__RELU,
                                            WSR__LAYERS_END};

const wsr__stem wsr__stems[] = {
    {.name = "cifar",
     .image_size = 32,
     .first = cifar,
     .auxiliary = auxiliary_cifar},
    {.name = "int",
     .image_size = 64,
     .first = half,
     .auxiliary = auxiliary_cifar},
    {.name = "imagenet",
     .image_size = 224,
     .first = imagenet0,
     .second = last,
     .halves = true,
     .pool = 7,
     .auxiliary = auxiliary_imagenet},
    {.name = "imagenet_tiny",
     .image_size = 64,
     .first = tiny0,
     .second = last,
     .halves = true,
     .pool = 7,
     .auxiliary = auxiliary_tiny},
    {0},
};

const char *const wsr__stem_names[] = {"cifar", "int", "imagenet",
                                       "imagenet_tiny", NULL};
