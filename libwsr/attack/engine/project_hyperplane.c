// SPDX-License-Identifier: Apache-2.0
//
// The smallest change d of an image x, in one of three norms, that reaches the
// hyperplane <w, x + d> = <w, x> - c inside the box; where the plane does not
// meet the box, the change that comes nearest. With u = c w / |c|, every d_i
// points against u_i and can go room_i far:
//
//   linf  |d_i| = min(t, room_i)                 sum |w_i| min(t, room_i) = |c|
//   l2    |d_i| = |w_i| min(t, room_i / |w_i|)   sum w_i^2 min(t, ...) = |c|
//   l1    all of the room of the largest |w_i| first, as long as it is needed
//
// Both sums are concave and piecewise linear in t, so that Newton's method
// from 0 rises to the solution without passing it. Croce and Hein, "Minimally
// distorted adversarial examples with a fast adaptive boundary attack",
// arXiv:1907.02044, solve the same problems by sorting.

#include "attack/engine/project.h"

#include <math.h>
#include <string.h>

enum { NEWTON_STEPS = 200 };

float wsr__kth_magnitude(const float *values, int64_t n, int64_t k)
{
    // Bits of positive floats are ordered as the floats are.
    uint32_t low = 0;
    uint32_t high = UINT32_C(0x7f800000);
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        float bound = 0;
        int64_t below = 0;
        memcpy(&bound, &middle, sizeof(bound));
        for (int64_t i = 0; i < n; i++) {
            below += fabsf(values[i]) <= bound;
        }
        if (below > k) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    float value = 0;
    memcpy(&value, &low, sizeof(value));
    return value;
}

// How far pixel i can go against the direction of w.
static inline double room(const wsr__hyperplane *p, int64_t i, double sign)
{
    const double w = sign * (double)p->w[i];
    const double x = (double)p->x[i];
    return w > 0 ? x - (double)p->box.lo : w < 0 ? (double)p->box.hi - x : 0;
}

// Weight and limit of pixel i in the sums above; `scale` makes the largest
// |w_i| 1.
static inline void term(double *weight, double *limit, const wsr__hyperplane *p,
                        int64_t i, double scale)
{
    const double w = fabs((double)p->w[i]) * fabs(scale);
    const double r = room(p, i, scale);
    *weight = p->norm == WSR__LINF ? w : w * w;
    *limit = p->norm == WSR__LINF ? r : r / w;
    if (w < 1e-8) {
        *weight = 0;
        *limit = 0;
    }
}

static double solve(const wsr__hyperplane *p, double scale, double c)
{
    double t = 0;
    for (int k = 0; k < NEWTON_STEPS; k++) {
        double sum = 0;
        double derivative = 0;
        for (int64_t i = 0; i < p->d; i++) {
            double weight = 0;
            double limit = 0;
            term(&weight, &limit, p, i, scale);
            sum += weight * (limit < t ? limit : t);
            derivative += limit > t ? weight : 0;
        }
        const double next = t + (c - sum) / derivative;
        if (derivative <= 0 || !(next > t)) {
            break;
        }
        t = next;
    }
    return t;
}

static void spread(float *change, const wsr__hyperplane *p, double scale,
                   double c)
{
    const double t = solve(p, scale, c);
    for (int64_t i = 0; i < p->d; i++) {
        double weight = 0;
        double limit = 0;
        term(&weight, &limit, p, i, scale);
        const double w = scale * (double)p->w[i];
        const double length = limit < t ? limit : t;
        change[i] = (float)(p->norm == WSR__LINF ? (w > 0   ? -length
                                                    : w < 0 ? length
                                                            : 0)
                                                 : -w * length);
    }
}

// What the pixels with |w_i| > bound can contribute.
static double gain_above(const wsr__hyperplane *p, float bound, double scale)
{
    double gain = 0;
    for (int64_t i = 0; i < p->d; i++) {
        if (fabsf(p->w[i]) > bound) {
            gain += fabs(scale * (double)p->w[i]) * room(p, i, scale);
        }
    }
    return gain;
}

// The smallest bound whose pixels above it do not suffice (or do so exactly).
static float last_bound(const wsr__hyperplane *p, double scale, double c)
{
    uint32_t low = 0;
    uint32_t high = UINT32_C(0x7f7fffff);
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        float bound = 0;
        memcpy(&bound, &middle, sizeof(bound));
        if (gain_above(p, bound, scale) <= c) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    float bound = 0;
    memcpy(&bound, &low, sizeof(bound));
    return bound;
}

static void concentrate(float *change, const wsr__hyperplane *p, double scale,
                        double c)
{
    const float bound = last_bound(p, scale, c);
    double left = c - gain_above(p, bound, scale);
    for (int64_t i = 0; i < p->d; i++) {
        const double w = scale * (double)p->w[i];
        const double size = fabs(w);
        double length = 0;
        if (fabsf(p->w[i]) > bound) {
            length = room(p, i, scale);
        } else if (fabsf(p->w[i]) == bound && size > 0 && left > 0) {
            const double most = room(p, i, scale);
            length = left < size * most ? left / size : most;
            left -= size * length;
        }
        change[i] = (float)(w > 0 ? -length : length);
    }
}

void wsr__project_hyperplane(float *change, const wsr__hyperplane *plane)
{
    double most = 0;
    for (int64_t i = 0; i < plane->d; i++) {
        const double w = fabs((double)plane->w[i]);
        most = w > most ? w : most;
    }
    if (!(most > 0)) {
        memset(change, 0, (size_t)plane->d * sizeof(*change));
        return;
    }
    const double scale = (plane->c < 0 ? -1 : 1) / most;
    const double c = fabs(plane->c) / most;
    if (plane->norm == WSR__L1) {
        concentrate(change, plane, scale, c);
    } else {
        spread(change, plane, scale, c);
    }
}
