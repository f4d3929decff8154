// SPDX-License-Identifier: Apache-2.0
//
// Searches that look accuracies up: three formats of files, what stands for
// architectures that are missing, and that the best of a small space is found.

#include "search/lookup.h"
#include "search/runs.h"
#include "wsr/log.h"
#include "wsr/result.h"

#include <math.h>
#include <sys/stat.h>

// A and A2 are the same cell for the benchmark: node 1 is the source.
#define BEGIN "|skip_connect~0|+|none~0|none~1|+|"
#define CELL_A BEGIN "none~0|nor_conv_3x3~1|none~2|"
#define CELL_A2 BEGIN "nor_conv_3x3~0|none~1|none~2|"
#define CELL_B BEGIN "none~0|nor_conv_1x1~1|none~2|"
#define CELL_C BEGIN "avg_pool_3x3~0|nor_conv_1x1~1|none~2|"

// Values are rounded to text and back.
static const double tol = 1e-9;

static void write_into(const char *dir, const char *name, const char *text)
{
    char *const path = wsr__path_join(dir, name);
    ck_assert_ok(wsr__file_write(path, text, strlen(text)));
    wsr__free(path);
}

static wsr_config *lookup_config(const char *dir, const char *name)
{
    wsr_config *const config = make_config("supernet.space=nb201");
    char option[600];
    (void)snprintf(option, sizeof(option), "search.table=%s%s%s", dir,
                   name[0] == '\0' ? "" : "/", name);
    ck_assert_ok(wsr_config_set(config, option));
    ck_assert_ok(wsr_config_set(config, "supernet.layers=3"));
    ck_assert_ok(wsr_config_set(config, "net.layers=3"));
    ck_assert_ok(wsr_config_set(config, "searcher.name=rsws"));
    ck_assert_ok(wsr_config_set(config, "search.sources=[3/255]"));
    ck_assert_ok(wsr_config_set(config, "search.targets=[8/255]"));
    ck_assert_ok(wsr_config_set(config, "search.weights=[1,1]"));
    return config;
}

static wsr_status make_search(wsr_search **out, const wsr_config *config)
{
    wsr_dataset *data = NULL;
    ck_assert_ok(
        wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=64"));
    const wsr_status status = wsr_search_new(out, data, config);
    wsr_dataset_free(data);
    return status;
}

static wsr_status losses_of(double losses[3], wsr_search *s, const char *cell)
{
    float weights[6 * 5];
    float top[6];
    unsigned char choices[6];
    wsr__path path = {weights, top, choices};
    wsr__pairs pairs;
    wsr_genotype *genotype = NULL;
    ck_assert_ok(wsr_genotype_parse(&genotype, cell, "cell"));
    wsr__pairs_read(&pairs, &wsr__space_nb201, genotype);
    wsr__pairs_path(&path, &pairs, &wsr__space_nb201);
    wsr_genotype_free(genotype);
    return s->evaluator(losses, s, &path, WSR__EVALUATE);
}

static void check_losses(wsr_search *s, const char *cell, double clean,
                         double three, double eight)
{
    double losses[3];
    ck_assert_ok(losses_of(losses, s, cell));
    ck_assert_double_eq_tol(losses[0], 1 - clean, tol);
    ck_assert_double_eq_tol(losses[1], 1 - three, tol);
    ck_assert_double_eq_tol(losses[2], 1 - eight, tol);
}

static const char robbench[] =
    "{\"" CELL_A "\": {\"val_acc\": {\"777\": 0.1, \"threeseed\": 0.7},"
    " \"val_fgsm_3.0_acc\": {\"threeseed\": 0.45},"
    " \"val_pgd_3.0_acc\": {\"threeseed\": 0.5},"
    " \"val_pgd_8.0_acc\": {\"threeseed\": 0.3}, \"autoattack\": 0.2},"
    "\"" CELL_B "\": {\"val_acc\": {\"threeseed\": 0.6},"
    " \"val_fgsm_3.0_acc\": {\"threeseed\": 0.35},"
    " \"val_pgd_3.0_acc\": {\"threeseed\": 0.4},"
    " \"val_pgd_8.0_acc\": {\"threeseed\": 0.1}, \"autoattack\": 0.05}}";

START_TEST(nas_robbench_is_read)
{
    char dir[512];
    wsr_search *s = NULL;
    double losses[3];
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("robbench"));
    write_into(dir, "cifar10.json", robbench);
    wsr_config *const config = lookup_config(dir, "cifar10.json");
    ck_assert_ok(make_search(&s, config));
    check_losses(s, CELL_A, 0.7, 0.5, 0.3);
    check_losses(s, CELL_A2, 0.7, 0.5, 0.3); // counted as the same
    check_losses(s, CELL_B, 0.6, 0.4, 0.1);
    ck_assert_fails(losses_of(losses, s, CELL_C), WSR_NOTFOUND,
                    "search.table_missing=nearest");
    wsr_search_free(s);
    // One edge from CELL_B, two from CELL_A.
    ck_assert_ok(wsr_config_set(config, "search.table_missing=nearest"));
    ck_assert_ok(make_search(&s, config));
    check_losses(s, CELL_C, 0.6, 0.4, 0.1);
    // As far from one as from the other.
    check_losses(s, BEGIN "none~0|avg_pool_3x3~1|none~2|", 0.65, 0.45, 0.2);
    wsr_search_free(s);
    wsr_config_free(config);
}
END_TEST

START_TEST(other_attacks_have_strengths_of_their_own)
{
    char dir[512];
    wsr_search *s = NULL;
    double losses[3];
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("attacks"));
    write_into(dir, "cifar10.json", robbench);
    wsr_config *const config = lookup_config(dir, "cifar10.json");
    ck_assert_ok(wsr_config_set(config, "search.table_attack=fgsm"));
    ck_assert_fails(make_search(&s, config), WSR_CONFIG,
                    "no strength of fgsm in ");
    ck_assert_ok(wsr_config_set(config, "search.targets=[]"));
    ck_assert_ok(wsr_config_set(config, "search.weights=[1]"));
    ck_assert_ok(make_search(&s, config));
    ck_assert_ok(losses_of(losses, s, CELL_A));
    ck_assert_double_eq_tol(losses[1], 1 - 0.45, tol);
    wsr_search_free(s);
    ck_assert_ok(wsr_config_set(config, "search.table_attack=autoattack"));
    ck_assert_ok(wsr_config_set(config, "search.sources=[8/255]"));
    ck_assert_ok(make_search(&s, config));
    ck_assert_ok(losses_of(losses, s, CELL_B));
    ck_assert_double_eq_tol(losses[1], 1 - 0.05, tol);
    wsr_search_free(s);
    ck_assert_ok(wsr_config_set(config, "search.table_attack=cw"));
    ck_assert_fails(make_search(&s, config), WSR_FORMAT,
                    "no strengths of search.table_attack 'cw'");
    wsr_config_free(config);
}
END_TEST

START_TEST(the_robustness_dataset_is_read)
{
    char dir[512];
    char data[600];
    wsr_search *s = NULL;
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("jung"));
    (void)snprintf(data, sizeof(data), "%s/cifar10", dir);
    ck_assert_int_eq(mkdir(data, 0777), 0);
    write_into(dir, "meta.json",
               "{\"ids\": {\"7\": {\"nb201-string\": \"" CELL_A
               "\", \"isomorph\": \"7\"}, \"9\": {\"nb201-string\": \"" CELL_A2
               "\", \"isomorph\": \"7\"}, \"12\": {\"nb201-string\": \"" CELL_B
               "\", \"isomorph\": \"12\"}},"
               "\"epsilons\": {\"pgd@Linf\": [0.5, 3.0, 8.0]}}");
    write_into(data, "clean_accuracy.json",
               "{\"cifar10\": {\"clean\": {\"accuracy\": "
               "{\"7\": 0.9, \"12\": 0.8}}}}");
    write_into(data, "pgd@Linf_accuracy.json",
               "{\"cifar10\": {\"pgd@Linf\": {\"accuracy\": "
               "{\"7\": [0.6, 0.5, 0.1], \"12\": [0.5, 0.3, 0.2]}}}}");
    wsr_config *const config = lookup_config(data, "");
    ck_assert_ok(make_search(&s, config));
    check_losses(s, CELL_A, 0.9, 0.5, 0.1);
    check_losses(s, CELL_A2, 0.9, 0.5, 0.1);
    check_losses(s, CELL_B, 0.8, 0.3, 0.2);
    wsr_search_free(s);
    write_into(data, "pgd@Linf_accuracy.json", "{\"cifar10\": {}}");
    ck_assert_fails(make_search(&s, config), WSR_FORMAT,
                    "no DATA / KEY / accuracy of 'pgd@Linf'");
    write_into(dir, "meta.json", "{\"ids\": {}}");
    ck_assert_fails(make_search(&s, config), WSR_FORMAT,
                    "no list epsilons / 'pgd@Linf'");
    wsr_config_free(config);
}
END_TEST

#define ROW(cell, seed, clean, three, eight)                 \
    "{\"event\":\"row\",\"cell\":\"c\",\"genotype\":\"" cell \
    "\",\"seed\":" seed ",\"clean_accuracy\":" clean         \
    ",\"eps\":[0.0118,0.0314],\"robust_accuracy\":[" three "," eight "]}\n"

START_TEST(seeds_of_our_own_tables_are_averaged)
{
    char dir[512];
    wsr_search *s = NULL;
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("rows"));
    write_into(dir, "table.jsonl",
               ROW(CELL_A, "1", "0.5", "0.4", "0.3")
                   ROW(CELL_B, "1", "0.1", "0.1", "0.1")
                       ROW(CELL_A, "2", "0.7", "0.6", "0.1"));
    wsr_config *const config = lookup_config(dir, "table.jsonl");
    ck_assert_ok(make_search(&s, config));
    check_losses(s, CELL_A, 0.6, 0.5, 0.2);
    check_losses(s, CELL_B, 0.1, 0.1, 0.1);
    wsr_search_free(s);
    wsr_config_free(config);
}
END_TEST

START_TEST(bad_files_are_refused)
{
    static const char *const cases[][3] = {
        {"a.json", "[1]", "is no JSON object"},
        {"a.json", "{", "is no JSON object: "},
        {"a.json", "{}", "has no architectures"},
        {"a.json", "{\"|none~0|\": {\"val_pgd_3.0_acc\": 0.1}}",
         "is outside [0, 1]"},
        {"a.json",
         "{\"|none~0|\": {\"val_acc\": 0.1, \"val_pgd_3.0_acc\": 0.1}}",
         "too few nodes"},
        {"a.json",
         "{\"" CELL_A "\": {\"val_acc\": 60, \"val_pgd_3.0_acc\": 30}}",
         "accuracy 60 of "},
        {"a.jsonl", "{\"event\":\"start\"}\n", "has no architectures"},
        {"a.jsonl",
         ROW("Genotype(normal=[('none', 0), ('none', 1), ('none', 0), "
             "('none', 1), ('none', 0), ('none', 1), ('none', 0), ('none', "
             "1)], normal_concat=[2], reduce=[('none', 0), ('none', 1), "
             "('none', 0), ('none', 1), ('none', 0), ('none', 1), ('none', "
             "0), ('none', 1)], reduce_concat=[2])",
             "1", "0.5", "0.5", "0.5"),
         "is no genotype of the space nb201"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char dir[512];
        wsr_search *s = NULL;
        (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("bad"));
        write_into(dir, cases[i][0], cases[i][1]);
        wsr_config *const config = lookup_config(dir, cases[i][0]);
        ck_assert_fails(make_search(&s, config), WSR_FORMAT, cases[i][2]);
        wsr_config_free(config);
    }
}
END_TEST

// ------------------------------------------------------------------ searching

// All 15 625 cells; the more and the larger the convolutions, the better.
static void write_space(const char *dir)
{
    static const char *const ops[] = {"none", "skip_connect", "nor_conv_1x1",
                                      "nor_conv_3x3", "avg_pool_3x3"};
    static const double worth[] = {0, 0.3, 0.6, 1, 0.2};
    wsr__str text = {0};
    for (size_t i = 0; i < 15625; i++) {
        size_t at[6];
        double sum = 0;
        size_t rest = i;
        for (size_t e = 0; e < 6; e++, rest /= 5) {
            at[e] = rest % 5;
            sum += worth[at[e]] / 6;
        }
        wsr__str_addf(&text,
                      "%s\"|%s~0|+|%s~0|%s~1|+|%s~0|%s~1|%s~2|\": "
                      "{\"val_acc\": %.6f, \"val_pgd_3.0_acc\": %.6f, "
                      "\"val_pgd_8.0_acc\": %.6f}",
                      i == 0 ? "{" : ",\n", ops[at[0]], ops[at[1]], ops[at[2]],
                      ops[at[3]], ops[at[4]], ops[at[5]], 0.2 + 0.5 * sum,
                      0.5 * sum, 0.3 * sum);
    }
    wsr__str_add(&text, "}\n");
    write_into(dir, "cifar10.json", text.s);
    wsr__str_free(&text);
}

START_TEST(searchers_find_good_cells_of_a_table)
{
    static const char *const names[] = {"regularized_evolution", "rsws",
                                        "wsr_nas", "evolution", "random"};
    char space[512];
    (void)snprintf(space, sizeof(space), "%s", scratch_folder("space"));
    write_space(space);
    const char *const name = names[_i];
    wsr_config *const config = lookup_config(space, "cifar10.json");
    char option[80];
    char dir[512];
    wsr_result *result = NULL;
    (void)snprintf(option, sizeof(option), "searcher.name=%s", name);
    ck_assert_ok(wsr_config_set(config, option));
    ck_assert_ok(wsr_config_set(config, "search.sources=[3/255,8/255]"));
    ck_assert_ok(wsr_config_set(config, "search.weights=[1,1,1]"));
    ck_assert_ok(wsr_config_set(config, "search.epochs=8"));
    ck_assert_ok(wsr_config_set(config, "search.architectures=16"));
    ck_assert_ok(wsr_config_set(config, "search.predictor_passes=30"));
    ck_assert_ok(wsr_config_set(config, "search.arch_lr=0.05"));
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder(name));
    ck_assert_ok(wsr_search_run(&result, config, dir, false, NULL, NULL));
    ck_assert_ptr_nonnull(wsr_result_genotype(result));
    ck_assert_ptr_null(wsr_result_eval(result));
    ck_assert_double_eq(found_number(dir, "passes"), 0);
    ck_assert_double_eq_tol(found_number(dir, "table_best"), 0.4, 1e-6);
    // Chance is 50; the best of 128 draws is above 95 but once in 700 times.
    if (_i < 4) {
        ck_assert_double_ge(found_number(dir, "table_percentile"), 90);
    }
    wsr_result_free(result);
    ck_assert_ok(wsr_search_run(&result, NULL, dir, true, NULL, NULL));
    ck_assert_ptr_nonnull(wsr_result_genotype(result));
    wsr_result_free(result);
    wsr_config_free(config);
}
END_TEST

START_TEST(what_needs_images_is_refused)
{
    static const char *const cases[][2] = {
        {"searcher.name=naive", "naive descends the losses of images"},
        {"searcher.name=vanilla_adv", "nb201"},
        {"search.targets=[0.05]", "0.05 is no strength of pgd"}};
    char dir[512];
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("images"));
    write_into(dir, "cifar10.json", robbench);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        wsr_search *s = NULL;
        wsr_config *const config = lookup_config(dir, "cifar10.json");
        ck_assert_ok(wsr_config_set(config, cases[i][0]));
        ck_assert_fails(make_search(&s, config), WSR_CONFIG, cases[i][1]);
        wsr_config_free(config);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("lookup");
    TCase *const t = tcase_create("lookup");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, nas_robbench_is_read);
    tcase_add_test(t, other_attacks_have_strengths_of_their_own);
    tcase_add_test(t, the_robustness_dataset_is_read);
    tcase_add_test(t, seeds_of_our_own_tables_are_averaged);
    tcase_add_test(t, bad_files_are_refused);
    tcase_add_loop_test(t, searchers_find_good_cells_of_a_table, 0, 5);
    tcase_add_test(t, what_needs_images_is_refused);
    suite_add_tcase(s, t);
    return s;
}
