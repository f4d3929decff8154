// SPDX-License-Identifier: Apache-2.0

#include "space/space.h"
#include "support/oom.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { ROWS = 14, OPS = 8, SIZE = ROWS * OPS }; // of one cell

static wsr_status try(wsr_genotype **out, const float *normal,
                      const float *reduce)
{
    float alphas[2 * SIZE];
    memcpy(alphas, normal, SIZE * sizeof(*alphas));
    memcpy(alphas + SIZE, reduce, SIZE * sizeof(*alphas));
    return wsr_genotype_from_alphas(out, alphas, (size_t)2 * ROWS, OPS, NULL,
                                    "found");
}

static wsr_genotype *derive(const float *normal, const float *reduce)
{
    wsr_genotype *g = NULL;
    ck_assert_ok(try(&g, normal, reduce));
    return g;
}

static void check(const wsr_genotype *g, size_t edge, const char *op,
                  size_t state)
{
    ck_assert_str_eq(wsr_genotype_op(g, WSR_GENOTYPE_NORMAL, edge), op);
    ck_assert_uint_eq(wsr_genotype_state(g, WSR_GENOTYPE_NORMAL, edge), state);
}

START_TEST(equal_alphas_take_the_first_states_and_primitives)
{
    static const float zero[SIZE];
    wsr_genotype *const g = derive(zero, zero);
    ck_assert_str_eq(wsr_genotype_name(g), "found");
    for (size_t edge = 0; edge < 8; edge++) {
        check(g, edge, "max_pool_3x3", edge % 2);
    }
    ck_assert_uint_eq(wsr_genotype_concat_count(g, WSR_GENOTYPE_NORMAL), 4);
    ck_assert_uint_eq(wsr_genotype_concat(g, WSR_GENOTYPE_REDUCE, 3), 5);
    wsr_genotype_free(g);
}
END_TEST

START_TEST(none_never_counts)
{
    float alphas[SIZE] = {0};
    alphas[0] = 9.0f; // none on edge 0 -> 2
    alphas[OPS + 7] = 1.0f;
    wsr_genotype *const g = derive(alphas, alphas);
    check(g, 0, "dil_conv_5x5", 1);
    check(g, 1, "max_pool_3x3", 0);
    wsr_genotype_free(g);
}
END_TEST

START_TEST(the_stronger_edge_comes_first)
{
    float alphas[SIZE] = {0};
    alphas[9 * OPS + 4] = 1.0f;  // node 3, state 0
    alphas[13 * OPS + 5] = 2.0f; // node 3, state 4
    alphas[11 * OPS + 6] = 1.0f; // node 3, state 2: ties with state 0
    wsr_genotype *const g = derive(alphas, alphas);
    check(g, 6, "sep_conv_5x5", 4);
    check(g, 7, "sep_conv_3x3", 0);
    wsr_genotype_free(g);
}
END_TEST

START_TEST(negative_and_infinite_alphas_are_ordered)
{
    float alphas[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        alphas[i] = -INFINITY;
    }
    alphas[OPS + 3] = -5.0f;
    wsr_genotype *const g = derive(alphas, alphas);
    check(g, 0, "skip_connect", 1);
    check(g, 1, "max_pool_3x3", 0);
    wsr_genotype_free(g);
}
END_TEST

START_TEST(a_nan_is_refused)
{
    static float alphas[SIZE];
    static const float zero[SIZE];
    wsr_genotype *g = NULL;
    alphas[5 * OPS + 2] = NAN;
    ck_assert_fails(try(&g, zero, alphas), WSR_NUMERIC,
                    "alphas: value of edge 5 is NaN");
    ck_assert_ptr_null(g);
}
END_TEST

START_TEST(cells_have_as_many_nodes_as_the_space)
{
    static const char *const primitives[] = {"skip_connect", "max_pool_3x3"};
    const wsr__space_class five = {.super = {.name = "five"},
                                   .nodes = 5,
                                   .primitives = primitives,
                                   .n_primitives = 2};
    float alphas[2 * 20 * 2] = {0};
    wsr_genotype *g = NULL;
    alphas[2 * 19 + 1] = 1; // of node 4, from state 5
    ck_assert_ok(wsr__genotype_derive(&g, "x", &five, alphas));
    ck_assert_uint_eq(wsr_genotype_nodes(g), 5);
    check(g, 8, "max_pool_3x3", 5);
    check(g, 9, "skip_connect", 0);
    wsr_genotype_free(g);
}
END_TEST

// An architecture that somebody chose otherwise than by alphas.
START_TEST(one_hot_rows_give_what_was_chosen)
{
    float alphas[SIZE] = {0};
    static const size_t edges[] = {0, 1, 2, 4, 5, 8, 9, 13};
    static const size_t states[] = {0, 1, 0, 2, 0, 3, 0, 4};
    for (size_t row = 0, k = 0; row < ROWS; row++) {
        const bool taken = k < 8 && edges[k] == row;
        alphas[row * OPS + (taken ? 4 : 0)] = 1;
        k += taken;
    }
    wsr_genotype *const g = derive(alphas, alphas);
    for (size_t k = 0; k < 8; k++) {
        check(g, k, "sep_conv_3x3", states[k]);
    }
    wsr_genotype_free(g);
}
END_TEST

START_TEST(what_does_not_fit_the_space_is_refused)
{
    static const float zero[2 * SIZE];
    static const char *const none[] = {"none"};
    const wsr__space_class empty = {.super = {.name = "empty"},
                                    .nodes = 4,
                                    .primitives = none,
                                    .n_primitives = 1};
    char longer[200];
    wsr_genotype *g = NULL;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    ck_assert_fails(wsr_genotype_from_alphas(&g, zero, 28, 7, "darts", "x"),
                    WSR_SHAPE, "(28, 7) is not (28, 8)");
    ck_assert_fails(wsr_genotype_from_alphas(&g, zero, 14, 8, "darts", "x"),
                    WSR_SHAPE, "(14, 8) is not (28, 8)");
    ck_assert_fails(wsr_genotype_from_alphas(&g, zero, 28, 8, "dart", "x"),
                    WSR_NOTFOUND, "did you mean 'darts'");
    ck_assert_fails(wsr_genotype_from_alphas(&g, zero, 28, 8, NULL, longer),
                    WSR_ARG, "text: 199 bytes");
    ck_assert_fails(wsr__genotype_derive(&g, "x", &empty, zero), WSR_ARG,
                    "primitives");
    ck_assert_ptr_null(g);
}
END_TEST

static wsr_status derive_and_free(void *ctx)
{
    wsr_genotype *g = NULL;
    const wsr_status status = try(&g, ctx, ctx);
    wsr_genotype_free(g);
    return status;
}

START_TEST(short_memory_is_reported_without_a_leak)
{
    static float zero[SIZE];
    ck_assert_uint_eq(oom_sweep(derive_and_free, zero), 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        equal_alphas_take_the_first_states_and_primitives,
        none_never_counts,
        the_stronger_edge_comes_first,
        negative_and_infinite_alphas_are_ordered,
        a_nan_is_refused,
        cells_have_as_many_nodes_as_the_space,
        one_hot_rows_give_what_was_chosen,
        what_does_not_fit_the_space_is_refused,
        short_memory_is_reported_without_a_leak,
        NULL,
    };
    return suite_of("space/derive", tests);
}
