// SPDX-License-Identifier: Apache-2.0
//
// Logs as callers read them.

#include "base/base.h"
#include "support/files.h"
#include "support/oom.h"
#include "support/support.h"
#include "wsr/log.h"

#include <math.h>
#include <string.h>

static const char *file_of(const char *name, const char *text)
{
    bytes content = {0};
    const char *const path = path_in(scratch_folder(name), "log.jsonl");
    bytes_add(&content, text, strlen(text));
    put_file(path, &content);
    bytes_free(&content);
    return path;
}

static wsr_log_reader *open_log(const char *name, const char *text)
{
    wsr_log_reader *log = NULL;
    ck_assert_ok(wsr_log_reader_open(&log, file_of(name, text)));
    return log;
}

static bool next(wsr_log_reader *log)
{
    bool more = false;
    ck_assert_ok(wsr_log_reader_next(&more, log));
    return more;
}

START_TEST(lines_give_numbers_texts_and_lists)
{
    wsr_log_reader *const log = open_log(
        "lines", "{\"event\":\"start\",\"tool\":\"train\",\"seed\":7}\n"
                 "\n  \r\n"
                 "{\"event\":\"epoch\",\"loss\":[0.5,null,2],\"lr\":null,"
                 "\"time\":{\"attack\":1.5,\"deep\":{\"er\":1}},\"x.y\":3}\n");
    ck_assert_uint_eq(wsr_log_reader_line(log), 0);
    ck_assert_str_eq(wsr_log_reader_event(log), "");
    ck_assert(next(log));
    ck_assert_str_eq(wsr_log_reader_event(log), "start");
    ck_assert_str_eq(wsr_log_reader_text(log, "tool"), "train");
    ck_assert_double_eq(wsr_log_reader_number(log, "seed"), 7);
    ck_assert_ptr_null(wsr_log_reader_text(log, "seed"));
    ck_assert_double_nan(wsr_log_reader_number(log, "tool"));
    ck_assert_ptr_null(wsr_log_reader_text(log, "nothing"));
    ck_assert(next(log));
    ck_assert_uint_eq(wsr_log_reader_line(log), 4);
    ck_assert_uint_eq(wsr_log_reader_length(log, "loss"), 3);
    ck_assert_double_eq(wsr_log_reader_item(log, "loss", 0), 0.5);
    ck_assert_double_nan(wsr_log_reader_item(log, "loss", 1));
    ck_assert_double_nan(wsr_log_reader_item(log, "loss", 3));
    ck_assert_uint_eq(wsr_log_reader_length(log, "lr"), 0);
    ck_assert_double_nan(wsr_log_reader_number(log, "lr"));
    ck_assert_double_eq(wsr_log_reader_number(log, "time.attack"), 1.5);
    ck_assert_double_eq(wsr_log_reader_number(log, "x.y"), 3);
    ck_assert_uint_eq(wsr_log_reader_keys(log), 6);
    ck_assert_str_eq(wsr_log_reader_key(log, 0), "event");
    ck_assert_str_eq(wsr_log_reader_key(log, 3), "time.attack");
    ck_assert_ptr_null(wsr_log_reader_key(log, 6));
    ck_assert(!next(log));
    ck_assert(!next(log));
    ck_assert_str_eq(wsr_log_reader_event(log), "");
    wsr_log_reader_close(log);
}
END_TEST

START_TEST(a_last_line_that_was_cut_off_is_the_end)
{
    wsr_log_reader *log = open_log("cut", "{\"event\":\"a\"}\n{\"event\":\"b");
    ck_assert(next(log));
    ck_assert(!next(log));
    wsr_log_reader_close(log);
    log = open_log("whole", "{\"event\":\"a\"}\n{\"event\":\"b\"}");
    ck_assert(next(log));
    ck_assert(next(log));
    ck_assert_str_eq(wsr_log_reader_event(log), "b");
    ck_assert(!next(log));
    wsr_log_reader_close(log);
    log = open_log("empty", "");
    ck_assert(!next(log));
    wsr_log_reader_close(log);
}
END_TEST

START_TEST(garbage_is_named_and_can_be_passed_over)
{
    bool more = true;
    wsr_log_reader *log =
        open_log("garbage", "{\"a\":1}\n[1,2]\nnonsense\n{\"a\":2}\n");
    ck_assert(next(log));
    ck_assert_fails(wsr_log_reader_next(&more, log), WSR_FORMAT,
                    "log.jsonl:2)");
    ck_assert(!more);
    ck_assert_uint_eq(wsr_log_reader_keys(log), 0);
    ck_assert_fails(wsr_log_reader_next(&more, log), WSR_FORMAT,
                    "log.jsonl:3)");
    ck_assert(next(log));
    ck_assert_double_eq(wsr_log_reader_number(log, "a"), 2);
    wsr_log_reader_close(log);
    ck_assert_fails(wsr_log_reader_open(&log, "nowhere.jsonl"), WSR_IO,
                    "nowhere.jsonl");
    ck_assert_ptr_null(log);
}
END_TEST

static wsr_status read_all(void *ctx)
{
    wsr_status status = WSR_OK;
    wsr_log_reader *log = NULL;
    bool more = true;
    WSR_TRY(wsr_log_reader_open(&log, ctx));
    while (more) {
        WSR_TRY(wsr_log_reader_next(&more, log));
    }
out:
    wsr_log_reader_close(log);
    return status;
}

START_TEST(memory_that_runs_short_is_reported)
{
    char path[512];
    (void)snprintf(
        path, sizeof(path), "%s",
        file_of("oom", "{\"a\":1,\"b\":{\"c\":2}}\n{\"d\":\"e\"}\n"));
    ck_assert_uint_gt(oom_sweep(read_all, path), 0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        lines_give_numbers_texts_and_lists,
        a_last_line_that_was_cut_off_is_the_end,
        garbage_is_named_and_can_be_passed_over,
        memory_that_runs_short_is_reported,
        NULL,
    };
    return suite_of("log_reader", tests);
}
