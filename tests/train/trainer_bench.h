// SPDX-License-Identifier: Apache-2.0
//
// A trainer of a small network on synthetic images.

#ifndef WSR_TESTS_TRAIN_TRAINER_BENCH_H
#define WSR_TESTS_TRAIN_TRAINER_BENCH_H

#include "support/support.h"
#include "train/train.h"

static const char source[] =
    "synthetic:size=16,count=96,test_count=48,classes=3";
static const char network[] =
    "genotype=cna_r,channels=4,layers=3,classes=3,image_size=16";

typedef struct bench {
    wsr_dataset *train;
    wsr_dataset *test;
    wsr_net *net;
    wsr_trainer *trainer;
} bench;

static inline bench open_with(const char *data, const char *kind,
                              const char *of_net, const char *options)
{
    bench b = {0};
    wsr_set_threads(1);
    ck_assert_ok(wsr_dataset_open(&b.train, data, "train", NULL));
    ck_assert_ok(wsr_dataset_open(&b.test, data, "test", NULL));
    ck_assert_ok(wsr_net_new_kind(&b.net, kind, of_net, 1));
    ck_assert_ok(
        wsr_trainer_new(&b.trainer, b.net, b.train, b.test, options, 1));
    return b;
}

static inline bench open_kind(const char *kind, const char *of_net,
                              const char *options)
{
    return open_with(source, kind, of_net, options);
}

/// With half as many images, for trainings that are repeated a lot.
static inline bench open_half(const char *kind, const char *of_net,
                              const char *options)
{
    return open_with("synthetic:size=16,count=48,test_count=48,classes=3", kind,
                     of_net, options);
}

static inline bench open_bench(const char *options)
{
    return open_kind("network", network, options);
}

static inline void close_bench(bench *b)
{
    wsr_trainer_free(b->trainer);
    wsr_net_free(b->net);
    wsr_dataset_free(b->test);
    wsr_dataset_free(b->train);
}

static inline bool same_nets(const wsr_net *a, const wsr_net *b)
{
    const wsr_params *const p = wsr_net_params(a);
    const wsr_params *const q = wsr_net_params(b);
    bool same = wsr_params_count(p) == wsr_params_count(q);
    for (size_t i = 0; same && i < wsr_params_count(p); i++) {
        const size_t n = (size_t)wsr_shape_count(wsr_params_shape(p, i));
        same = same_bits(wsr_params_data(p, i), wsr_params_data(q, i),
                         n * sizeof(float));
    }
    return same;
}

static inline void finish(const bench *b)
{
    while (!wsr_trainer_done(b->trainer)) {
        ck_assert_ok(wsr_trainer_step(b->trainer));
    }
}

#endif
