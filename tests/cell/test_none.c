// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

START_TEST(the_result_is_zero_and_has_no_parameters)
{
    float x[CELL_FLOATS];
    float y[CELL_FLOATS];
    cell_image(x);
    for (int64_t s = 1; s <= 2; s++) {
        cell_bench bench;
        cell_expect(&wsr__cell_none, s, true, "");
        cell_open(&bench, &wsr__cell_none, s, true);
        cell_forward(y, &bench, x);
        for (int64_t i = 0; i < CELL_FLOATS / (s * s); i++) {
            ck_assert(y[i] == 0);
        }
        cell_close(&bench);
    }
}
END_TEST

START_TEST(sums_may_leave_it_out)
{
    ck_assert(wsr__cell_none.none);
    for (size_t i = 0; wsr__cells.classes[i] != NULL; i++) {
        const wsr__cell_class *const cls =
            (const wsr__cell_class *)wsr__cells.classes[i];
        ck_assert(cls->none == (cls == &wsr__cell_none));
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_result_is_zero_and_has_no_parameters,
                                  sums_may_leave_it_out, NULL};
    return suite_of("none", tests);
}
