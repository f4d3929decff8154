// SPDX-License-Identifier: Apache-2.0
//
// Training without a configuration around it.

#include "support/support.h"
#include "train/train.h"

#include <math.h>
#include <string.h>

typedef struct bench {
    wsr_dataset *train;
    wsr_dataset *test;
    wsr_net *net;
    wsr__training *training;
    wsr__run *run;
    wsr__train_params params;
} bench;

static void open_bench(bench *b, const char *name, const char *options)
{
    *b = (bench){0};
    wsr_set_threads(1);
    ck_assert_ok(wsr_dataset_open(
        &b->train, "synthetic:size=16,count=96,test_count=48,classes=3",
        "train", NULL));
    ck_assert_ok(wsr_dataset_open(
        &b->test, "synthetic:size=16,count=96,test_count=48,classes=3", "test",
        NULL));
    ck_assert_ok(wsr_net_new_kind(&b->net, "network",
                                  "genotype=cna_r,channels=4,layers=3,"
                                  "image_size=16,classes=3",
                                  1));
    wsr__params_default(&b->params, wsr__train_schema);
    ck_assert_ok(
        wsr__params_parse(&b->params, wsr__train_schema, "train.", options));
    const wsr__training_of of = {b->net, b->train, b->test, 1};
    ck_assert_ok(wsr__training_new(&b->training, &of, &b->params));
    ck_assert_ok(
        wsr__run_open(&b->run, scratch_folder(name), false, NULL, NULL));
    ck_assert_ok(wsr__run_make(b->run));
    ck_assert_ok(wsr__run_begin(b->run, NULL));
}

static void close_bench(bench *b)
{
    wsr__run_close(b->run);
    wsr__training_free(b->training);
    wsr_net_free(b->net);
    wsr_dataset_free(b->test);
    wsr_dataset_free(b->train);
}

static double accuracy(const bench *b)
{
    enum { N = 48 };
    static float x[N * 3 * 16 * 16];
    float logits[N * 3];
    size_t correct = 0;
    wsr_model *model = NULL;
    ck_assert_ok(wsr_model_from_net(&model, b->net, N));
    ck_assert_ok(wsr_dataset_images(x, b->test, NULL, N));
    ck_assert_ok(wsr_model_logits(logits, model, x, N));
    for (size_t i = 0; i < N; i++) {
        correct += wsr__argmax(logits + 3 * i, 3) ==
                   wsr_dataset_labels(b->test)[i];
    }
    wsr_model_free(model);
    return (double)correct / N;
}

START_TEST(natural_training_learns)
{
    bench b;
    open_bench(&b, "natural",
               "trainer=natural,epochs=8,batch=16,augment=[],eval_every=0,"
               "lr=0.1,schedule=cosine");
    ck_assert_ok(wsr__training_run(b.training, b.run));
    ck_assert_double_gt(accuracy(&b), 0.7);
    close_bench(&b);
}
END_TEST

START_TEST(adversarial_training_learns)
{
    bench b;
    open_bench(&b, "madry",
               "trainer=\"madry:eps=0.02,steps=2\",epochs=8,batch=16,"
               "augment=[],eval_every=8,eval_count=48,eval_eps=0.02,lr=0.1,"
               "keep=best_robust");
    ck_assert_ok(wsr__training_run(b.training, b.run));
    ck_assert_double_gt(b.training->best_value, 0.55);
    close_bench(&b);
}
END_TEST

START_TEST(a_parameter_that_is_not_a_number_stops_training_with_its_place)
{
    bench b;
    open_bench(&b, "nan",
               "trainer=natural,epochs=2,batch=16,eval_every=0,log_every=0");
    float *const w = wsr_params_edit(wsr_net_params(b.net), 0);
    w[0] = nanf("");
    ck_assert_fails(wsr__training_run(b.training, b.run), WSR_NUMERIC,
                    "epoch 0, step 0: loss of logits");
    close_bench(&b);
}
END_TEST

START_TEST(a_rate_that_is_too_large_stops_training_with_its_place)
{
    bench b;
    open_bench(&b, "diverges",
               "trainer=natural,epochs=30,batch=16,eval_every=0,lr=100,"
               "grad_clip=0,schedule=constant,"
               "optimizer=\"sgd:weight_decay=1000\"");
    ck_assert_fails(wsr__training_run(b.training, b.run), WSR_NUMERIC,
                    "train: epoch ");
    close_bench(&b);
}
END_TEST

// One step of plain descent moves the parameters by lr times the gradient,
// which clipping has made as long as permitted.
START_TEST(a_step_is_as_long_as_rate_and_clipping_permit)
{
    static float before[1 << 16];
    bench b;
    open_bench(&b, "clip",
               "trainer=natural,epochs=1,batch=96,augment=[],eval_every=0,"
               "lr=0.5,grad_clip=0.01,optimizer=sgd,schedule=constant");
    const wsr_params *const params = wsr_net_params(b.net);
    size_t at = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        memcpy(before + at, p->data, (size_t)p->count * sizeof(float));
        at += (size_t)p->count;
        ck_assert_uint_lt(at, 1 << 16);
    }
    ck_assert_ok(wsr__training_run(b.training, b.run));
    double square = 0;
    at = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        for (int64_t k = 0; k < p->count && p->trainable; k++) {
            const double d = (double)p->data[k] -
                             (double)before[at + (size_t)k];
            square += d * d;
        }
        at += (size_t)p->count;
    }
    ck_assert_double_eq_tol(sqrt(square), 0.5 * 0.01, 1e-5);
    close_bench(&b);
}
END_TEST

START_TEST(the_last_batch_of_an_epoch_may_be_left_out)
{
    bench b;
    open_bench(&b, "drop", "batch=40,drop_last=true");
    ck_assert_uint_eq(b.training->batches, 2);
    close_bench(&b);
    open_bench(&b, "keep", "batch=40");
    ck_assert_uint_eq(b.training->batches, 3);
    close_bench(&b);
}
END_TEST

static wsr_status save_and_load(wsr__training *training)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *builder = NULL;
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st *st = NULL;
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__training_save(training, builder, "t."));
    WSR_TRY(wsr__st_serialize(&data, &size, builder));
    WSR_TRY(wsr__st_open_memory(&st, data, size, "state"));
    WSR_TRY(wsr__training_load(training, st, "t."));
out:
    wsr__st_free(st);
    wsr__free(data);
    wsr__st_builder_free(builder);
    return status;
}

START_TEST(a_state_that_counts_too_far_is_refused)
{
    bench b;
    open_bench(&b, "counts", "batch=16");
    ck_assert_ok(wsr_optim_step(b.training->optim, 0.1));
    ck_assert_ok(save_and_load(b.training));
    int64_t *const steps = wsr__optim_state(b.training->optim, 0).data;
    const int64_t kept = steps[0];
    steps[0] = INT64_MAX;
    ck_assert_fails(save_and_load(b.training), WSR_FORMAT, "t.optim.steps");
    steps[0] = kept;
    b.training->best_epoch = UINT64_MAX;
    ck_assert_fails(save_and_load(b.training), WSR_FORMAT, "best epoch");
    close_bench(&b);
}
END_TEST

START_TEST(a_state_of_other_data_is_refused)
{
    bench a;
    bench b;
    wsr__st_builder *builder = NULL;
    unsigned char *data = NULL;
    size_t size = 0;
    wsr__st *st = NULL;
    open_bench(&a, "one", "batch=16");
    open_bench(&b, "other", "batch=32");
    ck_assert_ok(wsr__st_builder_new(&builder));
    ck_assert_ok(wsr__training_save(a.training, builder, "t."));
    ck_assert_ok(wsr__st_serialize(&data, &size, builder));
    ck_assert_ok(wsr__st_open_memory(&st, data, size, "state"));
    ck_assert_fails(wsr__training_load(b.training, st, "t."), WSR_FORMAT,
                    "epochs of 6 steps, the data make 3");
    ck_assert_fails(wsr__training_load(a.training, st, "u."), WSR_FORMAT, "u.");
    ck_assert_ok(wsr__training_load(a.training, st, "t."));
    wsr__st_free(st);
    wsr__free(data);
    wsr__st_builder_free(builder);
    close_bench(&a);
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        natural_training_learns,
        adversarial_training_learns,
        a_parameter_that_is_not_a_number_stops_training_with_its_place,
        a_rate_that_is_too_large_stops_training_with_its_place,
        a_step_is_as_long_as_rate_and_clipping_permit,
        the_last_batch_of_an_epoch_may_be_left_out,
        a_state_that_counts_too_far_is_refused,
        a_state_of_other_data_is_refused,
        NULL};
    return suite_of("training", tests);
}
