// SPDX-License-Identifier: Apache-2.0
//
// The binomial test (binomial.c).

#ifndef WSR_BASE_BINOMIAL_H
#define WSR_BASE_BINOMIAL_H

#include <stddef.h>

/// Probability of at least k successes among n trials of probability p in
/// (0, 1].
double wsr__binomial_tail(size_t k, size_t n, double p);

#endif
