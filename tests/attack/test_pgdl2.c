// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(it_is_pgd_in_the_euclidean_norm)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "pgdl2:steps=7", "pgd:norm=l2,steps=7", 0.3f);
    toy_end(w);
}
END_TEST

START_TEST(random_starts_lie_in_the_ball)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r = toy_run(
        w, "pgdl2:steps=1,alpha=1e-9,random_start=true", "stop=false", 0.1f);
    for (size_t i = 0; i < TOY_N; i++) {
        ck_assert_float_le(wsr_attack_result_l2(r, 0)[i], 0.1f);
        ck_assert_float_ge(wsr_attack_result_l2(r, 0)[i], 0.05f);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {it_is_pgd_in_the_euclidean_norm,
                                  random_starts_lie_in_the_ball, NULL};
    return suite_of("pgdl2", tests);
}
