// SPDX-License-Identifier: Apache-2.0
//
// CIFAR-100: 32x32 colour images of a hundred classes (Krizhevsky 2009), from
// the binary version; the format is in cifar.c. Of the two labels of a record
// the first, one of twenty superclasses, is checked and dropped.

#include "data/data.h"

// One file of 50,000 records and one of 10,000.
static const char *const train[] = {"train.bin", NULL};

// Both have five hundred and a hundred images of each class.
static const char *const test[] = {"test.bin", NULL};

// Index: fine label, in alphabetical order, as in fine_label_names.txt.
static const char *const names[] = {
    "apple",    "aquarium_fish", "baby",       "bear",         "beaver",
    "bed",      "bee",           "beetle",     "bicycle",      "bottle",
    "bowl",     "boy",           "bridge",     "bus",          "butterfly",
    "camel",    "can",           "castle",     "caterpillar",  "cattle",
    "chair",    "chimpanzee",    "clock",      "cloud",        "cockroach",
    "couch",    "crab",          "crocodile",  "cup",          "dinosaur",
    "dolphin",  "elephant",      "flatfish",   "forest",       "fox",
    "girl",     "hamster",       "house",      "kangaroo",     "keyboard",
    "lamp",     "lawn_mower",    "leopard",    "lion",         "lizard",
    "lobster",  "man",           "maple_tree", "motorcycle",   "mountain",
    "mouse",    "mushroom",      "oak_tree",   "orange",       "orchid",
    "otter",    "palm_tree",     "pear",       "pickup_truck", "pine_tree",
    "plain",    "plate",         "poppy",      "porcupine",    "possum",
    "rabbit",   "raccoon",       "ray",        "road",         "rocket",
    "rose",     "sea",           "seal",       "shark",        "shrew",
    "skunk",    "skyscraper",    "snail",      "snake",        "spider",
    "squirrel", "streetcar",     "sunflower",  "sweet_pepper", "table",
    "tank",     "telephone",     "television", "tiger",        "tractor",
    "train",    "trout",         "tulip",      "turtle",       "wardrobe",
    "whale",    "willow_tree",   "wolf",       "woman",        "worm"};

_Static_assert(sizeof(names) / sizeof(names[0]) == 100, "a hundred classes");

// A record has two label bytes, the superclass and then the class.
static const int32_t label_ends[] = {20, 100};

static const wsr__cifar_layout layout = {
    .archive = "cifar-100-binary.tar.gz",
    .folder = "cifar-100-binary",
    .python = "cifar-100-python",
    .train = train,
    .test = test,
    .label_bytes = 2,
    .label_ends = label_ends,
    .names = names,
};

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    return wsr__cifar_load(dataset, &layout, options, request);
}

const wsr__dataset_class wsr__dataset_cifar100 = {
    .super = {.name = "cifar100",
              .summary = "32x32 colour images of a hundred classes",
              .reference = "Krizhevsky 2009, Learning multiple layers of "
                           "features from tiny images",
              .schema = wsr__cifar_schema,
              .params_size = sizeof(wsr__cifar_params)},
    .positional = wsr__cifar_positional,
    .required = 1,
    .load = load,
};
