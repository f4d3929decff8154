// SPDX-License-Identifier: Apache-2.0

#include "train/each_trainer.h"
#include "train/paired.h"
#include "train/train_step.h"

static void open_with_base(step_bench *b, const char *trainer)
{
    char spec[TRAINER_SPEC + 64];
    (void)snprintf(spec, sizeof(spec), "%s,base=%s", trainer,
                   each_trainer_base(step_network));
    step_open(b, spec);
}

// The base is another network of the same kind, which is better on some labels
// and worse on others.
START_TEST(only_a_larger_loss_than_the_base_has_is_learned_from)
{
    step_bench b;
    size_t chosen = 0;
    open_with_base(&b, "constraint:eps=0.05,steps=2");
    b.step.update = 1;
    for (int32_t label = 0; label < STEP_CLASSES; label++) {
        for (size_t k = 0; k < STEP_N; k++) {
            b.labels[k] = label;
        }
        wsr_params_zero_grad(wsr_net_params(b.net), true);
        b.step.skip = false;
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        ck_assert(b.step.skip == (b.step.constraint <= 0));
        const bool learned = wsr_params_grad(wsr_net_params(b.net), 0) != NULL;
        ck_assert(learned == !b.step.skip);
        chosen += learned;
    }
    ck_assert(chosen > 0 && chosen < STEP_CLASSES);
    step_close(&b);
}
END_TEST

START_TEST(the_base_keeps_its_weights_and_its_statistics_follow)
{
    step_bench b;
    open_with_base(&b, "constraint:eps=0.05,steps=2");
    const wsr__paired *const base = b.own;
    const wsr_params *const params = wsr_net_params(base->net);
    const float first = wsr_params_data(params, 0)[0];
    b.step.update = 1;
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_float_eq(wsr_params_data(params, 0)[0], first);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        ck_assert(!p->integer || p->data[0] >= 2);
    }
    step_close(&b);
}
END_TEST

START_TEST(a_base_must_be_there_and_fit)
{
    wsr__paired *base = NULL;
    step_bench b;
    step_open(&b, "natural");
    const wsr__training_of of = {b.net, NULL, NULL, 1};
    ck_assert_fails(wsr__paired_open(&base, "base", "", &of, STEP_N, 0),
                    WSR_CONFIG, "base: is missing");
    ck_assert_fails(
        wsr__paired_open(&base, "base", "/nowhere/net", &of, STEP_N, 0),
        WSR_NOTFOUND, "/nowhere/net");
    const char *const wide = each_trainer_base(
        "genotype=cna_r,channels=4,layers=3,classes=4,image_size=16");
    ck_assert_fails(wsr__paired_open(&base, "base", wide, &of, STEP_N, 0),
                    WSR_ARG, "has 4 classes, the trained network 3");
    const char *const large = each_trainer_base(
        "genotype=cna_r,channels=4,layers=3,classes=3,image_size=32");
    ck_assert_fails(wsr__paired_open(&base, "base", large, &of, STEP_N, 0),
                    WSR_SHAPE, "takes images");
    step_close(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        only_a_larger_loss_than_the_base_has_is_learned_from,
        the_base_keeps_its_weights_and_its_statistics_follow,
        a_base_must_be_there_and_fit, NULL};
    return suite_of("constraint", tests);
}
