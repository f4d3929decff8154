// SPDX-License-Identifier: Apache-2.0
//
// What colour jitter on bytes and on floats share: options and random numbers.

#ifndef WSR_AUGMENT_JITTER_H
#define WSR_AUGMENT_JITTER_H

#include "augment/augment.h"

/// Largest change of each factor, of the hue in turns; and the probability of
/// any change.
typedef struct wsr__jitter {
    double brightness;
    double contrast;
    double saturation;
    double hue;
    double p;
} wsr__jitter;

extern const wsr__option wsr__jitter_schema[];

enum { WSR__JITTER_OPS = 4 };

/// Operations in the order in which they are to be applied. `op` is 0
/// brightness, 1 contrast, 2 saturation, 3 hue; the argument is a factor or a
/// turn.
typedef struct wsr__jitter_draw {
    size_t n;
    uint32_t op[WSR__JITTER_OPS];
    double argument[WSR__JITTER_OPS];
} wsr__jitter_draw;

/// Draw an order and arguments: equally many numbers whatever the options are.
/// Operations whose option is 0 are left out.
wsr__jitter_draw wsr__jitter_drawn(const wsr__jitter *jitter, wsr__rng *rng);

/// Apply what was drawn to floats (c, h, w) with one or three channels, as
/// torchvision does to tensors.
void wsr__jitter_floats(float *image, wsr__image shape,
                        const wsr__jitter_draw *drawn);

#endif
