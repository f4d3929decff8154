// SPDX-License-Identifier: Apache-2.0
//
// Options that go with any trainer: a training that is saved and loaded in the
// middle of an epoch ends with the same bytes.

#include "support/files.h"
#include "train/each_trainer.h"
#include "train/trainer_bench.h"

#include <string.h>

static const char *const options[] = {
    "mixup=0.8,cutmix=1,mix_mode=elem,label_smoothing=0.1",
    "mixup=0.4,shards=4,temperature=2,teacher_weight=0.7,teacher=",
    "awp=0.01,ema=0.9,shards=5,teacher_fidelity=released,teacher=",
};

enum { OPTIONS = sizeof(options) / sizeof(options[0]), TEXT = 2400 };

static bool is_refused(int trainer, const char *option)
{
    const wsr__class *const cls = wsr__trainers.classes[trainer];
    return ((const wsr__trainer_class *)(const void *)cls)->one_label &&
           strstr(option, "mix") != NULL;
}

// An option that ends in "teacher=" gets a file.
static void spell(char out[TEXT], int trainer, const char *option)
{
    char spec[TRAINER_SPEC];
    char teacher[512];
    const bool taught = strstr(option, "teacher=") != NULL;
    each_trainer_spec(spec, trainer, network);
    if (taught) {
        wsr_net *net = NULL;
        (void)snprintf(teacher, sizeof(teacher), "%s/net",
                       scratch_folder("teacher"));
        ck_assert_ok(wsr_net_new(&net, NULL, network, 5));
        ck_assert_ok(wsr_net_save(net, teacher));
        wsr_net_free(net);
    }
    (void)snprintf(out, TEXT,
                   "trainer=\"%s\",epochs=1,batch=20,eval_every=0,%s%s", spec,
                   option, taught ? teacher : "");
}

static void expect_same_files(const char *a, const char *b)
{
    bytes x = get_file(a);
    bytes y = get_file(b);
    ck_assert_uint_eq(x.size, y.size);
    ck_assert_mem_eq(x.data, y.data, x.size);
    bytes_free(&x);
    bytes_free(&y);
}

// What a training of a network is, whole and with a stop after some steps.
static void compare(const char *kind, const char *of_net, const char *text,
                    size_t stop)
{
    char at[512];
    char ends[2][600];
    bench whole = open_half(kind, of_net, text);
    bench parts = open_half(kind, of_net, text);
    (void)snprintf(at, sizeof(at), "%s", scratch_folder("resumed"));
    (void)snprintf(ends[0], sizeof(ends[0]), "%s/whole", at);
    (void)snprintf(ends[1], sizeof(ends[1]), "%s/parts", at);
    finish(&whole);
    for (size_t i = 0; i < stop; i++) {
        ck_assert_ok(wsr_trainer_step(parts.trainer));
    }
    ck_assert_ok(wsr_trainer_save(parts.trainer, ends[1]));
    close_bench(&parts);
    parts = open_half(kind, of_net, text);
    ck_assert_ok(wsr_trainer_load(parts.trainer, ends[1]));
    finish(&parts);
    ck_assert_ok(wsr_trainer_save(whole.trainer, ends[0]));
    ck_assert_ok(wsr_trainer_save(parts.trainer, ends[1]));
    ck_assert(same_nets(whole.net, parts.net));
    expect_same_files(ends[0], ends[1]);
    close_bench(&whole);
    close_bench(&parts);
}

START_TEST(a_loaded_training_goes_on_bit_for_bit)
{
    char text[TEXT];
    const int trainer = _i / OPTIONS;
    const char *const option = options[_i % OPTIONS];
    if (!is_refused(trainer, option)) {
        spell(text, trainer, option);
        compare("network", network, text, 2);
    }
}
END_TEST

// Parts of a batch have masks of their own.
START_TEST(dropout_goes_on_with_the_same_masks)
{
    static const char with[] =
        "classes=3,image_size=16,image_channels=3,dropout=0.5";
    static const char text[] =
        "trainer=\"madry:steps=1\",epochs=2,batch=20,eval_every=0,shards=2";
    compare("small_cnn", with, text, 4); // in the second epoch
    bench a = open_half("small_cnn", with, text);
    bench b = open_half("small_cnn", "classes=3,image_size=16,image_channels=3",
                        text);
    finish(&a);
    finish(&b);
    ck_assert(!same_nets(a.net, b.net));
    close_bench(&a);
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {dropout_goes_on_with_the_same_masks, NULL};
    Suite *const s = suite_of("resumed", tests);
    TCase *const loop = tcase_create("each trainer and option");
    tcase_set_timeout(loop, 60);
    tcase_add_loop_test(loop, a_loaded_training_goes_on_bit_for_bit, 0,
                        each_trainer_count() * OPTIONS);
    suite_add_tcase(s, loop);
    return s;
}
