// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

#include <string.h>

typedef struct received {
    wsr_log_level level;
    char line[2000];
    int count;
} received;

static void receive(wsr_log_level level, const char *line, void *user)
{
    received *const got = user;
    got->level = level;
    got->count++;
    (void)snprintf(got->line, sizeof(got->line), "%s", line);
}

START_TEST(without_a_hook_lines_are_dropped)
{
    wsr_set_log_hook(NULL, NULL);
    wsr__log(WSR_LOG_INFO, "nobody %s", "listens");
}
END_TEST

START_TEST(the_hook_receives_level_and_line)
{
    received got = {0};
    wsr_set_log_hook(receive, &got);
    wsr__log(WSR_LOG_WARNING, "step %d", 3);
    wsr_set_log_hook(NULL, NULL);
    wsr__log(WSR_LOG_WARNING, "step %d", 4);
    ck_assert_int_eq(got.count, 1);
    ck_assert_int_eq(got.level, WSR_LOG_WARNING);
    ck_assert_str_eq(got.line, "step 3");
}
END_TEST

START_TEST(a_long_line_is_cut)
{
    received got = {0};
    wsr_set_log_hook(receive, &got);
    wsr__log(WSR_LOG_INFO, "%5000d", 1);
    wsr_set_log_hook(NULL, NULL);
    ck_assert_uint_eq(strlen(got.line), 1023);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        without_a_hook_lines_are_dropped,
        the_hook_receives_level_and_line,
        a_long_line_is_cut,
        NULL,
    };
    return suite_of("log", tests);
}
