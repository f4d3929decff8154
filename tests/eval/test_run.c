// SPDX-License-Identifier: Apache-2.0
//
// The evaluation of a network file as a run, through the public interface:
// with a folder and without, interrupted, resumed, refused; and its result.

#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"
#include "train/train.h"
#include "wsr/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 4, IMAGES = 20, BATCH = 8, ATTACKS = 2 };

static const char data_spec[] =
    "data.spec=synthetic:size=16,test_count=24,classes=3";

// A network file in a folder of its own.
static const char *net_file(const char *kind)
{
    static char path[600];
    wsr_net *net = NULL;
    wsr_genotype *genotype = NULL;
    (void)snprintf(path, sizeof(path), "%s",
                   path_in(scratch_folder(kind), "net.safetensors"));
    ck_assert_ok(wsr_genotype_load(&genotype, "cna_r"));
    ck_assert_ok(wsr_net_new(&net, genotype,
                             "channels=4,layers=2,classes=3,image_size=16", 7));
    ck_assert_ok(wsr_net_save(net, path));
    wsr_net_free(net);
    wsr_genotype_free(genotype);
    return path;
}

static wsr_config *config_of(const char *const *assignments)
{
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_put(config, "net.file", net_file("file"), "test"));
    ck_assert_ok(wsr_config_set(config, data_spec));
    for (size_t i = 0; assignments[i] != NULL; i++) {
        ck_assert_ok(wsr_config_set(config, assignments[i]));
    }
    return config;
}

static const char *const usual[] = {"attack.list=fgsm,pgd:steps=2",
                                    "attack.eps=0.02,8/255",
                                    "attack.count=20",
                                    "attack.batch=8",
                                    "attack.stop=false",
                                    "seed=3",
                                    NULL};

// What the steps of the library measure of the same network.
static void expect_measured(const wsr_result *result)
{
    const float eps[] = {0.02f, 8.0f / 255};
    wsr_eval *eval = NULL;
    wsr_dataset *dataset = NULL;
    wsr_model *model = NULL;
    const wsr_eval *const have = wsr_result_eval(result);
    ck_assert_ptr_nonnull(have);
    ck_assert_ok(wsr_dataset_open(&dataset, data_spec + strlen("data.spec="),
                                  "test", NULL));
    ck_assert_ok(wsr_model_from_net(&model, wsr_result_net(result), BATCH));
    ck_assert_ok(wsr_eval_new(&eval, "fgsm,pgd:steps=2",
                              "stop=false,count=20,seed=3,batch=8"));
    ck_assert_ok(wsr_eval_set_strengths(eval, eps, 2));
    ck_assert_ok(wsr_eval_open(eval, model, dataset));
    ck_assert_ok(wsr_eval_finish(eval));
    ck_assert_uint_eq(wsr_eval_attacks(have), ATTACKS);
    ck_assert_uint_eq(wsr_eval_strengths(have), 2);
    for (size_t k = 0; k < 4; k++) {
        static const wsr_eval_value values[] = {WSR_EVAL_CLEAN, WSR_EVAL_ROBUST,
                                                WSR_EVAL_LOW, WSR_EVAL_L2};
        ck_assert_uint_eq(wsr_eval_count(have, k / 2), IMAGES);
        for (size_t v = 0; v < 4; v++) {
            ck_assert_double_eq(wsr_eval_get(have, k / 2, k % 2, values[v]),
                                wsr_eval_get(eval, k / 2, k % 2, values[v]));
        }
    }
    wsr_eval_free(eval);
    wsr_model_free(model);
    wsr_dataset_free(dataset);
}

typedef struct watch {
    size_t lines;
    size_t steps;  // between two steps
    size_t passes; // within steps
    size_t stop;   // after so many steps, 0: never
    double done;
    char log[65536];
} watch;

static bool on_progress(const wsr_progress *p, void *user)
{
    watch *const w = user;
    if (p->line != NULL) {
        const size_t at = strlen(w->log);
        w->lines++;
        (void)snprintf(w->log + at, sizeof(w->log) - at, "%s\n", p->line);
        return true;
    }
    ck_assert_str_eq(p->phase, "eval");
    ck_assert_uint_eq(p->steps, 3 * ATTACKS);
    ck_assert(p->done >= w->done && p->done <= 1);
    w->done = p->done;
    w->passes += p->note[0] != '\0';
    w->steps += p->note[0] == '\0';
    return w->stop == 0 || w->steps < w->stop;
}

START_TEST(without_a_folder_the_result_holds_everything)
{
    wsr_config *const config = config_of(usual);
    wsr_result *result = NULL;
    watch w = {0};
    ck_assert_ok(wsr_eval_run(&result, config, NULL, false, on_progress, &w));
    expect_measured(result);
    ck_assert_uint_eq(w.steps, 3 * ATTACKS);
    ck_assert_uint_gt(w.passes, w.steps);
    ck_assert(w.done == 1);
    ck_assert_ptr_eq(strstr(w.log, "{\"event\":\"start\",\"tool\":\"attack\""),
                     w.log);
    ck_assert_ptr_nonnull(strstr(w.log, "\"attack\":\"pgd\""));
    ck_assert_ptr_nonnull(strstr(w.log, "{\"event\":\"done\""));
    ck_assert_str_eq(wsr_genotype_name(wsr_result_genotype(result)), "cna_r");
    ck_assert_uint_eq(wsr_result_released(NULL, NULL, result), 0);
    // The result outlives everything, also its file.
    ck_assert_int_eq(remove(wsr_config_text(config, "net.file")), 0);
    wsr_config_free(config);
    ck_assert_uint_eq(wsr_net_classes(wsr_result_net(result)), 3);
    ck_assert_ptr_nonnull(wsr_eval_dataset(wsr_result_eval(result)));
    wsr_result_free(result);
    wsr_result_free(NULL);
}
END_TEST

// A file as text, in which the times are struck out.
static char *timeless(const char *dir, const char *name)
{
    bytes file = get_file(path_in(dir, name));
    bytes_add(&file, "", 1);
    char *const text = calloc(1, file.size);
    size_t n = 0;
    for (const char *s = (const char *)file.data; *s != '\0'; s++) {
        static const char key[] = "\"seconds\":";
        text[n++] = *s;
        if (strncmp(s, key, sizeof(key) - 1) == 0) {
            s += strcspn(s, ",}") - 1;
        }
    }
    bytes_free(&file);
    return text;
}

static void expect_same(const char *a, const char *b, const char *name)
{
    char *const x = timeless(a, name);
    char *const y = timeless(b, name);
    ck_assert_msg(strcmp(x, y) == 0, "%s differs between %s and %s", name, a,
                  b);
    free(x);
    free(y);
}

START_TEST(the_cost_is_told_without_a_run)
{
    wsr_config *const config = config_of(usual);
    wsr_cost cost;
    ck_assert_ok(wsr_eval_cost(&cost, config, NULL, NULL));
    ck_assert_uint_eq(cost.stages, 1);
    ck_assert_str_eq(cost.stage[0], "eval");
    ck_assert_double_gt(cost.seconds, 0);
    wsr_config_free(config);
}
END_TEST

START_TEST(an_interrupted_run_resumes_to_the_same_results)
{
    static const char *const names[] = {"results.jsonl", "log.jsonl",
                                        "config.yaml",   "genotype.yaml",
                                        "images.csv",    "images.jsonl"};
    wsr_config *const config = config_of(usual);
    char whole[512];
    char parts[512];
    wsr_result *result = NULL;
    (void)snprintf(whole, sizeof(whole), "%s", scratch_folder("whole"));
    (void)snprintf(parts, sizeof(parts), "%s", scratch_folder("parts"));
    ck_assert_ok(wsr_eval_run(NULL, config, whole, false, NULL, NULL));
    watch w = {.stop = 3};
    ck_assert_int_eq(
        wsr_eval_run(&result, config, parts, false, on_progress, &w),
        WSR_CANCELED);
    // What was measured is there: two batches of fgsm, one of pgd.
    ck_assert_uint_eq(wsr_eval_count(wsr_result_eval(result), 0), 2 * BATCH);
    ck_assert_uint_eq(wsr_eval_count(wsr_result_eval(result), 1), BATCH);
    wsr_result_free(result);
    ck_assert(wsr__file_exists(path_in(parts, "results.csv")));
    char *const part = timeless(parts, "log.jsonl");
    ck_assert_ptr_nonnull(strstr(part, "\"count\":16,"));
    free(part);
    ck_assert_ok(wsr_eval_run(&result, NULL, parts, true, NULL, NULL));
    expect_measured(result);
    wsr_result_free(result);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        expect_same(whole, parts, names[i]);
    }
    wsr_config_free(config);
}
END_TEST

START_TEST(a_run_that_is_done_gives_its_result_again)
{
    wsr_config *const config = config_of(usual);
    char dir[512];
    wsr_result *result = NULL;
    watch first = {0};
    watch again = {0};
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("done"));
    ck_assert_ok(wsr_eval_run(NULL, config, dir, false, on_progress, &first));
    ck_assert_ok(wsr_eval_run(&result, config, dir, true, on_progress, &again));
    expect_measured(result);
    wsr_result_free(result);
    // The lines are those of the log, and there is nothing else to tell.
    bytes log = get_file(path_in(dir, "log.jsonl"));
    ck_assert_uint_eq(strlen(first.log), log.size);
    ck_assert_mem_eq(first.log, log.data, log.size);
    bytes_free(&log);
    ck_assert(strcmp(first.log, again.log) == 0);
    ck_assert_uint_eq(again.steps + again.passes, 0);
    ck_assert_fails(wsr_eval_run(&result, config, dir, false, NULL, NULL),
                    WSR_ARG, "is not empty");
    ck_assert_ptr_null(result);
    ck_assert_fails(wsr_eval_run(&result, NULL, NULL, true, NULL, NULL),
                    WSR_ARG, "dir: ");
    // Somebody changed the folder's configuration.
    bytes text = get_file(path_in(dir, "config.yaml"));
    bytes_add(&text, "", 1);
    char *const at = strstr((char *)text.data, "intended");
    ck_assert_ptr_nonnull(at);
    for (size_t i = 0; i < 8; i++) {
        at[i] = "released"[i]; // as long as the word that it replaces
    }
    text.size--;
    put_file(path_in(dir, "config.yaml"), &text);
    bytes_free(&text);
    ck_assert_fails(wsr_eval_run(&result, NULL, dir, true, NULL, NULL),
                    WSR_CONFIG, "without a folder");
    wsr_config_free(config);
}
END_TEST

START_TEST(what_is_refused_leaves_no_folder)
{
    static const struct {
        const char *assignment;
        wsr_status code;
        const char *words;
    } rows[] = {
        {"attack.cuont=3", WSR_CONFIG, "did you mean 'attack.count'"},
        {"net.file=", WSR_CONFIG, "net.file: is missing"},
        {"data.spec=", WSR_CONFIG, "data.spec: is missing"},
        {"attack.eps=0.1,x", WSR_CONFIG, "attack.eps: 'x' is not a strength"},
        {"attack.eps=", WSR_CONFIG, "attack.eps: '' is not a strength"},
        {"attack.eps=-1", WSR_CONFIG, "attack.eps: '-1'"},
        {"attack.eps=inf", WSR_ARG, "is not finite"},
        {"attack.list=pdg", WSR_NOTFOUND, "did you mean 'pgd'"},
        {"attack.list=", WSR_CONFIG, "there is none"},
        {"attack.target=nearest", WSR_CONFIG, "attack.target"},
        {"attack.target_class=3", WSR_CONFIG, "outside [0, 2]"},
        {"attack.count=100", WSR_ARG, "100 images are more than the 24"},
        {"attack.save=nowhere/x", WSR_CONFIG, "attack.save: nowhere/x"},
        {"attack.save=nowhere/x/", WSR_CONFIG, "attack.save: nowhere/x"},
        {"attack.save=x.npy", WSR_CONFIG, "attack.save: x.npy holds one array"},
        {"attack.fidelity=paper", WSR_CONFIG, "attack.fidelity: 'paper'"},
        {"attack.fidelity=released", WSR_CONFIG, "knows no attack.stop"},
        {"net.file=nowhere", WSR_IO, "nowhere"},
        {"net.space=darts", WSR_CONFIG, "network.space: is not an option"},
        {"net.mean=[0.1,0.2]", WSR_CONFIG, "2 values do not fit 3"},
        {"source.file=nowhere", WSR_IO, "nowhere"},
        {"data.split=x", WSR_CONFIG, "data.split: 'x'"},
        {"data.size=64", WSR_SHAPE, "the model takes (3, 16, 16)"},
        {"data.spec=synthetic:classes=7,size=16", WSR_ARG,
         "the data have 7 classes, the network 3"},
    };
    char dir[512];
    (void)snprintf(dir, sizeof(dir), "%s/none", scratch_folder("refused"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wsr_config *const config = config_of(usual);
        wsr_result *result = (wsr_result *)1;
        ck_assert_ok(wsr_config_set(config, rows[i].assignment));
        ck_assert_fails(wsr_eval_run(&result, config, dir, false, NULL, NULL),
                        rows[i].code, rows[i].words);
        ck_assert_ptr_null(result);
        ck_assert_msg(!wsr__file_exists(dir), "%s left a folder",
                      rows[i].assignment);
        wsr_config_free(config);
    }
}
END_TEST

START_TEST(transfer_and_options_of_files_reach_the_evaluation)
{
    wsr_config *const config = config_of(usual);
    wsr_result *plain = NULL;
    wsr_result *other = NULL;
    char file[600];
    char save[600];
    (void)snprintf(file, sizeof(file), "%s", net_file("source"));
    (void)snprintf(save, sizeof(save), "%s",
                   path_in(scratch_folder("save"), "images.safetensors"));
    ck_assert_ok(wsr_config_put(config, "source.file", file, "test"));
    ck_assert_ok(wsr_config_put(config, "attack.save", save, "test"));
    ck_assert_ok(wsr_eval_run(&plain, config, NULL, false, NULL, NULL));
    // Attacks on the same network find the same.
    expect_measured(plain);
    ck_assert(wsr__file_exists(save));
    ck_assert_ptr_nonnull(
        wsr_eval_image(wsr_result_eval(plain), 1, 1, IMAGES - 1));
    ck_assert_ok(wsr_config_set(config, "net.std=0.2"));
    ck_assert_ok(wsr_eval_run(&other, config, NULL, false, NULL, NULL));
    char *text = NULL;
    ck_assert_ok(wsr_net_describe(&text, wsr_result_net(other)));
    ck_assert_ptr_nonnull(strstr(text, "std [0.2]"));
    wsr_text_free(text);
    wsr_result_free(plain);
    wsr_result_free(other);
    wsr_config_free(config);
}
END_TEST

START_TEST(the_released_measure_is_that_of_its_function)
{
    static const char *const assignments[] = {
        "attack.list=pgd:steps=3", "attack.eps=0,0.05", "attack.count=20",
        "attack.fidelity=released", NULL};
    wsr_config *const config = config_of(assignments);
    wsr_result *result = NULL;
    wsr_dataset *dataset = NULL;
    const float *eps = NULL;
    const double *accuracy = NULL;
    double expected[2];
    ck_assert_ok(wsr_eval_run(&result, config, NULL, false, NULL, NULL));
    ck_assert_ptr_null(wsr_result_eval(result));
    ck_assert_uint_eq(wsr_result_released(&eps, &accuracy, result), 2);
    ck_assert_ok(wsr_dataset_open(&dataset, data_spec + strlen("data.spec="),
                                  "test", NULL));
    ck_assert_ok(wsr_eval_released(expected, wsr_result_net(result), dataset,
                                   eps, 2, "steps=3,batch=32,count=20"));
    ck_assert_mem_eq(accuracy, expected, sizeof(expected));
    ck_assert_float_eq(eps[1], 0.05f);
    wsr_result_free(result);
    wsr_dataset_free(dataset);
    char dir[512];
    (void)snprintf(dir, sizeof(dir), "%s/none", scratch_folder("released"));
    ck_assert_fails(wsr_eval_run(&result, config, dir, false, NULL, NULL),
                    WSR_CONFIG, "without a folder");
    ck_assert(!wsr__file_exists(dir));
    wsr_config_free(config);
}
END_TEST

static wsr_status short_run(void *ctx)
{
    wsr_result *result = NULL;
    const wsr_status status =
        wsr_eval_run(&result, ctx, NULL, false, NULL, NULL);
    wsr_result_free(result);
    return status;
}

// Every request of a run would take minutes: one of 101.
START_TEST(short_memory_is_reported_without_a_leak)
{
    wsr_config *const config = config_of(usual);
    wsr_status status = WSR_NOMEM;
    size_t runs = 0;
    ck_assert_ok(wsr_config_set(config, "attack.list=fgsm"));
    ck_assert_ok(wsr_config_set(config, "attack.count=2"));
    for (size_t n = 1; status == WSR_NOMEM; n += 101) {
        oom_begin(n);
        status = short_run(config);
        ck_assert_uint_eq(oom_live(), 0);
        oom_end();
        ck_assert(status == WSR_OK || status == WSR_NOMEM);
        runs++;
    }
    ck_assert_ok(status);
    ck_assert_uint_gt(runs, 10);
    wsr_config_free(config);
}
END_TEST

START_TEST(help_knows_the_options)
{
    char *text = NULL;
    ck_assert_ok(wsr_eval_help(&text, "net"));
    ck_assert_ptr_nonnull(strstr(text, "net.file="));
    ck_assert_ptr_nonnull(strstr(text, "net.channels=\n"));
    wsr_text_free(text);
    ck_assert_ok(wsr_eval_help(&text, "attack"));
    ck_assert_ptr_nonnull(strstr(text, "attack.eps=8/255"));
    ck_assert_ptr_nonnull(strstr(text, "pgd: "));
    wsr_text_free(text);
    ck_assert_fails(wsr_eval_help(&text, "attakc"), WSR_NOTFOUND, "attack");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        without_a_folder_the_result_holds_everything,
        the_cost_is_told_without_a_run,
        an_interrupted_run_resumes_to_the_same_results,
        a_run_that_is_done_gives_its_result_again,
        what_is_refused_leaves_no_folder,
        transfer_and_options_of_files_reach_the_evaluation,
        the_released_measure_is_that_of_its_function,
        short_memory_is_reported_without_a_leak,
        help_knows_the_options,
        NULL};
    return suite_of("eval/run", tests);
}
