// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

static wsr_status fill(wsr__names *names)
{
    static const char *const texts[] = {"b", "\xc3\xa9", "B", "ab", "", "a"};
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < 6; i++) {
        WSR_TRY(wsr__names_add(names, texts[i]));
    }
out:
    return status;
}

START_TEST(names_are_sorted_by_code_points_and_found)
{
    static const char *const want[] = {"", "B", "a", "ab", "b", "\xc3\xa9"};
    wsr__names names = {0};
    ck_assert_uint_eq(wsr__names_at(&names, "a"), 0);
    ck_assert_ok(fill(&names));
    wsr__names_sort(&names);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_str_eq(names.names[i], want[i]);
        ck_assert_uint_eq(wsr__names_at(&names, want[i]), i);
    }
    ck_assert_uint_eq(wsr__names_at(&names, "abc"), 6);
    wsr__names_free(&names);
    ck_assert_ptr_null(names.names);
}
END_TEST

static wsr_status fill_and_free(void *ctx)
{
    wsr__names names = {0};
    (void)ctx;
    const wsr_status status = fill(&names);
    wsr__names_free(&names);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_ge(oom_sweep(fill_and_free, NULL), 7);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        names_are_sorted_by_code_points_and_found,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("names", tests);
}
