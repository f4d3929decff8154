// SPDX-License-Identifier: Apache-2.0

#include "kernel/softmax_cross_entropy.h"
#include "support/support.h"
#include "train/each_trainer.h"
#include "train/mix.h"
#include "train/train_step.h"
#include "train/trainer_bench.h"

static wsr__train_params params_of(const char *options)
{
    wsr__train_params params;
    wsr__params_default(&params, wsr__train_schema);
    ck_assert_ok(
        wsr__params_parse(&params, wsr__train_schema, "train.", options));
    return params;
}

// ---------------------------------------------------------------- drawing

static const double alphas[] = {0.05, 0.4, 1, 3};

// Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1)).
START_TEST(weights_follow_their_distribution)
{
    enum { DRAWS = 20000 };
    char text[64];
    double sum = 0;
    double square = 0;
    (void)snprintf(text, sizeof(text), "mixup=%g", alphas[_i]);
    const wsr__train_params params = params_of(text);
    for (uint64_t i = 0; i < DRAWS; i++) {
        wsr__rng rng = wsr__rng_at(1, WSR__RNG_MIX, i, 0);
        const wsr__mix mix = wsr__mix_draw(&rng, &params, 8, 8);
        ck_assert(!mix.cut && mix.lambda >= 0 && mix.lambda <= 1);
        sum += mix.lambda;
        square += (mix.lambda - 0.5) * (mix.lambda - 0.5);
    }
    const double variance = 1 / (4 * (2 * alphas[_i] + 1));
    ck_assert_double_eq_tol(sum / DRAWS, 0.5, 0.015);
    ck_assert_double_eq_tol(square / DRAWS, variance, 0.005);
}
END_TEST

START_TEST(how_often_images_are_mixed_and_cut)
{
    enum { DRAWS = 4000 };
    size_t mixed = 0;
    size_t cut = 0;
    size_t corners = 0;
    const wsr__train_params params =
        params_of("mixup=0.8,cutmix=1,mix_switch=0.25,mix_prob=0.5");
    const wsr__train_params only = params_of("cutmix=1,mix_switch=0");
    for (uint64_t i = 0; i < DRAWS; i++) {
        wsr__rng rng = wsr__rng_at(2, WSR__RNG_MIX, i, 0);
        wsr__mix mix = wsr__mix_draw(&rng, &params, 6, 4);
        mixed += mix.lambda < 1;
        cut += mix.cut;
        corners += mix.y == 5 && mix.x == 3;
        ck_assert(mix.y >= 0 && mix.y < 6 && mix.x >= 0 && mix.x < 4);
        mix = wsr__mix_draw(&rng, &only, 6, 4);
        ck_assert(mix.cut && mix.lambda < 1);
    }
    ck_assert_double_eq_tol((double)mixed / DRAWS, 0.5, 0.03);
    ck_assert_double_eq_tol((double)cut / DRAWS, 0.25, 0.03);
    ck_assert_double_eq_tol((double)corners / DRAWS, 1.0 / 24, 0.01);
}
END_TEST

// ----------------------------------------------------------------- mixing

// Every rectangle of a small image: the share is that of the pixels left.
START_TEST(the_share_of_a_cut_is_that_of_its_pixels)
{
    enum { C = 2, H = 7, W = 5, ALL = C * H * W };
    const wsr_shape shape = {3, {C, H, W}};
    float a[ALL];
    float b[ALL];
    float out[ALL];
    for (size_t i = 0; i < ALL; i++) {
        a[i] = 0.25F;
        b[i] = 0.75F;
    }
    for (int64_t at = 0; at < (int64_t)H * W * 11; at++) {
        const wsr__mix mix = {.lambda = (double)(at % 11) / 10,
                              .cut = true,
                              .y = at / 11 / W,
                              .x = at / 11 % W};
        size_t left = 0;
        const double share = wsr__mix_images(out, a, b, &shape, &mix);
        for (size_t i = 0; i < ALL; i++) {
            ck_assert(out[i] == a[i] || out[i] == b[i]);
            left += out[i] == a[i];
        }
        ck_assert_double_eq_tol(share, (double)left / ALL, 1e-12);
    }
}
END_TEST

// A training after its first step, whose network is at hand as it was before.
typedef struct mix_bench {
    wsr_dataset *data;
    wsr_net *net;
    wsr_net *before;
    wsr__training *training;
} mix_bench;

static mix_bench open_mix(const char *options)
{
    mix_bench b = {0};
    wsr_set_threads(1);
    const wsr__train_params params = params_of(options);
    ck_assert_ok(wsr_dataset_open(&b.data, source, "train", NULL));
    ck_assert_ok(wsr_net_new(&b.net, NULL, network, 1));
    ck_assert_ok(wsr_net_new(&b.before, NULL, network, 1));
    const wsr__training_of of = {b.net, b.data, NULL, 1};
    ck_assert_ok(wsr__training_new(&b.training, &of, &params));
    ck_assert_ok(wsr__training_step(b.training));
    return b;
}

static void close_mix(mix_bench *b)
{
    wsr__training_free(b->training);
    wsr_net_free(b->net);
    wsr_net_free(b->before);
    wsr_dataset_free(b->data);
}

enum { BATCH = 32, PIXELS = 3 * 16 * 16 };

// Classes of the images that the first batch is made of.
static void first_labels(int32_t out[BATCH], const mix_bench *b)
{
    const wsr_batch *batch = NULL;
    ck_assert_ok(wsr_loader_seek(b->training->loader, 0, 0));
    ck_assert_ok(wsr_loader_next(&batch, b->training->loader));
    memcpy(out, wsr_batch_labels(batch), BATCH * sizeof(*out));
}

// Image i is mixed with image BATCH - 1 - i, and the larger share counts.
START_TEST(images_are_mixed_with_the_batch_from_behind)
{
    static const char *const modes[] = {"batch", "pair", "elem"};
    int32_t labels[BATCH];
    char text[96];
    (void)snprintf(text, sizeof(text),
                   "trainer=natural,batch=32,mixup=1,mix_mode=%s", modes[_i]);
    mix_bench b = open_mix(text);
    const wsr__mix_room *const room = &b.training->mix;
    size_t unlike[2] = {0, 0};
    first_labels(labels, &b);
    for (size_t i = 0; i < BATCH; i++) {
        const size_t j = BATCH - 1 - i;
        const bool first = room->labels[i] == labels[i];
        ck_assert_int_eq(room->labels[i], first ? labels[i] : labels[j]);
        ck_assert_int_eq(room->others[i], first ? labels[j] : labels[i]);
        ck_assert(room->shares[i] >= 0 && room->shares[i] <= 0.5);
        unlike[0] += room->shares[i] != room->shares[0];
        unlike[1] += room->shares[i] != room->shares[j];
    }
    ck_assert((unlike[0] == 0) == (_i == 0)); // a batch has one mixture
    ck_assert((unlike[1] == 0) == (_i < 2));  // a pair has one
    close_mix(&b);
}
END_TEST

// The loss that the first step reported, from the network as it was before.
START_TEST(the_loss_is_that_of_mixed_images_and_targets)
{
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    mix_bench b =
        open_mix("trainer=natural,batch=32,mixup=0.8,cutmix=1,mix_mode=elem,"
                 "label_smoothing=0.1,augment=[]");
    const wsr__mix_room *const room = &b.training->mix;
    ck_assert_ok(wsr_net_graph(&graph, b.before, false));
    ck_assert_ok(wsr_plan_new(&plan, graph, BATCH, WSR_TRAIN));
    memcpy(wsr_plan_src(plan, "x"), room->images,
           (size_t)BATCH * PIXELS * sizeof(float));
    ck_assert_ok(wsr_plan_forward(plan));
    const float *const z = wsr_plan_dst(plan, "logits");
    double loss = 0;
    size_t correct = 0;
    for (size_t i = 0; i < BATCH; i++) {
        const double r = room->shares[i];
        const double total = wsr__log_sum_exp(z + 3 * i, 3);
        for (size_t c = 0; c < 3; c++) {
            const double hard = ((int32_t)c == room->labels[i] ? 1 - r : 0) +
                                ((int32_t)c == room->others[i] ? r : 0);
            loss += (0.9 * hard + 0.1 / 3) * (total - (double)z[3 * i + c]);
        }
        correct += wsr__argmax(z + 3 * i, 3) == room->labels[i];
    }
    ck_assert_double_eq_tol(b.training->sums.loss, loss, 1e-5);
    ck_assert_double_eq(b.training->sums.correct, (double)correct);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    close_mix(&b);
}
END_TEST

// Each part of a batch is mixed within itself, as each process would.
START_TEST(parts_of_a_batch_are_mixed_by_themselves)
{
    int32_t labels[BATCH];
    mix_bench b = open_mix("trainer=natural,batch=32,cutmix=1,shards=4");
    const wsr__mix_room *const room = &b.training->mix;
    size_t unlike = 0;
    first_labels(labels, &b);
    for (size_t i = 0; i < BATCH; i++) {
        const size_t j = i / 8 * 8 + 7 - i % 8;
        const int32_t own = labels[i] == room->labels[i] ? labels[j]
                                                         : labels[i];
        ck_assert_int_eq(room->others[i], own);
        unlike += room->shares[i] != room->shares[i / 8 * 8] &&
                  room->shares[i] != 1 - room->shares[i / 8 * 8];
    }
    ck_assert_uint_eq(unlike, 0);
    ck_assert(room->shares[0] != room->shares[8]);
    close_mix(&b);
}
END_TEST

// ----------------------------------------------------------------- attacks

// One step of fgsm from mixed images goes up the loss of both labels.
START_TEST(attacks_see_the_mixed_targets)
{
    static const int32_t others[STEP_N] = {2, 2, 0, 1};
    static const double shares[STEP_N] = {0.5, 0.4, 0.3, 0.2};
    const wsr__ce_batch of = {.n = STEP_N,
                              .classes = STEP_CLASSES,
                              .weight = 1,
                              .mixed = {others, shares}};
    static const char *const trainers[] = {
        "fgsm:eps=0.1,mode=train",
        "madry:eps=0.1,steps=1,alpha=0.1,start=none,mode=train"};
    step_bench b;
    step_open(&b, trainers[_i]);
    b.step.mixed = of.mixed;
    wsr__ce_batch labelled = of;
    labelled.labels = b.labels;
    wsr_plan *const plan = b.attack.batch;
    memcpy(wsr_plan_src(plan, "x"), b.x, sizeof(b.x));
    ck_assert_ok(wsr_plan_forward(plan));
    (void)wsr__mean_cross_entropy(wsr_plan_diff_dst(plan, "logits"),
                                  wsr_plan_dst(plan, "logits"), &labelled);
    ck_assert_ok(wsr_plan_backward(plan));
    static float want[STEP_FLOATS];
    for (size_t i = 0; i < STEP_FLOATS; i++) {
        const float g = wsr_plan_diff_src(plan, "x")[i];
        const float up = (float)(g > 0) - (float)(g < 0);
        want[i] = fminf(fmaxf(b.x[i] + 0.1F * up, 0), 1);
    }
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    size_t same = 0;
    for (size_t i = 0; i < STEP_FLOATS; i++) {
        same += fabsf(want[i] - b.x_adv[i]) < 1e-6F;
    }
    ck_assert_uint_ge(same, STEP_FLOATS * 999 / 1000);
    step_close(&b);
}
END_TEST

// ----------------------------------------------------------------- refusal

START_TEST(a_trainer_that_needs_one_label_refuses)
{
    char spec[TRAINER_SPEC];
    char text[TRAINER_SPEC + 64];
    const wsr__class *const cls = wsr__trainers.classes[_i];
    wsr_trainer *trainer = NULL;
    bench b = open_bench(NULL);
    each_trainer_spec(spec, _i, network);
    (void)snprintf(text, sizeof(text), "cutmix=1,trainer=\"%s\"", spec);
    const wsr_status status =
        wsr_trainer_new(&trainer, b.net, b.train, NULL, text, 1);
    if (((const wsr__trainer_class *)(const void *)cls)->one_label) {
        ck_assert_fails(status, WSR_CONFIG, "train.cutmix: the trainer");
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), cls->name));
    } else {
        ck_assert_ok(status);
    }
    wsr_trainer_free(trainer);
    close_bench(&b);
}
END_TEST

static wsr_status own_loss(double *loss, float *diff, const float *logits,
                           const wsr_shape *shape, const int32_t *labels,
                           void *user)
{
    (void)user;
    return wsr_cross_entropy(loss, diff, logits, shape, labels, 0);
}

START_TEST(a_loss_function_of_one_label_cannot_have_two)
{
    bench b = open_bench("trainer=natural,mixup=1,eval_every=0");
    wsr_trainer_set_loss(b.trainer, own_loss, NULL);
    ck_assert_fails(wsr_trainer_step(b.trainer), WSR_CONFIG,
                    "has no use for mixed images");
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {how_often_images_are_mixed_and_cut,
                                  the_share_of_a_cut_is_that_of_its_pixels,
                                  the_loss_is_that_of_mixed_images_and_targets,
                                  parts_of_a_batch_are_mixed_by_themselves,
                                  a_loss_function_of_one_label_cannot_have_two,
                                  NULL};
    Suite *const s = suite_of("mix", tests);
    TCase *const loop = tcase_create("loops");
    tcase_add_loop_test(loop, weights_follow_their_distribution, 0, 4);
    tcase_add_loop_test(loop, images_are_mixed_with_the_batch_from_behind, 0,
                        3);
    tcase_add_loop_test(loop, attacks_see_the_mixed_targets, 0, 2);
    tcase_add_loop_test(loop, a_trainer_that_needs_one_label_refuses, 0,
                        each_trainer_count());
    suite_add_tcase(s, loop);
    return s;
}
