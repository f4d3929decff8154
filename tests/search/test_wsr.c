// SPDX-License-Identifier: Apache-2.0
//
// A whole search on synthetic images: what it leaves behind, and that a run
// that was stopped ends with the same bytes.

#include "base/base.h"
#include "support/support.h"
#include "wsr/search.h"

#include <string.h>

static wsr_config *make_config(const char *extra)
{
    static const char *const settings[] = {"seed=3",
                                           "data.spec=synthetic:size=16",
                                           "data.limit=64",
                                           "data.test_limit=16",
                                           "supernet.channels=4",
                                           "supernet.layers=2",
                                           "search.warm_up=1",
                                           "search.population=1",
                                           "search.epochs=1",
                                           "search.predictor_warm_up=2",
                                           "search.predictor_passes=2",
                                           "search.batch=16",
                                           "search.steps=1",
                                           "search.architectures=2",
                                           "search.estimator_batches=1",
                                           "search.val_batches=1",
                                           "search.augment=flip",
                                           "estimator.memory=64",
                                           "estimator.batch=16",
                                           "estimator.passes=1",
                                           "net.channels=4",
                                           "net.layers=2",
                                           "train.trainer=madry:steps=1",
                                           "train.epochs=1",
                                           "train.batch=16",
                                           "train.eval_every=0",
                                           "spectrum.attack=fgsm",
                                           "spectrum.eps=[0.03]",
                                           "spectrum.count=8"};
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        ck_assert_ok(wsr_config_set(config, settings[i]));
    }
    if (extra != NULL) {
        ck_assert_ok(wsr_config_set(config, extra));
    }
    return config;
}

static bool stop_after(const char *phase, size_t done, size_t total,
                       const char *note, void *user)
{
    size_t *const left = user;
    (void)phase;
    (void)done;
    (void)total;
    (void)note;
    return (*left)-- > 1;
}

static void same_file(const char *a, const char *b, const char *name)
{
    unsigned char *bytes[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    const char *const dirs[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        char *const path = wsr__path_join(dirs[i], name);
        ck_assert_ok(wsr__file_read(&bytes[i], &sizes[i], path, 1U << 30));
        wsr__free(path);
    }
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_msg(memcmp(bytes[0], bytes[1], sizes[0]) == 0, "%s differs",
                  name);
    wsr__free(bytes[0]);
    wsr__free(bytes[1]);
}

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    static const char *const extras[] = {"fidelity=intended",
                                         "fidelity=released"};
    wsr_config *const config = make_config(extras[_i]);
    char whole[512];
    (void)snprintf(whole, sizeof(whole), "%s", scratch_folder("whole"));
    ck_assert_ok(wsr_search_run(config, whole, false, NULL, NULL));
    char cut[512];
    (void)snprintf(cut, sizeof(cut), "%s", scratch_folder("cut"));
    wsr_status status = WSR_CANCELED;
    for (size_t round = 0; round < 40 && status == WSR_CANCELED; round++) {
        size_t left = 3;
        status = wsr_search_run(config, cut, round > 0, stop_after, &left);
    }
    ck_assert_msg(status == WSR_OK, "%s", wsr_error_detail());
    same_file(whole, cut, "genotype.yaml");
    same_file(whole, cut, "checkpoint.safetensors");
    same_file(whole, cut, "net.safetensors");
    wsr_config_free(config);
}
END_TEST

// Value of a key of the folder's configuration, which says everything.
static void stored_says(const char *dir, const char *key, const char *want)
{
    wsr_config *config = NULL;
    char *const path = wsr__path_join(dir, "config.yaml");
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_load(config, path));
    ck_assert_str_eq(wsr_config_text(config, key), want);
    wsr_config_free(config);
    wsr__free(path);
}

START_TEST(sections_follow_the_fidelity_at_the_top_unless_they_have_their_own)
{
    wsr_config *const config = make_config("fidelity=released");
    ck_assert_ok(wsr_config_set(config, "predictor.fidelity=intended"));
    char dir[512];
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("top"));
    size_t left = 1;
    ck_assert_fails(wsr_search_run(config, dir, false, stop_after, &left),
                    WSR_CANCELED, "");
    stored_says(dir, "search.fidelity", "released");
    stored_says(dir, "estimator.fidelity", "released");
    stored_says(dir, "predictor.fidelity", "intended");
    wsr_config_free(config);
}
END_TEST

START_TEST(lists_that_do_not_fit_are_refused)
{
    wsr_config *config = make_config("search.weights=[1, 2]");
    ck_assert_fails(
        wsr_search_run(config, scratch_folder("weights"), false, NULL, NULL),
        WSR_CONFIG, "search.weights");
    wsr_config_free(config);
    config = make_config("search.sources=[0.06, 0.03]");
    ck_assert_fails(
        wsr_search_run(config, scratch_folder("sources"), false, NULL, NULL),
        WSR_CONFIG, "weights");
    wsr_config_free(config);
}
END_TEST

START_TEST(unknown_keys_are_refused_with_a_suggestion)
{
    wsr_config *const config = make_config("search.epoch=2");
    ck_assert_fails(
        wsr_search_run(config, scratch_folder("key"), false, NULL, NULL),
        WSR_CONFIG, "epochs");
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("wsr");
    TCase *const t = tcase_create("wsr");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 2);
    tcase_add_test(
        t, sections_follow_the_fidelity_at_the_top_unless_they_have_their_own);
    tcase_add_test(t, lists_that_do_not_fit_are_refused);
    tcase_add_test(t, unknown_keys_are_refused_with_a_suggestion);
    suite_add_tcase(s, t);
    return s;
}
