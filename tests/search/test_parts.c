// SPDX-License-Identifier: Apache-2.0
//
// Batches of the supernet in parts. With norms over all parts a step is that of
// the undivided batch.

#include "search/runs.h"
#include "search/search.h"

#include <math.h>

typedef struct fixture {
    wsr_dataset *data;
    wsr_config *config;
    wsr_search *search;
    wsr_status status;
} fixture;

static fixture open_parts(const char *parts, const char *norms,
                          const char *extra)
{
    fixture f = {0};
    const char *const settings[] = {"search.train_batches=1",
                                    "search.warm_up=2",
                                    "search.batch=16",
                                    extra == NULL
                                        ? "search.attack_norms=running"
                                        : "search.attack_norms=batch",
                                    parts,
                                    norms};
    ck_assert_ok(
        wsr_dataset_open(&f.data, "synthetic:size=16", "train", "limit=64"));
    f.config = make_config(NULL);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        ck_assert_ok(wsr_config_set(f.config, settings[i]));
    }
    if (extra != NULL) {
        ck_assert_ok(wsr_config_set(f.config, extra));
    }
    f.status = wsr_search_new(&f.search, f.data, f.config);
    return f;
}

static void close_parts(fixture *f)
{
    wsr_search_free(f->search);
    wsr_config_free(f->config);
    wsr_dataset_free(f->data);
}

static double distance(const fixture *a, const fixture *b)
{
    double most = 0;
    const wsr_params *const p = wsr_net_params(a->search->net);
    const wsr_params *const q = wsr_net_params(b->search->net);
    for (size_t i = 0; i < wsr_params_count(p); i++) {
        const wsr__param *const x = wsr__params_at(p, i);
        const wsr__param *const y = wsr__params_at(q, i);
        for (int64_t k = 0; k < x->count; k++) {
            most = fmax(most, fabs((double)x->data[k] - (double)y->data[k]));
        }
    }
    return most;
}

// After an epoch of one batch, whose attack sees the running statistics, so
// that it is the same however the batch is divided; parameters and running
// statistics.
static double distance_to_whole(const char *parts, const char *norms)
{
    fixture whole =
        open_parts("search.shards=1", "search.train_norms=rank", NULL);
    fixture divided = open_parts(parts, norms, NULL);
    ck_assert_ok(whole.status);
    ck_assert_ok(divided.status);
    ck_assert_ok(wsr_search_step(whole.search));
    ck_assert_ok(wsr_search_step(divided.search));
    const double d = distance(&whole, &divided);
    ck_assert_double_eq(whole.search->counted.gradient,
                        divided.search->counted.gradient);
    close_parts(&divided);
    close_parts(&whole);
    return d;
}

START_TEST(with_global_norms_parts_are_one_batch)
{
    ck_assert_double_lt(
        distance_to_whole("search.shards=4", "search.train_norms=global"),
        1e-6);
    ck_assert_double_lt(
        distance_to_whole("search.shards=16", "search.train_norms=global"),
        1e-6);
    ck_assert_double_gt(
        distance_to_whole("search.shards=4", "search.train_norms=rank"), 1e-3);
    ck_assert_double_eq(
        distance_to_whole("search.shards=1", "search.train_norms=global"), 0);
}
END_TEST

static void must_refuse(const char *extra, const char *words)
{
    fixture f =
        open_parts("search.shards=4", "search.train_norms=global", extra);
    ck_assert_fails(f.status, WSR_CONFIG, words);
    close_parts(&f);
}

START_TEST(what_parts_cannot_do_together_is_refused)
{
    must_refuse("search.train_norms=all", "train_norms");
    must_refuse("search.gradients=released", "search.gradients");
    must_refuse("search.attack_stats=released", "search.attack_stats");
    must_refuse("searcher.name=std_const_adv", "search.train_norms: global");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {with_global_norms_parts_are_one_batch,
                                  what_parts_cannot_do_together_is_refused,
                                  NULL};
    return suite_of("search/parts", tests);
}
