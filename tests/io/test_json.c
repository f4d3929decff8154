// SPDX-License-Identifier: Apache-2.0

#include "io/format.h"
#include "io/io.h"
#include "support/support.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

START_TEST(objects_are_written_on_one_line_in_the_order_given)
{
    wsr__json *json = NULL;
    char *line = NULL;
    const double list[2] = {0.5, 2};
    ck_assert_ok(wsr__json_new(&json));
    wsr__json_text(json, "attack", "a \"b\"\n");
    wsr__json_float(json, "eps", 0.06f);
    wsr__json_number(json, "accuracy", 0.1);
    wsr__json_integer(json, "count", 256);
    wsr__json_bool(json, "done", true);
    wsr__json_text(json, "none", NULL);
    wsr__json_numbers(json, "list", list, 2);
    ck_assert_ok(wsr__json_line(&line, json));
    ck_assert_str_eq(line, "{\"attack\":\"a \\\"b\\\"\\n\",\"eps\":0.06,"
                           "\"accuracy\":0.1,\"count\":256,\"done\":true,"
                           "\"none\":null,\"list\":[0.5,2.0]}");
    wsr_text_free(line);
    wsr__json_free(json);
}
END_TEST

START_TEST(numbers_that_are_not_finite_become_null)
{
    wsr__json *json = NULL;
    char *line = NULL;
    ck_assert_ok(wsr__json_new(&json));
    wsr__json_number(json, "a", NAN);
    wsr__json_float(json, "b", INFINITY);
    ck_assert_ok(wsr__json_line(&line, json));
    ck_assert_str_eq(line, "{\"a\":null,\"b\":null}");
    wsr_text_free(line);
    wsr__json_free(json);
}
END_TEST

START_TEST(text_that_is_not_utf_8_is_refused)
{
    wsr__json *json = NULL;
    char *line = NULL;
    ck_assert_ok(wsr__json_new(&json));
    wsr__json_text(json, "a", "\xff");
    ck_assert_fails(wsr__json_line(&line, json), WSR_ARG, "UTF-8");
    ck_assert_ptr_null(line);
    wsr__json_free(json);
}
END_TEST

static size_t requests;
static size_t refused; // 0: none

static void *allocate(size_t size)
{
    requests++;
    if (requests == refused) {
        errno = ENOMEM;
        return NULL;
    }
    return malloc(size);
}

// Jansson goes on with a text that lacks a letter, and numbers behind it reset
// errno.
START_TEST(shortages_while_reading_are_told)
{
    static const char text[] =
        "{\"a text that is longer than sixteen letters\":"
        "\"another text, which is longer still: so that its buffer grows\","
        "\"numbers\":[1,2.5,12345678901234567,0.1234567890123456789]}";
    json_error_t error;
    bool shortage = true;
    json_malloc_t own_malloc = NULL;
    json_free_t own_free = NULL;
    json_get_alloc_funcs(&own_malloc, &own_free);
    json_set_alloc_funcs(allocate, free);
    json_t *const whole =
        wsr__json_parse(&shortage, text, sizeof(text) - 1, 0, &error);
    ck_assert_ptr_nonnull(whole);
    ck_assert(!shortage);
    const size_t all = requests;
    ck_assert_uint_gt(all, 10);
    for (refused = 1; refused <= all; refused++) {
        requests = 0;
        ck_assert_ptr_null(
            wsr__json_parse(&shortage, text, sizeof(text) - 1, 0, &error));
        ck_assert_msg(shortage, "request %zu", refused);
    }
    refused = 0;
    ck_assert_ptr_null(wsr__json_parse(&shortage, "{1}", 3, 0, &error));
    ck_assert(!shortage);
    json_decref(whole);
    json_set_alloc_funcs(own_malloc, own_free);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        objects_are_written_on_one_line_in_the_order_given,
        numbers_that_are_not_finite_become_null,
        text_that_is_not_utf_8_is_refused, shortages_while_reading_are_told,
        NULL};
    return suite_of("json", tests);
}
