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

#endif
