// SPDX-License-Identifier: Apache-2.0
//
// Adversarial weight perturbation, with any trainer.

#include "support/support.h"
#include "train/each_trainer.h"
#include "train/train.h"

#include <math.h>
#include <string.h>

enum { N = 16, CLASSES = 3 };

static const char network[] =
    "genotype=cna_r,channels=4,layers=3,classes=3,image_size=16";

typedef struct bench {
    wsr_dataset *data;
    wsr_net *net;
    wsr__training *training;
} bench;

static bench open_bench(const char *options)
{
    bench b = {0};
    wsr__train_params params;
    wsr_set_threads(1);
    ck_assert_ok(wsr_dataset_open(
        &b.data, "synthetic:size=16,count=16,classes=3", "train", NULL));
    ck_assert_ok(wsr_net_new(&b.net, NULL, network, 1));
    wsr__params_default(&params, wsr__train_schema);
    ck_assert_ok(wsr__params_parse(
        &params, wsr__train_schema, "train.",
        "batch=16,epochs=2,lr=0.1,optimizer=sgd,grad_clip=0,augment=[],"
        "eval_every=0"));
    ck_assert_ok(
        wsr__params_parse(&params, wsr__train_schema, "train.", options));
    const wsr__training_of of = {b.net, b.data, NULL, 1};
    ck_assert_ok(wsr__training_new(&b.training, &of, &params));
    return b;
}

static void close_bench(bench *b)
{
    wsr__training_free(b->training);
    wsr_net_free(b->net);
    wsr_dataset_free(b->data);
}

static double norm_of(const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sqrt(sum);
}

// Gradients of the clean loss where the network stands.
static void gradient(wsr_plan *plan, const bench *b)
{
    const wsr_batch *batch = NULL;
    wsr_loader *const loader = b->training->loader;
    ck_assert_ok(wsr_loader_seek(loader, 0, 0));
    ck_assert_ok(wsr_loader_next(&batch, loader));
    wsr_params_zero_grad(wsr_net_params(b->net), true);
    memcpy(wsr_plan_src(plan, "x"), wsr_batch_images(batch),
           (size_t)N * 3 * 16 * 16 * sizeof(float));
    ck_assert_ok(wsr_plan_forward(plan));
    const wsr__ce_batch of = {.labels = wsr_batch_labels(batch),
                              .n = N,
                              .classes = CLASSES,
                              .weight = 1};
    (void)wsr__mean_cross_entropy(wsr_plan_diff_dst(plan, "logits"),
                                  wsr_plan_dst(plan, "logits"), &of);
    ck_assert_ok(wsr_plan_backward(plan));
}

// w <- w - lr grad(w + v), by the definition.
static void step_by_definition(const bench *b, double gamma)
{
    wsr_graph *graph = NULL;
    wsr_plan *still = NULL;
    wsr_plan *moving = NULL;
    wsr_params *const params = wsr_net_params(b->net);
    static float v[1 << 16];
    size_t at = 0;
    ck_assert_ok(wsr_net_graph(&graph, b->net, true));
    ck_assert_ok(wsr_plan_new(&still, graph, N, WSR_GRAD_PARAMS | WSR_TRAIN));
    ck_assert_ok(wsr_plan_new(&moving, graph, N,
                              WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS));
    gradient(still, b);
    memset(v, 0, sizeof(v));
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        ck_assert_uint_le(at + (size_t)p->count, 1 << 16);
        for (int64_t k = 0; p->trainable && p->shape.ndims > 1 && k < p->count;
             k++) {
            v[at + (size_t)k] = (float)(gamma * norm_of(p->data, p->count) /
                                        norm_of(p->grad, p->count) *
                                        (double)p->grad[k]);
        }
        for (int64_t k = 0; k < p->count; k++) {
            p->data[k] += v[at + (size_t)k];
        }
        wsr__param_touch(p);
        at += (size_t)p->count;
    }
    gradient(moving, b);
    at = 0;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        for (int64_t k = 0; p->trainable && k < p->count; k++) {
            p->data[k] -= 0.1F * p->grad[k] + v[at + (size_t)k];
        }
        wsr__param_touch(p);
        at += (size_t)p->count;
    }
    wsr_plan_free(still);
    wsr_plan_free(moving);
    wsr_graph_free(graph);
}

// Largest difference of all parameters and buffers.
static double distance(const wsr_net *a, const wsr_net *b)
{
    const wsr_params *const p = wsr_net_params(a);
    const wsr_params *const q = wsr_net_params(b);
    double most = 0;
    for (size_t i = 0; i < wsr_params_count(p); i++) {
        const size_t n = (size_t)wsr_shape_count(wsr_params_shape(p, i));
        const float *const x = wsr_params_data(p, i);
        const float *const y = wsr_params_data(q, i);
        for (size_t k = 0; k < n; k++) {
            most = fmax(most, fabs((double)x[k] - (double)y[k]));
        }
    }
    return most;
}

START_TEST(a_step_is_that_of_the_definition)
{
    bench plain = open_bench("trainer=natural");
    bench awp = open_bench("trainer=natural,awp=0.05");
    bench hand = open_bench("trainer=natural");
    ck_assert_ok(wsr__training_step(plain.training));
    ck_assert_ok(wsr__training_step(awp.training));
    step_by_definition(&hand, 0.05);
    ck_assert_double_le(distance(awp.net, hand.net), 2e-6);
    ck_assert_double_gt(distance(awp.net, plain.net), 1e-4);
    close_bench(&plain);
    close_bench(&awp);
    close_bench(&hand);
}
END_TEST

START_TEST(it_begins_when_it_is_told_to)
{
    bench plain = open_bench("trainer=natural");
    bench awp = open_bench("trainer=natural,awp=0.05,awp_start=1");
    for (size_t epoch = 0; epoch < 2; epoch++) {
        ck_assert_ok(wsr__training_step(plain.training));
        ck_assert_ok(wsr__training_step(awp.training));
        ck_assert((distance(awp.net, plain.net) > 0) == (epoch == 1));
        ck_assert_ok(wsr__training_next_epoch(plain.training));
        ck_assert_ok(wsr__training_next_epoch(awp.training));
    }
    close_bench(&plain);
    close_bench(&awp);
}
END_TEST

static wsr_status failing(double *loss, float *diff, const float *logits,
                          const wsr_shape *shape, const int32_t *labels,
                          void *user)
{
    size_t *const calls = user;
    (*calls)++;
    return *calls == 2
               ? WSR_ARG
               : wsr_cross_entropy(loss, diff, logits, shape, labels, 0);
}

// The loss fails while the weights are perturbed.
START_TEST(a_failure_leaves_the_weights_as_they_were)
{
    bench b = open_bench("trainer=natural,awp=0.05");
    bench untouched = open_bench("trainer=natural");
    size_t calls = 0;
    b.training->loss_fn = failing;
    b.training->loss_user = &calls;
    ck_assert_int_eq(wsr__training_step(b.training), WSR_ARG);
    ck_assert_uint_eq(calls, 2);
    const wsr_params *const p = wsr_net_params(b.net);
    const wsr_params *const q = wsr_net_params(untouched.net);
    for (size_t i = 0; i < wsr_params_count(p); i++) {
        const size_t n = (size_t)wsr_shape_count(wsr_params_shape(p, i));
        ck_assert(!wsr_params_trainable(p, i) ||
                  same_bits(wsr_params_data(p, i), wsr_params_data(q, i),
                            n * sizeof(float)));
    }
    close_bench(&b);
    close_bench(&untouched);
}
END_TEST

// Whatever the trainer, images are attacked once: perturbation costs learning
// passes alone.
START_TEST(every_trainer_has_it)
{
    char spec[TRAINER_SPEC];
    char options[TRAINER_SPEC + 64];
    each_trainer_spec(spec, _i, network);
    (void)snprintf(options, sizeof(options), "trainer=\"%s\"", spec);
    bench plain = open_bench(options);
    (void)snprintf(options, sizeof(options), "trainer=\"%s\",awp=0.05", spec);
    bench awp = open_bench(options);
    ck_assert_ok(wsr__training_step(plain.training));
    ck_assert_ok(wsr__training_step(awp.training));
    ck_assert_double_gt(distance(awp.net, plain.net), 1e-5);
    const double more = wsr__training_passes(awp.training) -
                        wsr__training_passes(plain.training);
    const bool two = awp.training->trainer->two_passes;
    const wsr__training *const t = awp.training;
    const size_t updates =
        t->trainer->updates == NULL ? 1 : t->trainer->updates(t->options);
    ck_assert_double_eq(more, 2.0 * N * (double)updates * (two ? 2 : 1));
    close_bench(&plain);
    close_bench(&awp);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_step_is_that_of_the_definition, it_begins_when_it_is_told_to,
        a_failure_leaves_the_weights_as_they_were, NULL};
    Suite *const s = suite_of("awp", tests);
    TCase *const loop = tcase_create("each trainer");
    tcase_add_loop_test(loop, every_trainer_has_it, 0, each_trainer_count());
    suite_add_tcase(s, loop);
    return s;
}
