// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"

// The weighted average of unit noises i and j at the target's norm.
static void average(float *dst, const batch *b, size_t row, size_t t,
                    const double weights[N])
{
    const float tau = b->targets[row * T + t];
    for (size_t k = 0; k < PIXELS; k++) {
        double sum = 0;
        for (size_t n = 0; n < N; n++) {
            const float *const noise = b->noises[n] + row * PIXELS;
            sum += weights[n] * (double)noise[k] / norm_of_row(noise, PIXELS);
        }
        dst[k] = (float)sum;
    }
    const double norm = norm_of_row(dst, PIXELS);
    for (size_t k = 0; k < PIXELS; k++) {
        dst[k] = (float)((double)dst[k] / norm * (double)tau);
    }
}

START_TEST(intended_it_is_the_average_of_the_neighbours)
{
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new("wa_ane");
    run(b, est);
    for (size_t row = 0; row < B; row++) {
        double r[N];
        float want[PIXELS];
        for (size_t n = 0; n < N; n++) {
            r[n] = norm_of_row(b->noises[n] + row * PIXELS, PIXELS);
        }
        const double tau = (double)b->targets[row * T + 1];
        const double w = (tau - r[0]) / (r[1] - r[0]);
        average(want, b, row, 1, (const double[N]){1 - w, w, 0});
        ck_assert(largest_difference(want, b->dst[1] + row * PIXELS, PIXELS) <
                  1e-5);
        average(want, b, row, 3, (const double[N]){0, 0, 1});
        ck_assert(largest_difference(want, b->dst[3] + row * PIXELS, PIXELS) <
                  1e-5);
    }
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

START_TEST(released_it_is_zero_out_of_range_and_has_no_norm_within)
{
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new("wa_ane:fidelity=released");
    run(b, est);
    for (size_t row = 0; row < B; row++) {
        for (size_t t = 0; t < T; t++) {
            const double norm = norm_of_row(b->dst[t] + row * PIXELS, PIXELS);
            const double tau = (double)b->targets[row * T + t];
            ck_assert(t == 0 || t == 3 ? norm <= 0 : fabs(norm - tau) > 0.01);
        }
    }
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

START_TEST(intended_there_is_nothing_to_learn)
{
    batch *const b = batch_new(2);
    wsr_estimator *const est = estimator_new("wa_ane:batch=4");
    wsr_params *const params = wsr_estimator_params(est);
    const float *const noises[N + 1] = {b->noises[0], b->noises[1],
                                        b->noises[2], b->noises[3]};
    const float before = wsr_params_data(params, 0)[0];
    double loss = 0;
    ck_assert_ok(wsr_estimator_remember(est, noises, b->images, N + 1, B));
    ck_assert_ok(wsr_estimator_train(&loss, est, 0));
    ck_assert(loss > 0 && isfinite(loss));
    ck_assert(wsr_params_data(params, 0)[0] == before);
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        intended_it_is_the_average_of_the_neighbours,
        released_it_is_zero_out_of_range_and_has_no_norm_within,
        intended_there_is_nothing_to_learn,
        NULL,
    };
    return suite_of("wa_ane", tests);
}
