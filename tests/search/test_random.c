// SPDX-License-Identifier: Apache-2.0
//
// Random search: its architectures differ with the seed, and it trains none
// but the one it found.

#include "search/runs.h"
#include "wsr/genotype.h"
#include "wsr/result.h"

START_TEST(a_stopped_run_ends_with_the_same_bytes)
{
    wsr_config *const config = make_config("searcher.name=random");
    check_stopped(config);
    wsr_config_free(config);
}
END_TEST

static wsr_genotype *found(const char *dir)
{
    wsr_genotype *genotype = NULL;
    char *const path = wsr__path_join(dir, "genotype.yaml");
    ck_assert_ok(wsr_genotype_load(&genotype, path));
    wsr__free(path);
    return genotype;
}

// What the result says is what the file says, also of a run that was done.
static void expect_result(const wsr_result *result, const wsr_genotype *file)
{
    const wsr_genotype *const have = wsr_result_genotype(result);
    const wsr_eval *const eval = wsr_result_eval(result);
    ck_assert(wsr_genotype_equal(have, file));
    ck_assert_str_eq(wsr_net_kind(wsr_result_net(result)), "network");
    ck_assert_ptr_nonnull(eval);
    ck_assert_uint_gt(wsr_eval_count(eval, 0), 0);
    ck_assert_uint_eq(wsr_result_released(NULL, NULL, result), 0);
}

static char *text_of(const char *seed)
{
    wsr_config *const config = make_config("searcher.name=random");
    const char *const dir = scratch_folder(seed);
    char *text = NULL;
    wsr_result *result = NULL;
    wsr_result *again = NULL;
    ck_assert_ok(wsr_config_set(config, seed));
    ck_assert_ok(wsr_search_run(&result, config, dir, false, NULL, NULL));
    ck_assert_ok(wsr_search_run(&again, NULL, dir, true, NULL, NULL));
    wsr_genotype *const genotype = found(dir);
    expect_result(result, genotype);
    expect_result(again, genotype);
    ck_assert_double_eq(
        wsr_eval_get(wsr_result_eval(result), 0, 0, WSR_EVAL_ROBUST),
        wsr_eval_get(wsr_result_eval(again), 0, 0, WSR_EVAL_ROBUST));
    wsr_result_free(result);
    wsr_result_free(again);
    ck_assert_ok(wsr_genotype_print(&text, genotype));
    wsr_genotype_free(genotype);
    wsr_config_free(config);
    return text;
}

START_TEST(seeds_draw_different_architectures)
{
    char *const a = text_of("seed=3");
    char *const b = text_of("seed=4");
    ck_assert_str_ne(a, b);
    wsr_text_free(a);
    wsr_text_free(b);
}
END_TEST

Suite *suite(void)
{
    Suite *const s = suite_create("random");
    TCase *const t = tcase_create("random");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_stopped_run_ends_with_the_same_bytes);
    tcase_add_test(t, seeds_draw_different_architectures);
    suite_add_tcase(s, t);
    return s;
}
