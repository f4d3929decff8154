// SPDX-License-Identifier: Apache-2.0
//
// What became of each image, on a linear model whose margins and smallest
// changes follow from a formula.

#include "eval/linear_support.h"
#include "support/files.h"
#include "wsr/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float strengths[] = {0.03f, 0.06f};

static world begin(const char *attacks)
{
    return begin_with(attacks, "batch=5", strengths, 2);
}

static const char three[] =
    "deepfool,chain:attacks=[pgd:steps=1,rel_length=0.5,pgd:steps=4,"
    "rel_length=2],fgsm";

static const char *save(const world *w, const char *folder)
{
    const char *const dir = scratch_folder(folder);
    char csv[600];
    (void)snprintf(csv, sizeof(csv), "%s", path_in(dir, "images.csv"));
    const char *const jsonl = path_in(dir, "images.jsonl");
    ck_assert_ok(wsr_eval_save_ledger(w->eval, csv, jsonl));
    return dir;
}

static const char *text(const wsr_log_reader *line, const char *key)
{
    const char *const value = wsr_log_reader_text(line, key);
    ck_assert_ptr_nonnull(value);
    return value;
}

// The step size is half the strength: the first member reaches half of it. A
// success at the smaller strength counts at the larger one.
static void expect_chain(const wsr_log_reader *line, double eps,
                         double smallest)
{
    const char *const by = text(line, "broken_by");
    eps = smallest < (double)strengths[0] ? (double)strengths[0] : eps;
    if (smallest < eps / 2) {
        ck_assert_ptr_nonnull(strstr(by, "pgd:steps=1"));
        ck_assert_double_eq(wsr_log_reader_number(line, "broken_step"), 1);
    } else if (smallest < eps) {
        ck_assert_ptr_nonnull(strstr(by, "pgd:steps=4"));
        ck_assert_double_eq(wsr_log_reader_number(line, "broken_step"), 2);
    } else {
        ck_assert_str_eq(by, "");
        ck_assert_double_eq(wsr_log_reader_number(line, "broken_step"), 0);
    }
}

static void expect_row(const wsr_log_reader *line, size_t i, size_t a, size_t e)
{
    static const char *const names[] = {"deepfool", "chain", "fgsm"};
    const double smallest = smallest_of(i);
    const bool clean = i != N - 1;
    const double sum = 4 * (double)pixel(i) / 255 - 2;
    const double margin = label_of(i) == 0 ? 2 * sum : -2 * sum;
    ck_assert_double_eq(wsr_log_reader_number(line, "image"), (double)i);
    ck_assert_double_eq(wsr_log_reader_number(line, "class"), label_of(i));
    ck_assert_double_eq(wsr_log_reader_number(line, "predicted"),
                        pixel(i) < 128);
    ck_assert_double_eq_tol(wsr_log_reader_number(line, "margin"), margin,
                            1e-5);
    ck_assert_str_eq(text(line, "attack"), names[a]);
    ck_assert_str_eq(text(line, "norm"), a == 0 ? "l2" : "linf");
    ck_assert_double_eq_tol(wsr_log_reader_number(line, "eps"),
                            (double)strengths[e], 1e-7);
    if (a == 0 && clean) {
        // The l2 norm of the same change in four pixels is twice its size.
        ck_assert_double_eq_tol(wsr_log_reader_number(line, "smallest"),
                                2 * smallest, 0.06 * smallest);
    } else {
        ck_assert(isnan(wsr_log_reader_number(line, "smallest")));
    }
    if (a == 1 && clean && i % 2 == 0) { // every other lies on no edge
        expect_chain(line, (double)strengths[e], smallest);
    }
}

START_TEST(rows_follow_from_the_formula)
{
    world w = begin(three);
    ck_assert_ok(wsr_eval_finish(w.eval));
    const char *const dir = save(&w, "rows");
    wsr_log_reader *log = NULL;
    bool more = false;
    size_t n = 0;
    ck_assert_ok(wsr_log_reader_open(&log, path_in(dir, "images.jsonl")));
    for (; n < N * 3 * 2; n++) {
        ck_assert_ok(wsr_log_reader_next(&more, log));
        ck_assert(more);
        expect_row(log, n / 6, n / 2 % 3, n % 2);
    }
    ck_assert_ok(wsr_log_reader_next(&more, log));
    ck_assert(!more);
    wsr_log_reader_close(log);
    bytes csv = get_file(path_in(dir, "images.csv"));
    size_t lines = 0;
    for (size_t i = 0; i < csv.size; i++) {
        lines += csv.data[i] == '\n';
    }
    ck_assert_uint_eq(lines, n + 1);
    bytes_free(&csv);
    end(&w);
}
END_TEST

static void expect_same(const char *a, const char *b, const char *name)
{
    bytes x = get_file(path_in(a, name));
    bytes y = get_file(path_in(b, name));
    ck_assert_uint_eq(x.size, y.size);
    ck_assert_mem_eq(x.data, y.data, x.size);
    bytes_free(&x);
    bytes_free(&y);
}

static bool stop_at(const wsr_eval_progress *progress, void *user)
{
    size_t *const left = user;
    (void)progress;
    return (*left)-- > 0;
}

// Stopped before each pass in turn, saved, and resumed in another evaluation.
START_TEST(a_resumed_evaluation_has_the_same_bytes)
{
    world whole = begin(three);
    char dir[600];
    ck_assert_ok(wsr_eval_finish(whole.eval));
    (void)snprintf(dir, sizeof(dir), "%s", save(&whole, "whole"));
    for (size_t after = 3; after < 40; after += 4) {
        world w = begin(three);
        world rest = begin(three);
        size_t left = after;
        char path[600];
        (void)snprintf(path, sizeof(path), "%s", path_in(dir, "state"));
        wsr_eval_set_hook(w.eval, stop_at, &left);
        ck_assert_int_eq(wsr_eval_finish(w.eval), WSR_CANCELED);
        ck_assert_ok(wsr_eval_save(w.eval, path));
        ck_assert_ok(wsr_eval_resume(rest.eval, path));
        ck_assert_ok(wsr_eval_finish(rest.eval));
        const char *const parts = save(&rest, "parts");
        expect_same(dir, parts, "images.csv");
        expect_same(dir, parts, "images.jsonl");
        end(&rest);
        end(&w);
    }
    end(&whole);
}
END_TEST

START_TEST(accuracy_at_any_strength_follows_from_the_smallest_changes)
{
    world w = begin(three);
    char *csv = NULL;
    ck_assert(isnan(wsr_eval_accuracy_at(w.eval, 0, 0.1)));
    ck_assert_ok(wsr_eval_finish(w.eval));
    ck_assert(isnan(wsr_eval_accuracy_at(w.eval, 1, 0.1)));
    ck_assert_double_eq(wsr_eval_accuracy_at(w.eval, 0, 0), (N - 1.0) / N);
    for (size_t k = 0; k < 24; k++) {
        const double eps = 0.013 + 0.02 * (double)k;
        size_t robust = 0;
        for (size_t i = 0; i < N - 1; i++) {
            robust += 2 * smallest_of(i) > eps;
        }
        ck_assert_double_eq_tol(wsr_eval_accuracy_at(w.eval, 0, eps),
                                (double)robust / N, 1.01 / N);
    }
    for (size_t e = 0; e < 2; e++) {
        ck_assert_double_eq(
            wsr_eval_accuracy_at(w.eval, 0, (double)strengths[e]),
            wsr_eval_get(w.eval, 0, e, WSR_EVAL_ROBUST));
    }
    ck_assert_ok(wsr_eval_curves_csv(&csv, w.eval));
    ck_assert_ptr_nonnull(strstr(csv, "\"deepfool\",l2,0,12,0.91666"));
    wsr_text_free(csv);
    ck_assert_ok(wsr_eval_json(&csv, w.eval));
    ck_assert_ptr_nonnull(
        strstr(csv, "{\"event\":\"curve\",\"attack\":\"deep"));
    wsr_text_free(csv);
    end(&w);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_named)
{
    world w = begin("fgsm");
    ck_assert_fails(wsr_eval_save_ledger(w.eval, "nowhere/a.csv", NULL), WSR_IO,
                    "nowhere/a.csv");
    ck_assert_ok(wsr_eval_save_ledger(w.eval, NULL, NULL));
    end(&w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        rows_follow_from_the_formula, a_resumed_evaluation_has_the_same_bytes,
        accuracy_at_any_strength_follows_from_the_smallest_changes,
        a_file_that_cannot_be_written_is_named, NULL};
    return suite_of("eval/ledger", tests);
}
