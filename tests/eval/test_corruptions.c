// SPDX-License-Identifier: Apache-2.0
//
// Accuracy on corrupted images and the Hessian as parts of an evaluation run:
// against the functions of the library, interrupted and resumed, refused.

#include "eval/corruptions.h"
#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"
#include "wsr/eval.h"
#include "wsr/report.h"
#include "wsr/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 20 };

static const char data_spec[] = "synthetic:size=16,test_count=24,classes=3";

static const char *net_file(void)
{
    static char path[600];
    wsr_net *net = NULL;
    wsr_genotype *genotype = NULL;
    (void)snprintf(path, sizeof(path), "%s",
                   path_in(scratch_folder("net"), "net.safetensors"));
    ck_assert_ok(wsr_genotype_load(&genotype, "cna_r"));
    ck_assert_ok(wsr_net_new(&net, genotype,
                             "channels=4,layers=2,classes=3,image_size=16", 7));
    ck_assert_ok(wsr_net_save(net, path));
    wsr_net_free(net);
    wsr_genotype_free(genotype);
    return path;
}

static const char *const usual[] = {"attack.list=fgsm",
                                    "attack.eps=0.02",
                                    "attack.count=8",
                                    "attack.batch=8",
                                    "corruption.list=fog,jpeg_compression",
                                    "corruption.severities=[1,5]",
                                    "corruption.count=20",
                                    "corruption.batch=8",
                                    "hessian.of=both",
                                    "hessian.count=4",
                                    "hessian.iterations=3",
                                    "hessian.tol=0",
                                    "hessian.probes=2",
                                    "seed=3",
                                    NULL};

static wsr_config *config_of(const char *const *assignments)
{
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_put(config, "net.file", net_file(), "test"));
    ck_assert_ok(wsr_config_put(config, "data.spec", data_spec, "test"));
    for (size_t i = 0; assignments[i] != NULL; i++) {
        ck_assert_ok(wsr_config_set(config, assignments[i]));
    }
    return config;
}

// What single steps of the library measure.
static void expect_measured(const wsr_result *result)
{
    wsr_dataset *dataset = NULL;
    wsr_model *model = NULL;
    wsr_corruption_eval *eval = NULL;
    const wsr_corruption_eval *const have = wsr_result_corruptions(result);
    ck_assert_ok(wsr_dataset_open(&dataset, data_spec, "test", NULL));
    ck_assert_ok(wsr_model_from_net(&model, wsr_result_net(result), 16));
    ck_assert_ok(wsr_corruption_eval_new(&eval, "fog,jpeg_compression",
                                         "severities=[1,5],count=20,seed=3"));
    ck_assert_ok(wsr_corruption_eval_open(eval, model, dataset));
    ck_assert_ok(wsr_corruption_eval_finish(eval));
    ck_assert_uint_eq(wsr_corruption_eval_size(have), 2);
    ck_assert_uint_eq(wsr_corruption_eval_images(have), IMAGES);
    ck_assert_double_eq(wsr_corruption_eval_clean(NULL, NULL, have),
                        wsr_corruption_eval_clean(NULL, NULL, eval));
    double sum = 0;
    for (size_t k = 0; k < 4; k++) {
        double low;
        double high;
        const int severity = k % 2 == 0 ? 1 : 5;
        const double want =
            wsr_corruption_eval_accuracy(&low, &high, eval, k / 2, severity);
        ck_assert_double_eq(want, wsr_corruption_eval_accuracy(
                                      NULL, NULL, have, k / 2, severity));
        ck_assert(low <= want && want <= high && high - low < 0.5);
        sum += want;
    }
    ck_assert_double_eq_tol(wsr_corruption_eval_mean(have, 0), sum / 4, 1e-12);
    ck_assert(isnan(wsr_corruption_eval_accuracy(NULL, NULL, have, 0, 3)));
    ck_assert(isnan(wsr_corruption_eval_mean(have, 3)));
    wsr_corruption_eval_free(eval);
    wsr_model_free(model);
    wsr_dataset_free(dataset);
}

START_TEST(a_run_measures_what_the_library_does)
{
    wsr_config *const config = config_of(usual);
    wsr_result *result = NULL;
    ck_assert_ok(wsr_eval_run(&result, config, NULL, false, NULL, NULL));
    expect_measured(result);
    ck_assert_ptr_nonnull(wsr_result_eval(result));
    const wsr_hessian *const h = wsr_result_hessian(result);
    ck_assert_double_eq(wsr_hessian_get(h, WSR_HESSIAN_ITERATIONS), 3);
    ck_assert(isfinite(wsr_hessian_get(h, WSR_HESSIAN_TRACE)));
    ck_assert(wsr_hessian_get(h, WSR_HESSIAN_INPUT_TOP) > 0);
    wsr_result_free(result);
    wsr_config_free(config);
}
END_TEST

// Images of known accuracy: a model that says the label of its brightest
// channel, on images that are red, green or blue.
static wsr_status brightest(float *logits, const float *x, size_t n, void *user)
{
    (void)user;
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < 3; c++) {
            logits[3 * i + c] = x[(3 * i + c) * 64 + 30];
        }
    }
    return WSR_OK;
}

START_TEST(accuracies_are_counted_right)
{
    const wsr_shape shape = {4, {6, 3, 8, 8}};
    const wsr_shape image = {3, {3, 8, 8}};
    uint8_t pixels[6 * 3 * 64] = {0};
    const int32_t labels[6] = {0, 1, 2, 0, 1, 0}; // the last one is wrong
    wsr_dataset *dataset = NULL;
    wsr_model *model = NULL;
    wsr_model *few = NULL;
    wsr_corruption_eval *eval = NULL;
    double low;
    double high;
    for (size_t i = 0; i < 6; i++) {
        memset(pixels + (3 * i + i % 3) * 64, 200, 64);
    }
    ck_assert_ok(wsr_dataset_new(&dataset, pixels, labels, &shape, 3));
    ck_assert_ok(wsr_model_new(&model, &image, 3, brightest, NULL, NULL));
    ck_assert_ok(
        wsr_corruption_eval_new(&eval, "contrast,brightness", "batch=4"));
    ck_assert_uint_eq(wsr_corruption_eval_steps(eval), 0);
    ck_assert_fails(wsr_corruption_eval_step(eval), WSR_ARG, "no step");
    // Refused, it may be opened with another model.
    ck_assert_ok(wsr_model_new(&few, &image, 2, brightest, NULL, NULL));
    ck_assert_fails(wsr_corruption_eval_open(eval, few, dataset), WSR_ARG,
                    "the data have 3 classes, the model 2");
    wsr_model_free(few);
    ck_assert_ok(wsr_corruption_eval_open(eval, model, dataset));
    ck_assert_fails(wsr_corruption_eval_open(eval, model, dataset), WSR_ARG,
                    "before");
    ck_assert_uint_eq(wsr_corruption_eval_steps(eval), 11 * 2);
    ck_assert_ok(wsr_corruption_eval_step(eval));
    ck_assert(isnan(wsr_corruption_eval_clean(NULL, NULL, eval)));
    ck_assert_ok(wsr_corruption_eval_step(eval));
    ck_assert_double_eq_tol(wsr_corruption_eval_clean(&low, &high, eval),
                            5.0 / 6, 1e-12);
    ck_assert(low < 5.0 / 6 && high > 5.0 / 6);
    ck_assert(isnan(wsr_corruption_eval_mean(eval, 0)));
    ck_assert_ok(wsr_corruption_eval_finish(eval));
    // Constant planes are their own mean, and brighter red is still red.
    ck_assert_double_eq_tol(wsr_corruption_eval_mean(eval, 0), 5.0 / 6, 1e-12);
    ck_assert_str_eq(wsr_corruption_eval_name(eval, 1), "brightness");
    ck_assert_ptr_null(wsr_corruption_eval_name(eval, 2));
    wsr_corruption_eval_free(eval);
    wsr_model_free(model);
    wsr_dataset_free(dataset);
}
END_TEST

// Stops at call number `stop` of the progress hook.
typedef struct stopper {
    size_t calls;
    size_t stop;
} stopper;

static bool stop_at(const wsr_progress *progress, void *user)
{
    stopper *const s = user;
    s->calls += progress->line == NULL;
    return s->stop == 0 || s->calls < s->stop;
}

// The lines of results, without times.
static char *results(const char *dir)
{
    bytes file = get_file(path_in(dir, "results.jsonl"));
    bytes_add(&file, "", 1);
    char *const text = calloc(1, file.size);
    size_t n = 0;
    for (const char *at = (const char *)file.data; *at != '\0';) {
        static const char key[] = "\"seconds\":";
        if (strncmp(at, key, sizeof(key) - 1) == 0) {
            at += strcspn(at, ",}");
        } else {
            text[n++] = *at++;
        }
    }
    bytes_free(&file);
    return text;
}

static size_t count_lines(const char *dir, const char *event)
{
    bytes file = get_file(path_in(dir, "log.jsonl"));
    char key[64];
    size_t n = 0;
    bytes_add(&file, "", 1);
    (void)snprintf(key, sizeof(key), "{\"event\":\"%s\"", event);
    for (const char *at = (const char *)file.data;
         (at = strstr(at, key)) != NULL; at++) {
        n++;
    }
    bytes_free(&file);
    return n;
}

START_TEST(interrupted_anywhere_a_run_ends_with_the_same_results)
{
    char whole[600];
    char dir[600];
    wsr_config *const config = config_of(usual);
    stopper s = {0, 0};
    (void)snprintf(whole, sizeof(whole), "%s", scratch_folder("whole"));
    ck_assert_ok(wsr_eval_run(NULL, config, whole, false, stop_at, &s));
    char *const want = results(whole);
    ck_assert_ptr_nonnull(strstr(want, "\"corruption\":\"fog\""));
    ck_assert_ptr_nonnull(strstr(want, "\"of\":\"input\""));
    const size_t calls = s.calls;
    for (size_t stop = 2; stop <= calls; stop += 5) {
        s = (stopper){0, stop};
        (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("stopped"));
        ck_assert_int_eq(wsr_eval_run(NULL, config, dir, false, stop_at, &s),
                         WSR_CANCELED);
        s = (stopper){0, 0};
        ck_assert_ok(wsr_eval_run(NULL, NULL, dir, true, stop_at, &s));
        char *const have = results(dir);
        ck_assert_str_eq(have, want);
        free(have);
        ck_assert_uint_eq(count_lines(dir, "eval"), 1);
        ck_assert_uint_eq(count_lines(dir, "corruption"), 5);
        ck_assert_uint_eq(count_lines(dir, "corruption_mean"), 3);
        ck_assert_uint_eq(count_lines(dir, "hessian"), 2);
    }
    free(want);
    wsr_config_free(config);
}
END_TEST

START_TEST(without_attacks_there_are_corruptions_alone)
{
    static const char *const alone[] = {
        "attack.list=", "corruption.list=contrast", "corruption.severities=[3]",
        "corruption.count=4", NULL};
    char dir[600];
    wsr_config *const config = config_of(alone);
    wsr_result *result = NULL;
    wsr_cost cost;
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("alone"));
    ck_assert_ok(wsr_eval_cost(&cost, config, NULL, NULL));
    ck_assert_uint_eq(cost.stages, 1);
    ck_assert_str_eq(cost.stage[0], "corruption");
    ck_assert_ok(wsr_eval_run(&result, config, dir, false, NULL, NULL));
    ck_assert_ptr_null(wsr_result_eval(result));
    ck_assert_ptr_null(wsr_result_hessian(result));
    ck_assert_uint_eq(
        wsr_corruption_eval_images(wsr_result_corruptions(result)), 4);
    ck_assert_ok(wsr_report_write(dir));
    bytes page = get_file(path_in(dir, "report.html"));
    bytes_add(&page, "", 1);
    ck_assert_ptr_nonnull(
        strstr((const char *)page.data, "Accuracy under corruptions"));
    ck_assert_ptr_nonnull(strstr((const char *)page.data, "<td>contrast</td>"));
    bytes_free(&page);
    wsr_result_free(result);
    wsr_config_free(config);
}
END_TEST

// One assignment that makes the run fail.
static void expect_refusal(const char *assignment, wsr_status code,
                           const char *words)
{
    const char *const list[] = {"attack.list=fgsm", assignment, NULL};
    wsr_config *const config = config_of(list);
    ck_assert_fails(wsr_eval_run(NULL, config, NULL, false, NULL, NULL), code,
                    words);
    wsr_config_free(config);
}

START_TEST(what_cannot_be_measured_is_refused_before_the_attack)
{
    expect_refusal("corruption.list=fogg", WSR_NOTFOUND, "did you mean 'fog'");
    expect_refusal("corruption.list=fog,fog", WSR_CONFIG, "twice");
    expect_refusal("corruption.list=fog,", WSR_NOTFOUND, "");
    expect_refusal("hessian.of=everything", WSR_CONFIG, "hessian.of");
    expect_refusal("attack.list=", WSR_CONFIG, "there is none");
}
END_TEST

START_TEST(severities_increase)
{
    wsr_corruption_eval *eval = NULL;
    ck_assert_fails(wsr_corruption_eval_new(&eval, "fog", "severities=[2,1]"),
                    WSR_CONFIG, "1 does not exceed");
    ck_assert_fails(wsr_corruption_eval_new(&eval, "fog", "severities=[]"),
                    WSR_CONFIG, "severities");
    ck_assert_fails(wsr_corruption_eval_new(&eval, "fog", "severities=[6]"),
                    WSR_CONFIG, "6 is outside [1, 5]");
    ck_assert_ptr_null(eval);
}
END_TEST

static wsr_status make_and_open(void *ctx)
{
    wsr_status status = WSR_OK;
    wsr_corruption_eval *eval = NULL;
    wsr_dataset *dataset = NULL;
    wsr_model *model = NULL;
    const wsr_shape image = {3, {3, 16, 16}};
    (void)ctx;
    WSR_TRY(wsr_dataset_open(&dataset, data_spec, "test", NULL));
    WSR_TRY(wsr_model_new(&model, &image, 3, brightest, NULL, NULL));
    WSR_TRY(wsr_corruption_eval_new(&eval, "fog,snow", NULL));
    WSR_TRY(wsr_corruption_eval_open(eval, model, dataset));
out:
    wsr_corruption_eval_free(eval);
    wsr_model_free(model);
    wsr_dataset_free(dataset);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_ge(oom_sweep(make_and_open, NULL), 10);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_run_measures_what_the_library_does,
        accuracies_are_counted_right,
        interrupted_anywhere_a_run_ends_with_the_same_results,
        without_attacks_there_are_corruptions_alone,
        what_cannot_be_measured_is_refused_before_the_attack,
        severities_increase,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("corruptions", tests);
}
