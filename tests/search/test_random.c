// SPDX-License-Identifier: Apache-2.0
//
// Random search: its architectures differ with the seed, and it trains none
// but the one it found.

#include "search/runs.h"
#include "wsr/genotype.h"

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

static char *text_of(const char *seed)
{
    wsr_config *const config = make_config("searcher.name=random");
    const char *const dir = scratch_folder(seed);
    char *text = NULL;
    ck_assert_ok(wsr_config_set(config, seed));
    ck_assert_ok(wsr_search_run(config, dir, false, NULL, NULL));
    wsr_genotype *const genotype = found(dir);
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
