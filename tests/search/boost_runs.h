// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the searchers over boost networks share.

#ifndef WSR_TESTS_SEARCH_BOOST_RUNS_H
#define WSR_TESTS_SEARCH_BOOST_RUNS_H

#include "search/boost.h"
#include "search/runs.h"

#include <math.h>

/// One strength, to save time.
static inline wsr_config *boost_config(const char *extra)
{
    static const char *const settings[] = {
        "search.sources=[0.03]", "search.targets=[]", "search.weights=[1]",
        "search.norm_values=[]"};
    wsr_config *const config = make_config(extra);
    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        ck_assert_ok(wsr_config_set(config, settings[i]));
    }
    return config;
}

/// A search in the hands of the test, and its data.
typedef struct boost_bench {
    wsr_dataset *data;
    wsr_search *search;
} boost_bench;

/// `settings` end with NULL. Nothing is augmented.
static inline boost_bench boost_open(const char *const *settings)
{
    boost_bench bench = {NULL, NULL};
    wsr_config *const config = boost_config("search.augment=");
    for (size_t i = 0; settings[i] != NULL; i++) {
        ck_assert_ok(wsr_config_set(config, settings[i]));
    }
    ck_assert_ok(wsr_dataset_open(&bench.data, "synthetic:size=16", "train",
                                  "limit=64"));
    ck_assert_ok(wsr_search_new(&bench.search, bench.data, config));
    wsr_config_free(config);
    return bench;
}

static inline void boost_close(const boost_bench *bench)
{
    wsr_search_free(bench->search);
    wsr_dataset_free(bench->data);
}

/// Number of trained parameters below a prefix in which two searches differ.
static inline size_t boost_differing(const boost_bench *a, const boost_bench *b,
                                     const char *prefix)
{
    const wsr_params *const p = wsr_net_params(a->search->net);
    const wsr_params *const q = wsr_net_params(b->search->net);
    size_t n = 0;
    for (size_t i = 0; i < wsr_params_count(p); i++) {
        const char *const name = wsr_params_name(p, i);
        const size_t bytes = (size_t)wsr_shape_count(wsr_params_shape(p, i)) *
                             sizeof(float);
        n += wsr_params_trainable(p, i) &&
             strncmp(name, prefix, strlen(prefix)) == 0 &&
             memcmp(wsr_params_data(p, i), wsr_params_data(q, i), bytes) != 0;
    }
    return n;
}

/// A whole run and one that is stopped again and again end with the same bytes,
/// and its network is one of the base and the found cells.
static inline void check_boost_run(const char *searcher)
{
    wsr_net *net = NULL;
    wsr_genotype *genotype = NULL;
    char dir[512];
    char path[600];
    wsr_config *const config = boost_config(searcher);
    ck_assert_ok(wsr_config_set(config, "search.random_baseline=1"));
    check_stopped_into(dir, config, 9);
    (void)snprintf(path, sizeof(path), "%s/net.safetensors", dir);
    ck_assert_ok(wsr_net_load(&net, path, NULL));
    ck_assert_str_eq(wsr_net_kind(net), "boost");
    (void)snprintf(path, sizeof(path), "%s/genotype.yaml", dir);
    ck_assert_ok(wsr_genotype_load(&genotype, path));
    ck_assert(wsr_genotype_equal(genotype, wsr_net_genotype(net)));
    wsr_genotype_free(genotype);
    wsr_net_free(net);
    wsr_config_free(config);
}

#endif
