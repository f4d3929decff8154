// SPDX-License-Identifier: Apache-2.0
//
// Averages of the parameters over the steps.

#include "support/support.h"
#include "train/train.h"

#include <math.h>
#include <string.h>

enum { STEPS = 6 };

static const char source[] =
    "synthetic:size=16,count=48,test_count=16,classes=3";
static const char network[] =
    "genotype=cna_r,channels=4,layers=3,classes=3,image_size=16";

typedef struct bench {
    wsr_dataset *train;
    wsr_dataset *test;
    wsr_net *net;
    wsr_trainer *trainer;
} bench;

static bench open_bench(const char *more)
{
    bench b = {0};
    char options[256];
    (void)snprintf(options, sizeof(options),
                   "trainer=natural,epochs=2,batch=16,eval_count=16,"
                   "eval_attack=fgsm,optimizer=sgd,augment=[]%s",
                   more);
    wsr_set_threads(1);
    ck_assert_ok(wsr_dataset_open(&b.train, source, "train", NULL));
    ck_assert_ok(wsr_dataset_open(&b.test, source, "test", NULL));
    ck_assert_ok(wsr_net_new(&b.net, NULL, network, 1));
    ck_assert_ok(
        wsr_trainer_new(&b.trainer, b.net, b.train, b.test, options, 1));
    return b;
}

static void close_bench(bench *b)
{
    wsr_trainer_free(b->trainer);
    wsr_net_free(b->net);
    wsr_dataset_free(b->test);
    wsr_dataset_free(b->train);
}

static const wsr__param *weights(const bench *b)
{
    return wsr__params_named(wsr_net_params(b->net), "classifier.weight");
}

// Averages of the weights of the steps of a training without an average, which
// has the same weights.
static void check_average(const char *more, size_t first, double decay)
{
    bench plain = open_bench("");
    bench b = open_bench(more);
    double want[256] = {0};
    const size_t n = (size_t)weights(&b)->count;
    ck_assert_uint_le(n, 256);
    for (size_t step = 0; step < STEPS; step++) {
        ck_assert_ok(wsr_trainer_step(plain.trainer));
        ck_assert_ok(wsr_trainer_step(b.trainer));
        const double seen = (double)step - (double)first + 1;
        const double keep = decay > 0 ? decay : 1 - 1 / seen;
        for (size_t k = 0; step >= first && k < n; k++) {
            const double w = (double)weights(&plain)->data[k];
            want[k] = step == first ? w : keep * want[k] + (1 - keep) * w;
        }
        ck_assert(same_bits(weights(&plain)->data, weights(&b)->data,
                            n * sizeof(float)));
    }
    wsr_trainer_keep_best(b.trainer);
    wsr_trainer_keep_best(b.trainer); // again: nothing further
    ck_assert(!same_bits(weights(&plain)->data, weights(&b)->data,
                         n * sizeof(float)));
    for (size_t k = 0; k < n; k++) {
        ck_assert_double_eq_tol((double)weights(&b)->data[k], want[k], 1e-6);
    }
    close_bench(&plain);
    close_bench(&b);
}

START_TEST(ema_forgets_old_weights)
{
    check_average(",ema=0.8", 0, 0.8);
}
END_TEST

START_TEST(swa_is_the_mean_from_an_epoch_on)
{
    check_average(",swa=1", 0, 0);
    check_average(",swa=2", 3, 0);
}
END_TEST

// The average moves slowly, so the network that is validated is another one.
START_TEST(validations_see_the_average)
{
    bench plain = open_bench(",lr=0.5");
    bench b = open_bench(",lr=0.5,ema=0.999,keep=best_clean");
    while (!wsr_trainer_done(b.trainer)) {
        ck_assert_ok(wsr_trainer_step(plain.trainer));
        ck_assert_ok(wsr_trainer_step(b.trainer));
    }
    const double loss = wsr_trainer_get(b.trainer, 1, WSR_TRAIN_LOSS);
    ck_assert_double_eq(loss,
                        wsr_trainer_get(plain.trainer, 1, WSR_TRAIN_LOSS));
    wsr_trainer_keep_best(b.trainer);
    const size_t n = (size_t)weights(&b)->count;
    ck_assert(!same_bits(weights(&plain)->data, weights(&b)->data,
                         n * sizeof(float)));
    close_bench(&plain);
    close_bench(&b);
}
END_TEST

static void steps(const bench *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ck_assert_ok(wsr_trainer_step(b->trainer));
    }
}

static void check_loaded(const char *options)
{
    bench whole = open_bench(options);
    bench first = open_bench(options);
    bench second = open_bench(options);
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/c", scratch_folder("average"));
    steps(&whole, STEPS);
    steps(&first, 4);
    ck_assert_ok(wsr_trainer_save(first.trainer, path));
    ck_assert_ok(wsr_trainer_load(second.trainer, path));
    steps(&second, STEPS - 4);
    wsr_trainer_keep_best(whole.trainer);
    wsr_trainer_keep_best(second.trainer);
    ck_assert(same_bits(weights(&whole)->data, weights(&second)->data,
                        (size_t)weights(&whole)->count * sizeof(float)));
    close_bench(&whole);
    close_bench(&first);
    close_bench(&second);
}

START_TEST(a_loaded_average_goes_on_bit_for_bit)
{
    static const char *const options[] = {",ema=0.8", ",swa=2", ",awp=0.01"};
    for (size_t i = 0; i < 3; i++) {
        check_loaded(options[i]);
    }
}
END_TEST

START_TEST(two_averages_are_refused)
{
    bench b = open_bench("");
    wsr_trainer *trainer = NULL;
    ck_assert_fails(
        wsr_trainer_new(&trainer, b.net, b.train, b.test, "ema=0.9,swa=2", 1),
        WSR_CONFIG, "train.ema: 0.9 and train.swa: 2");
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        ema_forgets_old_weights,     swa_is_the_mean_from_an_epoch_on,
        validations_see_the_average, a_loaded_average_goes_on_bit_for_bit,
        two_averages_are_refused,    NULL};
    return suite_of("average", tests);
}
