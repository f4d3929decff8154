// SPDX-License-Identifier: Apache-2.0

#include "support/files.h"
#include "support/support.h"
#include "train/train.h"

#include <string.h>

static void put_line(wsr__run_log *log, int64_t value)
{
    wsr__json *line = NULL;
    ck_assert_ok(wsr__run_log_begin(&line, log, "n"));
    wsr__json_integer(line, "value", value);
    ck_assert_ok(wsr__run_log_end(log));
}

static void expect(const char *path, const char *text)
{
    bytes content = get_file(path);
    ck_assert_uint_eq(content.size, strlen(text));
    ck_assert(content.size == 0 ||
              memcmp(content.data, text, content.size) == 0);
    bytes_free(&content);
}

START_TEST(lines_are_on_the_file_once_they_are_ended)
{
    const char *const path = path_in(scratch_folder("lines"), "log.jsonl");
    wsr__run_log *log = NULL;
    ck_assert_ok(wsr__run_log_open(&log, path, 0));
    put_line(log, 1);
    expect(path, "{\"event\":\"n\",\"value\":1}\n");
    ck_assert_ok(wsr__run_log_text(log, "{\"event\":\"s\",\"a\":2}"));
    ck_assert_ok(wsr__run_log_text(log, "{\"event\":\"s\"}"));
    expect(path, "{\"event\":\"n\",\"value\":1}\n{\"event\":\"s\",\"a\":2}\n"
                 "{\"event\":\"s\"}\n");
    ck_assert_uint_eq(wsr__run_log_lines(log), 3);
    ck_assert_ok(wsr__run_log_sync(log));
    wsr__run_log_close(log);
}
END_TEST

START_TEST(a_log_is_cut_behind_the_lines_that_count)
{
    const char *const path = path_in(scratch_folder("cut"), "log.jsonl");
    bytes old = {0};
    wsr__run_log *log = NULL;
    // The last line is what a killed process left.
    bytes_add(&old, "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n{\"a", 27);
    put_file(path, &old);
    bytes_free(&old);
    ck_assert_ok(wsr__run_log_open(&log, path, 2));
    expect(path, "{\"a\":1}\n{\"a\":2}\n");
    put_line(log, 7);
    ck_assert_uint_eq(wsr__run_log_lines(log), 3);
    wsr__run_log_close(log);
    expect(path, "{\"a\":1}\n{\"a\":2}\n{\"event\":\"n\",\"value\":7}\n");
}
END_TEST

START_TEST(a_new_log_is_empty_whatever_was_there)
{
    const char *const path = path_in(scratch_folder("new"), "log.jsonl");
    bytes old = {0};
    wsr__run_log *log = NULL;
    bytes_add(&old, "{}\n", 3);
    put_file(path, &old);
    bytes_free(&old);
    ck_assert_ok(wsr__run_log_open(&log, path, 0));
    expect(path, "");
    wsr__run_log_close(log);
}
END_TEST

START_TEST(a_log_with_too_few_lines_is_refused)
{
    const char *const path = path_in(scratch_folder("few"), "log.jsonl");
    bytes old = {0};
    wsr__run_log *log = NULL;
    bytes_add(&old, "{}\n{", 4);
    put_file(path, &old);
    bytes_free(&old);
    ck_assert_fails(wsr__run_log_open(&log, path, 2), WSR_FORMAT,
                    "has 1 lines, the checkpoint knows 2");
    ck_assert_ptr_null(log);
    expect(path, "{}\n{");
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_or_written_is_reported)
{
    wsr__run_log *log = NULL;
    ck_assert_fails(wsr__run_log_open(&log, "/no/such/folder/log", 0), WSR_IO,
                    "/no/such/folder/log");
    ck_assert_ptr_null(log);
    if (wsr__file_exists("/dev/full")) {
        // What is no regular file cannot be cut either.
        const wsr_status status = wsr__run_log_open(&log, "/dev/full", 0);
        wsr__json *line = NULL;
        if (status == WSR_OK) {
            ck_assert_ok(wsr__run_log_begin(&line, log, "n"));
            ck_assert_fails(wsr__run_log_end(log), WSR_IO, "/dev/full");
        } else {
            ck_assert_int_eq(status, WSR_IO);
        }
        wsr__run_log_close(log);
    }
}
END_TEST

typedef struct reading {
    char text[512];
} reading;

static void read_line(const char *line, void *ctx)
{
    reading *const r = ctx;
    const size_t n = strlen(r->text);
    (void)snprintf(r->text + n, sizeof(r->text) - n, "%s;", line);
}

START_TEST(a_reader_gets_the_lines_that_are_kept_and_those_that_follow)
{
    const char *const path = path_in(scratch_folder("read"), "log.jsonl");
    wsr__run_log *log = NULL;
    reading r = {""};
    ck_assert_ok(wsr__run_log_open(&log, path, 0));
    put_line(log, 1);
    put_line(log, 2);
    put_line(log, 3);
    wsr__run_log_close(log);
    ck_assert_ok(wsr__run_log_open(&log, path, 2));
    ck_assert_ok(wsr__run_log_watch(log, read_line, &r));
    ck_assert_str_eq(r.text, "{\"event\":\"n\",\"value\":1};"
                             "{\"event\":\"n\",\"value\":2};");
    r.text[0] = '\0';
    ck_assert_ok(wsr__run_log_text(log, "{\"a\":1}\n{\"b\":2}\n"));
    ck_assert_str_eq(r.text, "{\"a\":1};{\"b\":2};");
    ck_assert_uint_eq(wsr__run_log_lines(log), 4);
    wsr__run_log_close(log);
    expect(path, "{\"event\":\"n\",\"value\":1}\n"
                 "{\"event\":\"n\",\"value\":2}\n{\"a\":1}\n{\"b\":2}\n");
}
END_TEST

START_TEST(a_log_without_a_file_has_its_reader_alone)
{
    wsr__run_log *log = NULL;
    reading r = {""};
    ck_assert_ok(wsr__run_log_open(&log, NULL, 0));
    put_line(log, 1);
    ck_assert_ok(wsr__run_log_watch(log, read_line, &r));
    put_line(log, 2);
    ck_assert_str_eq(r.text, "{\"event\":\"n\",\"value\":2};");
    ck_assert_ok(wsr__run_log_sync(log));
    wsr__run_log_close(log);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        lines_are_on_the_file_once_they_are_ended,
        a_log_is_cut_behind_the_lines_that_count,
        a_new_log_is_empty_whatever_was_there,
        a_log_with_too_few_lines_is_refused,
        a_log_that_cannot_be_opened_or_written_is_reported,
        a_reader_gets_the_lines_that_are_kept_and_those_that_follow,
        a_log_without_a_file_has_its_reader_alone,
        NULL};
    return suite_of("log", tests);
}
