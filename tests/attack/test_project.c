// SPDX-License-Identifier: Apache-2.0

#include "attack/attack.h"
#include "attack/engine/project.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { D = 37 };

typedef struct point {
    float x0[D];
    float x[D];
    wsr__ball ball;
} point;

// A centre with pixels at 0 and 1, and a point around it.
static void make(point *p, wsr__lp norm, float eps, uint32_t seed)
{
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < D; i++) {
        const float u = 1.4f * wsr__rng_uniform(&rng) - 0.2f;
        p->x0[i] = u < 0 ? 0 : u > 1 ? 1 : u;
        p->x[i] = p->x0[i] + (float)(0.5 * wsr__rng_normal(&rng));
    }
    p->ball = (wsr__ball){p->x0, D, eps, norm, {0, 1}};
}

static bool inside(const float *x, const wsr__ball *ball)
{
    bool in = wsr__distance(ball->norm, x, ball->x0, D) <= (double)ball->eps;
    for (size_t i = 0; i < D; i++) {
        in = in && x[i] >= ball->box.lo && x[i] <= ball->box.hi;
    }
    return in;
}

START_TEST(projections_end_inside_exactly)
{
    for (uint32_t seed = 0; seed < 3000; seed++) {
        const wsr__lp norm = (wsr__lp)(seed % 3);
        wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 1, 0);
        const float eps = 0.6f * wsr__rng_uniform(&rng) *
                          (norm == WSR__L1 ? 8 : 1);
        point p;
        make(&p, norm, eps, seed);
        wsr__project(p.x, &p.ball);
        ck_assert(inside(p.x, &p.ball));
    }
}
END_TEST

START_TEST(points_inside_stay_where_they_are)
{
    for (uint32_t seed = 0; seed < 300; seed++) {
        point p;
        float before[D];
        make(&p, (wsr__lp)(seed % 3), 1, seed);
        for (size_t i = 0; i < D; i++) {
            p.x[i] = p.x0[i] + (p.x0[i] < 0.5f ? 1e-3f : -1e-3f);
        }
        memcpy(before, p.x, sizeof(before));
        wsr__project(p.x, &p.ball);
        ck_assert_mem_eq(before, p.x, sizeof(before));
    }
}
END_TEST

START_TEST(pixel_ranges_other_than_zero_to_one_are_kept)
{
    for (uint32_t seed = 0; seed < 300; seed++) {
        point p;
        make(&p, (wsr__lp)(seed % 3), 0.3f, seed);
        for (size_t i = 0; i < D; i++) {
            p.x0[i] = 4 * p.x0[i] - 2;
            p.x[i] = 4 * p.x[i] - 2;
        }
        p.ball.box = (wsr__box){-2, 2};
        wsr__project(p.x, &p.ball);
        ck_assert(inside(p.x, &p.ball));
    }
}
END_TEST

START_TEST(a_sign_step_moves_by_alpha_and_stays_inside)
{
    point p;
    float g[D];
    make(&p, WSR__LINF, 0.1f, 5);
    memcpy(p.x, p.x0, sizeof(p.x));
    for (size_t i = 0; i < D; i++) {
        g[i] = i % 3 == 0 ? 0 : i % 3 == 1 ? 1e-30f : -5;
    }
    wsr__sign_step(p.x, g, 0.03f, &p.ball);
    for (size_t i = 0; i < D; i++) {
        const float sign = i % 3 == 0 ? 0.0f : i % 3 == 1 ? 1.0f : -1.0f;
        const float want = p.x0[i] + 0.03f * sign;
        ck_assert_float_eq_tol(p.x[i],
                               want < 0   ? 0
                               : want > 1 ? 1
                                          : want,
                               1e-7f);
    }
    for (int k = 0; k < 10; k++) {
        wsr__sign_step(p.x, g, 0.03f, &p.ball);
        ck_assert(inside(p.x, &p.ball));
    }
    ck_assert_float_eq(p.x[0], p.x0[0]);
}
END_TEST

// The nearest point of ball and box, found without cleverness: alternating
// projections of Dykstra converge to it.
static void dykstra(double *out, const point *p)
{
    double u[D];
    double a[D] = {0};
    double b[D] = {0};
    for (size_t i = 0; i < D; i++) {
        u[i] = (double)p->x[i] - (double)p->x0[i];
    }
    for (int k = 0; k < 4000; k++) {
        double v[D];
        double low = 0;
        double high = 10;
        for (size_t i = 0; i < D; i++) {
            v[i] = u[i] + a[i];
        }
        for (int j = 0; j < 80; j++) {
            const double t = (low + high) / 2;
            double sum = 0;
            for (size_t i = 0; i < D; i++) {
                sum += fmax(fabs(v[i]) - t, 0);
            }
            *(sum > (double)p->ball.eps ? &low : &high) = t;
        }
        for (size_t i = 0; i < D; i++) {
            const double w = copysign(fmax(fabs(v[i]) - high, 0), v[i]);
            a[i] = v[i] - w;
            const double c = (double)p->x0[i];
            const double z = w + b[i];
            u[i] = fmin(fmax(z, -c), 1 - c);
            b[i] = z - u[i];
        }
    }
    memcpy(out, u, sizeof(u));
}

START_TEST(the_l1_projection_is_the_nearest_point)
{
    for (uint32_t seed = 0; seed < 20; seed++) {
        point p;
        double want[D];
        make(&p, WSR__L1, 1.5f, seed);
        dykstra(want, &p);
        wsr__project(p.x, &p.ball);
        for (size_t i = 0; i < D; i++) {
            ck_assert_double_eq_tol((double)p.x[i] - (double)p.x0[i], want[i],
                                    1e-4);
        }
    }
}
END_TEST

START_TEST(distances_are_the_three_norms)
{
    const float a[3] = {0.25f, 0.5f, 1};
    const float b[3] = {0.5f, 0.5f, 0.5f};
    ck_assert_double_eq(wsr__distance(WSR__LINF, a, b, 3), 0.5);
    ck_assert_double_eq(wsr__distance(WSR__L1, a, b, 3), 0.75);
    ck_assert_double_eq_tol(wsr__distance(WSR__L2, a, b, 3), sqrt(0.3125),
                            1e-15);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {projections_end_inside_exactly,
                                  points_inside_stay_where_they_are,
                                  pixel_ranges_other_than_zero_to_one_are_kept,
                                  a_sign_step_moves_by_alpha_and_stays_inside,
                                  the_l1_projection_is_the_nearest_point,
                                  distances_are_the_three_norms,
                                  NULL};
    return suite_of("project", tests);
}
