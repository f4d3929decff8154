// SPDX-License-Identifier: Apache-2.0
//
// The masks of drop path (Larsson et al. 2017, arXiv:1605.07648). A mask's
// number depends on seed, step, edge and place in the batch only.

#include "net/net.h"

enum { MOST_EDGES = WSR__GENOTYPE_EDGES };

static void fill(float *mask, size_t n, double probability, uint64_t seed,
                 uint64_t stream)
{
    const float kept = (float)(1 / (1 - probability));
    for (size_t i = 0; i < n; i++) {
        wsr__rng rng =
            wsr__rng_at(seed, WSR__RNG_DROP_PATH, stream, (uint32_t)i);
        const bool drop = (double)wsr__rng_uniform(&rng) < probability;
        mask[i] = drop ? 0 : kept;
    }
}

wsr_status wsr_net_drop_path(wsr_plan *plan, const wsr_net *net,
                             double probability, uint64_t seed, uint64_t step)
{
    if (!(probability >= 0 && probability < 1)) {
        return WSR_FAIL(WSR_ARG, "probability: %g is outside [0, 1)",
                        probability);
    }
    const size_t layers = wsr__net_layers(net);
    for (size_t i = 0; i < layers * MOST_EDGES; i++) {
        char name[WSR__SITE_NAME];
        wsr__drop_path_name(name, i / MOST_EDGES, i % MOST_EDGES);
        float *const mask = wsr_plan_src(plan, name);
        if (mask != NULL) {
            fill(mask, wsr_plan_batch(plan), probability, seed,
                 step * layers * MOST_EDGES + i);
        }
    }
    return WSR_OK;
}
