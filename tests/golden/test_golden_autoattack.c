// SPDX-License-Identifier: Apache-2.0
//
// Stochastic and min-norm attacks against what the public implementations did
// to a really trained network. The median of three seeds may leave three
// images more robust than the one seed of the reference; fewer is stronger.

#include "golden/robust_net.h"

enum { SEEDS = 3, MORE = 3 };

typedef struct reference {
    const char *spec;
    float eps;
    size_t images;
    size_t robust; // of the reference
} reference;

// results.json: aa_apgd-ce_n128, aa_apgd-t_n128, aa_square_n128, aa_fab-t_n64,
// aa_standard_n128.
static const reference stochastic[] = {
    {"apgd_ce", 0.1f, 128, 95},
    {"apgd_t", 0.1f, 128, 93},
    {"square:queries=1000", 0.1f, 128, 97},
    {"fab_t", 0.1f, 64, 46},
    {"autoattack:queries=1000", 0.1f, 128, 93},
};

static size_t run_seed(const world *w, const reference *r, size_t seed)
{
    char options[64];
    (void)snprintf(options, sizeof(options), "images=false,seed=%zu", seed);
    wsr_attack_result *const result =
        attack(w, r->spec, options, r->eps, r->images);
    const size_t left = robust_count(result);
    printf("%s: seed %zu leaves %zu of %zu robust, the reference %zu "
           "(%.0f s)\n",
           r->spec, seed, left, r->images, r->robust,
           wsr_attack_result_seconds(result, 0));
    (void)fflush(stdout);
    wsr_attack_result_free(result);
    return left;
}

START_TEST(stochastic_attacks_leave_no_more_standing_than_the_references)
{
    world *const w = world_new();
    for (size_t i = 0; i < sizeof(stochastic) / sizeof(stochastic[0]); i++) {
        size_t left[SEEDS];
        for (size_t k = 0; k < SEEDS; k++) {
            left[k] = run_seed(w, &stochastic[i], k);
        }
        const size_t low = left[0] < left[1] ? left[0] : left[1];
        const size_t high = left[0] < left[1] ? left[1] : left[0];
        const size_t median = left[2] < low    ? low
                              : left[2] > high ? high
                                               : left[2];
        ck_assert_uint_le(median, stochastic[i].robust + MORE);
    }
    world_free(w);
}
END_TEST

// Mean of the `n` smallest Euclidean changes; fewer than n are fooled: huge.
static double nearest(const wsr_attack_result *result, size_t n)
{
    bool used[IMAGES] = {false};
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        size_t best = IMAGES;
        for (size_t i = 0; i < IMAGES; i++) {
            const float *const l2 = wsr_attack_result_l2(result, 0);
            if (!used[i] && wsr_attack_result_success(result, 0)[i] &&
                (best == IMAGES || l2[i] < l2[best])) {
                best = i;
            }
        }
        if (best == IMAGES) {
            return 1e9;
        }
        used[best] = true;
        sum += (double)wsr_attack_result_l2(result, 0)[best];
    }
    return sum / (double)n;
}

// results.json: cw_c10_lr0.01_100, which has no search, fools 33 images with a
// mean Euclidean change of 0.6692; deepfool_50_0.02 fools 215 with one of
// 6.9204. The latter depends on rounding: with parameters that differ by 1e-7
// ours was 6.879 to 6.930 in nine runs, and the width of that is what it may be
// above the reference.
START_TEST(min_norm_attacks_are_at_least_as_strong_as_the_references)
{
    world *const w = world_new();
    wsr_attack_result *const cw =
        attack(w, "cw", "images=false", INFINITY, IMAGES);
    wsr_attack_result *const deepfool =
        attack(w, "deepfool", "images=false", INFINITY, IMAGES);
    printf("cw leaves %zu robust, 33 fooled at a mean of %.3f (%.0f s)\n"
           "deepfool leaves %zu robust, 215 fooled at a mean of %.3f "
           "(%.0f s)\n",
           robust_count(cw), nearest(cw, 33), wsr_attack_result_seconds(cw, 0),
           robust_count(deepfool), nearest(deepfool, 215),
           wsr_attack_result_seconds(deepfool, 0));
    ck_assert_double_le(nearest(cw, 33), 0.669);
    ck_assert_double_le(nearest(deepfool, 215), 6.9204 + 0.051);
    wsr_attack_result_free(cw);
    wsr_attack_result_free(deepfool);
    world_free(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        stochastic_attacks_leave_no_more_standing_than_the_references,
        min_norm_attacks_are_at_least_as_strong_as_the_references, NULL};
    return suite_of("golden autoattack", tests);
}
