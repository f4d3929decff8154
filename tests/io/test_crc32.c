// SPDX-License-Identifier: Apache-2.0

#include "io/crc32.h"
#include "support/support.h"

// The check value of the catalogue of CRC algorithms.
START_TEST(the_check_value)
{
    ck_assert_uint_eq(wsr__crc32("123456789", 9), 0xcbf43926);
    ck_assert_uint_eq(wsr__crc32("", 0), 0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_check_value, NULL};
    return suite_of("io/crc32", tests);
}
