// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: no change.

#include "augment/augment.h"

#include <string.h>

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    (void)options;
    *out = in;
    return WSR_OK;
}

static void apply(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *options, wsr__rng *rng)
{
    (void)options;
    (void)rng;
    memcpy(dst, src, (size_t)wsr__image_floats(in) * sizeof(*src));
}

const wsr__augment_class wsr__augment_dummy = {
    .super = {"dummy", "no change", "", NULL, 0},
    .infer = infer,
    .apply = apply,
};
