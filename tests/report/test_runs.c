// SPDX-License-Identifier: Apache-2.0
//
// Runs against each other, from ledgers that the test writes.

#include "base/paired.h"
#include "report/runs.h"
#include "support/files.h"
#include "support/support.h"
#include "wsr/log.h"

#include <string.h>

enum { N = 12 };

static void put(const char *dir, const char *name, const char *text)
{
    ck_assert_ok(wsr__file_write(path_in(dir, name), text, strlen(text)));
}

static const char one_line[] =
    "{\"event\":\"eval\",\"attack\":\"pgd\",\"options\":\"\",\"norm\":\"linf\","
    "\"eps\":0.03,\"count\":12,\"clean_accuracy\":1,\"robust_accuracy\":0.5}\n";

// What a run's ledger says of image i: `stands` has a letter per image, 1: it
// stands, 0: it does not, x: it is misclassified without an attack.
typedef struct run {
    const char *name;
    const char *attack;
    const char *stands;
    int hash; // of the first image
} run;

// A folder with a ledger of two attacks at the strengths 0.03 and infinity.
static const char *make(const run *r)
{
    static char dirs[8][600];
    static size_t used = 0;
    char *const dir = dirs[used++ % 8];
    wsr__str text = {0};
    (void)snprintf(dir, sizeof(dirs[0]), "%s", scratch_folder(r->name));
    for (size_t i = 0; r->stands[i] != '\0'; i++) {
        for (size_t k = 0; k < 2; k++) {
            wsr__str_addf(&text,
                          "{\"image\":%zu,\"class\":1,\"predicted\":%d,"
                          "\"margin\":0.5,\"crc32\":\"%08x\",\"attack\":\"%s\","
                          "\"options\":\"a=<1>\",\"norm\":\"linf\",\"eps\":%s,"
                          "\"robust\":false,\"success\":false,\"change\":0,"
                          "\"smallest\":null,\"broken_by\":\"%s\","
                          "\"broken_step\":0}\n",
                          i, r->stands[i] != 'x', r->hash + (int)i, r->attack,
                          k == 0 ? "0.03" : "null",
                          r->stands[i] == '0' ? "pgd" : "");
        }
    }
    put(dir, "images.jsonl", text.s == NULL ? "" : text.s);
    put(dir, "log.jsonl", one_line);
    wsr__str_free(&text);
    return dir;
}

static const char a_stands[] = "111111110000";
static const char b_stands[] = "11100000001x";

START_TEST(differences_are_counted_image_by_image)
{
    const run runs[] = {{"first", "pgd", a_stands, 7},
                        {"second", "pgd", b_stands, 7}};
    const char *const dirs[] = {make(&runs[0]), make(&runs[1])};
    char out[700];
    (void)snprintf(out, sizeof(out), "%s/out", scratch_folder("compared"));
    ck_assert_ok(wsr_report_compare(dirs, 2, out));
    wsr_log_reader *log = NULL;
    bool more = false;
    ck_assert_ok(wsr_log_reader_open(&log, path_in(out, "differences.jsonl")));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ok(wsr_log_reader_next(&more, log));
        ck_assert(more);
        ck_assert_str_eq(wsr_log_reader_event(log), "difference");
        ck_assert_str_eq(wsr_log_reader_text(log, "attack"),
                         i == 0 ? "clean" : "pgd");
        // Alone: five images of the first, one of the second.
        const wsr__paired of = i == 0 ? (wsr__paired){11, 1, 0, 0}
                                      : (wsr__paired){3, 5, 1, 3};
        double numbers[4];
        wsr__newcombe(&numbers[0], &numbers[1], &of);
        wsr__mcnemar(&numbers[2], &numbers[3], of.only_a, of.only_b);
        ck_assert_double_eq(wsr_log_reader_number(log, "count"), N);
        ck_assert_double_eq(wsr_log_reader_number(log, "only_a"),
                            (double)of.only_a);
        ck_assert_double_eq(wsr_log_reader_number(log, "only_b"),
                            (double)of.only_b);
        ck_assert_double_eq_tol(wsr_log_reader_number(log, "low"), numbers[0],
                                1e-12);
        ck_assert_double_eq_tol(wsr_log_reader_number(log, "high"), numbers[1],
                                1e-12);
        ck_assert_double_eq_tol(wsr_log_reader_number(log, "p_exact"),
                                numbers[2], 1e-12);
        ck_assert_double_eq_tol(wsr_log_reader_number(log, "p_mid"), numbers[3],
                                1e-12);
    }
    ck_assert_ok(wsr_log_reader_next(&more, log));
    ck_assert(!more);
    wsr_log_reader_close(log);
    bytes page = get_file(path_in(out, "report.html"));
    bytes_add(&page, "", 1);
    const char *const html = (const char *)page.data;
    ck_assert_ptr_nonnull(strstr(html, "Comparison of runs"));
    ck_assert_ptr_nonnull(strstr(html, "first<br/>"));
    ck_assert_ptr_nonnull(strstr(html, "first, pgd"));
    ck_assert_ptr_nonnull(strstr(html, "second, pgd"));
    ck_assert_ptr_nonnull(strstr(html, "a=&lt;1&gt;"));
    bytes_free(&page);
    bytes csv = get_file(path_in(out, "differences.csv"));
    ck_assert_uint_gt(csv.size, 100);
    bytes_free(&csv);
}
END_TEST

START_TEST(three_runs_have_three_pairs)
{
    const run runs[] = {{"x1", "pgd", a_stands, 7},
                        {"x2", "pgd", b_stands, 7},
                        {"x3", "pgd", a_stands, 7}};
    const char *const dirs[] = {make(&runs[0]), make(&runs[1]), make(&runs[2])};
    char out[700];
    (void)snprintf(out, sizeof(out), "%s/out", scratch_folder("three"));
    ck_assert_ok(wsr_report_compare(dirs, 3, out));
    bytes text = get_file(path_in(out, "differences.jsonl"));
    size_t lines = 0;
    for (size_t i = 0; i < text.size; i++) {
        lines += text.data[i] == '\n';
    }
    ck_assert_uint_eq(lines, 9);
    bytes_free(&text);
}
END_TEST

START_TEST(what_does_not_compare_is_refused)
{
    const run good = {"good", "pgd", a_stands, 7};
    const run few = {"few", "pgd", "111", 7};
    const run others = {"others", "pgd", a_stands, 9};
    const run attack = {"attack", "fgsm", a_stands, 7};
    const run none = {"none", "pgd", "", 7};
    const run damaged = {"damaged", "pgd", a_stands, 7};
    const run partly = {"partly", "pgd", a_stands, 7};
    const char *const first = make(&good);
    const struct {
        const char *dir;
        wsr_status code;
        const char *words;
    } rows[] = {
        {make(&few), WSR_ARG, "are over 12 and 3 images"},
        {make(&others), WSR_ARG, "are over different images: number 0"},
        {make(&attack), WSR_ARG, "no attack and strength in common"},
        {make(&none), WSR_FORMAT, "holds no image"},
        {make(&damaged), WSR_FORMAT, "is no row of a ledger (line 1)"},
        {make(&partly), WSR_FORMAT, "is done with 11 images of 12"},
        {"nowhere", WSR_NOTFOUND, "nowhere: is no folder of an evaluation"},
    };
    put(rows[4].dir, "images.jsonl", "{\"image\":0}\n");
    bytes text = get_file(path_in(rows[5].dir, "images.jsonl"));
    size_t end = text.size - 1;
    while (text.data[end - 1] != '\n') {
        end--;
    }
    text.data[end] = '\0';
    put(rows[5].dir, "images.jsonl", (const char *)text.data);
    bytes_free(&text);
    char out[700];
    (void)snprintf(out, sizeof(out), "%s/out", scratch_folder("refused"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const dirs[] = {first, rows[i].dir};
        ck_assert_fails(wsr_report_compare(dirs, 2, out), rows[i].code,
                        rows[i].words);
        ck_assert(!wsr__file_exists(out));
    }
    ck_assert_fails(wsr_report_compare(&first, 1, out), WSR_ARG, "1 runs");
    const char *const same[] = {first, first};
    ck_assert_fails(wsr_report_compare(same, 2, first), WSR_ARG,
                    "is not empty");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {differences_are_counted_image_by_image,
                                  three_runs_have_three_pairs,
                                  what_does_not_compare_is_refused, NULL};
    return suite_of("report/runs", tests);
}
