// SPDX-License-Identifier: Apache-2.0
//
// Options of the op normalize, which are options of networks too: whoever
// embeds them at `base` lists them in its schema with this macro.

#ifndef WSR_OP_NORMALIZE_H
#define WSR_OP_NORMALIZE_H

#include "base/param.h"
#include "wsr/tensor.h"

#include <stddef.h>

/// Mean and standard deviation: one value, or one for each channel. An empty
/// list is 0 for the mean and 1 for the deviation.
typedef struct wsr__normalize {
    wsr__floats mean;
    wsr__floats std;
} wsr__normalize;

// The bounds leave no room for the statistics of pixels in 0..255.
// clang-format off
#define WSR__NORMALIZE_OPTIONS(base) \
    {"mean", WSR__FLOATS, (base) + offsetof(wsr__normalize, mean), "[]", \
     -10, 10, "", "subtracted from images in [0, 1]: one value, or one for " \
     "each channel", NULL}, \
    {"std", WSR__FLOATS, (base) + offsetof(wsr__normalize, std), "[]", \
     1e-6, 10, "", "they are divided by it then, likewise", NULL}
// clang-format on

/// Whether any of the two lists is given.
bool wsr__normalize_given(const wsr__normalize *p);

/// Value of a list for a channel.
float wsr__normalize_mean(const wsr__normalize *p, int64_t channel);
float wsr__normalize_std(const wsr__normalize *p, int64_t channel);

/// CONFIG unless the lists fit the number of channels; `prefix` is put before
/// their names in the detail.
wsr_status wsr__normalize_fit(const wsr__normalize *p, const char *prefix,
                              int64_t channels);

#endif
