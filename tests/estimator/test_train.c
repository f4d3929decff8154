// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"

static void remember(wsr_estimator *est, const batch *b)
{
    const float *const noises[N + 1] = {b->noises[0], b->noises[1],
                                        b->noises[2], b->noises[3]};
    ck_assert_ok(wsr_estimator_remember(est, noises, b->images, N + 1, B));
}

// Entry (k, i): noise k of image i is to be estimated from the others.
static void expect_entry(const wsr_estimator *est, const batch *b, size_t k,
                         size_t i)
{
    const wsr__estimator_sample s = wsr__ae_memory_at(&est->memory, k * B + i);
    const size_t bytes = PIXELS * sizeof(float);
    const float *const label = b->noises[k] + i * PIXELS;
    ck_assert_mem_eq(s.image, b->images + i * PIXELS, bytes);
    ck_assert_mem_eq(s.label, label, bytes);
    ck_assert_float_eq_tol(s.target[0], (float)norm_of_row(label, PIXELS),
                           1e-5F);
    for (size_t n = 0; n < N; n++) {
        const size_t other = n < k ? n : n + 1;
        ck_assert_mem_eq(s.noise[n], b->noises[other] + i * PIXELS, bytes);
    }
}

START_TEST(each_noise_is_left_out_once)
{
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new("an");
    remember(est, b);
    ck_assert_uint_eq(wsr_estimator_remembered(est), (N + 1) * B);
    for (size_t k = 0; k < N + 1; k++) {
        for (size_t i = 0; i < B; i++) {
            expect_entry(est, b, k, i);
        }
    }
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

START_TEST(training_makes_the_loss_smaller)
{
    static const char *const specs[] = {
        "an:batch=4", "an:batch=4,fidelity=released,guard=intended,warmup=20"};
    for (size_t k = 0; k < 2; k++) {
        batch *const b = batch_new(2);
        wsr_estimator *const est = estimator_new(specs[k]);
        double first = 0;
        double last = 0;
        // Noises that resemble each other, as those of an attack do.
        for (size_t n = 1; n < N + 1; n++) {
            for (size_t i = 0; i < (size_t)B * PIXELS; i++) {
                b->noises[n][i] = b->noises[0][i] * (float)(n + 1) +
                                  0.1F * b->noises[n][i];
            }
        }
        remember(est, b);
        ck_assert_ok(wsr_estimator_train(&first, est, 0));
        for (uint64_t round = 1; round < 40; round++) {
            ck_assert_ok(wsr_estimator_train(&last, est, round));
        }
        ck_assert_msg(last < 0.7 * first, "%s: loss %g became %g", specs[k],
                      first, last);
        wsr_estimator_free(est);
        wsr__free(b);
    }
}
END_TEST

START_TEST(released_the_first_step_changes_nothing)
{
    batch *const b = batch_new(2);
    wsr_estimator *const est = estimator_new("an:batch=12,fidelity=released");
    wsr_params *const params = wsr_estimator_params(est);
    const float before = wsr_params_data(params, 0)[0];
    remember(est, b);
    ck_assert_ok(wsr_estimator_train(NULL, est, 0));
    ck_assert(wsr_params_data(params, 0)[0] == before);
    ck_assert_int_eq(est->steps, 1);
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

START_TEST(a_rest_that_fills_no_batch_is_left_out)
{
    batch *const b = batch_new(2);
    double loss = 0;
    wsr_estimator *est = estimator_new("an:batch=5,passes=1");
    remember(est, b);
    ck_assert_ok(wsr_estimator_train(&loss, est, 0));
    ck_assert_int_eq(est->steps, 2); // of 12 samples
    wsr_estimator_free(est);

    // Less than one batch: as released nothing, as intended what there is.
    est = estimator_new("an:batch=50,passes=1,fidelity=released");
    remember(est, b);
    ck_assert_ok(wsr_estimator_train(&loss, est, 0));
    ck_assert(isnan(loss));
    ck_assert_int_eq(est->steps, 0);
    wsr_estimator_free(est);
    est = estimator_new("an:batch=50,passes=1");
    remember(est, b);
    ck_assert_ok(wsr_estimator_train(&loss, est, 0));
    ck_assert(isfinite(loss));
    ck_assert_int_eq(est->steps, 1);
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

START_TEST(nothing_remembered_is_nothing_trained)
{
    wsr_estimator *const est = estimator_new("an");
    double loss = 0;
    ck_assert_ok(wsr_estimator_train(&loss, est, 0));
    ck_assert(isnan(loss));
    wsr_estimator_free(est);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_is_an_error)
{
    batch *const b = batch_new(2);
    wsr_estimator *const est = estimator_new("an:fidelity=released,batch=12");
    memset(b->noises[0], 0, PIXELS * sizeof(float));
    remember(est, b);
    ck_assert_fails(wsr_estimator_train(NULL, est, 0), WSR_NUMERIC,
                    "loss of step 0 is not finite");
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

START_TEST(wrong_numbers_of_noises_are_refused)
{
    batch *const b = batch_new(2);
    wsr_estimator *const est = estimator_new("an");
    const float *const noises[N + 1] = {b->noises[0], b->noises[1],
                                        b->noises[2], b->noises[3]};
    ck_assert_fails(wsr_estimator_remember(est, noises, b->images, 1, B),
                    WSR_ARG, "noises: 1 is outside [2, 16]");
    ck_assert_ok(wsr_estimator_remember(est, noises, b->images, 3, B));
    ck_assert_fails(wsr_estimator_remember(est, noises, b->images, 4, B),
                    WSR_ARG, "samples have 3 sources");
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

static void copy_state(wsr_estimator *to, wsr_estimator *from)
{
    ck_assert_ok(wsr__estimator_reserve(to, N));
    ck_assert_ok(wsr__estimator_reserve(from, N));
    ck_assert_uint_eq(wsr__estimator_states(to), wsr__estimator_states(from));
    for (size_t i = 0; i < wsr__estimator_states(from); i++) {
        const wsr__state a = wsr__estimator_state(from, i);
        const wsr__state b = wsr__estimator_state(to, i);
        ck_assert_str_eq(a.name, b.name);
        ck_assert_uint_eq(a.count, b.count);
        memcpy(b.data, a.data, a.count * (a.kind == WSR__STATE_F32 ? 4 : 8));
    }
    for (size_t i = 0; i < wsr_params_count(to->params); i++) {
        memcpy(wsr_params_edit(to->params, i), wsr_params_data(from->params, i),
               (size_t)wsr__params_at(from->params, i)->count * sizeof(float));
    }
}

START_TEST(an_imported_state_goes_on_exactly)
{
    batch *const b = batch_new(2);
    batch *const more = batch_new(3);
    wsr_estimator *est[2];
    double loss[2];
    for (size_t k = 0; k < 2; k++) {
        est[k] = estimator_new("an:batch=4,memory=17");
    }
    remember(est[0], b);
    ck_assert_ok(wsr_estimator_train(NULL, est[0], 0));
    copy_state(est[1], est[0]);
    for (size_t k = 0; k < 2; k++) {
        remember(est[k], more);
        ck_assert_ok(wsr_estimator_train(&loss[k], est[k], 1));
    }
    ck_assert(loss[0] == loss[1]);
    for (size_t i = 0; i < wsr_params_count(est[0]->params); i++) {
        ck_assert_mem_eq(wsr_params_data(est[0]->params, i),
                         wsr_params_data(est[1]->params, i),
                         (size_t)wsr__params_at(est[0]->params, i)->count *
                             sizeof(float));
    }
    for (size_t k = 0; k < 2; k++) {
        wsr_estimator_free(est[k]);
    }
    wsr__free(b);
    wsr__free(more);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        each_noise_is_left_out_once,
        training_makes_the_loss_smaller,
        released_the_first_step_changes_nothing,
        a_rest_that_fills_no_batch_is_left_out,
        nothing_remembered_is_nothing_trained,
        a_loss_that_is_not_finite_is_an_error,
        wrong_numbers_of_noises_are_refused,
        an_imported_state_goes_on_exactly,
        NULL,
    };
    return suite_of("train", tests);
}
