// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"

static wsr_shape shape_of(wsr_estimator *est, const char *name)
{
    size_t at = 0;
    ck_assert_ok(wsr_params_find(&at, est->params, name));
    return *wsr_params_shape(est->params, at);
}

START_TEST(sizes_of_the_networks_follow_from_the_image)
{
    static const int64_t sizes[][3] = {{1, 16, 16}, {3, 32, 32}, {4, 96, 64}};
    for (size_t i = 0; i < 3; i++) {
        const int64_t c = sizes[i][0];
        const wsr_shape image = wsr__shape3(c, sizes[i][1], sizes[i][2]);
        const wsr_shape forward = {4, {100, 2 * c + 1, 3, 3}};
        const wsr_shape query = {4, {100, 3 * c, 3, 3}};
        const wsr_shape value = {4, {c, 100, 3, 3}};
        const wsr_shape map = {2, {sizes[i][1] * sizes[i][2], 1}};
        wsr_estimator *est = NULL;
        ck_assert_ok(wsr_estimator_new(&est, "e_ane", &image, 1));
        const wsr_shape got[] = {shape_of(est, "backward_conv.0.weight"),
                                 shape_of(est, "q_conv.0.weight"),
                                 shape_of(est, "v_conv.2.weight"),
                                 shape_of(est, "norm_fm_encoder.0.weight")};
        ck_assert(wsr_shape_equal(&got[0], &forward));
        ck_assert(wsr_shape_equal(&got[1], &query));
        ck_assert(wsr_shape_equal(&got[2], &value));
        ck_assert(wsr_shape_equal(&got[3], &map));
        wsr_estimator_free(est);
    }
}
END_TEST

// Both targets lie above all sources: as released their queries are equal but
// for a weight that is zero.
START_TEST(only_intended_queries_know_the_norm_that_is_wanted)
{
    static const char *const specs[] = {"e_ane", "e_ane:fidelity=released"};
    double most[2];
    for (size_t i = 0; i < 2; i++) {
        batch *const b = batch_new(1);
        wsr_estimator *const est = estimator_new(specs[i]);
        for (size_t row = 0; row < B; row++) { // above all sources
            b->targets[row * T] = 30;
            b->targets[row * T + 1] = 60;
        }
        run(b, est);
        most[i] = 0;
        for (size_t k = 0; k < (size_t)B * PIXELS; k++) {
            const double d =
                fabs((double)b->dst[1][k] / 60 - (double)b->dst[0][k] / 30);
            most[i] = d > most[i] ? d : most[i];
        }
        wsr_estimator_free(est);
        wsr__free(b);
    }
    ck_assert_msg(most[0] > 1e-5 && most[1] < 1e-6, "%g, %g", most[0], most[1]);
}
END_TEST

START_TEST(new_fm_starts_between_0_and_1)
{
    static const char *const specs[] = {"e_ane", "e_plus", "e_ane_minus"};
    for (size_t i = 0; i < 3; i++) {
        wsr_estimator *const est = estimator_new(specs[i]);
        const wsr__param *const p = wsr__params_named(est->params, "new_fm");
        double sum = 0;
        for (int64_t k = 0; k < p->count; k++) {
            ck_assert(p->data[k] >= 0 && p->data[k] < 1);
            sum += (double)p->data[k];
        }
        ck_assert(fabs(sum / (double)p->count - 0.5) < 0.1);
        wsr_estimator_free(est);
    }
}
END_TEST

// Attention is uniform without keys, and values that do not depend on the
// states leave the weighted noises and a constant.
START_TEST(equal_values_make_states_irrelevant)
{
    batch *const a = batch_new(1);
    batch *const b = batch_new(1);
    wsr_estimator *const est = estimator_new("e_ane");
    const wsr__param *const p =
        wsr__params_named(est->params, "v_conv.2.weight");
    memset(p->data, 0, (size_t)p->count * sizeof(float));
    run(a, est);
    for (size_t k = 0; k < (size_t)B * PIXELS; k++) {
        b->images[k] = 1 - b->images[k];
    }
    run(b, est);
    ck_assert(largest_difference(a->dst[0], b->dst[0], (size_t)T * B * PIXELS) <
              1e-5);
    wsr_estimator_free(est);
    wsr__free(a);
    wsr__free(b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        sizes_of_the_networks_follow_from_the_image,
        only_intended_queries_know_the_norm_that_is_wanted,
        new_fm_starts_between_0_and_1,
        equal_values_make_states_irrelevant,
        NULL,
    };
    return suite_of("e_ane", tests);
}
