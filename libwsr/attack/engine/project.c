// SPDX-License-Identifier: Apache-2.0
//
// Balls and boxes. What leaves this file lies inside both exactly: for L-inf,
// x0 + eps rounded to a float may lie outside, and the float next to it on the
// way to x0 is taken then; for L2 and L1 the norm is measured on the floats
// that came out, and the change is shrunk by a hair until it fits.
//
// L1 projection onto ball and box at once: Croce and Hein, "Mind the box:
// l1-APGD for sparse adversarial attacks on image classifiers",
// arXiv:2103.01208.

#include "attack/engine/project.h"
#include "base/base.h"

#include <math.h>
#include <string.h>

const char *const wsr__lp_names[] = {"linf", "l2", "l1", NULL};

wsr__lp wsr__lp_named(const char *name)
{
    size_t i = 0;
    while (wsr__lp_names[i + 1] != NULL &&
           !wsr__streq(wsr__lp_names[i], name)) {
        i++;
    }
    return (wsr__lp)i;
}

double wsr__distance(wsr__lp norm, const float *x, const float *x0, int64_t d)
{
    double most = 0;
    double squares = 0;
    double sum = 0;
    for (int64_t i = 0; i < d; i++) {
        const double change = fabs((double)x[i] - (double)x0[i]);
        most = change > most ? change : most;
        squares += change * change;
        sum += change;
    }
    return norm == WSR__LINF ? most : norm == WSR__L2 ? sqrt(squares) : sum;
}

void wsr__clip(float *x, int64_t d, wsr__box box)
{
    for (int64_t i = 0; i < d; i++) {
        const float v = x[i] < box.lo ? box.lo : x[i];
        x[i] = v > box.hi ? box.hi : v;
    }
}

// The float next to `v`, nearer to 0 (-1) or farther (+1), as bits.
static inline float next(float v, int32_t step)
{
    int32_t bits = 0;
    memcpy(&bits, &v, sizeof(bits));
    bits += step;
    memcpy(&v, &bits, sizeof(bits));
    return v;
}

// v moved into [c - eps, c + eps] and the box. A bound that rounding put
// outside is moved to its neighbour towards c.
static inline float into_linf(float v, float c, float eps, wsr__box box)
{
    float up = c + eps;
    float down = c - eps;
    const bool over = (double)up - (double)c > (double)eps;
    const bool under = (double)c - (double)down > (double)eps;
    up = next(up, over ? (up > 0 ? -1 : 1) : 0);
    down = next(down, under ? (down > 0 ? 1 : -1) : 0);
    up = up > box.hi ? box.hi : up;
    down = down < box.lo ? box.lo : down;
    v = v < down ? down : v;
    return v > up ? up : v;
}

void wsr__sign_step(float *restrict x, const float *restrict g, float alpha,
                    const wsr__ball *ball)
{
    const float *restrict const x0 = ball->x0;
    const float eps = ball->eps;
    const wsr__box box = ball->box;
    for (int64_t i = 0; i < ball->d; i++) {
        const float sign = (float)(g[i] > 0) - (float)(g[i] < 0);
        x[i] = into_linf(x[i] + alpha * sign, x0[i], eps, box);
    }
}

static void project_linf(float *restrict x, const wsr__ball *ball)
{
    const float *restrict const x0 = ball->x0;
    for (int64_t i = 0; i < ball->d; i++) {
        x[i] = into_linf(x[i], x0[i], ball->eps, ball->box);
    }
}

// x0 + factor * (x - x0), in the box.
static void shrink(float *x, double factor, const wsr__ball *ball)
{
    for (int64_t i = 0; i < ball->d; i++) {
        const double c = (double)ball->x0[i];
        x[i] = (float)(c + factor * ((double)x[i] - c));
    }
    wsr__clip(x, ball->d, ball->box);
}

// Shrink until the norm of what is there fits.
static void fit(float *x, const wsr__ball *ball)
{
    double slack = 0x1p-24;
    double norm = wsr__distance(ball->norm, x, ball->x0, ball->d);
    while (norm > (double)ball->eps) {
        shrink(x, (double)ball->eps / norm * (1 - slack), ball);
        norm = wsr__distance(ball->norm, x, ball->x0, ball->d);
        slack = slack < 0.25 ? slack * 2 : 1;
    }
}

static void project_l2(float *x, const wsr__ball *ball)
{
    const double norm = wsr__distance(WSR__L2, x, ball->x0, ball->d);
    if (norm > (double)ball->eps) {
        shrink(x, (double)ball->eps / norm, ball);
    } else {
        wsr__clip(x, ball->d, ball->box);
    }
    fit(x, ball);
}

// Nearest point of the L1 ball and the box: every change is clipped to the
// box and all are shortened by the same amount t, what the clipping took off
// counted in, so that |u_i| = max(0, min(|u_i| - t, room_i)). `derivative`
// receives how fast the sum of these falls with t.
static double l1_at(double *derivative, double t, const float *x,
                    const wsr__ball *ball)
{
    double sum = 0;
    double falling = 0;
    for (int64_t i = 0; i < ball->d; i++) {
        const double c = (double)ball->x0[i];
        const double u = (double)x[i] - c;
        const double room = u > 0 ? (double)ball->box.hi - c
                                  : c - (double)ball->box.lo;
        const double left = fabs(u) - t;
        sum += left <= 0 ? 0 : left < room ? left : room;
        falling += left > 0 && left < room ? 1 : 0;
    }
    *derivative = falling;
    return sum;
}

// The t that makes the sum eps: Newton's method, kept in the interval that
// bisection would keep.
static double l1_shortening(const float *x, const wsr__ball *ball)
{
    const double eps = (double)ball->eps;
    double derivative = 0;
    double low = 0;
    double high = wsr__distance(WSR__LINF, x, ball->x0, ball->d);
    double t = 0;
    if (l1_at(&derivative, 0, x, ball) <= eps) {
        return 0;
    }
    for (int k = 0; k < 80; k++) {
        const double sum = l1_at(&derivative, t, x, ball);
        if (fabs(sum - eps) <= 1e-9 * eps) {
            return t;
        }
        *(sum > eps ? &low : &high) = t;
        const double next = t + (sum - eps) / derivative;
        t = derivative > 0 && next > low && next < high ? next
                                                        : (low + high) / 2;
    }
    return high;
}

static void project_l1(float *x, const wsr__ball *ball)
{
    const double t = l1_shortening(x, ball);
    for (int64_t i = 0; i < ball->d; i++) {
        const double c = (double)ball->x0[i];
        const double u = (double)x[i] - c;
        const double left = fabs(u) - t;
        x[i] = left <= 0 ? ball->x0[i] : (float)(c + copysign(left, u));
    }
    wsr__clip(x, ball->d, ball->box);
    fit(x, ball);
}

void wsr__project(float *x, const wsr__ball *ball)
{
    if (isinf(ball->eps)) {
        wsr__clip(x, ball->d, ball->box);
    } else if (ball->norm == WSR__LINF) {
        project_linf(x, ball);
    } else if (ball->norm == WSR__L2) {
        project_l2(x, ball);
    } else {
        project_l1(x, ball);
    }
}
