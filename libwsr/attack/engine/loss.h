// SPDX-License-Identifier: Apache-2.0
//
// Losses of the logits of one image, which attacks maximise, and the powers of
// two that their gradients carry.

#ifndef WSR_ATTACK_ENGINE_LOSS_H
#define WSR_ATTACK_ENGINE_LOSS_H

#include <stddef.h>
#include <stdint.h>

/// The classes that a loss is about.
typedef struct wsr__loss_target {
    int32_t label;        // whose logit is to fall; -1: none
    int32_t target_class; // whose logit is to rise; -1: any other class
    const float *clean;   // logits of the clean image
} wsr__loss_target;

/// Exponents of gradients lie between this and its negative.
#define WSR__EXPONENT_MOST (INT32_C(1) << 29)

/// An exponent that is smaller than all of these.
#define WSR__EXPONENT_NONE (-2 * WSR__EXPONENT_MOST)

/// Value of a loss at logits z and, unless dz is NULL, its gradient
/// dz * 2^*exponent, whose power of two is such that no float of the gradient
/// by the pixels is too small; with `exponent` NULL the gradient is dz itself.
typedef double (*wsr__loss)(float *dz, int *exponent, const float *z,
                            const wsr__loss_target *target, size_t classes);

/// Cross entropy of the label, or minus that of the target class.
double wsr__loss_ce(float *dz, int *exponent, const float *z,
                    const wsr__loss_target *target, size_t classes);

/// Difference of logits ratio (Croce and Hein, arXiv:2003.01690): 3 classes at
/// least.
double wsr__loss_dlr(float *dz, int *exponent, const float *z,
                     const wsr__loss_target *target, size_t classes);

/// max over other classes - z[label], or z[target_class] - max over other
/// classes. The exponent is 0.
double wsr__loss_margin(float *dz, int *exponent, const float *z,
                        const wsr__loss_target *target, size_t classes);

/// z[target_class] - z[label]. The exponent is 0.
double wsr__loss_difference(float *dz, int *exponent, const float *z,
                            const wsr__loss_target *target, size_t classes);

/// Kullback-Leibler divergence of softmax(z) from softmax(clean).
double wsr__loss_kl(float *dz, int *exponent, const float *z,
                    const wsr__loss_target *target, size_t classes);

/// These losses, ended by NULL.
extern const wsr__loss wsr__losses[];

/// A number that is larger the larger a loss is, and has its sign; it also
/// tells apart losses that are too close to 0 for a double.
typedef double (*wsr__order)(const float *z, const wsr__loss_target *target,
                             size_t classes);

double wsr__order_ce(const float *z, const wsr__loss_target *target,
                     size_t classes);
double wsr__order_margin(const float *z, const wsr__loss_target *target,
                         size_t classes);
double wsr__order_dlr(const float *z, const wsr__loss_target *target,
                      size_t classes);

/// Largest minus smallest logit.
double wsr__logit_spread(const float *z, size_t classes);

/// e of |value| = m 2^e with m in [1/2, 1); 0 for 0.
int wsr__exponent(double value);

/// The `rank`-th largest of z apart from `but`, rank from 0; the first of
/// equals comes first.
int32_t wsr__ranked(const float *z, size_t classes, int32_t but, size_t rank);

/// First largest of z.
int32_t wsr__argmax(const float *z, size_t classes);

/// The logit of a class less the largest other one.
float wsr__margin(const float *z, size_t classes, int32_t label);

/// What to multiply a gradient of exponent `exponent` by before it is added to
/// `sum`, whose exponent is *sum_exponent: the sum is brought to the larger one
/// of the two. WSR__EXPONENT_NONE: the sum is zero so far.
float wsr__gradient_align(float *sum, int *sum_exponent, int exponent,
                          int64_t d);

/// The gradients of losses by the logits of images that depend on each other
/// have one exponent: that of the first `rows` is *exponent, that of the next
/// one is `next`; all of them get the larger one.
void wsr__gradient_join(float *dz, int *exponent, int next, size_t rows,
                        size_t classes);

/// A power of two by which a length has to be multiplied to become a float of
/// full precision whose inverse is one as well; 1 for most lengths.
float wsr__lift(double length);

#endif
