// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(labels_make_no_difference)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const a = toy_run(w, "tpgd", "stop=false", 0.05f);
    for (size_t i = 0; i < TOY_N; i++) {
        w->labels[i] = 0;
    }
    wsr_attack_result *const b = toy_run(w, "tpgd", "stop=false", 0.05f);
    ck_assert_mem_eq(wsr_attack_result_images(a, 0),
                     wsr_attack_result_images(b, 0), sizeof(w->x));
    wsr_attack_result_free(a);
    wsr_attack_result_free(b);
    toy_end(w);
}
END_TEST

START_TEST(predictions_move_away_from_the_clean_ones)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r = toy_run(w, "tpgd", "stop=false", 0.05f);
    for (size_t i = 0; i < TOY_N; i++) {
        float clean[TOY_CLASSES];
        float z[TOY_CLASSES];
        const wsr__loss_target target = {-1, -1, clean};
        ck_assert_ok(toy_logits(clean, w->x + i * TOY_D, 1, &w->of));
        ck_assert_ok(toy_logits(z, wsr_attack_result_images(r, 0) + i * TOY_D,
                                1, &w->of));
        ck_assert_double_gt(wsr__loss_kl(NULL, NULL, z, &target, TOY_CLASSES),
                            1e-4);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {labels_make_no_difference,
                                  predictions_move_away_from_the_clean_ones,
                                  NULL};
    return suite_of("tpgd", tests);
}
