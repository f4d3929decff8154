// SPDX-License-Identifier: Apache-2.0
//
// Batches that are divided into parts, as among the processes of a distributed
// training.

#include "support/support.h"
#include "train/train.h"
#include "train/trainer_bench.h"

#include <math.h>
#include <string.h>

typedef struct shard_bench {
    wsr_dataset *data;
    wsr_net *net;
    wsr__training *training;
} shard_bench;

static shard_bench open_shards(const char *kind, const char *of_net,
                               const char *options)
{
    shard_bench b = {0};
    wsr__train_params params;
    wsr_set_threads(1);
    ck_assert_ok(wsr_dataset_open(
        &b.data, "synthetic:size=16,count=42,classes=3", "train", NULL));
    ck_assert_ok(wsr_net_new_kind(&b.net, kind, of_net, 1));
    wsr__params_default(&params, wsr__train_schema);
    ck_assert_ok(wsr__params_parse(
        &params, wsr__train_schema, "train.",
        "batch=16,epochs=1,lr=0.1,optimizer=sgd,grad_clip=0,augment=[],"
        "eval_every=0,schedule=constant"));
    ck_assert_ok(
        wsr__params_parse(&params, wsr__train_schema, "train.", options));
    const wsr__training_of of = {b.net, b.data, NULL, 1};
    ck_assert_ok(wsr__training_new(&b.training, &of, &params));
    return b;
}

static void close_shards(shard_bench *b)
{
    wsr__training_free(b->training);
    wsr_net_free(b->net);
    wsr_dataset_free(b->data);
}

static double distance(const wsr_net *a, const wsr_net *b, bool trainable)
{
    double most = 0;
    for (size_t i = 0; i < wsr_params_count(wsr_net_params(a)); i++) {
        const wsr__param *const p = wsr__params_at(wsr_net_params(a), i);
        const wsr__param *const q = wsr__params_at(wsr_net_params(b), i);
        for (int64_t k = 0; p->trainable == trainable && k < p->count; k++) {
            most = fmax(most, fabs((double)p->data[k] - (double)q->data[k]));
        }
    }
    return most;
}

static const char plain[] = "classes=3,image_size=16,image_channels=3";
static const char normed[] =
    "genotype=cna_r,channels=4,layers=3,classes=3,image_size=16";

// The last batch has 10 images: 3 for two parts, 2 for two others. The gradient
// of weights is summed in another order, and the sign of a pixel's gradient
// that is zero up to rounding may be either after a step: PGD has such pixels
// here.
START_TEST(without_batch_norm_parts_are_one_batch)
{
    static const char *const trainers[] = {
        "trainer=natural", "trainer=madry:steps=2", "trainer=trades:steps=2"};
    static const double most[] = {1e-6, 2e-4, 1e-6};
    for (size_t i = 0; i < 3; i++) {
        char divided[64];
        (void)snprintf(divided, sizeof(divided), "%s,shards=4", trainers[i]);
        shard_bench a = open_shards("small_cnn", plain, trainers[i]);
        shard_bench b = open_shards("small_cnn", plain, divided);
        for (size_t k = 0; k < 3; k++) {
            ck_assert_ok(wsr__training_step(a.training));
            ck_assert_ok(wsr__training_step(b.training));
        }
        ck_assert_double_lt(distance(a.net, b.net, true), most[i]);
        ck_assert_double_eq_tol(a.training->sums.loss, b.training->sums.loss,
                                1e-4);
        ck_assert_double_eq(a.training->sums.correct, b.training->sums.correct);
        close_shards(&a);
        close_shards(&b);
    }
}
END_TEST

// Forward and backward of images on a plan, as one process does it.
static void process(wsr_plan *plan, const wsr_batch *batch, size_t begin,
                    size_t n)
{
    const size_t pixels = 3 * 16 * 16;
    const wsr__ce_batch of = {.labels = wsr_batch_labels(batch) + begin,
                              .n = n,
                              .classes = 3,
                              .weight = 1};
    memcpy(wsr_plan_src(plan, "x"), wsr_batch_images(batch) + begin * pixels,
           n * pixels * sizeof(float));
    ck_assert_ok(wsr_plan_forward(plan));
    (void)wsr__mean_cross_entropy(wsr_plan_diff_dst(plan, "logits"),
                                  wsr_plan_dst(plan, "logits"), &of);
    ck_assert_ok(wsr_plan_backward(plan));
}

// A step of processes whose norms are not synchronised: each on its share of
// the images with statistics of its own, gradients averaged. `stats` are those
// of all processes.
static void step_by_hand(const shard_bench *b, float *stats, size_t processes)
{
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    const wsr_batch *batch = NULL;
    wsr_params *const params = wsr_net_params(b->net);
    const size_t buffers = wsr__stats_copy(NULL, params);
    ck_assert_ok(wsr_loader_next(&batch, b->training->loader));
    const size_t n = wsr_batch_count(batch) / processes;
    ck_assert_ok(wsr_net_graph(&graph, b->net, true));
    ck_assert_ok(wsr_plan_new(&plan, graph, n,
                              WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS));
    wsr_params_zero_grad(params, true);
    for (size_t k = 0; k < processes; k++) {
        wsr__stats_put(params, stats + k * buffers);
        process(plan, batch, k * n, n);
        (void)wsr__stats_copy(stats + k * buffers, params);
    }
    wsr__stats_put(params, stats);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        for (int64_t k = 0; p->trainable && k < p->count; k++) {
            p->data[k] -= 0.1F * p->grad[k] / (float)processes;
        }
        wsr__param_touch(p);
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
}

START_TEST(with_batch_norm_parts_are_processes_of_their_own)
{
    enum { PROCESSES = 4, MOST = 4096 };
    static float stats[PROCESSES * MOST];
    shard_bench a = open_shards("network", normed, "trainer=natural,shards=4");
    shard_bench b = open_shards("network", normed, "trainer=natural");
    const size_t buffers = a.training->buffers;
    ck_assert_uint_lt(buffers, MOST);
    for (size_t k = 0; k < PROCESSES; k++) {
        (void)wsr__stats_copy(stats + k * buffers, wsr_net_params(b.net));
    }
    for (size_t step = 0; step < 2; step++) {
        ck_assert_ok(wsr__training_step(a.training));
        step_by_hand(&b, stats, PROCESSES);
    }
    ck_assert_double_lt(distance(a.net, b.net, true), 2e-5);
    ck_assert_double_lt(distance(a.net, b.net, false), 2e-5);
    double apart = 0;
    for (size_t i = 0; i < PROCESSES * buffers; i++) {
        const double d = (double)(a.training->stats[i] - stats[i]);
        ck_assert_double_lt(fabs(d), 2e-5);
        apart = fmax(apart, fabs((double)(stats[i] - stats[i % buffers])));
    }
    ck_assert_double_gt(apart, 1e-3); // the processes' statistics differ
    close_shards(&a);
    close_shards(&b);
}
END_TEST

// Whether steps on four parts with global norms are those on whole batches:
// parameters, running statistics and loss.
static void same_steps(const char *options, size_t steps, double most)
{
    char divided[160];
    (void)snprintf(divided, sizeof(divided), "%s,shards=4,norms=global",
                   options);
    shard_bench a = open_shards("network", normed, options);
    shard_bench b = open_shards("network", normed, divided);
    for (size_t k = 0; k < steps; k++) {
        ck_assert_ok(wsr__training_step(a.training));
        ck_assert_ok(wsr__training_step(b.training));
        ck_assert_double_lt(distance(a.net, b.net, true), most);
        ck_assert_double_lt(distance(a.net, b.net, false), most);
        const wsr__sums *const sums = &a.training->sums;
        ck_assert_double_eq_tol(sums->loss / sums->seen,
                                b.training->sums.loss / sums->seen, most);
    }
    close_shards(&a);
    close_shards(&b);
}

// The third batch is the last one, with parts of 3 and of 2 images. The
// learning rate is 0.1, so that parameters have a tenth of the gradients'
// errors. Where pixels have gradients of zero up to rounding, the second step
// differs after any change of the last bits; that of awp differs at once, since
// it divides by the norm of such gradients.
START_TEST(with_global_norms_parts_are_one_batch)
{
    same_steps("trainer=natural", 3, 1e-6);
    same_steps("trainer=madry:steps=2", 3, 1e-6);
    same_steps("trainer=fat:steps=2", 1, 1e-6);
    same_steps("trainer=free", 1, 1e-6);
    same_steps("trainer=trades:steps=2", 1, 1e-6);
    same_steps("trainer=mart:steps=2", 1, 1e-6);
    same_steps("trainer=natural,awp=0.01", 1, 1e-3);
}
END_TEST

// A loss that fails for one part: of four calls the third, at the second step.
static wsr_status failing_loss(double *loss, float *diff, const float *logits,
                               const wsr_shape *shape, const int32_t *labels,
                               void *user)
{
    size_t *const calls = user;
    (void)logits;
    (void)labels;
    *loss = 1;
    memset(diff, 0, (size_t)wsr_shape_count(shape) * sizeof(*diff));
    return ++*calls == 7 ? WSR_FAIL(WSR_NUMERIC, "the seventh loss") : WSR_OK;
}

START_TEST(a_part_that_fails_ends_the_step_of_all)
{
    size_t calls = 0;
    shard_bench b =
        open_shards("network", normed, "trainer=natural,shards=4,norms=global");
    b.training->loss_fn = failing_loss;
    b.training->loss_user = &calls;
    ck_assert_ok(wsr__training_step(b.training));
    ck_assert_fails(wsr__training_step(b.training), WSR_NUMERIC,
                    "the seventh loss");
    ck_assert_uint_le(calls, 8);
    ck_assert_ok(wsr__training_step(b.training));
    close_shards(&b);
}
END_TEST

// Without synchronised norms the same steps differ by far more.
START_TEST(norms_of_parts_differ_from_global_ones)
{
    shard_bench a = open_shards("network", normed, "trainer=natural,shards=4");
    shard_bench b =
        open_shards("network", normed, "trainer=natural,shards=4,norms=global");
    ck_assert_ok(wsr__training_step(a.training));
    ck_assert_ok(wsr__training_step(b.training));
    ck_assert_double_gt(distance(a.net, b.net, true), 1e-3);
    ck_assert_ptr_null(b.training->stats);
    close_shards(&a);
    close_shards(&b);
}
END_TEST

START_TEST(global_norms_are_refused_where_parts_differ)
{
    bench b = open_bench(NULL);
    wsr_trainer *other = NULL;
    ck_assert_fails(wsr_trainer_new(&other, b.net, b.train, NULL,
                                    "batch=16,shards=4,norms=global,"
                                    "trainer=madry:mode=train_moving",
                                    1),
                    WSR_CONFIG, "train.norms: global is not for mode=");
    ck_assert_fails(wsr_trainer_new(&other, b.net, b.train, NULL,
                                    "batch=16,shards=4,norms=all", 1),
                    WSR_CONFIG, "norms");
    // 96 images are 10 batches of 9, and 6.
    ck_assert_uint_eq(wsr_dataset_count(b.train), 96);
    ck_assert_fails(
        wsr_trainer_new(&other, b.net, b.train, NULL,
                        "batch=9,shards=9,norms=global,trainer=natural", 1),
        WSR_CONFIG, "train.norms: global, but the last batch has 6 images");
    close_bench(&b);
}
END_TEST

// The perturbation of `free` belongs to a process.
START_TEST(each_part_has_a_state_of_its_own)
{
    shard_bench whole = open_shards("network", normed, "trainer=free");
    shard_bench parts = open_shards("network", normed, "trainer=free,shards=2");
    ck_assert_uint_eq(whole.training->states, 16 * 3 * 16 * 16);
    ck_assert_uint_eq(parts.training->states, whole.training->states);
    ck_assert_ok(wsr__training_step(parts.training));
    const size_t half = parts.training->states / 2;
    ck_assert(parts.training->state[0] != 0);
    ck_assert(parts.training->state[half] != 0);
    close_shards(&whole);
    close_shards(&parts);
}
END_TEST

START_TEST(plans_have_the_size_of_a_part)
{
    shard_bench whole = open_shards("network", normed, "trainer=madry");
    shard_bench parts =
        open_shards("network", normed, "trainer=madry,shards=8");
    ck_assert_ok(wsr__training_prepare(whole.training));
    ck_assert_ok(wsr__training_prepare(parts.training));
    ck_assert_uint_lt(4 * parts.training->rooms[0].arena.floats,
                      whole.training->rooms[0].arena.floats);
    close_shards(&whole);
    close_shards(&parts);
}
END_TEST

START_TEST(parts_must_divide_a_batch)
{
    bench b = open_bench(NULL);
    wsr_trainer *other = NULL;
    ck_assert_fails(
        wsr_trainer_new(&other, b.net, b.train, NULL, "batch=16,shards=3", 1),
        WSR_CONFIG, "train.shards: 3 does not divide a batch of 16");
    ck_assert_fails(
        wsr_trainer_new(&other, b.net, b.train, NULL, "batch=16,shards=32", 1),
        WSR_CONFIG, "train.shards: 32 does not divide a batch of 16");
    close_bench(&b);
}
END_TEST

START_TEST(a_checkpoint_of_other_parts_is_refused)
{
    char path[512];
    bench two = open_bench("batch=16,shards=2");
    bench four = open_bench("batch=16,shards=4");
    bench one = open_bench("batch=16");
    (void)snprintf(path, sizeof(path), "%s/c", scratch_folder("parts"));
    ck_assert_ok(wsr_trainer_step(two.trainer));
    ck_assert_ok(wsr_trainer_save(two.trainer, path));
    ck_assert_fails(wsr_trainer_load(four.trainer, path), WSR_FORMAT, "shards");
    ck_assert_ok(wsr_trainer_save(one.trainer, path));
    ck_assert_fails(wsr_trainer_load(four.trainer, path), WSR_FORMAT, "shards");
    close_bench(&two);
    close_bench(&four);
    close_bench(&one);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        without_batch_norm_parts_are_one_batch,
        with_batch_norm_parts_are_processes_of_their_own,
        with_global_norms_parts_are_one_batch,
        norms_of_parts_differ_from_global_ones,
        a_part_that_fails_ends_the_step_of_all,
        global_norms_are_refused_where_parts_differ,
        each_part_has_a_state_of_its_own,
        plans_have_the_size_of_a_part,
        parts_must_divide_a_batch,
        a_checkpoint_of_other_parts_is_refused,
        NULL};
    return suite_of("shards", tests);
}
