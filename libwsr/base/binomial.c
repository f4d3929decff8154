// SPDX-License-Identifier: Apache-2.0
//
// The binomial test: how often chance alone yields at least so many successes.

#include "base/binomial.h"

#include <math.h>

// Of the terms C(n, i) p^i (1 - p)^(n - i) from k on. They are summed from the
// end, where they are smallest.
double wsr__binomial_tail(size_t k, size_t n, double p)
{
    double sum = 0;
    if (k == 0) {
        return 1;
    }
    for (size_t i = n; i >= k; i--) {
        const double a = (double)i;
        const double b = (double)(n - i);
        const double ways = lgamma(a + b + 1) - lgamma(a + 1) - lgamma(b + 1);
        const double rest = i == n ? 0 : b * log1p(-p);
        sum += exp(ways + a * log(p) + rest);
    }
    return fmin(sum, 1);
}
