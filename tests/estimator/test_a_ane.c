// SPDX-License-Identifier: Apache-2.0

#include "estimator_support.h"

START_TEST(noises_pass_one_convolution_of_the_channels_of_the_image)
{
    for (int64_t c = 1; c <= 4; c++) {
        const wsr_shape image = wsr__shape3(c, 32, 32);
        const wsr_shape weight = {4, {c, c, 3, 3}};
        wsr_estimator *est = NULL;
        size_t at = 0;
        ck_assert_ok(wsr_estimator_new(&est, "a_ane", &image, 1));
        wsr_params *const params = wsr_estimator_params(est);
        ck_assert_ok(wsr_params_find(&at, params, "noise_preproc.0.weight"));
        ck_assert(wsr_shape_equal(wsr_params_shape(params, at), &weight));
        ck_assert_fails(wsr_params_find(&at, params, "noise_preproc.2.weight"),
                        WSR_NOTFOUND, "noise_preproc.2.weight");
        wsr_estimator_free(est);
    }
}
END_TEST

// With the last layers of the preprocessing at zero both estimate the same.
START_TEST(apart_from_that_it_is_an)
{
    batch *const a = batch_new(1);
    batch *const b = batch_new(1);
    wsr_estimator *const small = estimator_new("a_ane");
    wsr_estimator *const large = estimator_new("an");
    for (size_t i = 0; i < wsr_params_count(large->params); i++) {
        wsr__param *const p = wsr__params_at(large->params, i);
        const bool preproc = strncmp(p->name, "noise_preproc", 13) == 0;
        wsr__param *const q = wsr__params_named(small->params, p->name);
        const size_t bytes = (size_t)p->count * sizeof(float);
        if (preproc) {
            memset(wsr_params_edit(large->params, i), 0, bytes);
        }
        if (preproc && q != NULL) {
            memset(q->data, 0, (size_t)q->count * sizeof(float));
        } else if (q != NULL) {
            memcpy(q->data, p->data, bytes);
        }
    }
    run(a, small);
    run(b, large);
    ck_assert(largest_difference(a->dst[0], b->dst[0], (size_t)T * B * PIXELS) <
              1e-5);
    wsr_estimator_free(small);
    wsr_estimator_free(large);
    wsr__free(a);
    wsr__free(b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        noises_pass_one_convolution_of_the_channels_of_the_image,
        apart_from_that_it_is_an,
        NULL,
    };
    return suite_of("a_ane", tests);
}
