// SPDX-License-Identifier: Apache-2.0

#include "attack/engine/auto_pgd.h"
#include "attack/engine/combine.h"
#include "attack/model_support.h"

// The first two classes of the toy.
static wsr_status two_logits(float *logits, const float *x, size_t n,
                             void *user)
{
    float all[TOY_MOST * TOY_CLASSES];
    ck_assert_ok(toy_logits(all, x, n, user));
    for (size_t i = 0; i < n; i++) {
        memcpy(logits + 2 * i, all + TOY_CLASSES * i, 2 * sizeof(*all));
    }
    return WSR_OK;
}

static wsr_status two_backward(float *dx, const float *dlogits, size_t n,
                               void *user)
{
    float all[TOY_MOST * TOY_CLASSES] = {0};
    for (size_t i = 0; i < n; i++) {
        memcpy(all + TOY_CLASSES * i, dlogits + 2 * i, 2 * sizeof(*all));
    }
    return toy_backward(dx, all, n, user);
}

START_TEST(it_leaves_no_more_standing_than_its_members)
{
    toy_world *const w = toy_begin(7);
    static const char *const members[] = {
        "apgd_ce:steps=20", "square:queries=50", "fab_t:steps=20"};
    wsr_attack_result *const r =
        toy_run(w, "autoattack:steps=20,queries=50", NULL, 0.01f);
    for (size_t k = 0; k < 3; k++) {
        wsr_attack_result *const one = toy_run(w, members[k], NULL, 0.01f);
        ck_assert_uint_le(toy_robust(r), toy_robust(one));
        wsr_attack_result_free(one);
    }
    ck_assert_uint_gt(toy_robust(r), 0);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

// Members are made with the attack, not for every batch and strength.
START_TEST(members_are_made_once)
{
    wsr_attack *attack = NULL;
    ck_assert_ok(wsr_attack_new(
        &attack, "autoattack:version=plus,norm=l2,steps=7,restarts=2", NULL));
    const wsr__members *const members = attack->cls->members(attack->params);
    ck_assert_uint_eq(members->n, 6);
    const wsr__apgd *const apgd = members->list[0].params;
    ck_assert_int_eq(apgd->steps, 7);
    ck_assert_int_eq(apgd->restarts, 2);
    ck_assert_str_eq(apgd->norm.s, "l2");
    ck_assert(members->list[1].optional);
    ck_assert(!members->list[2].optional);
    wsr_attack_free(attack);
}
END_TEST

START_TEST(all_versions_work_in_all_norms)
{
    toy_world *const w = toy_begin(7);
    static const char *const versions[] = {"standard", "plus", "rand"};
    static const float eps[3] = {0.01f, 0.1f, 0.7f};
    for (size_t k = 0; k < 9; k++) {
        char spec[128];
        (void)snprintf(spec, sizeof(spec),
                       "autoattack:version=%s,norm=%s,steps=5,queries=10,"
                       "restarts=1,eot=2",
                       versions[k / 3], wsr__lp_names[k % 3]);
        wsr_attack_result *const r = toy_run(w, spec, NULL, eps[k % 3]);
        ck_assert_msg(toy_robust(r) < 18, "%s fools nothing", spec);
        wsr_attack_result_free(r);
    }
    toy_end(w);
}
END_TEST

// Version, norm, and what the authors' code makes of it (with fewer steps and
// queries).
static const char *const published[][3] = {
    {"standard", "linf",
     "apgd_ce:steps=5,apgd_t:steps=5,targets=9,fab_t:steps=5,targets=9,"
     "square:queries=10"},
    {"standard", "l2",
     "apgd_ce:steps=5,norm=l2,apgd_t:steps=5,targets=9,norm=l2,"
     "fab_t:steps=5,targets=9,norm=l2,square:queries=10,norm=l2"},
    {"standard", "l1",
     "apgd_ce:steps=5,restarts=5,large=true,norm=l1,"
     "apgd_t:steps=5,targets=5,large=true,norm=l1,"
     "fab_t:steps=5,targets=9,norm=l1,square:queries=10,norm=l1"},
    {"plus", "linf",
     "apgd_ce:steps=5,restarts=5,apgd_dlr:steps=5,restarts=5,"
     "fab:steps=5,restarts=5,square:queries=10,apgd_t:steps=5,targets=9,"
     "fab_t:steps=5,targets=9"},
    {"plus", "l1",
     "apgd_ce:steps=5,restarts=5,norm=l1,apgd_dlr:steps=5,restarts=5,norm=l1,"
     "fab:steps=5,restarts=5,norm=l1,square:queries=10,norm=l1,"
     "apgd_t:steps=5,targets=9,norm=l1,fab_t:steps=5,targets=9,norm=l1"},
    {"rand", "linf", "apgd_ce:steps=5,eot=20,apgd_dlr:steps=5,eot=20"},
    {"rand", "l1",
     "apgd_ce:steps=5,eot=20,norm=l1,apgd_dlr:steps=5,eot=20,norm=l1"},
};

START_TEST(versions_are_the_published_chains)
{
    toy_world *const w = toy_begin(7);
    for (size_t k = 0; k < sizeof(published) / sizeof(published[0]); k++) {
        const char *const *const row = published[k];
        const float eps = strcmp(row[1], "linf") == 0 ? 0.01f
                          : strcmp(row[1], "l2") == 0 ? 0.1f
                                                      : 0.7f;
        char spec[500];
        (void)snprintf(spec, sizeof(spec),
                       "autoattack:version=%s,norm=%s,steps=5,queries=10",
                       row[0], row[1]);
        wsr_attack_result *const a = toy_run(w, spec, "seed=3", eps);
        (void)snprintf(spec, sizeof(spec), "chain:attacks=[%s]", row[2]);
        wsr_attack_result *const b = toy_run(w, spec, "seed=3", eps);
        for (size_t i = 0; i < TOY_N; i++) {
            ck_assert_msg(wsr_attack_result_queries(a, 0)[i] ==
                              wsr_attack_result_queries(b, 0)[i],
                          "%s in %s is not %s", row[0], row[1], row[2]);
        }
        ck_assert_mem_eq(wsr_attack_result_images(a, 0),
                         wsr_attack_result_images(b, 0), sizeof(w->x));
        ck_assert_uint_gt(toy_robust(a), 0);
        wsr_attack_result_free(a);
        wsr_attack_result_free(b);
    }
    toy_end(w);
}
END_TEST

START_TEST(few_classes_are_enough)
{
    toy_world *const w = toy_begin(7);
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    static const char *const versions[] = {"standard", "plus", "rand"};
    const float eps = 0.02f;
    wsr_model *two = NULL;
    int32_t labels[TOY_N];
    ck_assert_ok(
        wsr_model_new(&two, &shape, 2, two_logits, two_backward, &w->of));
    for (size_t i = 0; i < TOY_N; i++) {
        float z[2];
        ck_assert_ok(two_logits(z, w->x + i * TOY_D, 1, &w->of));
        labels[i] = wsr__argmax(z, 2);
    }
    for (size_t k = 0; k < 3; k++) {
        char spec[128];
        (void)snprintf(spec, sizeof(spec),
                       "autoattack:version=%s,steps=5,queries=10,eot=2",
                       versions[k]);
        wsr_attack_result *const r = toy_attack(
            spec, NULL, &eps, 1, &(toy_task){two, w->x, labels, TOY_N});
        ck_assert_uint_lt(toy_robust(r), TOY_N);
        wsr_attack_result_free(r);
    }
    wsr_model_free(two);
    toy_end(w);
}
END_TEST

START_TEST(hyphens_are_as_good_as_underscores)
{
    toy_world *const w = toy_begin(7);
    wsr_attack *attack = NULL;
    (void)w;
    ck_assert_ok(wsr_attack_new(&attack, "apgd-ce:steps=3", NULL));
    ck_assert_str_eq(wsr_attack_name(attack), "apgd_ce");
    wsr_attack_free(attack);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {it_leaves_no_more_standing_than_its_members,
                                  members_are_made_once,
                                  all_versions_work_in_all_norms,
                                  versions_are_the_published_chains,
                                  few_classes_are_enough,
                                  hyphens_are_as_good_as_underscores,
                                  NULL};
    return suite_of("autoattack", tests);
}
