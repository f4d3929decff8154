// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(it_asks_for_logits_alone)
{
    toy_world *const w = toy_begin(7);
    toy_expect_black_box(w, "square:queries=200");
    toy_end(w);
}
END_TEST

START_TEST(queries_are_counted_and_end_with_success)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "square:queries=50", "stop=false", 0.02f);
    for (size_t i = 0; i < TOY_N; i++) {
        const uint32_t queries = wsr_attack_result_queries(r, 0)[i];
        ck_assert_uint_le(queries, 51);
        ck_assert(!wsr_attack_result_robust(r, 0)[i] || queries == 51);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(more_queries_find_more_in_every_norm)
{
    toy_world *const w = toy_begin(7);
    static const char *const specs[3][2] = {
        {"square:queries=300", "square:queries=5"},
        {"square:queries=300,norm=l2", "square:queries=5,norm=l2"},
        {"square:queries=300,norm=l1", "square:queries=5,norm=l1"}};
    static const float eps[3] = {0.015f, 0.2f, 2};
    for (size_t k = 0; k < 3; k++) {
        wsr_attack_result *const many = toy_run(w, specs[k][0], NULL, eps[k]);
        wsr_attack_result *const few = toy_run(w, specs[k][1], NULL, eps[k]);
        ck_assert_msg(toy_robust(many) < toy_robust(few),
                      "%s leaves %zu, %s %zu", specs[k][0], toy_robust(many),
                      specs[k][1], toy_robust(few));
        wsr_attack_result_free(many);
        wsr_attack_result_free(few);
    }
    toy_end(w);
}
END_TEST

START_TEST(euclidean_proposals_use_the_whole_ball)
{
    toy_world *const w = toy_begin(7);
    for (size_t i = 0; i < TOY_N * TOY_D; i++) {
        w->x[i] = 0.4f + 0.2f * w->x[i]; // away from the edges
    }
    wsr_attack_result *const r =
        toy_run(w, "square:queries=20,norm=l2", NULL, 0.05f);
    for (size_t i = 0; i < TOY_N; i++) {
        ck_assert(!wsr_attack_result_clean(r)[i] ||
                  wsr_attack_result_l2(r, 0)[i] > 0.0499f);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {it_asks_for_logits_alone,
                                  queries_are_counted_and_end_with_success,
                                  more_queries_find_more_in_every_norm,
                                  euclidean_proposals_use_the_whole_ball, NULL};
    return suite_of("square", tests);
}
