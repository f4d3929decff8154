// SPDX-License-Identifier: Apache-2.0
//
// Training networks that normalise their images: training, validation, attacks
// and the saved network agree about what an image is.

#include "support/files.h"
#include "support/support.h"
#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Images whose pixels are far from mean 0 and deviation 1, as real ones are.
static const char learnable[] =
    "seed: 3\n"
    "threads: 1\n"
    "data: {spec: \"synthetic:size=16,count=128,test_count=96,classes=3,"
    "noise=0.05\"}\n"
    "net: {genotype: cna_r, channels: 4, layers: 3}\n"
    "train: {epochs: 6, batch: 16, lr: 0.05, augment: [], eval_count: 96,\n"
    "        eval_attack: fgsm, eval_eps: 0.02}\n"
    "eval: {attack: \"pgd:steps=2\", eps: [0.02], count: 96}\n";

static wsr_status run_in(char dir[512], const char *name, const char *trainer,
                         const char *const *settings, size_t n)
{
    wsr_config *config = NULL;
    (void)snprintf(dir, 512, "%s", scratch_folder(name));
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_load_text(config, learnable, "test"));
    ck_assert_ok(wsr_config_set(config, trainer));
    for (size_t i = 0; i < n; i++) {
        ck_assert_ok(wsr_config_set(config, settings[i]));
    }
    const wsr_status status =
        wsr_train_run(NULL, config, dir, false, NULL, NULL);
    wsr_config_free(config);
    return status;
}

// The last number of this key in a run's log.
static double last_of(const char *dir, const char *key)
{
    bytes log = get_file(path_in(dir, "log.jsonl"));
    bytes_add(&log, "", 1);
    const char *last = NULL;
    for (const char *at = strstr((const char *)log.data, key); at != NULL;
         at = strstr(at + 1, key)) {
        last = at + strlen(key);
    }
    ck_assert_ptr_nonnull(last);
    const double value = strtod(last, NULL);
    bytes_free(&log);
    return value;
}

static const char *const trainers[] = {"train.trainer=natural",
                                       "train.trainer=madry:eps=0.02,steps=2"};

static const char *const normalized[] = {"net.mean=0.4", "net.std=0.25"};

START_TEST(accuracies_with_and_without_normalisation_agree)
{
    static const char *const keys[] = {"\"train_accuracy\":",
                                       "\"clean_accuracy\":"};
    for (size_t t = 0; t < 2; t++) {
        char raw[512];
        char norm[512];
        ck_assert_ok(run_in(raw, "raw", trainers[t], NULL, 0));
        ck_assert_ok(run_in(norm, "norm", trainers[t], normalized, 2));
        for (size_t k = 0; k < 2; k++) {
            const double a = last_of(raw, keys[k]);
            const double b = last_of(norm, keys[k]);
            ck_assert_msg(a > 0.7 && b > 0.7, "%s: %g without, %g with",
                          keys[k], a, b);
        }
        // Of training and test images alike, for patterns are easy.
        ck_assert_double_le(
            fabs(last_of(norm, keys[0]) - last_of(norm, keys[1])), 0.1);
    }
}
END_TEST

// What is saved is what was validated, without being told anything more.
START_TEST(the_saved_network_has_the_accuracy_that_was_logged)
{
    char dir[512];
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    wsr_dataset *data = NULL;
    wsr_eval *eval = NULL;
    const float eps = 0.02f;
    ck_assert_ok(run_in(dir, "saved", trainers[1], normalized, 2));
    ck_assert_ok(wsr_net_load(&net, path_in(dir, "net.safetensors"), NULL));
    ck_assert_ok(wsr_model_from_net(&model, net, 64));
    ck_assert_ok(wsr_dataset_open(
        &data, "synthetic:size=16,count=128,test_count=96,classes=3,noise=0.05",
        "test", NULL));
    ck_assert_ok(wsr_eval_new(&eval, "pgd:steps=2", "seed=3"));
    ck_assert_ok(wsr_eval_set_strengths(eval, &eps, 1));
    ck_assert_ok(wsr_eval_open(eval, model, data));
    while (wsr_eval_position(eval) < wsr_eval_steps(eval)) {
        ck_assert_ok(wsr_eval_step(eval));
    }
    const double clean = wsr_eval_get(eval, 0, 0, WSR_EVAL_CLEAN);
    const double linf = wsr_eval_get(eval, 0, 0, WSR_EVAL_LINF);
    ck_assert_double_eq_tol(clean, last_of(dir, "\"clean_accuracy\":"), 1e-6);
    // Strengths are those of pixels.
    ck_assert_double_le(linf, 0.0200001);
    ck_assert_double_ge(linf, 0.01);
    wsr_eval_free(eval);
    wsr_dataset_free(data);
    wsr_model_free(model);
    wsr_net_free(net);
}
END_TEST

START_TEST(lists_are_checked_before_a_folder_is_made)
{
    static const struct {
        const char *setting;
        const char *words;
    } rows[] = {
        {"net.mean=[0.1,0.2]", "net.mean: 2 values do not fit 3 channels"},
        {"net.std=0", "net.std: 0 is outside"},
        {"net.std=[0.1,-0.2,0.3]", "net.std: -0.2 is outside"},
        {"net.std=nan", "net.std"},
        {"net.mean=0.4;0.3", "net.mean"},
        {"train.augment=[normalize:mean=0.286,std=0.353]", "net.mean, net.std"},
        {"train.augment=normalize", "net.mean, net.std"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char dir[512];
        ck_assert_fails(
            run_in(dir, "refused", trainers[0], &rows[i].setting, 1),
            WSR_CONFIG, rows[i].words);
        ck_assert(!wsr__file_exists(path_in(dir, "config.yaml")));
    }
}
END_TEST

static bool stop_at_third(const wsr_progress *p, void *user)
{
    size_t *const calls = user;
    return p->line != NULL || ++*calls < 3;
}

START_TEST(a_resumed_run_normalises_as_it_began)
{
    char whole[512];
    char parts[512];
    wsr_config *config = NULL;
    static const char *const settings[] = {"net.mean=[0.4, 0.3, 0.5]",
                                           "net.std=0.25", "train.epochs=1"};
    ck_assert_ok(run_in(whole, "whole", trainers[0], settings, 3));
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_load(config, path_in(whole, "config.yaml")));
    (void)snprintf(parts, sizeof(parts), "%s", scratch_folder("parts"));
    size_t calls = 0;
    ck_assert_int_eq(
        wsr_train_run(NULL, config, parts, false, stop_at_third, &calls),
        WSR_CANCELED);
    ck_assert_ok(wsr_config_set(config, "net.mean=[0.4, 0.3, 0.6]"));
    ck_assert_fails(wsr_train_run(NULL, config, parts, true, NULL, NULL),
                    WSR_CONFIG, "net.mean");
    // The same values in other words.
    ck_assert_ok(wsr_config_set(config, "net.mean=0.4,3/10,0.50"));
    ck_assert_ok(wsr_train_run(NULL, config, parts, true, NULL, NULL));
    bytes a = get_file(path_in(whole, "net.safetensors"));
    bytes b = get_file(path_in(parts, "net.safetensors"));
    ck_assert_uint_eq(a.size, b.size);
    ck_assert_mem_eq(a.data, b.data, a.size);
    bytes_free(&a);
    bytes_free(&b);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        accuracies_with_and_without_normalisation_agree,
        the_saved_network_has_the_accuracy_that_was_logged,
        lists_are_checked_before_a_folder_is_made,
        a_resumed_run_normalises_as_it_began, NULL};
    return suite_of("normalize", tests);
}
