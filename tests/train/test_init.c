// SPDX-License-Identifier: Apache-2.0
//
// Runs that start from the parameters of a network file.

#include "support/files.h"
#include "support/params.h"
#include "support/support.h"
#include "train/train.h"

#include <string.h>
#include <unistd.h>

static const char tiny[] =
    "seed: 5\n"
    "threads: 1\n"
    "data: {spec: \"synthetic:size=16,count=32,test_count=16,classes=3\"}\n"
    "net: {genotype: cna_r, channels: 4, layers: 3}\n"
    "train: {trainer: natural, epochs: 2, batch: 16, lr: 0, augment: [],\n"
    "        optimizer: \"sgd:momentum=0,weight_decay=0\", eval_every: 0}\n"
    "eval: {attack: \"\"}\n";

static wsr_config *config_of(const char *init, const char *setting)
{
    wsr_config *config = NULL;
    char text[700];
    ck_assert_ok(wsr_config_new(&config));
    ck_assert_ok(wsr_config_load_text(config, tiny, "test"));
    if (setting != NULL) {
        ck_assert_ok(wsr_config_set(config, setting));
    }
    (void)snprintf(text, sizeof(text), "train.init=%s", init);
    ck_assert_ok(wsr_config_set(config, text));
    return config;
}

static wsr_status run_from(const char *dir, const char *init,
                           const char *setting)
{
    wsr_config *const config = config_of(init, setting);
    const wsr_status status =
        wsr_train_run(NULL, config, dir, false, NULL, NULL);
    wsr_config_free(config);
    return status;
}

static void folder(char out[512], const char *name)
{
    (void)snprintf(out, 512, "%s", scratch_folder(name));
}

// A file of the network that `tiny` trains, all of it unlike a fresh one.
static void write_net(char path[600], const char *folder_name,
                      const char *options)
{
    wsr_net *net = NULL;
    char text[300];
    (void)snprintf(text, sizeof(text),
                   "genotype=cna_r,channels=4,layers=3,classes=3,image_size=16"
                   "%s",
                   options);
    ck_assert_ok(wsr_net_new(&net, NULL, text, 77));
    wsr_params *const params = wsr_net_params(net);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        if (strstr(wsr_params_name(params, i), "running_") != NULL) {
            wsr_params_edit(params, i)[0] = 0.75f;
        }
    }
    (void)snprintf(path, 600, "%s/init.safetensors",
                   scratch_folder(folder_name));
    ck_assert_ok(wsr_net_save(net, path));
    wsr_net_free(net);
}

static wsr_net *load(const char *path)
{
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_load(&net, path, NULL));
    return net;
}

static bool stop_at_once(const wsr_progress *p, void *user)
{
    (void)p;
    (void)user;
    return false;
}

START_TEST(training_starts_from_the_parameters_of_the_file)
{
    char path[600];
    char dir[512];
    write_net(path, "from", "");
    folder(dir, "started");
    // Nothing is learned at a rate of 0: weights stay those of the file.
    // What a start that was cut short leaves is in nobody's way.
    const bytes none = {NULL, 0};
    put_file(path_in(dir, "init.safetensors"), &none);
    ck_assert_ok(run_from(dir, path, NULL));
    wsr_net *const from = load(path);
    wsr_net *const to = load(path_in(dir, "net.safetensors"));
    wsr_net *const kept = load(path_in(dir, "init.safetensors"));
    expect_same_params(wsr_net_params(from), wsr_net_params(kept));
    const wsr_params *const a = wsr_net_params(from);
    const wsr_params *const b = wsr_net_params(to);
    for (size_t i = 0; i < wsr_params_count(a); i++) {
        if (wsr_params_trainable(a, i)) {
            const size_t n = (size_t)wsr_shape_count(wsr_params_shape(a, i));
            ck_assert_mem_eq(wsr_params_data(a, i), wsr_params_data(b, i),
                             n * sizeof(float));
        }
    }
    bytes config = get_file(path_in(dir, "config.yaml"));
    bytes_add(&config, "", 1);
    ck_assert_ptr_nonnull(strstr((const char *)config.data, path));
    bytes_free(&config);
    wsr_net_free(from);
    wsr_net_free(to);
    wsr_net_free(kept);
}
END_TEST

START_TEST(running_statistics_move_on_from_those_of_the_file)
{
    char path[600];
    char dir[512];
    write_net(path, "from", "");
    folder(dir, "moved");
    ck_assert_ok(run_from(dir, path, "train.epochs=1"));
    wsr_net *const net = load(path_in(dir, "net.safetensors"));
    const wsr_params *const params = wsr_net_params(net);
    size_t at = 0;
    ck_assert_ok(wsr_params_find(&at, params,
                                 "cells.0.preprocess0.op.2."
                                 "running_mean"));
    // Two batches at a momentum of 0.1 leave most of 0.75, where a fresh
    // network has 0; what normed stripes add to it is small.
    const float value = wsr_params_data(params, at)[0];
    ck_assert_msg(value > 0.3f, "%g", (double)value);
    wsr_net_free(net);
}
END_TEST

START_TEST(a_resumed_run_needs_the_file_no_more)
{
    char path[600];
    char whole[512];
    char parts[512];
    write_net(path, "from", "");
    folder(whole, "whole");
    folder(parts, "parts");
    ck_assert_ok(run_from(whole, path, "train.lr=0.05"));
    for (int begun = 0; begun < 2; begun++) {
        write_net(path, "from", "");
        folder(parts, "parts");
        wsr_config *const config = config_of(path, "train.lr=0.05");
        ck_assert_int_eq(
            wsr_train_run(NULL, config, parts, false, stop_at_once, NULL),
            WSR_CANCELED);
        ck_assert_int_eq(remove(path), 0);
        if (begun == 0) { // as a process that died before its checkpoint
            ck_assert_int_eq(remove(path_in(parts, "checkpoint.safetensors")),
                             0);
        }
        ck_assert_ok(wsr_train_run(NULL, NULL, parts, true, NULL, NULL));
        bytes a = get_file(path_in(whole, "net.safetensors"));
        bytes b = get_file(path_in(parts, "net.safetensors"));
        ck_assert_uint_eq(a.size, b.size);
        ck_assert_mem_eq(a.data, b.data, a.size);
        bytes_free(&a);
        bytes_free(&b);
        wsr_config_free(config);
    }
}
END_TEST

START_TEST(files_of_other_networks_are_refused_before_a_folder_is_made)
{
    static const struct {
        const char *file;    // options of the network in the file
        const char *setting; // of the run
        const char *words;
    } rows[] = {
        {"", "net.channels=8", "stem.0.weight (12, 3, 3, 3), not (24, "},
        {"", "net.genotype=RACL", "wsr.genotype"},
        {"", "net.layers=4", "missing (cells.3."},
        {"", "net.stem=int", "wsr.stem"},
        {"", "net.mean=0.5", "wsr.mean: is [], that of the network [0.5]"},
        {",std=0.25", "net.std=0.5", "wsr.std: is [0.25]"},
        {",mean=0.5", "net.std=0.5", "wsr.mean: is [0.5]"},
        {",auxiliary=true,image_size=32", "net.drop_path=0",
         "unexpected (auxiliary_head."},
        {"",
         "data.spec=synthetic:size=16,channels=1,count=32,test_count=16,"
         "classes=3",
         "stem.0.weight"},
        {"", "data.spec=synthetic:size=16,count=32,test_count=16,classes=4",
         "classifier.weight (3, 64), not (4, 64)"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[600];
        char dir[512];
        write_net(path, "from", rows[i].file);
        folder(dir, "refused");
        ck_assert_int_eq(rmdir(dir), 0);
        ck_assert_fails(run_from(dir, path, rows[i].setting), WSR_FORMAT,
                        rows[i].words);
        ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "train.init: "));
        ck_assert(strchr(wsr_error_detail(), '\n') == NULL);
        ck_assert(!wsr__file_exists(dir));
    }
}
END_TEST

START_TEST(files_that_are_no_networks_are_refused_before_a_folder_is_made)
{
    char path[600];
    char dir[512];
    folder(dir, "refused");
    ck_assert_int_eq(rmdir(dir), 0);
    write_net(path, "from", "");
    ck_assert_fails(run_from(dir, "/no/such.safetensors", NULL), WSR_IO,
                    "train.init: ");
    ck_assert(!wsr__file_exists(dir));
    unsigned char words[] = "no network";
    put_file(path, &(bytes){words, sizeof(words) - 1});
    ck_assert_fails(run_from(dir, path, NULL), WSR_FORMAT, "train.init: ");
    ck_assert(!wsr__file_exists(dir));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        training_starts_from_the_parameters_of_the_file,
        running_statistics_move_on_from_those_of_the_file,
        a_resumed_run_needs_the_file_no_more,
        files_of_other_networks_are_refused_before_a_folder_is_made,
        files_that_are_no_networks_are_refused_before_a_folder_is_made,
        NULL};
    return suite_of("init", tests);
}
