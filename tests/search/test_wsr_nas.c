// SPDX-License-Identifier: Apache-2.0
//
// A whole search on synthetic images, and what is refused.

#include "net/net.h"
#include "search/runs.h"

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    static const char *const extras[] = {
        "fidelity=intended", "fidelity=released", "predictor.name=strength",
        "predictor.name=gae"};
    wsr_config *const config = make_config(extras[_i]);
    if (_i == 3) {
        ck_assert_ok(wsr_config_set(config, "predictor.hidden=8"));
        ck_assert_ok(wsr_config_set(config, "predictor.pretrain=2"));
    }
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

START_TEST(a_random_baseline_leaves_no_trace)
{
    static const char *const modes[] = {"fidelity=intended",
                                        "fidelity=released"};
    char dirs[2][512];
    for (size_t i = 0; i < 2; i++) {
        wsr_config *const config = make_config(modes[_i]);
        ck_assert_ok(wsr_config_set(config, i == 0
                                                ? "search.random_baseline=0"
                                                : "search.random_baseline=2"));
        (void)snprintf(dirs[i], sizeof(dirs[i]), "%s",
                       scratch_folder(i == 0 ? "without" : "with"));
        ck_assert_ok(wsr_search_run(NULL, config, dirs[i], false, NULL, NULL));
        wsr_config_free(config);
    }
    same_file(dirs[0], dirs[1], "genotype.yaml");
    same_file(dirs[0], dirs[1], "checkpoint.safetensors");
    ck_assert(!file_has(dirs[0], "log.jsonl", "random_baseline_objective"));
    ck_assert(file_has(dirs[1], "log.jsonl", "random_baseline_objective"));
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
    ck_assert_fails(wsr_search_run(NULL, config, dir, false, stop_after, &left),
                    WSR_CANCELED, "");
    stored_says(dir, "search.fidelity", "released");
    stored_says(dir, "estimator.fidelity", "released");
    stored_says(dir, "predictor.fidelity", "intended");
    wsr_config_free(config);
}
END_TEST

START_TEST(the_supernet_normalises_as_the_network_unless_told_otherwise)
{
    wsr_net *net = NULL;
    wsr_config *config = make_config("net.mean=[0.4, 0.3, 0.5]");
    ck_assert_ok(wsr_config_set(config, "net.std=0.25"));
    const char *dir = scratch_folder("normalized");
    ck_assert_ok(wsr_search_run(NULL, config, dir, false, NULL, NULL));
    stored_says(dir, "supernet.mean", "0.4,0.3,0.5");
    stored_says(dir, "supernet.std", "0.25");
    char *const path = wsr__path_join(dir, "net.safetensors");
    ck_assert_ok(wsr_net_load(&net, path, NULL));
    ck_assert(net->options->normalize.mean.v[1] == 0.3);
    wsr_net_free(net);
    wsr__free(path);
    ck_assert_ok(wsr_config_set(config, "supernet.std=0.5"));
    dir = scratch_folder("own");
    size_t left = 1;
    ck_assert_fails(wsr_search_run(NULL, config, dir, false, stop_after, &left),
                    WSR_CANCELED, "");
    stored_says(dir, "supernet.mean", "");
    stored_says(dir, "supernet.std", "0.5");
    wsr_config_free(config);
}
END_TEST

START_TEST(lists_that_do_not_fit_are_refused)
{
    wsr_config *config = make_config("search.weights=[1, 2]");
    ck_assert_fails(wsr_search_run(NULL, config, scratch_folder("weights"),
                                   false, NULL, NULL),
                    WSR_CONFIG, "search.weights");
    wsr_config_free(config);
    config = make_config("search.sources=[0.06, 0.03]");
    ck_assert_fails(wsr_search_run(NULL, config, scratch_folder("sources"),
                                   false, NULL, NULL),
                    WSR_CONFIG, "weights");
    wsr_config_free(config);
    config = make_config("search.targets=[]");
    ck_assert_ok(wsr_config_set(config, "search.weights=[1, 2, 3]"));
    ck_assert_ok(wsr_config_set(config, "search.norm_values=[]"));
    ck_assert_fails(wsr_search_run(NULL, config, scratch_folder("targets"),
                                   false, NULL, NULL),
                    WSR_CONFIG, "search.targets: is empty");
    wsr_config_free(config);
}
END_TEST

// What follows the search is made before it, and data must fit the supernet.
START_TEST(what_cannot_be_is_refused_before_the_search)
{
    static const struct {
        const char *assignment;
        wsr_status status;
        const char *words;
    } cases[] = {
        {"eval.attack=pdg", WSR_NOTFOUND, "pgd"},
        {"train.trainer=madri", WSR_NOTFOUND, "madry"},
        {"train.schedule=cosin", WSR_NOTFOUND, "cosine"},
        {"train.augment=[flipp]", WSR_NOTFOUND, "flip"},
        {"train.eval_attack=pdg", WSR_NOTFOUND, "pgd"},
        {"net.codes=robnet_small", WSR_CONFIG, "net.codes"},
        {"net.genotype=cna_r", WSR_CONFIG, "net.genotype"},
        {"predictor.weighted=true", WSR_CONFIG, "predictor.scale=released"},
        {"supernet.image_size=8", WSR_SHAPE, "(3, 16, 16)"},
        {"supernet.classes=2", WSR_ARG, "the data have 10 classes"},
        {"search.augment=[pad:pixels=4]", WSR_SHAPE, "(3, 16, 16)"},
        {"search.epoch=2", WSR_CONFIG, "epochs"},
        {"train.init=net.safetensors", WSR_CONFIG, "train.init"},
        {"net.mean=[0.1,0.2]", WSR_CONFIG, "mean: 2 values do not fit 3"},
        {"supernet.std=[1,1]", WSR_CONFIG, "supernet.std: 2 values do not"},
        {"net.std=0", WSR_CONFIG, "net.std: 0 is outside"},
        {"search.augment=normalize", WSR_CONFIG, "net.mean, net.std"},
        {"train.augment=[normalize]", WSR_CONFIG, "net.mean, net.std"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        wsr_config *const config = make_config(cases[i].assignment);
        ck_assert_fails(wsr_search_run(NULL, config, scratch_folder("refused"),
                                       false, NULL, NULL),
                        cases[i].status, cases[i].words);
        wsr_config_free(config);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("wsr");
    TCase *const t = tcase_create("wsr");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_stopped_run_ends_with_the_same_bytes, 0, 4);
    tcase_add_loop_test(t, a_random_baseline_leaves_no_trace, 0, 2);
    tcase_add_test(
        t, sections_follow_the_fidelity_at_the_top_unless_they_have_their_own);
    tcase_add_test(
        t, the_supernet_normalises_as_the_network_unless_told_otherwise);
    tcase_add_test(t, lists_that_do_not_fit_are_refused);
    tcase_add_test(t, what_cannot_be_is_refused_before_the_search);
    suite_add_tcase(s, t);
    return s;
}
