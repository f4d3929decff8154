// SPDX-License-Identifier: Apache-2.0
//
// Evaluations in shards: each image's results, and all files of the whole,
// have the bytes of the undivided run; what is no set of shards is refused.

#include "eval/eval.h"
#include "support/files.h"
#include "support/support.h"
#include "wsr/result.h"

#include <stdlib.h>
#include <string.h>

enum { SHARDS = 3, PATH = 600 };

// The file of a network in a folder of its own.
static const char *net_file(void)
{
    static char path[PATH];
    wsr_net *net = NULL;
    (void)snprintf(path, sizeof(path), "%s",
                   path_in(scratch_folder("net"), "net.safetensors"));
    ck_assert_ok(wsr_net_new_kind(
        &net, "small_cnn", "classes=3,image_size=16,image_channels=3", 7));
    ck_assert_ok(wsr_net_save(net, path));
    wsr_net_free(net);
    return path;
}

// 22 of 24 images in batches of 4, the last one of 2; random starts, a random
// target and a combination whose members get what the others left.
static wsr_config *config_of(const char *shard, const char *more)
{
    static const char *const usual[] = {
        "data.spec=synthetic:size=16,test_count=24,classes=3",
        "attack.list=pgd:steps=2,autoattack:steps=3,queries=20,deepfool",
        "attack.eps=0.01,8/255",
        "attack.count=22",
        "attack.batch=4",
        "attack.show=6",
        "attack.quantize=true",
        "seed=3",
        "threads=1"};
    char text[64];
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_put(config, "net.file", net_file(), "test"));
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        ck_assert_ok(wsr_config_set(config, usual[i]));
    }
    (void)snprintf(text, sizeof(text), "attack.shard=%s", shard);
    ck_assert_ok(wsr_config_set(config, text));
    if (more != NULL) {
        ck_assert_ok(wsr_config_set(config, more));
    }
    return config;
}

static bool stop_soon(const wsr_progress *p, void *user)
{
    size_t *const calls = user;
    *calls += p->line == NULL;
    return *calls < 8;
}

// [owned] The folder of a shard, which is complete unless it is stopped.
static char *run_shard(const char *name, const char *shard, const char *more,
                       bool stopped)
{
    char *const dir = strdup(scratch_folder(name));
    wsr_config *const config = config_of(shard, more);
    size_t calls = 0;
    const wsr_status status = wsr_eval_run(NULL, config, dir, false,
                                           stopped ? stop_soon : NULL, &calls);
    ck_assert_int_eq(status, stopped ? WSR_CANCELED : WSR_OK);
    wsr_config_free(config);
    return dir;
}

static char *shards[SHARDS];

static void run_shards(const char *more)
{
    for (size_t i = 0; i < SHARDS; i++) {
        char name[16];
        char shard[16];
        (void)snprintf(name, sizeof(name), "shard%zu", i);
        (void)snprintf(shard, sizeof(shard), "%zu/%d", i + 1, SHARDS);
        shards[i] = run_shard(name, shard, more, false);
    }
}

static void free_shards(void)
{
    for (size_t i = 0; i < SHARDS; i++) {
        free(shards[i]);
        shards[i] = NULL;
    }
}

static void expect_same_file(const char *a, const char *b, const char *name)
{
    char path[PATH];
    (void)snprintf(path, sizeof(path), "%s", path_in(a, name));
    bytes x = get_file(path);
    bytes y = get_file(path_in(b, name));
    ck_assert_msg(x.size == y.size && memcmp(x.data, y.data, x.size) == 0,
                  "%s differs", name);
    bytes_free(&x);
    bytes_free(&y);
}

START_TEST(shards_are_the_undivided_evaluation)
{
    static const char *const files[] = {"images.csv", "images.jsonl",
                                        "images.safetensors", "curves.csv"};
    char *const whole = run_shard("whole", "1/1", NULL, false);
    char *const merged = strdup(scratch_folder("merged"));
    wsr_result *result = NULL;
    run_shards(NULL);
    // In another order.
    const char *const dirs[] = {shards[2], shards[0], shards[1]};
    ck_assert_ok(wsr_eval_merge(&result, dirs, SHARDS, NULL, merged));
    ck_assert_uint_eq(wsr_eval_count(wsr_result_eval(result), 0), 22);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        expect_same_file(whole, merged, files[i]);
    }
    wsr_result_free(result);
    // What was merged is a run that is done.
    ck_assert_ok(wsr_eval_run(&result, NULL, merged, true, NULL, NULL));
    ck_assert_uint_eq(wsr_eval_position(wsr_result_eval(result)), 18);
    wsr_result_free(result);
    free_shards();
    free(whole);
    free(merged);
}
END_TEST

// The first shards have 2 batches each, which is 8 images, the last one 6.
START_TEST(all_adversarial_images_are_merged)
{
    char whole_save[PATH];
    char save[PATH + 16];
    char ignored[PATH];
    (void)snprintf(whole_save, sizeof(whole_save), "%s",
                   path_in(scratch_folder("saved"), "a.safetensors"));
    (void)snprintf(save, sizeof(save), "attack.save=%s", whole_save);
    char *const whole = run_shard("whole", "1/1", save, false);
    bytes a = get_file(whole_save);
    (void)snprintf(ignored, sizeof(ignored), "attack.save=%s",
                   path_in(scratch_folder("ignored"), "a.safetensors"));
    run_shards(ignored);
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_set(config, save));
    ck_assert_int_eq(remove(whole_save), 0);
    ck_assert_ok(wsr_eval_merge(NULL, (const char *const *)shards, SHARDS,
                                config, NULL));
    bytes b = get_file(whole_save);
    ck_assert(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
    bytes_free(&a);
    bytes_free(&b);
    free_shards();
    // Shards that kept less than all cannot say what the rest was.
    run_shards(NULL);
    ck_assert_fails(
        wsr_eval_merge(NULL, (const char *const *)shards, SHARDS, config, NULL),
        WSR_ARG, "kept 6 of 8 adversarial images");
    wsr_config_free(config);
    free_shards();
    free(whole);
}
END_TEST

static void refuse(const char *const *dirs, size_t n, wsr_status status,
                   const char *words)
{
    wsr_result *result = NULL;
    ck_assert_fails(wsr_eval_merge(&result, dirs, n, NULL, NULL), status,
                    words);
    ck_assert_ptr_null(result);
}

START_TEST(what_is_no_set_of_shards_is_refused)
{
    run_shards(NULL);
    const char *const dirs[] = {shards[0], shards[1], shards[2], shards[1]};
    refuse(dirs, 0, WSR_ARG, "there are no shards");
    refuse(dirs, 2, WSR_ARG, "shard 3/3 is missing");
    refuse(dirs, 4, WSR_ARG, "shard 2/3 is in ");
    char *const other = run_shard("other", "2/4", NULL, false);
    const char *const mixed[] = {shards[0], other, shards[2]};
    refuse(mixed, SHARDS, WSR_ARG, "is shard 2/4, others are of 3");
    char *const part = run_shard("part", "2/3", NULL, true);
    const char *const stopped[] = {shards[0], part, shards[2]};
    refuse(stopped, SHARDS, WSR_ARG, "shard 2/3 is not complete");
    char *const seed = run_shard("seed", "2/3", "seed=4", false);
    const char *const seeds[] = {shards[0], seed, shards[2]};
    refuse(seeds, SHARDS, WSR_CONFIG, "of another evaluation");
    const char *const nowhere[] = {"nowhere"};
    refuse(nowhere, 1, WSR_IO, "nowhere/config.yaml");
    free(other);
    free(part);
    free(seed);
    free_shards();
}
END_TEST

START_TEST(shards_have_whole_batches)
{
    wsr__shard shard;
    wsr__shard_images images;
    static const size_t first[] = {0, 8, 16};
    static const size_t n[] = {8, 8, 6};
    for (size_t i = 0; i < SHARDS; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%zu/3", i + 1);
        ck_assert_ok(wsr__shard_parse(&shard, text));
        ck_assert_ok(wsr__shard_images_of(&images, &shard, 22, 4));
        ck_assert_uint_eq(images.first, first[i]);
        ck_assert_uint_eq(images.n, n[i]);
    }
    ck_assert_ok(wsr__shard_parse(&shard, "1/7"));
    ck_assert_fails(wsr__shard_images_of(&images, &shard, 22, 4), WSR_ARG,
                    "make 6 shards at most, not 7");
    static const char *const wrong[] = {"",     "1",    "0/2",  "3/2",
                                        "1/",   "/2",   "-1/2", "1/2/3",
                                        "1 /2", "1/2 ", "1/0"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_fails(wsr__shard_parse(&shard, wrong[i]), WSR_CONFIG,
                        "is not I/N");
    }
}
END_TEST

static void refuse_run(const char *more, const char *dir, const char *words)
{
    wsr_config *const config = config_of("1/2", more);
    ck_assert_fails(wsr_eval_run(NULL, config, dir, false, NULL, NULL),
                    WSR_CONFIG, words);
    wsr_config_free(config);
}

START_TEST(what_cannot_be_merged_is_not_divided)
{
    refuse_run(NULL, NULL, "a shard needs a folder");
    char *const dir = strdup(scratch_folder("run"));
    refuse_run("corruption.list=fog", dir, "at once");
    free(dir);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        shards_are_the_undivided_evaluation,  all_adversarial_images_are_merged,
        what_is_no_set_of_shards_is_refused,  shards_have_whole_batches,
        what_cannot_be_merged_is_not_divided, NULL};
    return suite_of("eval/merge", tests);
}
