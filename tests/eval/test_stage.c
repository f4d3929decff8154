// SPDX-License-Identifier: Apache-2.0

#include "support/files.h"
#include "support/support.h"
#include "train/train.h"
#include "wsr/estimator.h"

#include <stdlib.h>
#include <string.h>

typedef struct bench {
    wsr_dataset *test;
    wsr_net *net;
    wsr__eval_stage_params params;
    wsr__eval_stage_of of;
} bench;

static void open_bench(bench *b)
{
    wsr_genotype *genotype = NULL;
    *b = (bench){0};
    ck_assert_ok(wsr_dataset_open(
        &b->test, "synthetic:size=16,test_count=24,classes=3", "test", NULL));
    ck_assert_ok(wsr_genotype_load(&genotype, "cna_r"));
    ck_assert_ok(wsr_net_new(&b->net, genotype,
                             "channels=4,layers=3,classes=3,image_size=16", 7));
    wsr_genotype_free(genotype);
    wsr__params_default(&b->params, wsr__eval_stage_schema);
    ck_assert_ok(wsr__params_parse(&b->params, wsr__eval_stage_schema, "eval.",
                                   "attack=pgd:steps=2,eps=[0.03,0.1],"
                                   "count=100,batch=8"));
    b->of = (wsr__eval_stage_of){b->net, b->test, 5};
}

static void close_bench(bench *b)
{
    wsr_net_free(b->net);
    wsr_dataset_free(b->test);
}

static bool stop_at(const wsr_progress *p, void *user)
{
    if (p->line != NULL) {
        return true;
    }
    ck_assert_str_eq(p->phase, "eval");
    ck_assert_uint_eq(p->steps, 3);
    return p->step < *(const size_t *)user;
}

static wsr_status evaluate(const bench *b, const char *dir, size_t stop)
{
    wsr__run *run = NULL;
    const bool again = wsr__file_exists(path_in(dir, "config.yaml"));
    ck_assert_ok(wsr__run_open(&run, dir, again, stop_at, &stop));
    if (!again) {
        ck_assert_ok(wsr__run_make(run));
        ck_assert_ok(wsr__run_write(run, "config.yaml", ""));
    }
    ck_assert_ok(wsr__run_begin(run, NULL));
    wsr__evaluated made = {0};
    const wsr_status status =
        wsr__eval_stage_run(&made, run, &b->of, &b->params);
    wsr__evaluated_free(&made);
    wsr__run_close(run);
    return status;
}

// Text of a file in which the times are struck out.
static char *timeless(const char *dir)
{
    bytes log = get_file(path_in(dir, "log.jsonl"));
    bytes_add(&log, "", 1);
    char *at = (char *)log.data;
    while ((at = strstr(at, "\"seconds\":")) != NULL) {
        for (at += 10; strchr("0123456789.e-+", *at) != NULL; at++) {
            *at = ' ';
        }
    }
    char *const text = calloc(1, log.size + 1);
    size_t n = 0;
    for (size_t i = 0; i + 1 < log.size; i++) {
        if (log.data[i] != ' ') {
            text[n++] = (char)log.data[i];
        }
    }
    bytes_free(&log);
    return text;
}

START_TEST(a_eval_that_was_stopped_goes_on_to_the_same_numbers)
{
    bench b;
    char whole[512];
    char parts[512];
    open_bench(&b);
    (void)snprintf(whole, sizeof(whole), "%s", scratch_folder("whole"));
    (void)snprintf(parts, sizeof(parts), "%s", scratch_folder("parts"));
    ck_assert_ok(evaluate(&b, whole, 9));
    ck_assert_int_eq(evaluate(&b, parts, 1), WSR_CANCELED);
    ck_assert_int_eq(evaluate(&b, parts, 2), WSR_CANCELED);
    ck_assert(wsr__file_exists(path_in(parts, "eval.safetensors")));
    ck_assert_ok(evaluate(&b, parts, 9));
    char *const x = timeless(whole);
    char *const y = timeless(parts);
    ck_assert_str_eq(x, y);
    ck_assert_ptr_nonnull(strstr(x, "{\"event\":\"eval\",\"attack\":"));
    ck_assert_ptr_nonnull(strstr(x, "\"count\":24,"));
    free(x);
    free(y);
    close_bench(&b);
}
END_TEST

START_TEST(a_part_that_does_not_fit_is_done_anew)
{
    bench b;
    char dir[512];
    bytes junk = {0};
    open_bench(&b);
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("junk"));
    bytes_add(&junk, "junk", 4);
    put_file(path_in(dir, "eval.safetensors"), &junk);
    put_file(path_in(dir, "config.yaml"), &junk);
    bytes_free(&junk);
    ck_assert_ok(evaluate(&b, dir, 9));
    close_bench(&b);
}
END_TEST

static bool lose_file(const wsr_progress *p, void *user)
{
    if (p->line == NULL && p->step == 1 && wsr__file_exists(user)) {
        ck_assert_int_eq(remove(user), 0);
    }
    return true;
}

// The estimator's file is there when the evaluation begins and gone when the
// second attack wants it.
START_TEST(a_failure_keeps_what_was_measured_before)
{
    bench b;
    char dir[512];
    char file[600];
    wsr__run *run = NULL;
    wsr_estimator *estimator = NULL;
    open_bench(&b);
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("failure"));
    (void)snprintf(file, sizeof(file), "%s.safetensors", dir);
    ck_assert_ok(
        wsr_estimator_new(&estimator, "an", wsr_dataset_shape(b.test), 1));
    ck_assert_ok(wsr_estimator_save(estimator, file));
    wsr_estimator_free(estimator);
    (void)snprintf(b.params.attack.s, sizeof(b.params.attack.s),
                   "pgd:steps=2,estimator:net=%.450s", file);
    double work = 0;
    ck_assert_ok(wsr__eval_stage_prepare(&work, &b.of, &b.params));
    ck_assert_double_gt(work, 0);
    ck_assert_ok(wsr__run_open(&run, dir, false, lose_file, file));
    ck_assert_ok(wsr__run_make(run));
    ck_assert_ok(wsr__run_begin(run, NULL));
    wsr__evaluated made = {0};
    ck_assert_fails(wsr__eval_stage_run(&made, run, &b.of, &b.params), WSR_IO,
                    file);
    ck_assert_uint_eq(wsr_eval_count(made.eval, 0), 8);
    ck_assert_uint_eq(wsr_eval_count(made.eval, 1), 0);
    wsr__evaluated_free(&made);
    wsr__run_close(run);
    char *const log = timeless(dir);
    ck_assert_ptr_nonnull(strstr(log, "\"attack\":\"pgd\""));
    free(log);
    ck_assert(wsr__file_exists(path_in(dir, "eval.safetensors")));
    ck_assert_fails(wsr__eval_stage_prepare(&work, &b.of, &b.params), WSR_IO,
                    file);
    close_bench(&b);
}
END_TEST

START_TEST(what_was_measured_comes_back_from_its_file)
{
    bench b;
    char dir[512];
    wsr__run *run = NULL;
    wsr__evaluated first = {0};
    wsr__evaluated again = {0};
    bytes junk = {0};
    open_bench(&b);
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("restored"));
    ck_assert_ok(wsr__run_open(&run, dir, false, NULL, NULL));
    ck_assert_ok(wsr__run_make(run));
    ck_assert_ok(wsr__run_begin(run, NULL));
    // Nothing was measured yet.
    ck_assert_ok(wsr__eval_stage_restore(&again, run, &b.of, &b.params));
    ck_assert_ptr_null(again.eval);
    ck_assert_ok(wsr__eval_stage_run(&first, run, &b.of, &b.params));
    ck_assert_ok(wsr__eval_stage_restore(&again, run, &b.of, &b.params));
    for (size_t e = 0; e < 2; e++) {
        ck_assert_double_eq(wsr_eval_get(first.eval, 0, e, WSR_EVAL_ROBUST),
                            wsr_eval_get(again.eval, 0, e, WSR_EVAL_ROBUST));
    }
    ck_assert_uint_eq(wsr_eval_count(again.eval, 0), 24);
    wsr__evaluated_free(&again);
    wsr__evaluated_free(&first);
    // A file that is of something else is no failure.
    bytes_add(&junk, "junk", 4);
    put_file(path_in(dir, "eval.safetensors"), &junk);
    (void)remove(path_in(dir, "eval.safetensors.old"));
    bytes_free(&junk);
    ck_assert_ok(wsr__eval_stage_restore(&again, run, &b.of, &b.params));
    ck_assert_ptr_null(again.eval);
    wsr__run_close(run);
    close_bench(&b);
}
END_TEST

START_TEST(without_an_attack_there_is_no_eval)
{
    bench b;
    char dir[512];
    open_bench(&b);
    b.params.attack.s[0] = '\0';
    (void)snprintf(dir, sizeof(dir), "%s", scratch_folder("nothing"));
    ck_assert_ok(evaluate(&b, dir, 1));
    bytes log = get_file(path_in(dir, "log.jsonl"));
    ck_assert_uint_eq(log.size, 0);
    bytes_free(&log);
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_eval_that_was_stopped_goes_on_to_the_same_numbers,
        a_part_that_does_not_fit_is_done_anew,
        a_failure_keeps_what_was_measured_before,
        what_was_measured_comes_back_from_its_file,
        without_an_attack_there_is_no_eval,
        NULL};
    return suite_of("stage", tests);
}
