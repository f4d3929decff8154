// SPDX-License-Identifier: Apache-2.0
//
// Sampling architectures with the Gumbel-softmax (Jang et al. 2017,
// arXiv:1611.01144): weights = softmax((alphas + g) / tau) with g = -log(-log
// u) per edge, and the path that takes the largest of each row.

#include "net/net.h"

#include <math.h>

void wsr__gumbel_fill(float *g, size_t n, wsr__rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        // Half a step off the grid, so that u is never 0.
        const double u = (double)wsr__rng_uniform(rng) + 0x1p-25;
        g[i] = (float)-log(-log(u));
    }
}

// Small random values, so that no candidate is preferred at the start.
void wsr__alphas_fill(float *alphas, size_t n, wsr__rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        alphas[i] = (float)(1e-3 * wsr__rng_normal(rng));
    }
}

// `g` NULL: without noise.
static double logit(const wsr__arch *arch, const float *alphas, const float *g,
                    size_t at)
{
    const double noise = g != NULL ? (double)g[at] : 0;
    return ((double)alphas[at] + noise) / arch->tau;
}

// weights (rows, cols); the largest logit is subtracted before exp(), which
// could overflow at small temperatures.
void wsr__arch_weights(float *weights, const wsr__arch *arch,
                       const float *alphas, const float *g)
{
    for (size_t r = 0; r < arch->rows; r++) {
        const size_t begin = r * arch->cols;
        const size_t end = begin + arch->cols;
        double most = -HUGE_VAL;
        double sum = 0;
        for (size_t i = begin; i < end; i++) {
            most = fmax(most, logit(arch, alphas, g, i));
        }
        for (size_t i = begin; i < end; i++) {
            sum += exp(logit(arch, alphas, g, i) - most);
        }
        for (size_t i = begin; i < end; i++) {
            weights[i] = (float)(exp(logit(arch, alphas, g, i) - most) / sum);
        }
    }
}

void wsr__arch_choose(unsigned char *choices, float *top, const wsr__arch *arch,
                      const float *weights)
{
    for (size_t r = 0; r < arch->rows; r++) {
        const float *const row = weights + r * arch->cols;
        size_t best = 0;
        for (size_t i = 1; i < arch->cols; i++) {
            best = row[i] > row[best] ? i : best;
        }
        choices[r] = (unsigned char)best;
        if (top != NULL) {
            top[r] = row[best];
        }
    }
}

// Adds the gradient through the softmax: w (dw - sum w dw) / tau per row.
void wsr__arch_backward(float *diff_alphas, const wsr__arch *arch,
                        const float *weights, const float *diff_weights)
{
    for (size_t r = 0; r < arch->rows; r++) {
        const size_t begin = r * arch->cols;
        const size_t end = begin + arch->cols;
        double mean = 0;
        for (size_t i = begin; i < end; i++) {
            mean += (double)weights[i] * (double)diff_weights[i];
        }
        for (size_t i = begin; i < end; i++) {
            const double d = (double)diff_weights[i] - mean;
            diff_alphas[i] += (float)((double)weights[i] * d / arch->tau);
        }
    }
}
