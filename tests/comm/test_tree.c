// SPDX-License-Identifier: Apache-2.0
//
// The tree of one process: for every number of parts, the sums that the formula
// gives. tests/comm/ranks.sh has several processes.

#include "comm/comm.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

enum { FLOATS = 37, MOST = 40 };

static float value(size_t part, size_t i)
{
    wsr__rng rng = wsr__rng_at(7, WSR__RNG_INIT, part, (uint32_t)i);
    return wsr__rng_uniform(&rng) - 0.5f;
}

// The sum of parts [begin, end): the left child has the largest power of 2 of
// parts that leaves something to the right one.
static float by_formula(size_t begin, size_t end, size_t i)
{
    size_t left = 1;
    if (end - begin == 1) {
        return value(begin, i);
    }
    while (2 * left < end - begin) {
        left *= 2;
    }
    return by_formula(begin, begin + left, i) +
           by_formula(begin + left, end, i);
}

START_TEST(sums_are_those_of_the_formula)
{
    wsr__tree *tree = NULL;
    size_t other = 0;
    ck_assert_ok(wsr__tree_new(&tree, FLOATS));
    for (size_t n = 1; n <= MOST; n++) {
        const float *sum = NULL;
        wsr__tree_begin(tree, MOST, n);
        for (size_t k = 0; k < n; k++) {
            float *const leaf = wsr__tree_leaf(tree);
            ck_assert_ptr_nonnull(leaf);
            for (size_t i = 0; i < FLOATS; i++) {
                leaf[i] = value(k, i);
            }
        }
        ck_assert_ok(wsr__tree_sum(&sum, tree));
        for (size_t i = 0; i < FLOATS; i++) {
            const float want = by_formula(0, n, i);
            float in_turn = value(0, i);
            for (size_t k = 1; k < n; k++) {
                in_turn += value(k, i);
            }
            ck_assert(same_bits(&sum[i], &want, sizeof(want)));
            other += !same_bits(&sum[i], &in_turn, sizeof(in_turn));
        }
    }
    ck_assert_uint_gt(other, 0); // the order matters
    ck_assert_double_le(wsr__tree_bytes(tree), 7.0 * FLOATS * sizeof(float));
    wsr__tree_free(tree);
    wsr__tree_free(NULL);
}
END_TEST

START_TEST(one_process_is_a_job_of_its_own)
{
    bool flag = true;
    ck_assert_ok(wsr_comm_open());
    ck_assert_uint_eq(wsr_comm_rank(), 0);
    ck_assert_uint_eq(wsr_comm_size(), 1);
    ck_assert_ok(wsr__comm_any(&flag));
    ck_assert(flag);
    ck_assert_fails(wsr__comm_agree(WSR_FAIL(WSR_NUMERIC, "loss: not finite")),
                    WSR_NUMERIC, "loss: not finite");
    const wsr__items all = wsr__comm_share(5, 0);
    ck_assert_uint_eq(all.begin, 0);
    ck_assert_uint_eq(all.end, 5);
    wsr_comm_close(WSR_OK);
    wsr_comm_close(WSR_OK);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {sums_are_those_of_the_formula,
                                  one_process_is_a_job_of_its_own, NULL};
    return suite_of("comm/tree", tests);
}
