// SPDX-License-Identifier: Apache-2.0
//
// Shot noise: Poisson(x photons) / photons, the noise of counting photons.

#include "corrupt/corrupt.h"

#include <math.h>

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {500, 250, 100, 75, 50}, {60, 25, 12, 5, 3}}; // photons

// log(k!): the product, or Stirling's series, whose error is below 1e-10 from
// 10 on.
static double log_factorial(double k)
{
    if (k < 10) {
        double product = 1;
        for (int i = 2; i <= (int)k; i++) {
            product *= i;
        }
        return log(product);
    }
    const double n = k + 1;
    const double r = 1 / (n * n);
    return (n - 0.5) * log(n) - n + 0.9189385332046727 +
           (1.0 / 12 - (1.0 / 360 - r / 1260) * r) / n;
}

// Uniform in (0, 1) with 32 bits.
static double uniform(wsr__rng *rng)
{
    return ((double)wsr__rng_u32(rng) + 0.5) * 0x1p-32;
}

// Number of arrivals before the time `mean`, by the product of uniforms.
static double poisson_small(wsr__rng *rng, double mean)
{
    const double limit = exp(-mean);
    double k = -1;
    double product = 1;
    do {
        product *= uniform(rng);
        k++;
    } while (product > limit);
    return k;
}

// Transformed rejection (Hörmann 1993, "The transformed rejection method for
// generating Poisson random variables", algorithm PTRS), for means from 10 on.
static double poisson_large(wsr__rng *rng, double mean)
{
    const double b = 0.931 + 2.53 * sqrt(mean);
    const double a = -0.059 + 0.02483 * b;
    const double inverse = 1.1239 + 1.1328 / (b - 3.4);
    const double v_most = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        const double u = uniform(rng) - 0.5;
        const double v = uniform(rng);
        const double us = 0.5 - fabs(u);
        const double k = floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= v_most) {
            return k;
        }
        if (k >= 0 && (us >= 0.013 || v <= us) &&
            log(v * inverse / (a / (us * us) + b)) <=
                k * log(mean) - mean - log_factorial(k)) {
            return k;
        }
    }
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const int64_t n = wsr__image_floats(canvas->shape);
    for (int64_t i = 0; i < n; i++) {
        const double mean = level[0] * canvas->x[i];
        canvas->x[i] = (mean < 10 ? poisson_small(&canvas->rng, mean)
                                  : poisson_large(&canvas->rng, mean)) /
                       level[0];
    }
}

const wsr__corruption_class wsr__corruption_shot_noise = {
    .super = {.name = "shot_noise",
              .summary = "Poisson noise, as from few photons",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "noise",
    .levels = levels[0],
    .width = 1,
    .apply = apply,
};
