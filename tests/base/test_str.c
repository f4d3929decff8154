// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/oom.h"
#include "support/support.h"

#include <locale.h>
#include <string.h>

START_TEST(appends_follow_each_other)
{
    wsr__str str = {0};
    wsr__str_add(&str, "a");
    wsr__str_addf(&str, "-%d-%s", 12, "b");
    wsr__str_addn(&str, "cdefg", 2);
    ck_assert_ok(wsr__str_status(&str));
    ck_assert_str_eq(str.s, "a-12-bcd");
    ck_assert_uint_eq(str.len, 8);
    wsr__str_free(&str);
    ck_assert_ptr_null(str.s);
}
END_TEST

START_TEST(a_string_grows_to_any_length)
{
    wsr__str str = {0};
    for (int i = 0; i < 5000; i++) {
        wsr__str_addf(&str, "%d,", i % 10);
    }
    ck_assert_uint_eq(str.len, 10000);
    ck_assert_uint_eq(strlen(str.s), 10000);
    wsr__str_free(&str);
}
END_TEST

static wsr_status append_some(void *ctx)
{
    (void)ctx;
    wsr__str str = {0};
    wsr__str_add(&str, "begin");
    wsr__str_addf(&str, "%100d", 1);
    wsr__str_addn(&str, "end", 3);
    const wsr_status status = wsr__str_status(&str);
    wsr__str_free(&str);
    return status;
}

START_TEST(a_failed_append_is_remembered)
{
    ck_assert_uint_ge(oom_sweep(append_some, NULL), 2);
}
END_TEST

START_TEST(a_text_is_given_away_whole_or_not_at_all)
{
    wsr__str str = {0};
    char *text = NULL;
    wsr__str_add(&str, "whole");
    ck_assert_ok(wsr__str_give(&text, &str));
    ck_assert_str_eq(text, "whole");
    ck_assert_ptr_null(str.s);
    wsr__free(text);
    wsr__str_add(&str, "part");
    str.failed = true;
    ck_assert_int_eq(wsr__str_give(&text, &str), WSR_NOMEM);
    ck_assert_ptr_null(text);
    ck_assert_ptr_null(str.s);
}
END_TEST

START_TEST(a_copy_that_does_not_fit_is_refused)
{
    char small[4] = "xyz";
    ck_assert_ok(wsr__strcpy(small, sizeof(small), "abc"));
    ck_assert_str_eq(small, "abc");
    ck_assert_fails(wsr__strcpy(small, sizeof(small), "abcd"), WSR_ARG, "4 ");
    ck_assert_str_eq(small, "abc");
}
END_TEST

START_TEST(formatting_ignores_the_locale)
{
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE",
                                         "fr_FR"};
    for (size_t i = 0; i < sizeof(commas) / sizeof(commas[0]); i++) {
        (void)setlocale(LC_ALL, commas[i]); // where there is none: stays "C"
    }
    wsr__str str = {0};
    wsr__str_addf(&str, "%.2f", 1.5);
    (void)WSR_FAIL(WSR_ARG, "%.1f", 2.5);
    double back = 0.0;
    const bool parsed = wsr__parse_double(&back, "3.25");
    (void)setlocale(LC_ALL, "C");
    ck_assert_str_eq(str.s, "1.50");
    ck_assert_str_eq(wsr_error_detail(), "2.5");
    ck_assert(parsed);
    ck_assert_double_eq(back, 3.25);
    wsr__str_free(&str);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        appends_follow_each_other,
        a_string_grows_to_any_length,
        a_failed_append_is_remembered,
        a_text_is_given_away_whole_or_not_at_all,
        a_copy_that_does_not_fit_is_refused,
        formatting_ignores_the_locale,
        NULL,
    };
    return suite_of("str", tests);
}
