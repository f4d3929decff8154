// SPDX-License-Identifier: Apache-2.0
//
// Kendall's rank correlation, and how far chance can have moved it: the pairs
// are drawn again from themselves, with replacement, and the quantiles of the
// correlations of such samples bound it (Efron 1979, the percentile bootstrap).

#include "predictor/predictor.h"

#include <math.h>
#include <stdlib.h>

// Of 95 %: 25 samples of a thousand lie below, and as many above.
enum { SAMPLES = 1000, OUTSIDE = 25 };

// Tau-b, which allows for ties (Kendall 1945): pairs in the same order minus
// pairs in the opposite one, over the geometric mean of the pairs that are not
// tied. All pairs are visited; n is a few hundred.
double wsr_kendall_tau(const double *a, const double *b, size_t n)
{
    double agree = 0;
    double pairs_a = 0;
    double pairs_b = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            const int x = (a[i] > a[j]) - (a[i] < a[j]);
            const int y = (b[i] > b[j]) - (b[i] < b[j]);
            agree += x * y;
            pairs_a += x != 0;
            pairs_b += y != 0;
        }
    }
    return pairs_a > 0 && pairs_b > 0 ? agree / sqrt(pairs_a * pairs_b) : 0;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

// Sample i has its own stream of random numbers, so the interval depends on
// the seed alone.
static double resampled(double *drawn[2], const double *const from[2], size_t n,
                        uint64_t seed, size_t i)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_BOOTSTRAP, i, 0);
    for (size_t k = 0; k < n; k++) {
        const uint32_t at = wsr__rng_below(&rng, (uint32_t)n);
        drawn[0][k] = from[0][at];
        drawn[1][k] = from[1][at];
    }
    return wsr_kendall_tau(drawn[0], drawn[1], n);
}

// Two architectures or fewer say nothing.
wsr_status wsr_kendall_tau_interval(double range[2], const double *a,
                                    const double *b, size_t n, uint64_t seed)
{
    const double *const from[] = {a, b};
    double taus[SAMPLES];
    range[0] = -1;
    range[1] = 1;
    if (n < 3) {
        return WSR_OK;
    }
    double *const both = wsr__alloc(2 * n, sizeof(*both));
    if (both == NULL) {
        return WSR_NOMEM;
    }
    double *drawn[] = {both, both + n};
    for (size_t i = 0; i < SAMPLES; i++) {
        taus[i] = resampled(drawn, from, n, seed, i);
    }
    wsr__free(both);
    qsort(taus, SAMPLES, sizeof(taus[0]), compare);
    range[0] = taus[OUTSIDE];
    range[1] = taus[SAMPLES - 1 - OUTSIDE];
    return WSR_OK;
}
