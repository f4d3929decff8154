// SPDX-License-Identifier: Apache-2.0
//
// Statistics of two outcomes on the same cases (paired.c).

#ifndef WSR_BASE_PAIRED_H
#define WSR_BASE_PAIRED_H

#include <stddef.h>

/// How often two outcomes on the same cases were yes.
typedef struct wsr__paired {
    size_t both;
    size_t only_a;
    size_t only_b;
    size_t neither;
} wsr__paired;

/// Two-sided p values of McNemar's test that both outcomes are equally
/// frequent: exact, and mid-p.
void wsr__mcnemar(double *exact, double *mid, size_t only_a, size_t only_b);

/// Ends of the 95 % interval of the difference of the shares of a and b, by
/// Newcombe's method 10. There is at least one case.
void wsr__newcombe(double *low, double *high, const wsr__paired *of);

#endif
