// SPDX-License-Identifier: Apache-2.0
//
// The baseline on synthetic images.

#include "search/runs.h"
#include "search/search.h"

#include <math.h>

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    static const char *const extras[] = {"fidelity=intended",
                                         "fidelity=released"};
    wsr_config *const config = make_config(extras[_i]);
    ck_assert_ok(wsr_config_set(config, "searcher.name=naive"));
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

START_TEST(one_strength_is_enough)
{
    wsr_config *const config = make_config("searcher.name=naive");
    ck_assert_ok(wsr_config_set(config, "search.sources=[0.03]"));
    ck_assert_ok(wsr_config_set(config, "search.targets=[]"));
    ck_assert_ok(wsr_config_set(config, "search.weights=[1]"));
    ck_assert_ok(wsr_config_set(config, "search.norm_values=[]"));
    ck_assert_ok(
        wsr_search_run(NULL, config, scratch_folder("one"), false, NULL, NULL));
    wsr_config_free(config);
}
END_TEST

// Half of the edges take "none", the others a convolution: behind or before
// some of them nothing depends on the image, and they have no gradient.
START_TEST(edges_without_a_gradient_are_passed_over)
{
    wsr_dataset *data = NULL;
    wsr_search *s = NULL;
    wsr_config *const config = make_config("supernet.space=nb201");
    static const char *const settings[] = {
        "supernet.layers=4",    "net.layers=4",
        "search.warm_up=0",     "search.population=0",
        "searcher.name=naive",  "search.epochs=12",
        "search.val_batches=0", "search.train_batches=1",
        "search.arch_lr=1e-9"};
    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        ck_assert_ok(wsr_config_set(config, settings[i]));
    }
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    ck_assert_ok(wsr_search_new(&s, data, config));
    ck_assert_str_eq(wsr__search_space(s)->primitives[0], "none");
    for (size_t row = 0; row < s->arch.rows; row++) {
        s->alphas[row * s->arch.cols] = 1e4F;
        s->alphas[row * s->arch.cols + 2] = 1e4F; // noise decides
    }
    while (wsr_search_phase(s) != WSR_PHASE_DONE) {
        ck_assert_ok(wsr_search_step(s));
    }
    ck_assert(isfinite(s->losses[0]) && s->losses[0] > 0);
    wsr_search_free(s);
    wsr_dataset_free(data);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("naive");
    TCase *const t = tcase_create("naive");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 2);
    tcase_add_test(t, one_strength_is_enough);
    tcase_add_test(t, edges_without_a_gradient_are_passed_over);
    suite_add_tcase(s, t);
    return s;
}
