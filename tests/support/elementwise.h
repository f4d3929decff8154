// SPDX-License-Identifier: Apache-2.0
//
// What families of ops are tested with: those that are computed element by
// element, reductions and normalisations.

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

/// Check these derivatives.
void slopes_are(const char *op, const char *options, const float *x,
                const float *want, int64_t n);

/// A NaN stays one, and the infinities become these two values.
void infinities_become(const char *op, float from_positive,
                       float from_negative);

/// Values of an op of two sources against f, over pairs of numbers.
void pairs_follow(const char *op, double (*f)(double, double));

/// Gradients of an op of two sources of all shapes that are broadcast, values
/// and parameters, plain and blocked. Sources are drawn in [low, high], spaced
/// when both are 0.
void broadcast_gradients(const char *op, double low, double high);

/// Of two equal numbers an op takes the half of each, and a NaN from either.
void ties_are_halves(const char *op);

/// A reduction of (0, 1, 2), (3, 4, 5) gives these numbers for rows, columns
/// and all.
void reduction_is(const char *op, const float rows[2], const float columns[3],
                  float all);

/// Gradients of a reduction along all kinds of axes, and that the batch is
/// refused as an axis.
void reduction_gradients(const char *op, grad_draw draw);

/// A NaN is the largest and the smallest number of its row.
void reduction_of_nan(const char *op);

/// Gradients of an op of rows, such as softmax, along its last axis and others.
void row_gradients(const char *op);

/// Along another axis it is what it is of the turned image.
void rows_along_axes(const char *op);

/// The batch is refused as an axis, and so is one that is not there.
void rows_of_the_batch(const char *op);

/// A normalisation of two images (2, 3) with groups of `size` numbers and
/// `weights` weights, each for `repeat` of them in a row, follows the
/// definition.
void norm_follows(const char *op, size_t size, size_t weights, size_t repeat);

/// Gradients of a normalisation without and with weight and bias.
void norm_gradients(const char *op, const char *options, wsr_shape src,
                    wsr_shape weight);

#endif
