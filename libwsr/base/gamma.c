// SPDX-License-Identifier: Apache-2.0
//
// Random numbers of the gamma distribution, of which those of the beta and the
// Dirichlet distribution are quotients: the method of Marsaglia and Tsang 2000,
// "A simple method for generating gamma variables". With d = shape - 1/3 and
// normal x, d (1 + x / sqrt(9 d))^3 is accepted with the probability that makes
// the distribution exact; more than 95 % are.

#include "base/base.h"

#include <math.h>

// shape >= 1.
static double draw(wsr__rng *rng, double shape)
{
    const double d = shape - 1.0 / 3.0;
    const double c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        const double x = wsr__rng_normal(rng);
        const double u = ((double)wsr__rng_u32(rng) + 1.0) * 0x1p-32;
        const double root = 1.0 + c * x;
        const double v = root * root * root;
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v)) {
            return d * v;
        }
    }
}

// Below 1, a number of shape + 1 times u^(1 / shape) has the distribution.
double wsr__rng_gamma(wsr__rng *rng, double shape)
{
    if (shape >= 1) {
        return draw(rng, shape);
    }
    const double u = ((double)wsr__rng_u32(rng) + 1.0) * 0x1p-32;
    return draw(rng, shape + 1) * pow(u, 1.0 / shape);
}
