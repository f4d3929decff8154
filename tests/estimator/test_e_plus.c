// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"

static const wsr__param *param(const wsr_estimator *est, const char *name)
{
    const wsr__param *const p = wsr__params_named(est->params, name);
    ck_assert_ptr_nonnull(p);
    return p;
}

// The first image alone, its first target.
static void run_one(float *out, const batch *b, wsr_estimator *est)
{
    const float *const sources[N] = {b->noises[0], b->noises[1], b->noises[2]};
    float *const dst[1] = {out};
    ck_assert_ok(wsr_estimator_run(dst, est, sources, b->images, b->targets,
                                   (const size_t[3]){1, N, 1}));
}

START_TEST(estimates_depend_on_the_batch_only_as_released)
{
    static const char *const specs[] = {"e_plus", "e_plus:norms=released"};
    for (size_t i = 0; i < 2; i++) {
        static float alone[PIXELS];
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(specs[i]);
        run_one(alone, b, est);
        run(b, est);
        const double d = largest_difference(alone, b->dst[0], PIXELS);
        ck_assert_msg((i == 0) == (d < 1e-5), "%s: %g", specs[i], d);
        wsr_estimator_free(est);
        wsr__free(b);
    }
}
END_TEST

// Networks of the chains see a batch per source, the others one in all.
START_TEST(released_each_estimate_moves_the_running_statistics)
{
    static const char *const specs[] = {"e_plus", "e_plus:norms=released"};
    for (size_t i = 0; i < 2; i++) {
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(specs[i]);
        const float times = i == 0 ? 0 : 1;
        const float before = param(est, "q_conv.4.running_var")->data[0];
        run(b, est);
        ck_assert(param(est, "forward_conv.0.num_batches_tracked")->data[0] ==
                  N * times);
        ck_assert(param(est, "backward_conv.10.num_batches_tracked")->data[0] ==
                  N * times);
        ck_assert(param(est, "q_conv.4.num_batches_tracked")->data[0] == times);
        ck_assert(param(est, "k_conv.7.num_batches_tracked")->data[0] == times);
        ck_assert(param(est, "v_conv.0.num_batches_tracked")->data[0] == times);
        ck_assert((param(est, "q_conv.4.running_var")->data[0] == before) ==
                  (i == 0));
        wsr_estimator_free(est);
        wsr__free(b);
    }
}
END_TEST

START_TEST(training_moves_them_in_either_case)
{
    batch *const b = batch_new(2);
    wsr_estimator *const est = estimator_new("e_plus:batch=6,passes=1");
    const float *const noises[N + 1] = {b->noises[0], b->noises[1],
                                        b->noises[2], b->noises[3]};
    ck_assert_ok(wsr_estimator_remember(est, noises, b->images, N + 1, B));
    ck_assert_ok(wsr_estimator_train(NULL, est, 0)); // two steps
    ck_assert(param(est, "k_conv.0.num_batches_tracked")->data[0] == 2);
    ck_assert(param(est, "forward_conv.0.num_batches_tracked")->data[0] ==
              2 * N);
    wsr_estimator_free(est);
    wsr__free(b);
}
END_TEST

// Networks see the mean over keys of all sources and of none: with norms of
// zero weight and equal biases every key is the same.
START_TEST(equal_keys_give_equal_weights)
{
    batch *const a = batch_new(1);
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new("e_plus");
    const wsr__param *const weight = param(est, "k_conv.10.weight");
    memset(weight->data, 0, (size_t)weight->count * sizeof(float));
    run(a, est);
    const wsr__param *const query = param(est, "q_conv.10.bias");
    query->data[0] += 1; // attention is uniform whatever the query
    run(b, est);
    ck_assert(largest_difference(a->dst[0], b->dst[0], (size_t)T * B * PIXELS) <
              1e-6);
    wsr_estimator_free(est);
    wsr__free(a);
    wsr__free(b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        estimates_depend_on_the_batch_only_as_released,
        released_each_estimate_moves_the_running_statistics,
        training_moves_them_in_either_case,
        equal_keys_give_equal_weights,
        NULL,
    };
    return suite_of("e_plus", tests);
}
