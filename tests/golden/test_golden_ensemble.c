// SPDX-License-Identifier: Apache-2.0
//
// The part of golden_autoattack that is quick enough for every day: Auto-PGD
// on all images of the reference, whose images it must fool one by one as the
// authors' code does, and the whole standard ensemble on the first images.

#include "golden/robust_net.h"

enum { SEEDS = 3, REFERENCE = 128, FIRST = 16, MORE = 3 };

static void outcomes(uint8_t *robust, const char *name)
{
    wsr__st *const st = open_golden(name);
    ck_assert_ok(wsr__st_read_u8(robust, st, "robust", REFERENCE));
    wsr__st_free(st);
}

static size_t count(const uint8_t *flags, size_t n)
{
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        hits += flags[i];
    }
    return hits;
}

START_TEST(auto_pgd_fools_what_the_reference_fools)
{
    uint8_t robust[REFERENCE];
    size_t left[SEEDS];
    world *const w = world_new();
    outcomes(robust, "aa_apgd-ce_n128");
    for (size_t k = 0; k < SEEDS; k++) {
        char options[64];
        size_t different = 0;
        (void)snprintf(options, sizeof(options), "images=false,seed=%zu", k);
        wsr_attack_result *const result =
            attack(w, "apgd_ce", options, 0.1f, REFERENCE);
        for (size_t i = 0; i < REFERENCE; i++) {
            different += robust[i] != wsr_attack_result_robust(result, 0)[i];
        }
        left[k] = robust_count(result);
        ck_assert_uint_le(different, MORE);
        wsr_attack_result_free(result);
    }
    const size_t low = left[0] < left[1] ? left[0] : left[1];
    const size_t high = left[0] < left[1] ? left[1] : left[0];
    const size_t median = left[2] < low ? low : left[2] > high ? high : left[2];
    ck_assert_uint_le(median, count(robust, REFERENCE) + MORE);
    world_free(w);
}
END_TEST

START_TEST(the_ensemble_leaves_no_more_standing_than_the_reference)
{
    uint8_t robust[REFERENCE];
    world *const w = world_new();
    outcomes(robust, "aa_standard_n128");
    wsr_attack_result *const result =
        attack(w, "autoattack:queries=1000", "images=false", 0.1f, FIRST);
    printf("autoattack leaves %zu of %d robust, the reference %zu (%.0f s)\n",
           robust_count(result), FIRST, count(robust, FIRST),
           wsr_attack_result_seconds(result, 0));
    // An image near the boundary may be fooled by luck alone.
    ck_assert_uint_le(robust_count(result), count(robust, FIRST) + 1);
    // And what is robust has not been looked at less than it should have been.
    for (size_t i = 0; i < FIRST; i++) {
        if (wsr_attack_result_robust(result, 0)[i]) {
            ck_assert_uint_gt(wsr_attack_result_queries(result, 0)[i],
                              100 + 900 + 900 + 1000);
        }
    }
    wsr_attack_result_free(result);
    world_free(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        auto_pgd_fools_what_the_reference_fools,
        the_ensemble_leaves_no_more_standing_than_the_reference, NULL};
    return suite_of("golden ensemble", tests);
}
