// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the searchers share: a small search on synthetic images,
// and that a run that was stopped ends with the same bytes.

#ifndef WSR_TESTS_SEARCH_RUNS_H
#define WSR_TESTS_SEARCH_RUNS_H

#include "base/base.h"
#include "support/support.h"
#include "wsr/log.h"
#include "wsr/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static inline wsr_config *make_config(const char *extra)
{
    static const char *const settings[] = {"seed=3",
                                           "data.spec=synthetic:size=16",
                                           "data.limit=64",
                                           "data.test_limit=16",
                                           "supernet.channels=4",
                                           "supernet.layers=2",
                                           "search.warm_up=1",
                                           "search.population=1",
                                           "search.epochs=1",
                                           "search.predictor_warm_up=2",
                                           "search.predictor_passes=2",
                                           "search.batch=16",
                                           "search.steps=1",
                                           "search.architectures=2",
                                           "search.estimator_batches=1",
                                           "search.val_batches=1",
                                           "search.augment=flip",
                                           "estimator.memory=64",
                                           "estimator.batch=16",
                                           "estimator.passes=1",
                                           "net.channels=4",
                                           "net.layers=2",
                                           "train.trainer=madry:steps=1",
                                           "train.epochs=1",
                                           "train.batch=16",
                                           "train.eval_every=0",
                                           "eval.attack=fgsm",
                                           "eval.eps=[0.03]",
                                           "eval.count=8"};
    wsr_config *config = NULL;
    ck_assert_ok(wsr_config_new(&config));
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        ck_assert_ok(wsr_config_set(config, settings[i]));
    }
    if (extra != NULL) {
        ck_assert_ok(wsr_config_set(config, extra));
    }
    return config;
}

// Stops after so many steps; calls inside a step do not count.
static inline bool stop_after(const wsr_progress *p, void *user)
{
    static char phase[32];
    static size_t done;
    size_t *const left = user;
    if (p->line != NULL || (strcmp(phase, p->phase) == 0 && done == p->step)) {
        return true;
    }
    (void)snprintf(phase, sizeof(phase), "%s", p->phase);
    done = p->step;
    return (*left)-- > 1;
}

static inline void same_file(const char *a, const char *b, const char *name)
{
    unsigned char *content[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    const char *const dirs[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        char *const path = wsr__path_join(dirs[i], name);
        ck_assert_ok(wsr__file_read(&content[i], &sizes[i], path, 1U << 30));
        wsr__free(path);
    }
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_msg(memcmp(content[0], content[1], sizes[0]) == 0, "%s differs",
                  name);
    wsr__free(content[0]);
    wsr__free(content[1]);
}

static inline bool file_has(const char *dir, const char *name, const char *text)
{
    unsigned char *content = NULL;
    size_t size = 0;
    char *const path = wsr__path_join(dir, name);
    ck_assert_ok(wsr__file_read(&content, &size, path, 1U << 30));
    const bool has = strstr((const char *)content, text) != NULL;
    wsr__free(content);
    wsr__free(path);
    return has;
}

/// Take "key":number out of a text wherever the key begins with `stem`.
static inline void cut_numbers(char *text, const char *stem)
{
    for (char *at = strstr(text, stem); at != NULL; at = strstr(at, stem)) {
        const size_t n = strcspn(at, ",}");
        memmove(at, at + n, strlen(at + n) + 1);
    }
}

/// The log of a folder without the times.
static inline char *log_of(const char *dir)
{
    unsigned char *content = NULL;
    size_t size = 0;
    char *const path = wsr__path_join(dir, "log.jsonl");
    ck_assert_ok(wsr__file_read(&content, &size, path, 1U << 30));
    cut_numbers((char *)content, "\"time_");
    cut_numbers((char *)content, "\"seconds");
    wsr__free(path);
    return (char *)content;
}

static inline void same_log(const char *a, const char *b)
{
    char *const one = log_of(a);
    char *const other = log_of(b);
    size_t same = 0;
    while (one[same] != '\0' && one[same] == other[same]) {
        same++;
    }
    ck_assert_msg(one[same] == other[same], "logs differ: '%.80s', '%.80s'",
                  one + same, other + same);
    wsr__free(one);
    wsr__free(other);
}

/// The last number of a key in the lines of an event, and how many lines there
/// are.
static inline double last_number(size_t *lines, const char *dir,
                                 const char *event, const char *key)
{
    wsr_log_reader *log = NULL;
    double value = (double)NAN;
    bool more = true;
    char *const path = wsr__path_join(dir, "log.jsonl");
    *lines = 0;
    ck_assert_ok(wsr_log_reader_open(&log, path));
    while (more) {
        ck_assert_ok(wsr_log_reader_next(&more, log));
        if (more && strcmp(wsr_log_reader_event(log), event) == 0) {
            value = wsr_log_reader_number(log, key);
            (*lines)++;
        }
    }
    wsr_log_reader_close(log);
    wsr__free(path);
    return value;
}

/// The number of the event "found".
static inline double found_number(const char *dir, const char *key)
{
    size_t lines = 0;
    return last_number(&lines, dir, "found", key);
}

/// Run a configuration whole, and again in pieces of so many steps, more than
/// any stage has that begins anew after a stop. `whole` becomes the folder.
static inline void check_stopped_into(char whole[512], const wsr_config *config,
                                      size_t steps)
{
    (void)snprintf(whole, 512, "%s", scratch_folder("whole"));
    ck_assert_ok(wsr_search_run(NULL, config, whole, false, NULL, NULL));
    char cut[512];
    (void)snprintf(cut, sizeof(cut), "%s", scratch_folder("cut"));
    wsr_status status = WSR_CANCELED;
    for (size_t round = 0; round < 40 && status == WSR_CANCELED; round++) {
        size_t left = steps;
        status =
            wsr_search_run(NULL, config, cut, round > 0, stop_after, &left);
    }
    ck_assert_msg(status == WSR_OK, "%s", wsr_error_detail());
    same_file(whole, cut, "genotype.yaml");
    same_file(whole, cut, "checkpoint.safetensors");
    same_file(whole, cut, "net.safetensors");
    same_log(whole, cut);
}

static inline void check_stopped_after(const wsr_config *config, size_t steps)
{
    char whole[512];
    check_stopped_into(whole, config, steps);
}

static inline void check_stopped(const wsr_config *config)
{
    check_stopped_after(config, 3);
}

#endif
