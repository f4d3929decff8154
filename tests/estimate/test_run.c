// SPDX-License-Identifier: Apache-2.0
//
// The test bench of estimators as a run: what it measures agrees with what
// files and functions of the library give, a run that was stopped ends with the
// same bytes, and bad input gets one line.

#include "search/runs.h"
#include "wsr/estimate.h"
#include "wsr/estimator.h"
#include "wsr/log.h"

#include <math.h>

static wsr_config *bench_config(const char *extra)
{
    static const char *const settings[] = {"seed=3",
                                           "networks=cna_r,cna_m:channels=8",
                                           "variants=an,an:fidelity=released",
                                           "data.spec=synthetic:size=16",
                                           "data.limit=48",
                                           "data.test_limit=16",
                                           "net.channels=4",
                                           "net.layers=2",
                                           "train.trainer=natural",
                                           "train.epochs=1",
                                           "train.batch=16",
                                           "train.eval_every=0",
                                           "attack.steps=2",
                                           "attack.eps=[0.015,0.045,0.12]",
                                           "estimator.epochs=2",
                                           "estimator.batch=8",
                                           "estimator.train_batches=3",
                                           "estimator.augment=flip"};
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

// The run of this configuration that nobody stops, which several tests look at.
static struct {
    char dir[512];
    wsr_result *result;
} whole;

static void run_whole(void)
{
    wsr_config *const config = bench_config(NULL);
    (void)snprintf(whole.dir, sizeof(whole.dir), "%s", scratch_folder("whole"));
    ck_assert_ok(
        wsr_estimate_run(&whole.result, config, whole.dir, false, NULL, NULL));
    wsr_config_free(config);
}

static void free_whole(void)
{
    wsr_result_free(whole.result);
    whole.result = NULL;
}

// ---------------------------------------------------------------- same bytes

static void same_files(const char *a, const char *b)
{
    static const char *const names[] = {
        "network-cna_r.safetensors", "network-cna_m.safetensors",
        "estimator-an.safetensors", "checkpoint.safetensors", "results.csv"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        same_file(a, b, names[i]);
    }
    same_log(a, b);
}

// Run a configuration in pieces, each ended by the hook.
static void run_pieces(const char *dir, const wsr_config *config,
                       wsr_progress_hook hook, size_t steps)
{
    wsr_status status = WSR_CANCELED;
    for (size_t round = 0; round < 60 && status == WSR_CANCELED; round++) {
        size_t left = steps;
        status = wsr_estimate_run(NULL, config, dir, round > 0, hook, &left);
    }
    ck_assert_msg(status == WSR_OK, "%s", wsr_error_detail());
}

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    wsr_config *const config = bench_config(NULL);
    const char *const cut = scratch_folder("cut");
    run_pieces(cut, config, stop_after, 7);
    same_files(whole.dir, cut);
    wsr_config_free(config);
}
END_TEST

START_TEST(so_does_one_as_released)
{
    wsr_config *const config = bench_config("fidelity=released");
    char released[512];
    (void)snprintf(released, sizeof(released), "%s",
                   scratch_folder("released"));
    ck_assert_ok(wsr_estimate_run(NULL, config, released, false, NULL, NULL));
    const char *const cut = scratch_folder("cut");
    run_pieces(cut, config, stop_after, 13);
    same_files(released, cut);
    wsr_config_free(config);
}
END_TEST

// Stops in the middle of a batch, between two attacks.
static bool stop_at_call(const wsr_progress *p, void *user)
{
    size_t *const left = user;
    return p->line != NULL || (*left)-- > 1;
}

START_TEST(nor_does_a_stop_within_a_batch_matter)
{
    wsr_config *const config = bench_config("variants=an:fidelity=released");
    char once[512];
    (void)snprintf(once, sizeof(once), "%s", scratch_folder("once"));
    ck_assert_ok(wsr_estimate_run(NULL, config, once, false, NULL, NULL));
    const char *const cut = scratch_folder("cut");
    run_pieces(cut, config, stop_at_call, 23); // no multiple of a batch's calls
    same_file(once, cut, "estimator-an-released.safetensors");
    same_file(once, cut, "checkpoint.safetensors");
    same_file(once, cut, "results.csv");
    wsr_config_free(config);
}
END_TEST

// ------------------------------------------------------------------- results

static void same_rows(const wsr_estimate_row *a, const wsr_estimate_row *b,
                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ck_assert_str_eq(a[i].net, b[i].net);
        ck_assert_str_eq(a[i].variant, b[i].variant);
        ck_assert_double_eq(a[i].accuracy, b[i].accuracy);
        ck_assert_double_eq(a[i].cosine, b[i].cosine);
        ck_assert_double_eq_tol(a[i].seconds, b[i].seconds,
                                1e-9 * a[i].seconds);
    }
}

// Two networks, two variants, three strengths; a run that is done gives the
// same result, times included.
START_TEST(rows_are_complete_and_come_back)
{
    const wsr_estimate_row *rows[2] = {NULL, NULL};
    wsr_result *results[2] = {whole.result, NULL};
    ck_assert_ok(
        wsr_estimate_run(&results[1], NULL, whole.dir, true, NULL, NULL));
    ck_assert_uint_eq(wsr_result_estimates(&rows[0], results[0]), 12);
    ck_assert_uint_eq(wsr_result_estimates(&rows[1], results[1]), 12);
    same_rows(rows[0], rows[1], 12);
    ck_assert_ptr_null(wsr_result_net(results[0]));
    ck_assert_ptr_null(wsr_result_genotype(results[0]));
    ck_assert_ptr_null(wsr_result_eval(results[0]));
    for (size_t i = 0; i < 12; i++) {
        const wsr_estimate_row *const r = &rows[0][i];
        ck_assert_str_eq(r->net, i < 6 ? "cna_r" : "cna_m");
        ck_assert_str_eq(r->variant, i / 3 % 2 == 0 ? "an" : "an-released");
        ck_assert(r->seen == (i < 6));
        ck_assert_uint_eq(r->count, 16);
        ck_assert(r->low <= r->accuracy && r->accuracy <= r->high);
        ck_assert(r->pgd_low <= r->pgd_accuracy);
        ck_assert(r->norm > 0 && r->cosine >= -1 && r->cosine <= 1);
        ck_assert(r->seconds > 0 && r->pgd_seconds > 0);
        // |x - y|^2 = 2 r^2 (1 - cos) where both norms are r; norms of images
        // differ, so the mean agrees roughly.
        const double pixels = 3 * 16 * 16;
        const double expected = 2 * r->norm * r->norm * (1 - r->cosine);
        ck_assert_double_eq_tol(r->mse * pixels, expected, 0.15 * expected);
    }
    wsr_result_free(results[1]);
}
END_TEST

// The estimator in the file is the one that was compared: with the library's
// functions it gives a noise of the norm that is asked for.
START_TEST(estimators_are_saved)
{
    char *const path = wsr__path_join(whole.dir, "estimator-an.safetensors");
    const wsr_shape shape = {3, {3, 16, 16}};
    enum { N = 3 * 16 * 16 };
    static float noise[3][N];
    static float image[N];
    static float out[N];
    const float *const sources[] = {noise[0], noise[1], noise[2]};
    float *const dst[] = {out};
    const float target = 1.5F;
    const size_t counts[] = {1, 3, 1};
    wsr_estimator *est = NULL;
    for (size_t i = 0; i < N; i++) {
        const float sign = i % 3 == 0 ? -1.0F : 1.0F;
        image[i] = 0.5F;
        noise[0][i] = 0.03F * sign;
        noise[1][i] = 0.06F * sign;
        noise[2][i] = 0.09F * sign;
    }
    ck_assert_ok(wsr_estimator_load(&est, path, &shape, NULL));
    ck_assert_ok(wsr_estimator_run(dst, est, sources, image, &target, counts));
    double squares = 0;
    for (size_t i = 0; i < N; i++) {
        squares += (double)out[i] * (double)out[i];
    }
    ck_assert_double_eq_tol(sqrt(squares), 1.5, 1e-4);
    wsr_estimator_free(est);
    wsr__free(path);
}
END_TEST

// Leave-one-out: training lowers the error, on a network that trains and on
// one that does not.
START_TEST(training_lowers_the_error)
{
    wsr_config *const config = bench_config("estimator.epochs=6");
    const char *const dir = scratch_folder("lower");
    wsr_log_reader *log = NULL;
    bool more = true;
    double mse[2] = {NAN, NAN};
    ck_assert_ok(wsr_config_set(config, "estimator.train_batches=6"));
    ck_assert_ok(wsr_estimate_run(NULL, config, dir, false, NULL, NULL));
    char *const path = wsr__path_join(dir, "log.jsonl");
    ck_assert_ok(wsr_log_reader_open(&log, path));
    ck_assert_ok(wsr_log_reader_next(&more, log));
    while (more) {
        const char *const net = wsr_log_reader_text(log, "net");
        const char *const variant = wsr_log_reader_text(log, "variant");
        const double epoch = wsr_log_reader_number(log, "epoch");
        if (wsr__streq(wsr_log_reader_event(log), "leave_one_out") &&
            wsr__streq(net, "cna_m") && wsr__streq(variant, "an") &&
            (epoch == 0 || epoch == 6)) {
            mse[epoch == 6] = wsr_log_reader_number(log, "mse");
            ck_assert_uint_eq(wsr_log_reader_length(log, "true_accuracy"), 4);
        }
        ck_assert_ok(wsr_log_reader_next(&more, log));
    }
    ck_assert_msg(mse[1] < 0.9 * mse[0], "%g after %g", mse[1], mse[0]);
    wsr_log_reader_close(log);
    wsr__free(path);
    wsr_config_free(config);
}
END_TEST

// The network of a file is that of the run that trained it, so estimators
// learn the same from it.
START_TEST(networks_may_be_files)
{
    char text[1400];
    (void)snprintf(text, sizeof(text),
                   "networks=[%s/network-cna_r.safetensors, "
                   "%s/network-cna_m.safetensors]",
                   whole.dir, whole.dir);
    wsr_config *const config = bench_config(text);
    const char *const second = scratch_folder("second");
    ck_assert_ok(wsr_estimate_run(NULL, config, second, false, NULL, NULL));
    same_file(whole.dir, second, "estimator-an.safetensors");
    ck_assert(file_has(second, "results.csv", "\"network-cna_m\""));
    wsr_config_free(config);
}
END_TEST

// ----------------------------------------------------------------- bad input

static void expect_line(wsr_status wanted, const char *setting,
                        const char *line)
{
    wsr_config *const config = bench_config(setting);
    char dir[512];
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("bad"));
    const wsr_status status =
        wsr_estimate_run(NULL, config, dir, false, NULL, NULL);
    ck_assert_msg(strstr(wsr_error_detail(), line) != NULL, "%s: %s", setting,
                  wsr_error_detail());
    ck_assert_int_eq(status, wanted);
    ck_assert_ptr_null(strchr(wsr_error_detail(), '\n'));
    wsr_config_free(config);
}

START_TEST(bad_options_get_one_line)
{
    expect_line(WSR_CONFIG, "variants=anne", "variants: estimator");
    expect_line(WSR_CONFIG, "variants=an:lrr=1", "an.lr");
    expect_line(WSR_CONFIG, "variants=[]", "variants: is empty");
    expect_line(WSR_CONFIG, "networks= ", "networks: is empty");
    expect_line(WSR_NOTFOUND, "networks=cna_x", "networks");
    expect_line(WSR_IO, "networks=nowhere.safetensors", "networks");
    expect_line(WSR_CONFIG, "networks=cna_r:channel=4", "net.channels");
    expect_line(WSR_CONFIG, "attack.sources=[0,0.03]", "attack.sources");
    expect_line(WSR_CONFIG, "attack.sources=[]", "attack.sources");
    expect_line(WSR_CONFIG, "attack.sources=[0.06,0.03]", "does not ascend");
    expect_line(WSR_CONFIG, "attack.eps=[]", "attack.eps: is empty");
    expect_line(WSR_CONFIG, "attack.random_eps=0", "attack.random_eps");
    expect_line(WSR_CONFIG, "estimator.batch=64", "estimator.batch");
    expect_line(WSR_CONFIG, "net.genotype=cna_r", "net.genotype");
}
END_TEST

// A network file of other images, and one of other classes.
START_TEST(networks_must_suit_the_data)
{
    char dir[512];
    char path[600];
    char text[700];
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("nets"));
    ck_assert_ok(wsr__make_directory(dir));
    static const char *const options[][2] = {
        {"genotype=cna_r,channels=4,layers=2,image_size=32",
         "takes images (1, 3, 32, 32)"},
        {"genotype=cna_r,channels=4,layers=2,image_size=16,classes=7",
         "has 7 classes, the data 10"}};
    for (size_t i = 0; i < 2; i++) {
        wsr_net *net = NULL;
        ck_assert_ok(wsr_net_new(&net, NULL, options[i][0], 1));
        (void)snprintf(path, sizeof(path), "%s/other.safetensors", dir);
        ck_assert_ok(wsr_net_save(net, path));
        (void)snprintf(text, sizeof(text), "networks=cna_r,%s", path);
        expect_line(i == 0 ? WSR_SHAPE : WSR_ARG, text, options[i][1]);
        wsr_net_free(net);
    }
}
END_TEST

// A network that no image changes leaves PGD without a gradient: noises of norm
// zero. As released no estimator can learn from them.
START_TEST(noises_of_zero_are_named)
{
    char dir[512];
    char path[600];
    char text[700];
    wsr_net *net = NULL;
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("blind"));
    ck_assert_ok(wsr__make_directory(dir));
    (void)snprintf(path, sizeof(path), "%s/blind.safetensors", dir);
    ck_assert_ok(wsr_net_new(
        &net, NULL, "genotype=cna_r,channels=4,layers=2,image_size=16", 1));
    wsr_params *const params = wsr_net_params(net);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        if (wsr__streq(wsr_params_name(params, i), "classifier.weight")) {
            float *const weight = wsr_params_edit(params, i);
            const size_t n =
                (size_t)wsr_shape_count(wsr_params_shape(params, i));
            memset(weight, 0, n * sizeof(*weight));
        }
    }
    ck_assert_ok(wsr_net_save(net, path));
    wsr_net_free(net);
    (void)snprintf(text, sizeof(text), "networks=%s", path);
    expect_line(WSR_NUMERIC, text, "noises are zero");
    wsr_config *const config = bench_config(text);
    ck_assert_ok(wsr_config_set(config, "variants=an"));
    ck_assert_ok(wsr_estimate_run(NULL, config, scratch_folder("fine"), false,
                                  NULL, NULL));
    wsr_config_free(config);
}
END_TEST

// A trial writes nothing and leaves a forecast for each stage.
START_TEST(a_trial_forecasts)
{
    wsr_config *const config = bench_config(NULL);
    wsr_cost cost;
    ck_assert_ok(wsr_estimate_cost(&cost, config, NULL, NULL));
    ck_assert_uint_eq(cost.stages, 3);
    ck_assert_str_eq(cost.stage[1], "estimators");
    ck_assert(cost.seconds > 0 && cost.memory_bytes > 0);
    ck_assert(cost.disk_bytes > 0 && cost.stage_seconds[2] > 0);
    wsr_config_free(config);
}
END_TEST

START_TEST(help_lists_the_options)
{
    char *text = NULL;
    ck_assert_ok(wsr_estimate_help(&text, "attack.sources"));
    ck_assert_ptr_nonnull(strstr(text, "0.03"));
    wsr_text_free(text);
    ck_assert_ok(wsr_estimate_help(&text, "estimator"));
    ck_assert_ptr_nonnull(strstr(text, "rotate"));
    wsr_text_free(text);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("estimate");
    TCase *const t = tcase_create("run");
    tcase_set_timeout(t, 240);
    tcase_add_unchecked_fixture(t, run_whole, free_whole);
    tcase_add_test(t, a_stopped_run_ends_with_the_same_bytes);
    tcase_add_test(t, so_does_one_as_released);
    tcase_add_test(t, nor_does_a_stop_within_a_batch_matter);
    tcase_add_test(t, rows_are_complete_and_come_back);
    tcase_add_test(t, estimators_are_saved);
    tcase_add_test(t, training_lowers_the_error);
    tcase_add_test(t, networks_may_be_files);
    tcase_add_test(t, bad_options_get_one_line);
    tcase_add_test(t, networks_must_suit_the_data);
    tcase_add_test(t, noises_of_zero_are_named);
    tcase_add_test(t, a_trial_forecasts);
    tcase_add_test(t, help_lists_the_options);
    suite_add_tcase(s, t);
    return s;
}
