// SPDX-License-Identifier: Apache-2.0
//
// Norms, balls and projections.

#ifndef WSR_ATTACK_ENGINE_PROJECT_H
#define WSR_ATTACK_ENGINE_PROJECT_H

#include <stddef.h>
#include <stdint.h>

typedef enum wsr__lp { WSR__LINF, WSR__L2, WSR__L1 } wsr__lp;

enum { WSR__LP_NORMS = 3 };

extern const char *const wsr__lp_names[]; // "linf", "l2", "l1", NULL

/// Norm of a name that a schema has checked.
wsr__lp wsr__lp_named(const char *name);

/// The permitted values of a pixel.
typedef struct wsr__box {
    float lo;
    float hi;
} wsr__box;

static inline double wsr__width(wsr__box box)
{
    return (double)box.hi - (double)box.lo;
}

/// A ball around an image, cut by the box.
typedef struct wsr__ball {
    const float *x0; // its centre, inside the box
    int64_t d;       // pixels
    float eps;
    wsr__lp norm;
    wsr__box box;
} wsr__ball;

/// Norm of x - x0: exact differences, sums in double.
double wsr__distance(wsr__lp norm, const float *x, const float *x0, int64_t d);

/// Put x into ball and box, so that wsr__distance() <= eps and lo <= x <= hi
/// hold as comparisons of numbers. L-inf: nearest point. L2: the step into
/// the ball along the radius, then the box. L1: the nearest point.
void wsr__project(float *x, const wsr__ball *ball);

/// x = nearest point of ball and box to x + alpha * sign(g), for L-inf.
void wsr__sign_step(float *x, const float *g, float alpha,
                    const wsr__ball *ball);

/// A hyperplane that lies -c / |w| away from x in the direction of w.
typedef struct wsr__hyperplane {
    const float *w;
    const float *x;
    double c;
    int64_t d;
    wsr__lp norm;
    wsr__box box;
} wsr__hyperplane;

/// The smallest change of x that reaches the hyperplane inside the box, or
/// comes nearest to it.
void wsr__project_hyperplane(float *change, const wsr__hyperplane *plane);

/// The k-th smallest magnitude, k from 0.
float wsr__kth_magnitude(const float *values, int64_t n, int64_t k);

/// Put x into the box alone.
void wsr__clip(float *x, int64_t d, wsr__box box);

#endif
