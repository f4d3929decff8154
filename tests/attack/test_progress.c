// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"
#include "support/oom.h"

static const char ensemble[] = "autoattack:steps=5,queries=20";

enum { MEMBERS = 32 };

// What a hook has heard; it stops the attack at call `stop_at`, 0: never.
typedef struct listener {
    size_t stop_at;
    size_t heard;
    size_t model_calls; // when it stopped the attack
    const toy *model;
    size_t members;
    char names[MEMBERS][16];
    size_t robust[MEMBERS];
} listener;

static bool listen(const wsr_attack_progress *progress, void *user)
{
    listener *const l = user;
    if (progress->member_done) {
        ck_assert_uint_lt(l->members, MEMBERS);
        (void)snprintf(l->names[l->members], 16, "%s", progress->member);
        l->robust[l->members++] = progress->robust;
    }
    l->heard++;
    l->model_calls = l->model->calls;
    return l->heard != l->stop_at;
}

static wsr_status attack_heard(wsr_attack_result **out, listener *l,
                               const toy_world *w, const char *spec)
{
    static const float eps[2] = {0.01f, 0.03f};
    wsr_attack *attack = NULL;
    wsr_status status = WSR_OK;
    *out = NULL;
    WSR_TRY(wsr_attack_new(&attack, spec, "batch=8"));
    WSR_TRY(wsr_attack_set_strengths(attack, eps, 2));
    wsr_attack_set_hook(attack, listen, l);
    WSR_TRY(wsr_attack_run(out, attack, w->model, w->x, w->labels, TOY_N));
out:
    wsr_attack_free(attack);
    return status;
}

START_TEST(an_attack_stops_before_the_next_pass)
{
    toy_world *const w = toy_begin(7);
    listener all = {.model = &w->of};
    wsr_attack_result *whole = NULL;
    ck_assert_ok(attack_heard(&whole, &all, w, ensemble));
    for (size_t k = 1; k <= all.heard; k += all.heard / 9) {
        listener l = {.stop_at = k, .model = &w->of};
        wsr_attack_result *result = NULL;
        ck_assert_fails(attack_heard(&result, &l, w, ensemble), WSR_CANCELED,
                        "attack autoattack: canceled");
        ck_assert_ptr_null(result);
        ck_assert_uint_eq(l.heard, k);
        ck_assert_uint_eq(w->of.calls, l.model_calls);
    }
    listener again = {.model = &w->of};
    wsr_attack_result *result = NULL;
    ck_assert_ok(attack_heard(&result, &again, w, ensemble));
    for (size_t e = 0; e < 2; e++) {
        ck_assert_mem_eq(wsr_attack_result_images(whole, e),
                         wsr_attack_result_images(result, e), sizeof(w->x));
    }
    wsr_attack_result_free(whole);
    wsr_attack_result_free(result);
    toy_end(w);
}
END_TEST

// One batch at one strength; 18 images are right.
START_TEST(members_say_what_is_robust_after_them)
{
    static const char *const names[] = {"gn", "fgsm", "pgd"};
    static const char spec[] = "chain:attacks=[gn:sigma=0.01,fgsm,pgd:steps=9]";
    static const char *const parts[] = {"chain:attacks=[gn:sigma=0.01]",
                                        "chain:attacks=[gn:sigma=0.01,fgsm]",
                                        spec};
    const float eps = 0.015f;
    toy_world *const w = toy_begin(7);
    for (int stop = 0; stop < 2; stop++) {
        listener l = {.model = &w->of};
        wsr_attack *attack = NULL;
        wsr_attack_result *result = NULL;
        ck_assert_ok(
            wsr_attack_new(&attack, spec, stop ? "stop=true" : "stop=false"));
        ck_assert_ok(wsr_attack_set_strengths(attack, &eps, 1));
        wsr_attack_set_hook(attack, listen, &l);
        ck_assert_ok(
            wsr_attack_run(&result, attack, w->model, w->x, w->labels, TOY_N));
        ck_assert_uint_eq(l.members, 3);
        for (size_t i = 0; i < 3; i++) {
            wsr_attack_result *const part = toy_run(w, parts[i], NULL, eps);
            ck_assert_str_eq(l.names[i], names[i]);
            ck_assert_uint_eq(l.robust[i], toy_robust(part));
            wsr_attack_result_free(part);
        }
        ck_assert_uint_gt(l.robust[0], l.robust[2]);
        wsr_attack_result_free(result);
        wsr_attack_free(attack);
    }
    toy_end(w);
}
END_TEST

typedef struct bench {
    listener l;
    const toy_world *w;
} bench;

static wsr_status heard(void *ctx)
{
    bench *const b = ctx;
    wsr_attack_result *result = NULL;
    b->l.members = 0;
    const wsr_status status =
        attack_heard(&result, &b->l, b->w, "chain:attacks=[fgsm,pgd:steps=2]");
    wsr_attack_result_free(result);
    return status;
}

START_TEST(memory_that_runs_short_is_reported)
{
    toy_world *const w = toy_begin(7);
    bench b = {.l = {.model = &w->of}, .w = w};
    ck_assert_ok(heard(&b)); // the model keeps its buffers
    ck_assert_uint_gt(oom_sweep(heard, &b), 20);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {an_attack_stops_before_the_next_pass,
                                  members_say_what_is_robust_after_them,
                                  memory_that_runs_short_is_reported, NULL};
    return suite_of("progress of attacks", tests);
}
