// SPDX-License-Identifier: Apache-2.0
//
// Sizes that native_pack.c, compiled once, and the kernels, compiled per
// instruction set, must agree on.

#ifndef WSR_KERNEL_NATIVE_LAYOUT_H
#define WSR_KERNEL_NATIVE_LAYOUT_H

#include "kernel/native.h"

static inline int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/// How wsr__sep kernels divide their scratch; sizes in floats, rings in pixels.
typedef struct wsr__sep_layout {
    int64_t rows;         // of dst that pass through the cache together
    int64_t forward_ring; // padded rows of one bundle
    int64_t backward_ring;
    int64_t forward;  // of one thread
    int64_t backward; // followed by forward's for the gradients of weights
} wsr__sep_layout;

wsr__sep_layout wsr__sep_layout_of(const wsr__sep *p);

/// How a pass of a dense convolution walks over what it reads. Result (y, x)
/// meets by a tap the pixel (y * stride[0] + dy, x * stride[1] + dx) of what is
/// read. Padded rows hold what a band of results meets, the columns sorted by
/// their remainder modulo stride[1], so that neighbours of a result lie side by
/// side. The results of backward data are first sorted likewise into phases:
/// those of one phase meet the same taps.
typedef struct wsr__dense_layout {
    int64_t ins; // channels that are read
    int64_t outs;
    int64_t h; // of what is read
    int64_t w;
    int64_t stride[2];
    int64_t phases[2];
    int64_t size[2];  // results of the largest phase
    int64_t first[2]; // the least dy and dx
    int64_t reach[2]; // rows and columns that the taps of a result span
    int64_t rows;     // of results in a band
    int64_t columns;  // of one remainder, pixels
    int64_t pitch;    // floats of a padded row
    int64_t plane;    // floats of a block's padded rows
} wsr__dense_layout;

wsr__dense_layout wsr__dense_layout_of(const wsr__dense *p, bool forward);

/// Whether a tap that lies at -`reach` along one side meets dst at all in
/// backward data, and which pixel: *at.
static inline bool wsr__dense_meets(int64_t *at, int64_t reach, int64_t stride)
{
    *at = reach >= 0 ? reach / stride : -((stride - 1 - reach) / stride);
    return *at * stride == reach;
}

/// Images whose padded rows lie in a thread's scratch together.
int64_t wsr__dense_images(const wsr__dense_layout *l, int64_t n,
                          int64_t threads);

/// How a pass of a plain convolution walks over what it reads: as a dense one,
/// but rows and columns of one channel are both sorted by their remainders
/// modulo the stride. Each pair of remainders is a plane of `pitch` floats a
/// row, in which a result (y, x) lies at y * pitch + x and what it meets by a
/// tap at a constant distance from there. All results of a band are therefore
/// one array; what lies between two rows of it is nobody's result.
typedef struct wsr__plain_layout {
    wsr__dense_layout sides;
    int64_t rows; // of results in a band
    int64_t bands;
    int64_t pitch;
    int64_t plane;   // floats
    int64_t channel; // floats: the planes of all remainders
    int64_t chunk;   // channels that are read at a time
    int64_t length;  // of the array of results, whole registers
    int64_t results; // arrays of results that a thread holds
} wsr__plain_layout;

wsr__plain_layout wsr__plain_layout_of(const wsr__conv *p, bool forward);

enum {
    PLAIN_OUTS = 5,   // channels of results that are computed together
    PLAIN_LANES = 16, // most of a register
    // A tile of results may reach beyond the array by less than this.
    PLAIN_SLACK = 8 * PLAIN_LANES
};

enum {
    DENSE_PAIRS = 2,                   // of blocks of dst computed together
    WINO_SIDE = 6,                     // pixels that a tile meets
    WINO_TAPS = WINO_SIDE * WINO_SIDE, // products that make a tile
    WINO_LARGEST = 4                   // tile of results
};

/// How Winograd's convolutions divide their work into chunks of tiles. Where a
/// tile's numbers lie side by side, those of the next tap lie a little more
/// than a power of two further: else all would share a set of the cache.
typedef struct wsr__winograd_layout {
    wsr__dense_layout rows; // padded to whole tiles
    int64_t tile;           // side of a tile of results
    int64_t down;           // tiles of an image
    int64_t across;
    int64_t images;   // that one chunk may hold
    int64_t chunk;    // tiles, a multiple of WSR__BLOCK
    int64_t padded;   // rows of one block that a chunk meets, floats
    int64_t inputs;   // from tap to tap of [tap][block][tile][8], floats
    int64_t products; // the same of [tap][tile][DENSE_PAIRS * 16]
} wsr__winograd_layout;

/// With chunks of at most `most` tiles.
wsr__winograd_layout wsr__winograd_layout_of(const wsr__dense *p, bool forward,
                                             int64_t most);

enum { WINO_CHUNK = 64 }; // tiles that share the weights they read

/// Chunks of the gradient of weights: sizes of its scratch, floats.
typedef struct wsr__winograd_grad_layout {
    wsr__winograd_layout l;
    int64_t pairs; // of blocks of dst
    int64_t diffs; // from tap to tap of [tap][tile][pair][16]
    int64_t sums;  // of [pair][tap][ci][16]
} wsr__winograd_grad_layout;

wsr__winograd_grad_layout wsr__winograd_grad_layout_of(const wsr__dense *p);

/// Rows of dst in a band of the gradient of weights.
int64_t wsr__dense_weights_rows(const wsr__dense *p);

/// Groups of images that the gradient of weights sums up apart.
int64_t wsr__dense_weights_groups(const wsr__dense *p);

/// Channel blocks of src that share an item of the gradient of weights.
int64_t wsr__dense_weights_chunk(const wsr__dense *p);

#endif
