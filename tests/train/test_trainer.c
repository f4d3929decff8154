// SPDX-License-Identifier: Apache-2.0
//
// Training in the hands of the caller.

#include "support/oom.h"
#include "support/support.h"
#include "train/each_trainer.h"
#include "train/train.h"
#include "train/trainer_bench.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static const char natural[] =
    "trainer=natural,epochs=3,batch=40,augment=[flip],eval_every=2,"
    "eval_count=48,eval_attack=fgsm,optimizer=\"sgd:momentum=0.9\"";

// What a run of the same options makes of a network.
static void run_of(wsr_net *net, const bench *b, const char *options)
{
    wsr__train_params params;
    wsr__training *training = NULL;
    wsr__run *run = NULL;
    const wsr__training_of of = {net, b->train, b->test, 1};
    wsr__params_default(&params, wsr__train_schema);
    ck_assert_ok(
        wsr__params_parse(&params, wsr__train_schema, "train.", options));
    ck_assert_ok(wsr__training_new(&training, &of, &params));
    ck_assert_ok(wsr__run_open(&run, scratch_folder("run"), false, NULL, NULL));
    ck_assert_ok(wsr__run_make(run));
    ck_assert_ok(wsr__run_begin(run, NULL));
    ck_assert_ok(wsr__training_run(training, run));
    wsr__run_close(run);
    wsr__training_free(training);
}

START_TEST(steps_and_epochs_are_those_of_a_run)
{
    bench steps = open_bench(natural);
    bench epochs = open_bench(natural);
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new(&net, NULL, network, 1));
    run_of(net, &steps, natural);
    ck_assert_uint_eq(wsr_trainer_epoch_steps(steps.trainer), 3);
    finish(&steps);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(wsr_trainer_epochs(epochs.trainer), i);
        ck_assert_ok(wsr_trainer_epoch(epochs.trainer));
        ck_assert_uint_eq(wsr_trainer_steps(epochs.trainer), 0);
    }
    ck_assert(wsr_trainer_done(epochs.trainer));
    ck_assert(same_nets(net, steps.net));
    ck_assert(same_nets(net, epochs.net));
    ck_assert_fails(wsr_trainer_step(steps.trainer), WSR_ARG,
                    "all 3 epochs are done");
    wsr_net_free(net);
    close_bench(&steps);
    close_bench(&epochs);
}
END_TEST

START_TEST(curves_can_be_read_while_they_grow)
{
    bench b = open_bench(natural);
    const wsr_trainer *const t = b.trainer;
    ck_assert_double_nan(wsr_trainer_get(t, 0, WSR_TRAIN_LOSS));
    ck_assert_ok(wsr_trainer_step(b.trainer));
    const double early = wsr_trainer_get(t, 0, WSR_TRAIN_LOSS);
    ck_assert_double_gt(early, 0);
    ck_assert_double_nan(wsr_trainer_get(t, 0, WSR_TRAIN_TEST_CLEAN));
    ck_assert_double_nan(wsr_trainer_get(t, 1, WSR_TRAIN_LOSS));
    finish(&b);
    for (size_t i = 0; i < 3; i++) {
        const double accuracy = wsr_trainer_get(t, i, WSR_TRAIN_ACCURACY);
        ck_assert(accuracy >= 0 && accuracy <= 1);
        ck_assert_double_eq(accuracy,
                            wsr_trainer_get(t, i, WSR_TRAIN_CLEAN_ACCURACY));
        // The validation is due after the second epoch and after the last one.
        ck_assert(isnan(wsr_trainer_get(t, i, WSR_TRAIN_TEST_CLEAN)) ==
                  (i == 0));
        ck_assert(isnan(wsr_trainer_get(t, i, WSR_TRAIN_TEST_ROBUST)) ==
                  (i == 0));
    }
    ck_assert_double_eq(wsr_trainer_get(t, 0, WSR_TRAIN_LR), 0.1);
    ck_assert_double_lt(wsr_trainer_get(t, 2, WSR_TRAIN_LR), 0.1);
    ck_assert_double_nan(wsr_trainer_get(t, 3, WSR_TRAIN_LR));
    ck_assert_double_nan(wsr_trainer_get(t, 0, (wsr_train_curve)99));
    close_bench(&b);
}
END_TEST

// For member _i of the family: what a trainer keeps from batch to batch is in
// the file.
START_TEST(a_loaded_trainer_goes_on_bit_for_bit)
{
    char spec[TRAINER_SPEC];
    char options[TRAINER_SPEC + 128];
    each_trainer_spec(spec, _i, network);
    (void)snprintf(options, sizeof(options),
                   "trainer=\"%s\",epochs=2,batch=20,eval_count=24,"
                   "eval_attack=fgsm,keep=best_robust,optimizer=adam",
                   spec);
    bench whole = open_half("network", network, options);
    bench first = open_half("network", network, options);
    bench second = open_half("network", network, options);
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/c", scratch_folder("load"));
    finish(&whole);
    for (size_t i = 0; i < 4; i++) { // into the second epoch
        ck_assert_ok(wsr_trainer_step(first.trainer));
    }
    ck_assert_ok(wsr_trainer_save(first.trainer, path));
    ck_assert_ok(wsr_trainer_load(second.trainer, path));
    ck_assert_uint_eq(wsr_trainer_epochs(second.trainer), 1);
    ck_assert_uint_eq(wsr_trainer_steps(second.trainer), 1);
    finish(&second);
    ck_assert(same_nets(whole.net, second.net));
    for (size_t e = 0; e < 2; e++) {
        for (int c = 0; c <= WSR_TRAIN_TEST_ROBUST; c++) {
            const double a =
                wsr_trainer_get(whole.trainer, e, (wsr_train_curve)c);
            const double b =
                wsr_trainer_get(second.trainer, e, (wsr_train_curve)c);
            ck_assert(same_bits(&a, &b, sizeof(a)) || (isnan(a) && isnan(b)));
        }
    }
    wsr_trainer_keep_best(whole.trainer);
    wsr_trainer_keep_best(second.trainer);
    ck_assert(same_nets(whole.net, second.net));
    close_bench(&whole);
    close_bench(&first);
    close_bench(&second);
}
END_TEST

START_TEST(a_file_that_does_not_fit_changes_nothing)
{
    bench sgd = open_bench(natural);
    bench same = open_bench(natural);
    bench adam = open_bench("trainer=natural,epochs=3,batch=40,eval_every=0,"
                            "optimizer=adam");
    bench small = open_bench("trainer=natural,epochs=3,batch=16,eval_every=0");
    wsr_trainer *other = NULL;
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/c", scratch_folder("refuse"));
    ck_assert_fails(wsr_trainer_load(sgd.trainer, path), WSR_NOTFOUND,
                    "there is no checkpoint");
    ck_assert_ok(wsr_trainer_step(adam.trainer));
    ck_assert_ok(wsr_trainer_save(adam.trainer, path));
    ck_assert_ok(wsr_trainer_step(sgd.trainer));
    ck_assert_fails(wsr_trainer_load(sgd.trainer, path), WSR_FORMAT,
                    "momentum_buffer");
    ck_assert_ok(wsr_trainer_step(small.trainer));
    ck_assert_ok(wsr_trainer_save(small.trainer, path));
    ck_assert_fails(wsr_trainer_load(sgd.trainer, path), WSR_FORMAT,
                    "is of a training with batches of 16, not 40");
    // As many batches of another size.
    ck_assert_ok(wsr_trainer_new(&other, small.net, sgd.train, NULL,
                                 "trainer=natural,epochs=3,batch=33", 1));
    ck_assert_ok(wsr_trainer_save(other, path));
    ck_assert_fails(wsr_trainer_load(sgd.trainer, path), WSR_FORMAT,
                    "is of a training with batches of 33, not 40");
    wsr_trainer_free(other);
    ck_assert_ok(
        wsr_trainer_new(&other, small.net, sgd.train, NULL, natural, 2));
    ck_assert_ok(wsr_trainer_save(other, path));
    ck_assert_fails(wsr_trainer_load(sgd.trainer, path), WSR_FORMAT,
                    "is of a training with seed 2, not 1");
    finish(&sgd);
    finish(&same);
    ck_assert(same_nets(sgd.net, same.net));
    wsr_trainer_free(other);
    close_bench(&sgd);
    close_bench(&same);
    close_bench(&adam);
    close_bench(&small);
}
END_TEST

typedef struct counter {
    size_t calls;
    size_t fail_at; // 0: never
    wsr_status status;
} counter;

static wsr_status count_calls(double *loss, float *diff, const float *logits,
                              const wsr_shape *shape, const int32_t *labels,
                              void *user)
{
    counter *const c = user;
    c->calls++;
    return c->calls == c->fail_at
               ? c->status
               : wsr_cross_entropy(loss, diff, logits, shape, labels, 0.1);
}

START_TEST(a_loss_of_ones_own_takes_the_place_of_cross_entropy)
{
    static const char smoothed[] =
        "trainer=natural,epochs=2,batch=40,eval_every=0,label_smoothing=0.1";
    bench built_in = open_bench(smoothed);
    bench own = open_bench("trainer=natural,epochs=2,batch=40,eval_every=0");
    counter c = {0};
    wsr_trainer_set_loss(own.trainer, count_calls, &c);
    finish(&built_in);
    finish(&own);
    ck_assert_uint_eq(c.calls, 6);
    ck_assert(same_nets(built_in.net, own.net));
    ck_assert_double_eq(wsr_trainer_get(own.trainer, 1, WSR_TRAIN_LOSS),
                        wsr_trainer_get(built_in.trainer, 1, WSR_TRAIN_LOSS));
    close_bench(&built_in);
    close_bench(&own);
}
END_TEST

START_TEST(a_loss_that_fails_leaves_the_trainer_before_the_same_batch)
{
    static const char options[] =
        "trainer=natural,epochs=1,batch=40,eval_every=0";
    bench b = open_bench(options);
    counter c = {.fail_at = 2, .status = WSR_UNSUPPORTED};
    wsr_trainer_set_loss(b.trainer, count_calls, &c);
    ck_assert_ok(wsr_trainer_step(b.trainer));
    ck_assert_fails(wsr_trainer_step(b.trainer), WSR_UNSUPPORTED,
                    "train: epoch 0, step 1: the loss function returned "
                    "'not supported'");
    ck_assert_uint_eq(wsr_trainer_steps(b.trainer), 1);
    finish(&b);
    ck_assert_uint_eq(c.calls, 4);
    close_bench(&b);
}
END_TEST

static wsr_status bad_labels(double *loss, float *diff, const float *logits,
                             const wsr_shape *shape, const int32_t *labels,
                             void *user)
{
    (void)user;
    return wsr_cross_entropy(loss, diff, logits, shape, labels, 7);
}

static wsr_status infinite(double *loss, float *diff, const float *logits,
                           const wsr_shape *shape, const int32_t *labels,
                           void *user)
{
    (void)user;
    const wsr_status status =
        wsr_cross_entropy(loss, diff, logits, shape, labels, 0);
    *loss = (double)INFINITY;
    return status;
}

START_TEST(the_detail_of_a_loss_is_kept_and_its_value_checked)
{
    bench b = open_bench("trainer=natural,epochs=1,batch=40,eval_every=0");
    wsr_trainer_set_loss(b.trainer, bad_labels, NULL);
    ck_assert_fails(wsr_trainer_step(b.trainer), WSR_ARG,
                    "step 0: cross_entropy: smoothing 7");
    wsr_trainer_set_loss(b.trainer, infinite, NULL);
    ck_assert_fails(wsr_trainer_step(b.trainer), WSR_NUMERIC,
                    "loss of logits: inf is not finite");
    wsr_trainer_set_loss(b.trainer, NULL, NULL);
    ck_assert_ok(wsr_trainer_step(b.trainer));
    close_bench(&b);
}
END_TEST

typedef struct stopper {
    size_t calls;
    size_t stop_at;
} stopper;

static bool stop(const wsr_progress *p, void *user)
{
    stopper *const s = user;
    ck_assert(strcmp(p->phase, "train") == 0 ||
              strcmp(p->phase, "validate") == 0);
    ck_assert_uint_le(p->step, p->steps);
    ck_assert_ptr_nonnull(p->note);
    s->calls++;
    return s->calls != s->stop_at;
}

START_TEST(a_stop_at_any_moment_changes_nothing)
{
    static const char brief[] =
        "trainer=natural,epochs=2,batch=48,eval_count=48,eval_attack=fgsm";
    bench whole = open_bench(brief);
    stopper all = {0};
    wsr_trainer_set_hook(whole.trainer, stop, &all);
    finish(&whole);
    ck_assert_uint_gt(all.calls, 5);
    for (size_t at = 1; at <= all.calls; at++) {
        bench b = open_bench(brief);
        stopper s = {.stop_at = at};
        size_t canceled = 0;
        wsr_trainer_set_hook(b.trainer, stop, &s);
        while (!wsr_trainer_done(b.trainer)) {
            const wsr_status status = wsr_trainer_step(b.trainer);
            ck_assert(status == WSR_OK || status == WSR_CANCELED);
            canceled += status == WSR_CANCELED;
        }
        ck_assert_uint_eq(canceled, 1);
        ck_assert(same_nets(whole.net, b.net));
        close_bench(&b);
    }
    close_bench(&whole);
}
END_TEST

START_TEST(what_cannot_be_trained_is_refused)
{
    bench b = open_bench(natural);
    wsr_trainer *trainer = b.trainer;
    wsr_net *other = NULL;
    ck_assert_fails(
        wsr_trainer_new(&trainer, b.net, b.train, NULL, "epoch=2", 1),
        WSR_CONFIG, "did you mean 'train.epochs'");
    ck_assert_ptr_null(trainer);
    // Options of runs are none of a trainer.
    ck_assert_fails(
        wsr_trainer_new(&trainer, b.net, b.train, NULL, "save_every=2", 1),
        WSR_CONFIG, "train.save_every");
    ck_assert_fails(
        wsr_trainer_new(&trainer, b.net, b.train, NULL, "trainer=mary", 1),
        WSR_NOTFOUND, "madry");
    ck_assert_ok(wsr_net_new(&other, NULL,
                             "genotype=cna_r,channels=4,layers=3,classes=2,"
                             "image_size=16",
                             1));
    ck_assert_fails(wsr_trainer_new(&trainer, other, b.train, NULL, NULL, 1),
                    WSR_ARG, "3 classes, the network 2");
    wsr_net_free(other);
    ck_assert_ok(
        wsr_supernet_new(&other, "channels=4,layers=3,image_size=16", 1));
    ck_assert_fails(wsr_trainer_new(&trainer, other, b.train, NULL, NULL, 1),
                    WSR_ARG, "supernet");
    wsr_net_free(other);
    close_bench(&b);
}
END_TEST

static wsr_status whole_life(void *ctx)
{
    const bench *const b = ctx;
    wsr_status status = WSR_OK;
    wsr_trainer *trainer = NULL;
    const char *const path = "trainer-oom";
    WSR_TRY(wsr_trainer_new(&trainer, b->net, b->train, NULL,
                            "trainer=natural,epochs=1,batch=96,augment=[]", 1));
    WSR_TRY(wsr_trainer_save(trainer, path));
    WSR_TRY(wsr_trainer_load(trainer, path));
out:
    wsr_trainer_free(trainer);
    return status;
}

START_TEST(memory_that_runs_short_is_reported)
{
    bench b = open_bench(natural);
    ck_assert_int_eq(chdir(scratch_folder("oom")), 0);
    ck_assert_uint_gt(oom_sweep(whole_life, &b), 0);
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        steps_and_epochs_are_those_of_a_run,
        curves_can_be_read_while_they_grow,
        a_file_that_does_not_fit_changes_nothing,
        a_loss_of_ones_own_takes_the_place_of_cross_entropy,
        a_loss_that_fails_leaves_the_trainer_before_the_same_batch,
        the_detail_of_a_loss_is_kept_and_its_value_checked,
        a_stop_at_any_moment_changes_nothing,
        what_cannot_be_trained_is_refused,
        memory_that_runs_short_is_reported,
        NULL,
    };
    Suite *const s = suite_of("trainer", tests);
    TCase *const loop = tcase_create("each trainer");
    tcase_add_loop_test(loop, a_loaded_trainer_goes_on_bit_for_bit, 0,
                        each_trainer_count());
    suite_add_tcase(s, loop);
    return s;
}
