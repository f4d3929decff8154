// SPDX-License-Identifier: Apache-2.0

#include "report/report.h"
#include "support/support.h"

#include <math.h>

static wsr__cell_layout layout;

static double least_distance(const wsr__part *a, const wsr__part *b)
{
    const bool labels = a->kind == WSR__PART_LABEL && b->kind == a->kind;
    const bool states = a->kind == WSR__PART_STATE && b->kind == a->kind;
    return states ? 36.0 : labels ? 22.0 : 0.0;
}

static void check_distance(const wsr__part *a, const wsr__part *b)
{
    if (a->column == b->column) {
        ck_assert_double_ge(fabs(a->y - b->y), least_distance(a, b));
    }
}

static void check(const char *name, wsr_genotype_cell cell)
{
    wsr_genotype *g = NULL;
    ck_assert_ok(wsr_genotype_load(&g, name));
    ck_assert_ok(wsr__layout_make(&layout, g, cell));
    ck_assert_uint_eq(layout.states, wsr_genotype_nodes(g) + 3);
    ck_assert_uint_eq(layout.n_routes, 2 * wsr_genotype_nodes(g) +
                                           wsr_genotype_concat_count(g, cell));
    for (size_t a = 0; a < layout.n_parts; a++) {
        ck_assert(isfinite(layout.parts[a].y));
        for (size_t b = 0; b < a; b++) {
            check_distance(&layout.parts[a], &layout.parts[b]);
        }
    }
    for (size_t r = 0; r < layout.n_routes; r++) {
        const wsr__route *const route = &layout.routes[r];
        for (size_t k = 1; k < route->n; k++) {
            ck_assert_uint_eq(layout.parts[route->parts[k]].column,
                              layout.parts[route->parts[k - 1]].column + 1);
        }
    }
    wsr_genotype_free(g);
}

START_TEST(parts_of_every_shipped_cell_stand_clear_of_each_other)
{
    char *names = NULL;
    char name[64];
    ck_assert_ok(wsr_genotype_names(&names));
    const char *at = names;
    int length = 0;
    while (sscanf(at, "%63s%n", name, &length) == 1) {
        check(name, WSR_GENOTYPE_NORMAL);
        check(name, WSR_GENOTYPE_REDUCE);
        at += length;
    }
    ck_assert_ptr_ne(at, names);
    wsr_text_free(names);
}
END_TEST

START_TEST(ranges_are_widened_to_round_numbers)
{
    double low = 0.13;
    double high = 2.4;
    ck_assert_double_eq_tol(wsr__chart_round(&low, &high, 5.0), 0.5, 1e-12);
    ck_assert_double_eq_tol(low, 0.0, 1e-12);
    ck_assert_double_eq_tol(high, 2.5, 1e-12);
    low = 3.0;
    high = 3.0;
    ck_assert_double_gt(wsr__chart_round(&low, &high, 5.0), 0.0);
    ck_assert_double_lt(low, 3.0);
    ck_assert_double_gt(high, 3.0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parts_of_every_shipped_cell_stand_clear_of_each_other,
        ranges_are_widened_to_round_numbers,
        NULL,
    };
    return suite_of("layout", tests);
}
