// SPDX-License-Identifier: Apache-2.0
//
// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A stream has no
// state but its position, so who draws first, and on which thread, does not
// matter.
//
// Layout: the key is a Philox image of (seed, purpose); the counter holds
// (block, b, a). A stream thus has 2^34 numbers of 32 bits.

#include "base/base.h"

#include <Random123/philox.h>
#include <math.h>

static void cipher(uint32_t out[4], const uint32_t counter[4],
                   const uint32_t key[2])
{
    const philox4x32_ctr_t c = {
        {counter[0], counter[1], counter[2], counter[3]}};
    const philox4x32_key_t k = {{key[0], key[1]}};
    const philox4x32_ctr_t r = philox4x32(c, k);
    for (size_t i = 0; i < 4; i++) {
        out[i] = r.v[i];
    }
}

wsr__rng wsr__rng_at(uint64_t seed, wsr__rng_purpose purpose, uint64_t a,
                     uint32_t b)
{
    const uint32_t seed_words[4] = {(uint32_t)seed, (uint32_t)(seed >> 32),
                                    (uint32_t)purpose, 0};
    const uint32_t fixed[2] = {0x77737200u, 0x6c696277u}; // "wsr", "libw"
    uint32_t mixed[4];
    cipher(mixed, seed_words, fixed);
    return (wsr__rng){
        .key = {mixed[0], mixed[1]},
        .counter = {0, b, (uint32_t)a, (uint32_t)(a >> 32)},
        .used = 4,
    };
}

uint32_t wsr__rng_u32(wsr__rng *rng)
{
    if (rng->used >= 4) {
        cipher(rng->block, rng->counter, rng->key);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

float wsr__rng_uniform(wsr__rng *rng)
{
    return (float)(wsr__rng_u32(rng) >> 8) * 0x1p-24f;
}

double wsr__rng_normal(wsr__rng *rng)
{
    const double two_pi = 6.283185307179586;
    const double u = ((double)wsr__rng_u32(rng) + 1.0) * 0x1p-32; // (0, 1]
    const double v = (double)wsr__rng_u32(rng) * 0x1p-32;
    return sqrt(-2.0 * log(u)) * cos(two_pi * v);
}

// Lemire, "Fast random integer generation in an interval", 2019: the upper
// half of x * n, after rejecting the few x that would favour some results.
uint32_t wsr__rng_below(wsr__rng *rng, uint32_t n)
{
    if (n <= 1) {
        return 0;
    }
    uint64_t product = (uint64_t)wsr__rng_u32(rng) * n;
    if ((uint32_t)product < n) {
        const uint32_t unfair = (0u - n) % n;
        while ((uint32_t)product < unfair) {
            product = (uint64_t)wsr__rng_u32(rng) * n;
        }
    }
    return (uint32_t)(product >> 32);
}

void wsr__rng_permutation(wsr__rng *rng, uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = i;
    }
    for (uint32_t i = n; i > 1; i--) {
        const uint32_t j = wsr__rng_below(rng, i);
        const uint32_t held = out[i - 1];
        out[i - 1] = out[j];
        out[j] = held;
    }
}
