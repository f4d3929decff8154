// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

#include <string.h>

START_TEST(every_code_has_words_of_its_own)
{
    for (int i = WSR_OK; i <= WSR_INTERNAL; i++) {
        const char *const name = wsr_status_string((wsr_status)i);
        ck_assert_str_ne(name, "unknown status");
        for (int j = WSR_OK; j < i; j++) {
            ck_assert_str_ne(name, wsr_status_string((wsr_status)j));
        }
    }
}
END_TEST

START_TEST(a_number_that_is_no_code_is_named_unknown)
{
    ck_assert_str_eq(wsr_status_string((wsr_status)99), "unknown status");
    ck_assert_str_eq(wsr_status_string((wsr_status)-1), "unknown status");
}
END_TEST

START_TEST(a_failure_yields_its_code_and_leaves_its_detail)
{
    ck_assert_int_eq(WSR_FAIL(WSR_SHAPE, "conv: %d is not %d", 3, 4),
                     WSR_SHAPE);
    ck_assert_str_eq(wsr_error_detail(), "conv: 3 is not 4");
}
END_TEST

START_TEST(a_detail_is_cut_at_511_bytes)
{
    char text[1000];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)WSR_FAIL(WSR_ARG, "%s", text);
    ck_assert_uint_eq(strlen(wsr_error_detail()), 511);
    (void)wsr__fail_at(WSR_ARG, "place");
    ck_assert_uint_eq(strlen(wsr_error_detail()), 511);
    ck_assert_int_eq(strncmp(wsr_error_detail(), "place: aaa", 10), 0);
}
END_TEST

START_TEST(a_detail_stays_one_line)
{
    (void)WSR_FAIL(WSR_ARG, "%s", "a\nb\tc");
    ck_assert_str_eq(wsr_error_detail(), "a?b?c");
}
END_TEST

START_TEST(a_detail_may_quote_the_detail_before_it)
{
    (void)WSR_FAIL(WSR_ARG, "inner");
    (void)WSR_FAIL(WSR_ARG, "outer of %s", wsr_error_detail());
    ck_assert_str_eq(wsr_error_detail(), "outer of inner");
}
END_TEST

START_TEST(the_place_goes_in_front)
{
    (void)WSR_FAIL(WSR_ARG, "bad value");
    ck_assert_int_eq(wsr__fail_at(WSR_ARG, "file %d", 7), WSR_ARG);
    ck_assert_str_eq(wsr_error_detail(), "file 7: bad value");
}
END_TEST

static wsr_status try_twice(bool fail, int *reached)
{
    wsr_status status = WSR_OK;
    WSR_TRY(fail ? WSR_FAIL(WSR_IO, "no") : WSR_OK);
    *reached = 1;
out:
    return status;
}

START_TEST(try_leaves_through_out)
{
    int reached = 0;
    ck_assert_int_eq(try_twice(true, &reached), WSR_IO);
    ck_assert_int_eq(reached, 0);
    ck_assert_int_eq(try_twice(false, &reached), WSR_OK);
    ck_assert_int_eq(reached, 1);
}
END_TEST

START_TEST(the_version_text_follows_the_numbers)
{
    int major = 0;
    int minor = 0;
    int patch = 0;
    ck_assert_int_eq(sscanf(wsr_version(), "%d.%d.%d", &major, &minor, &patch),
                     3);
    ck_assert_int_eq(major, WSR_VERSION_MAJOR);
    ck_assert_int_eq(minor, WSR_VERSION_MINOR);
    ck_assert_int_eq(patch, WSR_VERSION_PATCH);
    ck_assert_uint_eq(wsr_version_number(), WSR_VERSION_NUMBER);
}
END_TEST

#if !WSR_VERSION_AT_LEAST(0, 1, 0) || WSR_VERSION_AT_LEAST(100, 0, 0)
#error "the preprocessor compares versions"
#endif

START_TEST(versions_are_compared_part_by_part)
{
    ck_assert(WSR_VERSION_AT_LEAST(WSR_VERSION_MAJOR, WSR_VERSION_MINOR,
                                   WSR_VERSION_PATCH));
    ck_assert(!WSR_VERSION_AT_LEAST(WSR_VERSION_MAJOR, WSR_VERSION_MINOR,
                                    WSR_VERSION_PATCH + 1));
    ck_assert(
        !WSR_VERSION_AT_LEAST(WSR_VERSION_MAJOR, WSR_VERSION_MINOR + 1, 0));
    ck_assert(!WSR_VERSION_AT_LEAST(WSR_VERSION_MAJOR + 1, 0, 0));
}
END_TEST

START_TEST(the_build_info_names_version_backend_and_threads)
{
    const char *const info = wsr_build_info();
    ck_assert_ptr_nonnull(strstr(info, wsr_version()));
    ck_assert_ptr_nonnull(strstr(info, "oneDNN"));
    ck_assert_ptr_nonnull(strstr(info, "threads"));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        every_code_has_words_of_its_own,
        a_number_that_is_no_code_is_named_unknown,
        a_failure_yields_its_code_and_leaves_its_detail,
        a_detail_is_cut_at_511_bytes,
        a_detail_stays_one_line,
        a_detail_may_quote_the_detail_before_it,
        the_place_goes_in_front,
        try_leaves_through_out,
        the_version_text_follows_the_numbers,
        versions_are_compared_part_by_part,
        the_build_info_names_version_backend_and_threads,
        NULL,
    };
    return suite_of("status", tests);
}
