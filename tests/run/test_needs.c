// SPDX-License-Identifier: Apache-2.0

#include "run/run.h"
#include "support/files.h"
#include "support/support.h"

#include <math.h>
#include <unistd.h>

START_TEST(more_memory_than_there_is_is_refused_by_name)
{
    wsr__needs needs = {0};
    const double have = wsr__memory_available();
    wsr__needs_memory(&needs, "images", 1e6);
    ck_assert_ok(wsr__needs_check(&needs, "."));
    wsr__needs_memory(&needs, "plans of training", 2 * have);
    ck_assert_fails(wsr__needs_check(&needs, "."), WSR_NOMEM,
                    "for plans of training");
}
END_TEST

START_TEST(more_disk_than_there_is_is_refused_before_the_folder_exists)
{
    wsr__needs needs = {.disk = 1e18};
    ck_assert_fails(
        wsr__needs_check(&needs, path_in(scratch_folder("disk"), "to/be/made")),
        WSR_IO, "to/be/made: the run writes");
    needs.disk = 1;
    ck_assert_ok(wsr__needs_check(&needs, "to/be/made"));
}
END_TEST

START_TEST(available_memory_is_a_number_of_this_machine)
{
    const double have = wsr__memory_available();
    const double all = (double)sysconf(_SC_PHYS_PAGES) *
                       (double)sysconf(_SC_PAGESIZE);
    ck_assert(have > 0);
    ck_assert(isinf(have) || have <= 1.01 * all);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        more_memory_than_there_is_is_refused_by_name,
        more_disk_than_there_is_is_refused_before_the_folder_exists,
        available_memory_is_a_number_of_this_machine, NULL};
    return suite_of("needs", tests);
}
