// SPDX-License-Identifier: Apache-2.0
//
// Ranges that random numbers of augmentations come from.

#include "augment/range.h"

wsr_status wsr__range_check(const wsr__floats *range, const char *option)
{
    if (range->n != 1 && range->n != 2) {
        return WSR_FAIL(WSR_CONFIG,
                        "augment.%s: %zu values, permitted are [low, high] and "
                        "one value",
                        option, range->n);
    }
    if (wsr__range_low(range) > wsr__range_high(range)) {
        return WSR_FAIL(WSR_CONFIG, "augment.%s: %g is above %g", option,
                        range->v[0], range->v[1]);
    }
    return WSR_OK;
}

double wsr__range_draw(const wsr__floats *range, wsr__rng *rng)
{
    const double low = wsr__range_low(range);
    const double share = (double)wsr__rng_uniform(rng);
    return low + (wsr__range_high(range) - low) * share;
}
