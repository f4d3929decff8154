// SPDX-License-Identifier: Apache-2.0

#include "cell/cell.h"
#include "space/space.h"
#include "support/support.h"

#include <string.h>

START_TEST(its_primitives_are_cell_operations_in_the_order_of_the_columns)
{
    static const char *const names[] = {
        "none",         "max_pool_3x3", "avg_pool_3x3", "skip_connect",
        "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"};
    const wsr__space_class *const darts = &wsr__space_darts;
    ck_assert_uint_eq(darts->n_primitives, 8);
    for (size_t i = 0; i < darts->n_primitives; i++) {
        const wsr__cell_class *cls = NULL;
        ck_assert_str_eq(darts->primitives[i], names[i]);
        ck_assert_ok(wsr__cell_find(&cls, darts->primitives[i]));
    }
}
END_TEST

START_TEST(its_cells_have_fourteen_edges)
{
    ck_assert_uint_eq(wsr__space_darts.nodes, 4);
    ck_assert_uint_eq(wsr__space_edges(&wsr__space_darts), 14);
}
END_TEST

START_TEST(a_space_is_found_by_name)
{
    const wsr__space_class *space = NULL;
    ck_assert_ok(wsr__space_find(&space, "darts"));
    ck_assert_ptr_eq(space, &wsr__space_darts);
    ck_assert_fails(wsr__space_find(&space, "darst"), WSR_NOTFOUND,
                    "did you mean 'darts'");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        its_primitives_are_cell_operations_in_the_order_of_the_columns,
        its_cells_have_fourteen_edges, a_space_is_found_by_name, NULL};
    return suite_of("darts", tests);
}
