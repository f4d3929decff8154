// SPDX-License-Identifier: Apache-2.0

#include "attack/toy_surrogate.h"

// The surrogate's own logits without its gradients: what an attack finds on it
// must then fool this model just as well.
static wsr_status same_logits(float *logits, const float *x, size_t n,
                              void *user)
{
    return wsr_model_logits(logits, user, x, n);
}

typedef struct world {
    wsr_net *net;
    wsr_model *white;
    wsr_model *black; // the same network, as a black box
    float x[TOY_N * TOY_D];
    int32_t labels[TOY_N];
} world;

static void begin(world *w)
{
    static toy of;
    float logits[TOY_N * TOY_CLASSES];
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    toy_fill(&of, 3);
    toy_images(w->x, w->labels, TOY_N, &of, 3);
    w->net = toy_surrogate();
    ck_assert_ok(wsr_model_from_net(&w->white, w->net, 0));
    ck_assert_ok(wsr_model_new(&w->black, &shape, TOY_CLASSES, same_logits,
                               NULL, w->white));
    ck_assert_ok(wsr_model_logits(logits, w->white, w->x, TOY_N));
    for (size_t i = 0; i < TOY_N; i++) {
        w->labels[i] = wsr__argmax(logits + i * TOY_CLASSES, TOY_CLASSES);
    }
}

static void end(world *w)
{
    wsr_model_free(w->black);
    wsr_model_free(w->white);
    wsr_net_free(w->net);
}

static const char *spec_of(const char *attack)
{
    static char text[600];
    (void)snprintf(text, sizeof(text), "transfer:net=%s,attack=%s",
                   toy_surrogate_file(), attack);
    return text;
}

START_TEST(images_are_those_of_the_attack_on_the_other_network)
{
    static world w;
    const float eps = 0.4f;
    const char *const attack = "pgd:steps=5,random_start=true";
    begin(&w);
    const toy_task on_black = {w.black, w.x, w.labels, TOY_N};
    const toy_task on_white = {w.white, w.x, w.labels, TOY_N};
    wsr_attack_result *const have =
        toy_attack(spec_of("[pgd:steps=5,random_start=true]"), "seed=5", &eps,
                   1, &on_black);
    wsr_attack_result *const want =
        toy_attack(attack, "seed=5,stop=false", &eps, 1, &on_white);
    ck_assert_uint_lt(toy_robust(have), TOY_N);
    ck_assert(same_bits(wsr_attack_result_images(have, 0),
                        wsr_attack_result_images(want, 0), sizeof(w.x)));
    ck_assert(same_bits(wsr_attack_result_robust(have, 0),
                        wsr_attack_result_robust(want, 0), TOY_N));
    wsr_attack_result_free(have);
    wsr_attack_result_free(want);
    end(&w);
}
END_TEST

START_TEST(the_model_is_asked_once_for_each_image)
{
    static world w;
    const float eps[] = {0.01f, 0.05f};
    begin(&w);
    wsr_attack_result *const r =
        toy_attack(spec_of("pgd"), "nested=false", eps, 2,
                   &(toy_task){w.black, w.x, w.labels, TOY_N});
    for (size_t i = 0; i < TOY_N; i++) {
        ck_assert_uint_eq(wsr_attack_result_queries(r, 0)[i], 2);
        ck_assert_uint_eq(wsr_attack_result_queries(r, 1)[i], 1);
        ck_assert_uint_eq(wsr_attack_result_gradients(r, 0)[i], 0);
    }
    wsr_attack_result_free(r);
    end(&w);
}
END_TEST

static bool stop_late(const wsr_attack_progress *progress, void *user)
{
    size_t *const calls = user;
    ck_assert_double_le(progress->done, 1);
    ck_assert_uint_le(progress->passes, progress->passes_most);
    return ++*calls < 4;
}

START_TEST(the_hook_stops_the_attack_on_the_other_network)
{
    static world w;
    size_t calls = 0;
    wsr_attack *attack = NULL;
    wsr_attack_result *result = NULL;
    begin(&w);
    ck_assert_ok(wsr_attack_new(&attack, spec_of("pgd"), NULL));
    wsr_attack_set_hook(attack, stop_late, &calls);
    ck_assert_fails(
        wsr_attack_run(&result, attack, w.black, w.x, w.labels, TOY_N),
        WSR_CANCELED, "");
    ck_assert_uint_eq(calls, 4);
    ck_assert_ptr_null(result);
    wsr_attack_free(attack);
    end(&w);
}
END_TEST

START_TEST(mistakes_are_named)
{
    const wsr_shape wide = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE + 1);
    static world w;
    wsr_attack *attack = NULL;
    wsr_model *model = NULL;
    ck_assert_fails(wsr_attack_new(&attack, "transfer", NULL), WSR_CONFIG,
                    "transfer.net: a file is needed");
    ck_assert_fails(wsr_attack_new(&attack, "transfer:net=none.onnx", NULL),
                    WSR_IO, "none.onnx");
    ck_assert_fails(wsr_attack_new(&attack, spec_of("pdg"), NULL), WSR_NOTFOUND,
                    "did you mean 'pgd'");
    ck_assert_fails(wsr_attack_new(&attack, spec_of("pgd"), "target=least"),
                    WSR_CONFIG, "transfer knows no targets");
    begin(&w);
    ck_assert_ok(wsr_attack_new(&attack, spec_of("pgd"), NULL));
    ck_assert_ok(
        wsr_model_new(&model, &wide, TOY_CLASSES, same_logits, NULL, w.white));
    ck_assert_fails(wsr__attack_fits(attack->cls, attack->params, model),
                    WSR_SHAPE, "(3, 6, 7)");
    wsr_model_free(model);
    wsr_attack_free(attack);
    end(&w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        images_are_those_of_the_attack_on_the_other_network,
        the_model_is_asked_once_for_each_image,
        the_hook_stops_the_attack_on_the_other_network, mistakes_are_named,
        NULL};
    return suite_of("transfer", tests);
}
