// SPDX-License-Identifier: Apache-2.0
//
// What ops that are computed element by element are tested with.

#ifndef WSR_TESTS_ELEMENTWISE_H
#define WSR_TESTS_ELEMENTWISE_H

#include "support/gradcheck.h"

/// Values of an op of one source at many points of [-limit, limit], densely
/// around 0: they must be within a relative 1e-6 of f, which is computed in
/// double.
void values_follow(const char *op, const char *options, double (*f)(double),
                   double limit);

/// Gradients of an op of one source in plain and blocked images, channels with
/// and without padding, drawn in [low, high] but not near the kinks.
void elementwise_gradients(const char *op, const char *options, double low,
                           double high, const double kinks[2]);

/// Derivatives of an op of one source at n points.
void slopes_at(float *dx, const char *op, const char *options, const float *x,
               int64_t n);

/// Values of an op of two sources against f, over pairs of numbers.
void pairs_follow(const char *op, double (*f)(double, double));

/// Gradients of an op of two sources of all shapes that are broadcast, values
/// and parameters, plain and blocked. Sources are drawn in [low, high], spaced
/// when both are 0.
void broadcast_gradients(const char *op, double low, double high);

#endif
