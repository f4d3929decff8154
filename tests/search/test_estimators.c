// SPDX-License-Identifier: Apache-2.0
//
// Every estimator in a search, and its file in an attack.

#include "attack/attack.h"
#include "estimator/estimator.h"
#include "search/runs.h"
#include "wsr/net.h"

enum { IMAGES = 4, FLOATS = 3 * 16 * 16, CLASSES = 10 };

// An attack on the network of a run by the noise of its estimator.
static void attack_with(const char *dir)
{
    char spec[800];
    float x[IMAGES * FLOATS];
    const int32_t labels[IMAGES] = {0, 1, 2, 3};
    const float eps[] = {0.045F};
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    wsr_attack *attack = NULL;
    wsr_attack_result *result = NULL;
    char *const file = wsr__path_join(dir, "estimator.safetensors");
    char *const path = wsr__path_join(dir, "net.safetensors");
    for (size_t i = 0; i < IMAGES * FLOATS; i++) {
        x[i] = (float)(i * 37 % 101) / 100;
    }
    (void)snprintf(spec, sizeof(spec), "estimator:net=%s,steps=2", file);
    ck_assert_ok(wsr_net_load(&net, path, NULL));
    ck_assert_ok(wsr_model_from_net(&model, net, IMAGES));
    ck_assert_ok(wsr_attack_new(&attack, spec, NULL));
    ck_assert_ok(wsr_attack_set_strengths(attack, eps, 1));
    ck_assert_ok(wsr_attack_run(&result, attack, model, x, labels, IMAGES));
    wsr_attack_result_free(result);
    wsr_attack_free(attack);
    wsr_model_free(model);
    wsr_net_free(net);
    wsr__free(path);
    wsr__free(file);
}

static wsr_config *config_with(const char *estimator, const char *fidelity)
{
    char name[64];
    wsr_config *const config = make_config(fidelity);
    (void)snprintf(name, sizeof(name), "estimator.name=%s", estimator);
    ck_assert_ok(wsr_config_set(config, name));
    return config;
}

START_TEST(a_search_leaves_an_attack)
{
    for (size_t i = 0; wsr__estimators.classes[i] != NULL; i++) {
        char dir[512];
        wsr_config *const config =
            config_with(wsr__estimators.classes[i]->name, "fidelity=released");
        (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("attack"));
        ck_assert_ok(wsr_search_run(NULL, config, dir, false, NULL, NULL));
        attack_with(dir);
        wsr_config_free(config);
    }
}
END_TEST

// Running statistics and counts of batches are part of the state.
START_TEST(with_batch_norms_a_stopped_run_ends_with_the_same_bytes)
{
    wsr_config *const config = config_with("e_plus", "fidelity=released");
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_search_leaves_an_attack,
        with_batch_norms_a_stopped_run_ends_with_the_same_bytes,
        NULL,
    };
    return suite_of("estimators", tests);
}
