// SPDX-License-Identifier: Apache-2.0

#include "space/space.h"
#include "support/oom.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { ROWS = WSR__ALPHA_ROWS, OPS = 8, SIZE = ROWS * OPS };

static const char *const primitives[OPS] = {
    "none",         "max_pool_3x3", "avg_pool_3x3", "skip_connect",
    "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"};

static wsr_genotype *derive(const float *normal, const float *reduce)
{
    wsr_genotype *g = NULL;
    ck_assert_ok(
        wsr__genotype_derive(&g, "found", normal, reduce, primitives, OPS));
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
    ck_assert_fails(
        wsr__genotype_derive(&g, "x", zero, alphas, primitives, OPS),
        WSR_NUMERIC, "alphas: value of edge 5 is NaN");
    ck_assert_ptr_null(g);
    ck_assert_fails(wsr__genotype_derive(&g, "x", zero, zero, primitives, 1),
                    WSR_ARG, "primitives");
}
END_TEST

static wsr_status derive_and_free(void *ctx)
{
    wsr_genotype *g = NULL;
    const wsr_status status =
        wsr__genotype_derive(&g, "x", ctx, ctx, primitives, OPS);
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
        short_memory_is_reported_without_a_leak,
        NULL,
    };
    return suite_of("space/derive", tests);
}
