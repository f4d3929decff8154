// SPDX-License-Identifier: Apache-2.0
//
// Two yes-or-no outcomes on the same cases, such as two networks on the same
// images. Only cases with different outcomes tell the two apart:
//
//   p value   McNemar's test, exact: of `only_a + only_b` tosses of a fair
//   coin,
//             how rare is a split at least as uneven. The mid-p version counts
//             half of the split itself and is less conservative (Fagerland,
//             Lydersen, Laake 2013).
//   interval  of the difference of shares: Newcombe 1998, "Improved confidence
//             intervals for the difference between binomial proportions based
//             on paired data", method 10: Wilson's intervals of both shares,
//             joined by their correlation.

#include "base/paired.h"

#include "base/base.h"

#include <math.h>

// Probability of k heads among n tosses.
static double tosses(size_t k, size_t n)
{
    const double a = (double)k;
    const double b = (double)n;
    return exp(lgamma(b + 1) - lgamma(a + 1) - lgamma(b - a + 1) -
               b * 0.69314718055994530942);
}

void wsr__mcnemar(double *exact, double *mid, size_t only_a, size_t only_b)
{
    const size_t n = only_a + only_b;
    const size_t fewer = only_a < only_b ? only_a : only_b;
    double below = 0;
    for (size_t k = 0; k < fewer; k++) {
        below += tosses(k, n);
    }
    const double itself = tosses(fewer, n);
    *exact = fmin(1, 2 * (below + itself));
    *mid = only_a == only_b ? 1 - itself / 2 : 2 * below + itself;
    *mid = n == 0 ? 1 : *mid;
}

// Correlation of the two outcomes, corrected for continuity where positive.
static double correlation(const wsr__paired *of)
{
    const double a = (double)of->both;
    const double b = (double)of->only_a;
    const double c = (double)of->only_b;
    const double d = (double)of->neither;
    const double n = a + b + c + d;
    const double size = sqrt((a + b) * (c + d) * (a + c) * (b + d));
    double excess = a * d - b * c;
    if (excess > 0) {
        excess = fmax(excess - n / 2, 0);
    }
    return size > 0 ? excess / size : 0;
}

// Length of the interval on one side, from those of the two shares.
static double side(double a, double b, double phi)
{
    return sqrt(fmax(0, a * a - 2 * phi * a * b + b * b));
}

void wsr__newcombe(double *low, double *high, const wsr__paired *of)
{
    const double n = (double)(of->both + of->only_a + of->only_b + of->neither);
    const double a = (double)(of->both + of->only_a) / n;
    const double b = (double)(of->both + of->only_b) / n;
    const double phi = correlation(of);
    double ends[4];
    wsr__wilson(&ends[0], &ends[1], a, n);
    wsr__wilson(&ends[2], &ends[3], b, n);
    *low = a - b - side(a - ends[0], ends[3] - b, phi);
    *high = a - b + side(ends[1] - a, b - ends[2], phi);
}
