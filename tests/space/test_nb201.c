// SPDX-License-Identifier: Apache-2.0
//
// The space of NAS-Bench-201: its size, its notation, and the 6466 cells that
// the benchmark tells apart.

#include "cell/cell.h"
#include "space/space.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

enum { CELLS = 15625, EDGES = 6, CANDIDATES = 5 };

static const char text[] = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+"
                           "|skip_connect~0|none~1|nor_conv_3x3~2|";

START_TEST(it_has_six_edges_of_five_candidates)
{
    static const char *const names[] = {"none", "skip_connect", "nor_conv_1x1",
                                        "nor_conv_3x3", "avg_pool_3x3"};
    const wsr__space_class *space = NULL;
    ck_assert_ok(wsr__space_find(&space, "nb201"));
    ck_assert(space->single);
    ck_assert_uint_eq(wsr__space_sources(space), 1);
    ck_assert_uint_eq(wsr__space_edges(space), EDGES);
    ck_assert_uint_eq(wsr__space_rows(space), EDGES);
    ck_assert_uint_eq(wsr__space_rows(&wsr__space_darts), 28);
    ck_assert_uint_eq(space->n_primitives, CANDIDATES);
    for (size_t i = 0; i < CANDIDATES; i++) {
        const wsr__cell_class *cls = NULL;
        ck_assert_str_eq(space->primitives[i], names[i]);
        ck_assert_ok(wsr__cell_find(&cls, names[i]));
    }
}
END_TEST

// ----------------------------------------------------------------- notation

static wsr_genotype *parsed(const char *of)
{
    wsr_genotype *genotype = NULL;
    ck_assert_ok(wsr_genotype_parse(&genotype, of, "dir/cell.txt"));
    return genotype;
}

static void check_text(const wsr_genotype *genotype, const char *want)
{
    wsr__str out = {0};
    wsr__genotype_print_single(&out, genotype);
    ck_assert_str_eq(out.s, want);
    wsr__str_free(&out);
}

START_TEST(a_cell_is_read_and_written)
{
    static const size_t states[] = {0, 0, 1, 0, 1, 2};
    static const char *const ops[] = {"nor_conv_3x3", "nor_conv_1x1",
                                      "avg_pool_3x3", "skip_connect",
                                      "none",         "nor_conv_3x3"};
    wsr_genotype *const genotype = parsed(text);
    ck_assert_str_eq(wsr_genotype_space(genotype), "nb201");
    ck_assert_str_eq(wsr_genotype_name(genotype), "cell");
    ck_assert_uint_eq(wsr_genotype_nodes(genotype), 3);
    ck_assert_uint_eq(wsr_genotype_edges(genotype, WSR_GENOTYPE_NORMAL), EDGES);
    ck_assert_uint_eq(wsr_genotype_edges(genotype, WSR_GENOTYPE_REDUCE), 0);
    ck_assert_uint_eq(wsr_genotype_concat(genotype, WSR_GENOTYPE_NORMAL, 0), 3);
    for (size_t e = 0; e < EDGES; e++) {
        ck_assert_str_eq(wsr_genotype_op(genotype, WSR_GENOTYPE_NORMAL, e),
                         ops[e]);
        ck_assert_uint_eq(wsr_genotype_state(genotype, WSR_GENOTYPE_NORMAL, e),
                          states[e]);
    }
    ck_assert_ptr_null(wsr_genotype_op(genotype, WSR_GENOTYPE_NORMAL, EDGES));
    ck_assert_ptr_null(wsr_genotype_op(genotype, WSR_GENOTYPE_REDUCE, 0));
    check_text(genotype, text);
    wsr_genotype_free(genotype);
}
END_TEST

// As the benchmark's programs print it, in YAML, with edges left out.
START_TEST(the_notation_has_variants)
{
    wsr_genotype *const genotype = parsed(text);
    char line[256];
    char *yaml = NULL;
    (void)snprintf(line, sizeof(line), "Structure(4 nodes with %s)\n", text);
    wsr_genotype *other = parsed(line);
    ck_assert(wsr_genotype_equal(genotype, other));
    wsr_genotype_free(other);
    ck_assert_ok(wsr_genotype_print(&yaml, genotype));
    ck_assert_ptr_nonnull(strstr(yaml, "cell: \"|nor_conv_3x3~0|+"));
    other = parsed(yaml);
    ck_assert(wsr_genotype_equal(genotype, other));
    ck_assert_str_eq(wsr_genotype_name(other), "cell");
    wsr_genotype_free(other);
    wsr_text_free(yaml);
    other = parsed("|nor_conv_3x3~0|+|nor_conv_3x3~1|+"
                   "|skip_connect~2|skip_connect~0|");
    check_text(other, "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+"
                      "|skip_connect~0|none~1|skip_connect~2|");
    ck_assert(!wsr_genotype_equal(genotype, other));
    wsr_genotype_free(other);
    wsr_genotype_free(genotype);
}
END_TEST

START_TEST(other_texts_are_refused)
{
    static const char *const cases[][2] = {
        {"|nor_conv_5x5~0|+|none~0|+|none~0|", "did you mean 'nor_conv_"},
        {"|sep_conv_3x3~0|+|none~0|+|none~0|", "none of the space nb201"},
        {"|none~1|+|none~0|+|none~0|", "no state before the node at '1|+"},
        {"|none~0|+|none~0|none~0|+|none~0|", "a second edge from the state"},
        {"|none~0|+|none~0|", "too few nodes"},
        {"|none~0|+|none~0|+|none~0|+|none~0|", "too many nodes"},
        {"|none~0|+none~0|+|none~0|", "no |"},
        {"|none~0|+||+|none~0|", "no operation~state"},
        {"|none~0", "no state before the node"},
        {"name: x\ncell: \"|none~0|+|zero~0|+|none~0|\"\n", "(dir/cell.txt:2)"},
        {"name: x\ncell: [1]\n", "cell"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        wsr_genotype *genotype = NULL;
        ck_assert_fails(
            wsr_genotype_parse(&genotype, cases[i][0], "dir/cell.txt"),
            WSR_FORMAT, cases[i][1]);
        ck_assert_ptr_null(genotype);
    }
}
END_TEST

// ---------------------------------------------------------------- reduction

// Cell number `i` of all.
static wsr_genotype *cell_of(size_t i)
{
    const char *const *const names = wsr__space_nb201.primitives;
    char cell[256];
    size_t at[EDGES];
    for (size_t e = 0; e < EDGES; e++, i /= CANDIDATES) {
        at[e] = i % CANDIDATES;
    }
    (void)snprintf(cell, sizeof(cell), "|%s~0|+|%s~0|%s~1|+|%s~0|%s~1|%s~2|",
                   names[at[0]], names[at[1]], names[at[2]], names[at[3]],
                   names[at[4]], names[at[5]]);
    return parsed(cell);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

START_TEST(of_15625_cells_6466_differ)
{
    static char *texts[CELLS];
    size_t distinct = 0;
    for (size_t i = 0; i < CELLS; i++) {
        wsr__str out = {0};
        wsr_genotype *const genotype = cell_of(i);
        wsr__nb201_unique(&out, genotype);
        texts[i] = out.s;
        wsr_genotype_free(genotype);
    }
    qsort(texts, CELLS, sizeof(*texts), by_text);
    for (size_t i = 0; i < CELLS; i++) {
        distinct += i == 0 || strcmp(texts[i], texts[i - 1]) != 0;
    }
    for (size_t i = 0; i < CELLS; i++) {
        wsr__free(texts[i]);
    }
    ck_assert_uint_eq(distinct, 6466);
}
END_TEST

static void check_unique(const char *of, const char *want)
{
    wsr_genotype *const genotype = parsed(of);
    wsr__str out = {0};
    wsr__nb201_unique(&out, genotype);
    ck_assert_str_eq(out.s, want);
    wsr__str_free(&out);
    wsr_genotype_free(genotype);
}

START_TEST(texts_follow_the_benchmarks_rules)
{
    // These two compute the same, and are two cells to the benchmark.
    check_unique("|nor_conv_3x3~0|+|none~0|none~1|+"
                 "|none~0|skip_connect~1|none~2|",
                 "#+#+(0)3");
    check_unique("|skip_connect~0|+|none~0|nor_conv_3x3~1|+"
                 "|none~0|none~1|skip_connect~2|",
                 "#+#+#+(0)3");
    check_unique("|nor_conv_1x1~0|+|avg_pool_3x3~0|skip_connect~1|+"
                 "|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|",
                 "((0)1)3+((0)1+(0)p)1+0");
    // These two are one.
    check_unique("|skip_connect~0|+|none~0|none~1|+"
                 "|none~0|nor_conv_3x3~1|none~2|",
                 "#+#+(0)3");
    check_unique("|skip_connect~0|+|none~0|none~1|+"
                 "|nor_conv_3x3~0|none~1|none~2|",
                 "#+#+(0)3");
}
END_TEST

// ------------------------------------------------------------------- alphas

START_TEST(every_edge_keeps_its_best_candidate_none_included)
{
    float alphas[EDGES * CANDIDATES] = {0};
    static const size_t best[] = {3, 2, 4, 1, 0, 3};
    wsr_genotype *genotype = NULL;
    for (size_t e = 0; e < EDGES; e++) {
        alphas[e * CANDIDATES + best[e]] = 0.1F;
    }
    ck_assert_ok(wsr_genotype_from_alphas(&genotype, alphas, EDGES, CANDIDATES,
                                          "nb201", "found"));
    check_text(genotype, text);
    wsr_genotype_free(genotype);
    ck_assert_fails(wsr_genotype_from_alphas(&genotype, alphas, 2 * EDGES,
                                             CANDIDATES, "nb201", "found"),
                    WSR_SHAPE, "(6, 5)");
}
END_TEST

// Of all cells those without a way from source to result: edges 1<-0, 2<-0,
// 2<-1, 3<-0, 3<-1, 3<-2 carry something or nothing, counted here one by one.
START_TEST(a_cell_that_carries_nothing_is_derived_with_a_way)
{
    float alphas[EDGES * CANDIDATES] = {0};
    wsr_genotype *genotype = NULL;
    for (size_t e = 0; e < EDGES; e++) {
        alphas[e * CANDIDATES] = 1;       // none
        alphas[e * CANDIDATES + 4] = 0.5; // then a pool
    }
    ck_assert_ok(wsr_genotype_from_alphas(&genotype, alphas, EDGES, CANDIDATES,
                                          "nb201", "found"));
    check_text(genotype, "|none~0|+|none~0|none~1|+"
                         "|avg_pool_3x3~0|none~1|none~2|");
    wsr_genotype_free(genotype);
    for (size_t mask = 0; mask < 64; mask++) {
        wsr__str cell = {0};
        const bool on[] = {(mask & 1) != 0, (mask & 2) != 0,  (mask & 4) != 0,
                           (mask & 8) != 0, (mask & 16) != 0, (mask & 32) != 0};
        const bool two = on[1] || (on[0] && on[2]);
        const bool way = on[3] || (on[0] && on[4]) || (two && on[5]);
        size_t e = 0;
        for (size_t node = 0; node < 3; node++) {
            wsr__str_add(&cell, node > 0 ? "+|" : "|");
            for (size_t state = 0; state <= node; state++, e++) {
                wsr__str_addf(&cell, "%s~%zu|", on[e] ? "skip_connect" : "none",
                              state);
            }
        }
        genotype = parsed(cell.s);
        ck_assert_msg(wsr__genotype_connected(genotype) == way, "%s", cell.s);
        wsr_genotype_free(genotype);
        wsr__str_free(&cell);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        it_has_six_edges_of_five_candidates,
        a_cell_is_read_and_written,
        the_notation_has_variants,
        other_texts_are_refused,
        of_15625_cells_6466_differ,
        texts_follow_the_benchmarks_rules,
        every_edge_keeps_its_best_candidate_none_included,
        a_cell_that_carries_nothing_is_derived_with_a_way,
        NULL};
    return suite_of("nb201", tests);
}
