// SPDX-License-Identifier: Apache-2.0
//
// Starting points and gradient steps that attacks share: random starts, steps
// in the direction of a gradient, momentum.
//
// Every function works on one row (d). Gradients arrive with an exponent (see
// engine/loss.c): what is divided by its norm does not need it, sums of
// several gradients do.

#include "attack/engine/steps.h"

#include <math.h>

// Offset of the counters of random starts, beyond any number of steps: a step
// and a start never share random numbers.
enum { START = 0x40000000 }; // apart from the numbers of steps

// An absolute step size, or else rel_length strengths divided by the number of
// steps.
float wsr__step_size(const wsr__attack_batch *s, double alpha,
                     double rel_length, int64_t steps)
{
    return (float)(alpha > 0 ? alpha
                             : rel_length * (double)s->eps / (double)steps);
}

// A factor that lifts tiny gradients before they are divided by their norm: in
// single precision the norm, or the quotient's intermediate, would be 0.
float wsr__lift(double length)
{
    return length < 0x1p-60 ? 0x1p80f : 1;
}

// Brings a sum of gradients and a further one to a common exponent, the larger
// of the two. Returns the factor for the further one; the sum is scaled down
// where it has to be.
float wsr__gradient_align(float *sum, int *sum_exponent, int exponent,
                          int64_t d)
{
    if (exponent > *sum_exponent) {
        const float down = ldexpf(1, *sum_exponent - exponent);
        for (int64_t i = 0; i < d; i++) {
            sum[i] *= down;
        }
        *sum_exponent = exponent;
    }
    return ldexpf(1, exponent - *sum_exponent);
}

// The same for `rows` gradients of logits and the one that follows them.
void wsr__gradient_join(float *dz, int *exponent, int next, size_t rows,
                        size_t classes)
{
    float *const last = dz + rows * classes;
    const float factor =
        wsr__gradient_align(dz, exponent, next, (int64_t)(rows * classes));
    for (size_t c = 0; c < classes; c++) {
        last[c] *= factor;
    }
}

static wsr__rng start_rng(const wsr__attack_batch *s, size_t row,
                          uint32_t restart)
{
    return wsr__attack_batch_rng(s, row, START + restart);
}

// Adds normal noise to x.
static void gaussian(float *x, int64_t d, double scale, wsr__rng *rng)
{
    for (int64_t i = 0; i < d; i++) {
        x[i] += (float)(scale * wsr__rng_normal(rng));
    }
}

void wsr__start_gaussian(wsr__attack_batch *s, size_t row, uint32_t restart,
                         double sigma)
{
    wsr__rng rng = start_rng(s, row, restart);
    float *const x = wsr__at(s->x, s->d, row);
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    gaussian(x, s->d, sigma * wsr__width(ball.box), &rng);
    wsr__project(x, &ball);
}

// A normal vector has a uniform direction; U^(1/d) of the radius makes the
// point uniform in the ball.
static void uniform_l2(float *x, const wsr__ball *ball, wsr__rng *rng)
{
    const double radius = (double)ball->eps * pow((double)wsr__rng_uniform(rng),
                                                  1 / (double)ball->d);
    gaussian(x, ball->d, wsr__width(ball->box), rng);
    const double length = wsr__distance(WSR__L2, x, ball->x0, ball->d);
    for (int64_t i = 0; i < ball->d && length > 0; i++) {
        const double c = (double)ball->x0[i];
        x[i] = (float)(c + ((double)x[i] - c) * radius / length);
    }
}

// x is the clean image; the projection also respects the pixel range, and
// removes what rounding puts outside the ball.
void wsr__start_uniform(wsr__attack_batch *s, size_t row, uint32_t restart)
{
    wsr__rng rng = start_rng(s, row, restart);
    float *const x = wsr__at(s->x, s->d, row);
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    if (s->norm == WSR__LINF) {
        for (int64_t i = 0; i < s->d; i++) {
            x[i] += s->eps * (2 * wsr__rng_uniform(&rng) - 1);
        }
    } else {
        uniform_l2(x, &ball, &rng);
    }
    wsr__project(x, &ball);
}

// One gradient step of length alpha, the sign of the gradient in linf and its
// direction in l2, then the projection. A zero gradient leaves x where it is.
void wsr__gradient_step(wsr__attack_batch *s, size_t row, const float *g,
                        float alpha)
{
    float *const x = wsr__at(s->x, s->d, row);
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    if (s->norm == WSR__LINF) {
        wsr__sign_step(x, g, alpha, &ball);
        return;
    }
    double squares = 0;
    for (int64_t i = 0; i < s->d; i++) {
        squares += (double)g[i] * (double)g[i];
    }
    const float lift = wsr__lift(sqrt(squares));
    const float length = (float)(sqrt(squares) * (double)lift);
    for (int64_t i = 0; i < s->d && length > 0; i++) {
        x[i] += alpha * (lift * g[i] / length);
    }
    wsr__project(x, &ball);
}

// m = decay m + g / mean |g|, as MI-FGSM has it; a zero gradient adds nothing.
void wsr__momentum(float *restrict m, const float *restrict g, double decay,
                   int64_t d)
{
    double length = 0;
    for (int64_t i = 0; i < d; i++) {
        length += fabs((double)g[i]);
    }
    const float lift = wsr__lift(length / (double)d);
    const float scale =
        length > 0 ? (float)((double)d / (length * (double)lift)) : 0;
    for (int64_t i = 0; i < d; i++) {
        m[i] = (float)decay * m[i] + lift * g[i] * scale;
    }
}
