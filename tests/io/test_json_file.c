// SPDX-License-Identifier: Apache-2.0

#include "io/io.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

static const char *write_file(const char *text)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/a.json", scratch_folder("json"));
    ck_assert_ok(wsr__file_write(path, text, strlen(text)));
    return path;
}

START_TEST(values_are_found)
{
    static const char *const keys[] = {"b", "a", "list"};
    wsr__json_value *root = NULL;
    wsr__json_member member = {0};
    size_t n = 0;
    ck_assert_ok(wsr__json_open(
        &root,
        write_file("{\"b\": {\"x\": 1.5}, \"a\": \"text\", \"list\": [7]}")));
    while (wsr__json_next(&member, root)) {
        ck_assert_uint_lt(n, 3);
        ck_assert_str_eq(member.key, keys[n]);
        n++;
    }
    ck_assert_uint_eq(n, 3);
    const wsr__json_value *const b = wsr__json_get(root, "b");
    ck_assert(wsr__json_is_object(b));
    ck_assert_double_eq(wsr__json_double(wsr__json_get(b, "x")), 1.5);
    ck_assert_str_eq(wsr__json_string(wsr__json_get(root, "a")), "text");
    const wsr__json_value *const list = wsr__json_get(root, "list");
    ck_assert_uint_eq(wsr__json_length(list), 1);
    ck_assert_double_eq(wsr__json_double(wsr__json_at(list, 0)), 7);
    wsr__json_close(root);
}
END_TEST

START_TEST(what_is_absent_is_no_value)
{
    wsr__json_value *root = NULL;
    wsr__json_member member = {0};
    ck_assert_ok(wsr__json_open(&root, write_file("{\"a\": \"text\"}")));
    const wsr__json_value *const none = wsr__json_get(root, "b");
    ck_assert_ptr_null(none);
    ck_assert_ptr_null(wsr__json_get(none, "c"));
    ck_assert_ptr_null(wsr__json_at(none, 0));
    ck_assert_ptr_null(wsr__json_string(none));
    ck_assert_uint_eq(wsr__json_length(wsr__json_get(root, "a")), 0);
    ck_assert(isnan(wsr__json_double(wsr__json_get(root, "a"))));
    ck_assert(!wsr__json_is_object(none));
    ck_assert(!wsr__json_next(&member, none));
    wsr__json_close(root);
    wsr__json_close(NULL);
}
END_TEST

START_TEST(other_files_are_refused)
{
    static const char *const texts[] = {"", "{", "[1]", "{\"a\": 1} x", "7"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        wsr__json_value *root = NULL;
        ck_assert_fails(wsr__json_open(&root, write_file(texts[i])), WSR_FORMAT,
                        "a.json: is no JSON object");
        ck_assert_ptr_null(root);
    }
    wsr__json_value *root = NULL;
    ck_assert_fails(wsr__json_open(&root, "absent.json"), WSR_IO, "absent");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {values_are_found, what_is_absent_is_no_value,
                                  other_files_are_refused, NULL};
    return suite_of("json_file", tests);
}
