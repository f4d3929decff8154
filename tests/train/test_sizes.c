// SPDX-License-Identifier: Apache-2.0
//
// Trainings whose images grow.

#include "support/files.h"
#include "train/each_trainer.h"
#include "train/trainer_bench.h"

#include <string.h>

// 48 images: 3 batches of 16, 2 of 24, 4 of 12.
static const char growing[] =
    "trainer=\"fast:eps=0.05\",epochs=4,sizes=[1:16:16,2:24:24,4:32:12],"
    "augment=[flip],eval_every=0,lr=0.02";

START_TEST(each_phase_has_its_size_and_batch)
{
    static const size_t batches[] = {3, 2, 2, 4};
    bench b = open_half("network", network, growing);
    size_t steps = 0;
    for (size_t e = 0; e < 4; e++) {
        ck_assert_uint_eq(wsr_trainer_epochs(b.trainer), e);
        ck_assert_uint_eq(wsr_trainer_epoch_steps(b.trainer), batches[e]);
        for (size_t i = 0; i < batches[e]; i++, steps++) {
            ck_assert_uint_eq(wsr_trainer_steps(b.trainer), i);
            ck_assert_ok(wsr_trainer_step(b.trainer));
        }
        ck_assert_double_gt(wsr_trainer_get(b.trainer, e, WSR_TRAIN_LOSS), 0);
    }
    ck_assert(wsr_trainer_done(b.trainer));
    ck_assert_uint_eq(steps, 11);
    close_bench(&b);
}
END_TEST

static wsr__training *training_of(const bench *b, const char *options)
{
    wsr__train_params params;
    wsr__training *t = NULL;
    wsr__params_default(&params, wsr__train_schema);
    ck_assert_ok(
        wsr__params_parse(&params, wsr__train_schema, "train.", options));
    const wsr__training_of of = {b->net, b->train, NULL, 1};
    ck_assert_ok(wsr__training_new(&t, &of, &params));
    return t;
}

START_TEST(plans_loaders_and_numbers_follow_the_phase)
{
    static const int64_t sides[] = {16, 24, 24, 32};
    static const size_t before[] = {0, 3, 5, 7, 11};
    bench b = open_half("network", network, NULL);
    wsr__training *const t = training_of(&b, growing);
    for (size_t e = 0; e < 4; e++) {
        ck_assert_uint_eq(wsr__training_steps_to(t, e), before[e]);
        ck_assert_uint_eq(wsr__training_steps(t), before[e]);
        while (t->batch < t->batches) {
            ck_assert_ok(wsr__training_step(t));
        }
        const wsr_shape *const x = wsr__plan_images(t->rooms[0].pairs[0].train);
        ck_assert_int_eq(x->dims[2], sides[e]);
        ck_assert_int_eq(x->dims[3], sides[e]);
        ck_assert_int_eq(wsr_loader_shape(t->loader)->dims[1], sides[e]);
        ck_assert_uint_eq(wsr_loader_epoch(t->loader), e);
        ck_assert_ok(wsr__training_next_epoch(t));
    }
    ck_assert_uint_eq(wsr__training_steps_to(t, 4), before[4]);
    wsr__training_free(t);
    close_bench(&b);
}
END_TEST

// One phase of the network's size is no phase.
START_TEST(a_list_of_one_phase_is_a_training_as_ever)
{
    bench a = open_bench("epochs=2,batch=40,eval_every=0");
    bench b = open_bench("epochs=2,sizes=[1:16:40],eval_every=0");
    finish(&a);
    finish(&b);
    ck_assert(same_nets(a.net, b.net));
    close_bench(&a);
    close_bench(&b);
}
END_TEST

// Stopped within each phase and at each border.
START_TEST(a_training_that_is_loaded_in_any_phase_ends_with_the_same_bytes)
{
    static const size_t stops[] = {2, 3, 4, 7, 9, 11};
    enum { STOPS = sizeof(stops) / sizeof(stops[0]) - 1 }; // then the end
    char options[256];
    char paths[STOPS + 1][600];
    const char *const dir = scratch_folder("sizes");
    (void)snprintf(options, sizeof(options),
                   "%s,mixup=0.5,shards=4,ema=0.9,swa=0", growing);
    bench whole = open_half("network", network, options);
    size_t step = 0;
    for (size_t k = 0; k <= STOPS; k++) {
        for (; step < stops[k]; step++) {
            ck_assert_ok(wsr_trainer_step(whole.trainer));
        }
        (void)snprintf(paths[k], sizeof(paths[k]), "%s/%zu", dir, stops[k]);
        ck_assert_ok(wsr_trainer_save(whole.trainer, paths[k]));
    }
    ck_assert(wsr_trainer_done(whole.trainer));
    bytes want = get_file(paths[STOPS]);
    for (size_t k = 0; k < STOPS; k++) {
        bench parts = open_half("network", network, options);
        ck_assert_ok(wsr_trainer_load(parts.trainer, paths[k]));
        finish(&parts);
        ck_assert_ok(wsr_trainer_save(parts.trainer, paths[k]));
        bytes got = get_file(paths[k]);
        ck_assert_uint_eq(got.size, want.size);
        ck_assert_mem_eq(got.data, want.data, want.size);
        bytes_free(&got);
        close_bench(&parts);
    }
    bytes_free(&want);
    close_bench(&whole);
}
END_TEST

static const struct {
    const char *options;
    const char *words;
} mistakes[] = {
    {"sizes=16", "is no such list"},
    {"sizes=[1:16:16,]", "is no such list"},
    {"sizes=[1:16:16]x", "is no such list"},
    {"sizes=\"1:16:16,1:16:16\"", "each after the one before"},
    {"sizes=[]", "is no such list"},
    {"sizes=[1:16]", "is no such list"},
    {"sizes=[1:16:x]", "is no such list"},
    {"sizes=[2:16:16]", "begin with epoch 1"},
    {"sizes=[1:16:16,1:24:16]", "each after the one before"},
    {"sizes=[1:0:16]", "out of range"},
    {"sizes=[1:16:0]", "out of range"},
    {"sizes=[1:8:16]", "images of 16x16 pixels cannot be shown with 8"},
    {"sizes=[1:16:32,2:24:30],shards=4", "4 does not divide a batch of 30"},
    {"sizes=[1:16:16,2:24:16],trainer=free", "trainer free is for images of"},
    {"sizes=[1:16:16,2:24:16],teacher=net", "a teacher is for images of one"},
};

enum { MISTAKES = sizeof(mistakes) / sizeof(mistakes[0]) };

START_TEST(mistakes_have_one_line_each)
{
    wsr_trainer *other = NULL;
    bench b = open_bench(NULL);
    ck_assert_fails(
        wsr_trainer_new(&other, b.net, b.train, NULL, mistakes[_i].options, 1),
        WSR_CONFIG, mistakes[_i].words);
    ck_assert_ptr_null(other);
    close_bench(&b);
}
END_TEST

// The first linear map of this network has a weight for each pixel.
START_TEST(a_network_for_images_of_one_size_is_refused)
{
    wsr_trainer *trainer = NULL;
    wsr_net *net = NULL;
    bench b = open_bench(NULL);
    ck_assert_ok(wsr_net_new_kind(
        &net, "small_cnn", "image_size=16,image_channels=3,classes=3", 1));
    ck_assert_fails(wsr_trainer_new(&trainer, net, b.train, NULL,
                                    "sizes=[1:16:16,2:32:16]", 1),
                    WSR_SHAPE, "classifier.fc1.weight");
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "train.sizes"));
    wsr_net_free(net);
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        each_phase_has_its_size_and_batch,
        plans_loaders_and_numbers_follow_the_phase,
        a_list_of_one_phase_is_a_training_as_ever,
        a_training_that_is_loaded_in_any_phase_ends_with_the_same_bytes,
        a_network_for_images_of_one_size_is_refused,
        NULL};
    Suite *const s = suite_of("sizes", tests);
    TCase *const loop = tcase_create("mistakes");
    tcase_add_loop_test(loop, mistakes_have_one_line_each, 0, MISTAKES);
    suite_add_tcase(s, loop);
    return s;
}
