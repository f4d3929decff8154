// SPDX-License-Identifier: Apache-2.0
//
// Options that are a range "[low, high]" to draw from, or one value.

#ifndef WSR_AUGMENT_RANGE_H
#define WSR_AUGMENT_RANGE_H

#include "base/param.h"

/// CONFIG, naming the option ("gaussian_blur.sigma"), unless the list is one
/// value or two in ascending order.
wsr_status wsr__range_check(const wsr__floats *range, const char *option);

static inline double wsr__range_low(const wsr__floats *range)
{
    return range->v[0];
}

static inline double wsr__range_high(const wsr__floats *range)
{
    return range->v[range->n - 1];
}

/// A uniform number between the ends. One number is drawn whatever they are.
double wsr__range_draw(const wsr__floats *range, wsr__rng *rng);

#endif
