// SPDX-License-Identifier: Apache-2.0
//
// A search with the ImageNet stem, and what a search costs.

#include "search/runs.h"
#include "wsr/predictor.h"

#include <unistd.h>

// Network_IN: two convolutions that halve the image, then one between the
// first cell's two states.
START_TEST(the_imagenet_stem_is_searched_and_resumed_too)
{
    static const char *const settings[] = {
        "data.spec=synthetic:size=64", "data.limit=32", "data.test_limit=8",
        "supernet.stem=imagenet", "net.stem=imagenet"};
    wsr_config *const config = make_config(NULL);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        ck_assert_ok(wsr_config_set(config, settings[i]));
    }
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

// The checkpoint has what the file gave.
START_TEST(a_resumed_search_does_without_the_file_of_the_extractor)
{
    const wsr_shape table = {2, {28, 8}};
    wsr_predictor *predictor = NULL;
    char *const path =
        wsr__path_join(scratch_folder("extractor"), "gae.safetensors");
    char option[700];
    char dirs[2][512];
    size_t left = 6;
    ck_assert_ok(
        wsr_predictor_new(&predictor, "gae:layers=2,hidden=8", &table, 7, 5));
    ck_assert_ok(wsr_predictor_save(predictor, path));
    wsr_predictor_free(predictor);
    (void)snprintf(option, sizeof(option), "predictor.extractor=%s", path);
    wsr_config *const config = make_config("predictor.name=gae");
    ck_assert_ok(wsr_config_set(config, "predictor.layers=2"));
    ck_assert_ok(wsr_config_set(config, "predictor.hidden=8"));
    ck_assert_ok(wsr_config_set(config, option));
    (void)snprintf(dirs[0], sizeof(dirs[0]), "%s", scratch_folder("at-once"));
    (void)snprintf(dirs[1], sizeof(dirs[1]), "%s", scratch_folder("resumed"));
    ck_assert_ok(wsr_search_run(NULL, config, dirs[0], false, NULL, NULL));
    ck_assert_fails(
        wsr_search_run(NULL, config, dirs[1], false, stop_after, &left),
        WSR_CANCELED, "");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_ok(wsr_search_run(NULL, config, dirs[1], true, NULL, NULL));
    same_file(dirs[0], dirs[1], "genotype.yaml");
    same_file(dirs[0], dirs[1], "net.safetensors");
    wsr_config_free(config);
    wsr__free(path);
}
END_TEST

// The supernet is trained, so a longer search costs more; what is found is
// trained for a trial, and nothing is written.
START_TEST(the_cost_is_told_without_a_run)
{
    static const char *const names[] = {"search", "train", "eval"};
    wsr_cost cost;
    wsr_config *config = make_config("search.warm_up=10000");
    ck_assert_ok(wsr_search_cost(&cost, config, NULL, NULL));
    ck_assert_uint_eq(cost.stages, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(cost.stage[i], names[i]);
        ck_assert_double_gt(cost.stage_seconds[i], 0);
    }
    ck_assert_double_gt(cost.stage_seconds[0], 4 * cost.stage_seconds[1]);
    ck_assert_double_gt(cost.memory_bytes, 0);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("whole");
    TCase *const t = tcase_create("whole");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, the_imagenet_stem_is_searched_and_resumed_too);
    tcase_add_test(t, a_resumed_search_does_without_the_file_of_the_extractor);
    tcase_add_test(t, the_cost_is_told_without_a_run);
    suite_add_tcase(s, t);
    return s;
}
