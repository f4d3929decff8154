// SPDX-License-Identifier: Apache-2.0
//
// Options of the kinds of networks.

#include "net/net.h"

#include <stddef.h>

#define AT(field) offsetof(wsr__net_options, field)

// Rows that all kinds have.
// clang-format off
#define CHANNELS(n) {"channels", WSR__INT, AT(channels), n, 1, 4096, "", \
                     "width of the first cells", NULL}
#define LAYERS(n) {"layers", WSR__INT, AT(layers), n, 1, 256, "cells", \
                   "number of cells", NULL}
#define CLASSES {"classes", WSR__INT, AT(classes), "10", 1, 100000, "", \
                 "number of classes", NULL}
#define IMAGE_SIZE {"image_size", WSR__INT, AT(image_size), "0", 0, 4096, \
                    "pixels", "side of an image; 0: what the stem is for", \
                    NULL}
#define IMAGE_CHANNELS {"image_channels", WSR__INT, AT(image_channels), "3", \
                        1, 1024, "", "channels of an image", NULL}
#define STEM {"stem", WSR__WORD, AT(stem), "cifar", 0, 0, "", \
              "what comes before the cells", wsr__stem_names}
#define NORMALIZE WSR__NORMALIZE_OPTIONS(AT(normalize))
// clang-format on

const wsr__option wsr__network_schema[] = {
    {"genotype", WSR__TEXT, AT(genotype), "", 0, 0, "",
     "name of a genotype, or a file", NULL},
    CHANNELS("36"),
    LAYERS("20"),
    CLASSES,
    IMAGE_SIZE,
    IMAGE_CHANNELS,
    STEM,
    NORMALIZE,
    {"auxiliary", WSR__BOOL, AT(auxiliary), "false", 0, 0, "",
     "second classifier in training", NULL},
    {"drop_path", WSR__FLOAT, AT(drop_path), "0", 0, 0.99, "",
     "probability of dropping an operation's result in training", NULL},
    {0},
};

const wsr__option wsr__robnet_schema[] = {
    {"codes", WSR__TEXT, AT(codes), "", 0, 0, "",
     "name of RobNet codes, or a file", NULL},
    CHANNELS("36"),
    LAYERS("20"),
    CLASSES,
    IMAGE_SIZE,
    IMAGE_CHANNELS,
    STEM,
    NORMALIZE,
    {0},
};

const wsr__option wsr__supernet_schema[] = {
    {"space", WSR__TEXT, AT(space), "darts", 0, 0, "",
     "search space that the candidates come from", NULL},
    CHANNELS("16"),
    LAYERS("8"),
    CLASSES,
    IMAGE_SIZE,
    IMAGE_CHANNELS,
    STEM,
    NORMALIZE,
    {0},
};

const wsr__option wsr__net_override_schema[] = {
    {"genotype", WSR__TEXT, AT(genotype), "", 0, 0, "",
     "name of a genotype, or a file", NULL},
    CHANNELS("36"),
    LAYERS("20"),
    CLASSES,
    IMAGE_SIZE,
    IMAGE_CHANNELS,
    STEM,
    NORMALIZE,
    {"auxiliary", WSR__BOOL, AT(auxiliary), "false", 0, 0, "",
     "second classifier in training", NULL},
    {"drop_path", WSR__FLOAT, AT(drop_path), "0", 0, 0.99, "",
     "probability of dropping an operation's result in training", NULL},
    {"codes", WSR__TEXT, AT(codes), "", 0, 0, "",
     "name of RobNet codes, or a file", NULL},
    {"space", WSR__TEXT, AT(space), "darts", 0, 0, "",
     "search space that the candidates come from", NULL},
    {0},
};

enum { ROWS = sizeof(wsr__net_override_schema) / sizeof(wsr__option) - 1 };

_Static_assert((int)ROWS <= (int)WSR__NET_OPTIONS, "places for all rows");

const char *wsr_net_option(size_t i)
{
    return i < ROWS ? wsr__net_override_schema[i].key : NULL;
}

const char *wsr_net_option_help(size_t i)
{
    return i < ROWS ? wsr__net_override_schema[i].help : NULL;
}
