// SPDX-License-Identifier: Apache-2.0

#include "space/space.h"
#include "support/cell.h"

#include <string.h>

START_TEST(operations_are_found_by_name)
{
    const wsr__cell_class *cls = NULL;
    for (size_t i = 0; wsr__cells.classes[i] != NULL; i++) {
        ck_assert_ok(wsr__cell_find(&cls, wsr__cells.classes[i]->name));
        ck_assert_ptr_eq(&cls->super, wsr__cells.classes[i]);
        ck_assert_str_ne(cls->super.summary, "");
        ck_assert_str_ne(cls->super.reference, "");
    }
    ck_assert_fails(wsr__cell_find(&cls, "sep_conv_3x4"), WSR_NOTFOUND,
                    "did you mean 'sep_conv_3x3'");
}
END_TEST

// Whatever is listed may stand in a genotype, unless it is RobNet's own.
START_TEST(genotypes_may_name_operations)
{
    for (size_t i = 0; wsr__cells.classes[i] != NULL; i++) {
        const wsr__cell_class *const cls =
            (const wsr__cell_class *)wsr__cells.classes[i];
        const char *const name = cls->super.name;
        char text[600];
        wsr_genotype *genotype = NULL;
        (void)snprintf(text, sizeof(text),
                       "Genotype(normal=[('%s', 0), ('%s', 1), ('%s', 0), "
                       "('%s', 1), ('%s', 0), ('%s', 1), ('%s', 0), ('%s', 1)]"
                       ", normal_concat=[2, 3, 4, 5], reduce=[('%s', 0), "
                       "('%s', 1), ('%s', 0), ('%s', 1), ('%s', 0), ('%s', 1), "
                       "('%s', 0), ('%s', 1)], reduce_concat=[2, 3, 4, 5])",
                       name, name, name, name, name, name, name, name, name,
                       name, name, name, name, name, name, name);
        ck_assert(cls->none == wsr__streq(name, "none"));
        const wsr_status status = wsr_genotype_parse(&genotype, text, "test");
        const bool own = wsr__streq(name, "res_sep_conv_3x3");
        ck_assert_int_eq(status, own ? WSR_FORMAT : WSR_OK);
        wsr_genotype_free(genotype);
    }
}
END_TEST

START_TEST(prefixes_grow_until_they_are_too_long)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    wsr__site site = {.graph = graph, .channels = 1, .stride = 1};
    site = wsr__site_below(&site, "cells.%d.", 3);
    site = wsr__site_below(&site, "_ops.%d.", 0);
    ck_assert_str_eq(site.prefix, "cells.3._ops.0.");
    ck_assert_ok(wsr__graph_status(graph));
    for (int i = 0; i < 20; i++) {
        site = wsr__site_below(&site, "deeper.");
    }
    ck_assert_fails(wsr__graph_status(graph), WSR_INTERNAL, "too long");
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

START_TEST(a_failure_says_where_it_happened_once)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    wsr__site site = {.graph = graph, .channels = 2, .stride = 1};
    site = wsr__site_below(&site, "here.");
    const wsr_value x = wsr__input(graph, "x", wsr__shape2(1, 2));
    (void)wsr__op1(graph, "max_pool", NULL, x);
    wsr__site_blame(&site, WSR_OK);
    wsr__site_blame(&site, wsr__graph_status(graph));
    ck_assert_fails(wsr__graph_status(graph), WSR_SHAPE, "here.: max_pool: ");
    ck_assert_ptr_null(strstr(wsr_error_detail() + 1, "here."));
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {operations_are_found_by_name,
                                  genotypes_may_name_operations,
                                  prefixes_grow_until_they_are_too_long,
                                  a_failure_says_where_it_happened_once, NULL};
    return suite_of("cell", tests);
}
