// SPDX-License-Identifier: Apache-2.0
//
// The masks of dropout (Srivastava et al. 2014): each value is dropped with a
// probability p, or divided by 1 - p. A mask's number depends on seed, step and
// place in the batch only.

#include "net/net.h"

wsr_status wsr_net_dropout(wsr_plan *plan, const wsr_net *net, uint64_t seed,
                           uint64_t step)
{
    const double p = wsr__net_dropout(net);
    const float kept = (float)(1 / (1 - p));
    float *const masks = wsr_plan_src(plan, WSR__DROPOUT_NAME);
    const size_t n = wsr_plan_batch(plan);
    if (masks == NULL) {
        return WSR_OK;
    }
    const wsr_shape *const shape = wsr__plan_src_shape(plan, WSR__DROPOUT_NAME);
    const size_t values = (size_t)wsr_shape_count(shape) / n;
    for (size_t i = 0; i < n; i++) {
        wsr__rng rng = wsr__rng_at(seed, WSR__RNG_DROPOUT, step, (uint32_t)i);
        for (size_t k = 0; k < values; k++) {
            const bool dropped = (double)wsr__rng_uniform(&rng) < p;
            masks[i * values + k] = dropped ? 0 : kept;
        }
    }
    return WSR_OK;
}
