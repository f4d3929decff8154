// SPDX-License-Identifier: Apache-2.0
//
// Projections onto a hyperplane inside the box, against a solver that knows no
// better than to sort: the minimum of a convex problem is where the conditions
// of Karush, Kuhn and Tucker hold, and in one dimension bisection finds it.

#include "attack/attack.h"
#include "attack/engine/project.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { D = 41, CASES = 600 };

typedef struct problem {
    float w[D];
    float x[D];
    wsr__hyperplane plane;
} problem;

// Some pixels at the edge, some weights 0 or equal, planes on both sides, some
// of them out of reach.
static void make(problem *p, uint32_t seed)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 0, 0);
    const double reach = (seed % 5 == 0 ? 40 : 1.5) * (seed % 2 ? 1 : -1);
    const double size = seed % 7 == 0 ? 1e-9 : 1;
    for (size_t i = 0; i < D; i++) {
        const float u = 1.4f * wsr__rng_uniform(&rng) - 0.2f;
        p->x[i] = u < 0 ? 0 : u > 1 ? 1 : u;
        p->w[i] = (float)(size * wsr__rng_normal(&rng));
        p->w[i] = i % 11 == 0 ? 0 : i % 11 == 1 ? (float)size : p->w[i];
    }
    p->plane = (wsr__hyperplane){p->w,
                                 p->x,
                                 reach * size * (double)wsr__rng_uniform(&rng),
                                 D,
                                 (wsr__lp)(seed % 3),
                                 {0, 1}};
}

static double room(const problem *p, size_t i, double sign)
{
    const double w = sign * (double)p->w[i];
    return w > 0 ? (double)p->x[i] : w < 0 ? 1 - (double)p->x[i] : 0;
}

// What d with |d_i| = min(t, room) or min(t |w_i|, room) gains.
static double gain_at(const problem *p, double t, double sign)
{
    double gain = 0;
    for (size_t i = 0; i < D; i++) {
        const double w = fabs((double)p->w[i]);
        const double r = room(p, i, sign);
        const double length = p->plane.norm == WSR__LINF ? t : t * w;
        gain += w * (length < r ? length : r);
    }
    return gain;
}

// The largest weight that is not used; D when all are.
static size_t largest(const problem *p, const bool used[D])
{
    size_t best = D;
    for (size_t i = 0; i < D; i++) {
        if (!used[i] && (best == D || fabsf(p->w[i]) > fabsf(p->w[best]))) {
            best = i;
        }
    }
    return best;
}

// L1 norm of the best change: the largest weights first.
static double best_l1(const problem *p, double c, double sign)
{
    double norm = 0;
    bool used[D] = {false};
    for (size_t k = 0; k < D && c > 0; k++) {
        const size_t best = largest(p, used);
        const double w = fabs((double)p->w[best]);
        const double r = room(p, best, sign);
        const double length = w * r < c ? r : c / w;
        used[best] = true;
        c -= w * length;
        norm += w > 0 ? length : 0;
    }
    return norm;
}

// Norm of the best change, by bisection where it is not L1.
static double best_norm(const problem *p)
{
    const double sign = p->plane.c < 0 ? -1 : 1;
    const double c = fabs(p->plane.c);
    double norm = 0;
    if (p->plane.norm == WSR__L1) {
        return best_l1(p, c, sign);
    }
    double low = 0;
    double high = 1e12;
    for (int k = 0; k < 200; k++) {
        const double t = (low + high) / 2;
        *(gain_at(p, t, sign) < c ? &low : &high) = t;
    }
    for (size_t i = 0; i < D; i++) {
        const double w = fabs((double)p->w[i]);
        const double r = room(p, i, sign);
        const double t = p->plane.norm == WSR__LINF ? high : high * w;
        const double length = t < r ? t : r;
        norm = p->plane.norm == WSR__LINF ? fmax(norm, length)
                                          : norm + length * length;
    }
    return p->plane.norm == WSR__L2 ? sqrt(norm) : norm;
}

static double most_gain(const problem *p)
{
    const double sign = p->plane.c < 0 ? -1 : 1;
    double gain = 0;
    for (size_t i = 0; i < D; i++) {
        gain += fabs((double)p->w[i]) * room(p, i, sign);
    }
    return gain;
}

START_TEST(changes_reach_the_plane_inside_the_box_with_the_least_norm)
{
    size_t reached = 0;
    for (uint32_t seed = 0; seed < CASES; seed++) {
        problem p;
        float d[D];
        float moved[D];
        double gain = 0;
        double weight = 0;
        make(&p, seed);
        wsr__project_hyperplane(d, &p.plane);
        for (size_t i = 0; i < D; i++) {
            moved[i] = p.x[i] + d[i];
            ck_assert_float_ge(moved[i], -1e-6f);
            ck_assert_float_le(moved[i], 1 + 1e-6f);
            gain -= (double)p.w[i] * (double)d[i];
            weight += fabs((double)p.w[i]);
        }
        const double most = most_gain(&p);
        const double c = fabs(p.plane.c);
        const double want = p.plane.c < 0 ? -fmin(c, most) : fmin(c, most);
        ck_assert_double_eq_tol(gain, want, 1e-6 * weight);
        reached += c < most;
        if (c < most) {
            const double norm = wsr__distance(p.plane.norm, moved, p.x, D);
            ck_assert_double_eq_tol(norm, best_norm(&p),
                                    2e-5 * (1 + best_norm(&p)));
        }
    }
    ck_assert_uint_gt(reached, CASES / 2);
    ck_assert_uint_lt(reached, CASES - CASES / 20);
}
END_TEST

START_TEST(without_a_direction_nothing_changes)
{
    problem p;
    float d[D];
    make(&p, 1);
    memset(p.w, 0, sizeof(p.w));
    wsr__project_hyperplane(d, &p.plane);
    for (size_t i = 0; i < D; i++) {
        ck_assert_float_eq(d[i], 0);
    }
}
END_TEST

START_TEST(magnitudes_are_ranked)
{
    const float v[6] = {-3, 1, 0, -0.5f, 2, 1};
    const float want[6] = {0, 0.5f, 1, 1, 2, 3};
    for (int64_t k = 0; k < 6; k++) {
        ck_assert_float_eq(wsr__kth_magnitude(v, 6, k), want[k]);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        changes_reach_the_plane_inside_the_box_with_the_least_norm,
        without_a_direction_nothing_changes, magnitudes_are_ranked, NULL};
    return suite_of("hyperplane", tests);
}
