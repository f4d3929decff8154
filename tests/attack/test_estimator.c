// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"
#include "attack/toy_estimator.h"

static const float sources[3] = {0.02f, 0.05f, 0.08f};
#define OPTIONS "sources=[0.02,0.05,0.08],steps=5"

static double length_of(const float *v)
{
    double squares = 0;
    for (size_t i = 0; i < TOY_D; i++) {
        squares += (double)v[i] * (double)v[i];
    }
    return sqrt(squares);
}

// The noises of the sources by the attack pgd, (3, TOY_N, TOY_D).
static void noises_by_pgd(float *noises, toy_world *w)
{
    for (size_t k = 0; k < 3; k++) {
        wsr_attack_result *const r =
            toy_run(w, "pgd:steps=5", "stop=false", sources[k]);
        const float *const x = wsr_attack_result_images(r, 0);
        for (size_t i = 0; i < TOY_N * TOY_D; i++) {
            noises[k * TOY_N * TOY_D + i] = x[i] - w->x[i];
        }
        wsr_attack_result_free(r);
    }
}

// What the estimator makes of image i at a Euclidean norm, put into the ball.
static void expected(float *x, const toy_world *w, wsr_estimator *est,
                     const float *noises, size_t i, float norm)
{
    const size_t counts[3] = {1, 3, 1};
    float *const dst[1] = {x};
    const float *from[3];
    for (size_t k = 0; k < 3; k++) {
        from[k] = noises + (k * TOY_N + i) * TOY_D;
    }
    ck_assert_ok(
        wsr_estimator_run(dst, est, from, w->x + i * TOY_D, &norm, counts));
    for (size_t p = 0; p < TOY_D; p++) {
        x[p] += w->x[i * TOY_D + p];
    }
}

static void compare(wsr__lp lp, float eps)
{
    static float noises[3 * TOY_N * TOY_D];
    char spec[700];
    toy_world *const w = toy_begin(21);
    wsr_estimator *const est = toy_estimator();
    noises_by_pgd(noises, w);
    (void)snprintf(spec, sizeof(spec), "estimator:net=%s,%s,norm=%s",
                   toy_estimator_file(), OPTIONS, wsr__lp_names[lp]);
    wsr_attack_result *const r = toy_run(w, spec, "stop=false", eps);
    for (size_t i = 0; i < TOY_N; i++) {
        float x[TOY_D];
        const wsr__ball ball = {w->x + i * TOY_D, TOY_D, eps, lp, {0, 1}};
        // 0.06 is nearest to 0.05.
        const double norm = lp == WSR__L2
                                ? (double)eps
                                : length_of(noises + (TOY_N + i) * TOY_D) *
                                      (double)eps / 0.05;
        expected(x, w, est, noises, i, (float)norm);
        wsr__project(x, &ball);
        for (size_t p = 0; p < TOY_D; p++) {
            ck_assert_float_eq_tol(
                x[p], wsr_attack_result_images(r, 0)[i * TOY_D + p], 2e-6f);
        }
    }
    wsr_attack_result_free(r);
    wsr_estimator_free(est);
    toy_end(w);
}

START_TEST(noise_is_the_estimators_from_that_of_pgd)
{
    compare(WSR__LINF, 0.06f);
}
END_TEST

START_TEST(in_the_euclidean_ball_the_norm_is_the_strength)
{
    compare(WSR__L2, 0.3f);
    // Where no pixel meets the edge of the range, exactly so.
    char spec[700];
    toy_world *const w = toy_begin(21);
    for (size_t i = 0; i < TOY_N * TOY_D; i++) {
        w->x[i] = 0.4f + 0.2f * w->x[i];
    }
    (void)snprintf(spec, sizeof(spec), "estimator:net=%s,%s,norm=l2",
                   toy_estimator_file(), OPTIONS);
    wsr_attack_result *const r = toy_run(w, spec, "stop=false", 0.3f);
    for (size_t i = 0; i < TOY_N; i++) {
        ck_assert_float_eq_tol(wsr_attack_result_l2(r, 0)[i], 0.3f, 1e-5f);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(sources_are_attacked_once_for_all_strengths)
{
    const float eps[3] = {0.001f, 0.002f, 0.003f};
    char spec[700];
    uint64_t gradients = 0;
    toy_world *const w = toy_begin(22);
    (void)snprintf(spec, sizeof(spec), "estimator:net=%s,%s",
                   toy_estimator_file(), OPTIONS);
    wsr_attack_result *const r =
        toy_attack(spec, "stop=false", eps, 3,
                   &(toy_task){w->model, w->x, w->labels, TOY_N});
    for (size_t e = 0; e < 3; e++) {
        gradients += wsr_attack_result_gradients(r, e)[0];
    }
    // 3 sources of 5 steps; the first gradient is that of the clean image.
    ck_assert_uint_eq(gradients, 3 * 5 - 2);
    ck_assert_uint_eq(wsr_attack_result_gradients(r, 2)[0], 0);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(bad_input_is_named)
{
    wsr_attack *attack = NULL;
    wsr_attack_result *r = NULL;
    char spec[700];
    toy_world *const w = toy_begin(23);
    ck_assert_fails(wsr_attack_new(&attack, "estimator", NULL), WSR_CONFIG,
                    "a file is needed");
    ck_assert_fails(
        wsr_attack_new(&attack, "estimator:net=x,sources=[0.1,0.1]", NULL),
        WSR_CONFIG, "0.1 does not exceed 0.1");
    ck_assert_fails(wsr_attack_new(&attack, "estimator:net=nowhere", NULL),
                    WSR_IO, "nowhere");
    ck_assert_fails(wsr_attack_new(&attack, "estimator:net=/dev/null", NULL),
                    WSR_FORMAT, "no safetensors file");
    (void)snprintf(spec, sizeof(spec), "estimator:net=%s",
                   toy_estimator_file());
    ck_assert_ok(wsr_attack_new(&attack, spec, NULL));
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, 2 * TOY_SIDE);
    static float x[2 * TOY_D];
    wsr_model *other = NULL;
    ck_assert_ok(wsr_model_new(&other, &shape, TOY_CLASSES, toy_logits,
                               toy_backward, &w->of));
    ck_assert_fails(wsr_attack_run(&r, attack, other, x, w->labels, 1),
                    WSR_SHAPE, "(3, 6, 6), not (3, 6, 12)");
    wsr_model_free(other);
    wsr_attack_free(attack);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        noise_is_the_estimators_from_that_of_pgd,
        in_the_euclidean_ball_the_norm_is_the_strength,
        sources_are_attacked_once_for_all_strengths, bad_input_is_named, NULL};
    return suite_of("estimator", tests);
}
