// SPDX-License-Identifier: Apache-2.0
//
// Architectures of a small supernet with their losses, the data on which
// bench_predictors_rank compares predictors. It trains the supernet on
// Fashion-MNIST as a search does, samples architectures as a search does, and
// measures each at all strengths with PGD. Writes a safetensors file: tables
// (n, rows, cols), losses (n, heads) and eps (heads).
//
// collect_architectures out=FILE [n=160] [epochs=30] [threads=2] [images=12000]

#include "base/base.h"
#include "bench/bench.h"
#include "io/io.h"
#include "search/search.h"
#include "waiting.h"

#include <stdio.h>
#include <string.h>

static wsr_config *configure(long epochs)
{
    static const char *const settings[] = {
        "seed=1",
        "supernet.channels=8",
        "supernet.layers=4",
        "searcher.name=naive",
        "search.population=0",
        "search.batch=64",
        "search.augment=random_crop:pad=2,flip",
        "search.lr=0.05",
        "search.steps=2",
        "search.sources=[0.03,0.06,0.09]",
        "search.targets=[0.045,0.075,0.105]",
        "search.val_batches=4",
        "search.train_batches=40"};
    wsr_config *config = NULL;
    char text[64];
    bench_must(wsr_config_new(&config));
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        bench_must(wsr_config_set(config, settings[i]));
    }
    (void)snprintf(text, sizeof(text), "search.warm_up=%ld", epochs);
    bench_must(wsr_config_set(config, text));
    return config;
}

// Everything that the file holds. Arrays are as long as the search needs.
typedef struct collected {
    size_t n;
    size_t heads;
    size_t floats; // of a table
    float *tables;
    double *losses;
    double *eps;
} collected;

static void collect(collected *c, wsr_search *search, size_t n)
{
    wsr__path path = {0};
    c->n = n;
    c->heads = wsr_search_losses(search);
    c->floats = search->arch.rows * search->arch.cols;
    c->tables = wsr__alloc(n * c->floats, sizeof(float));
    c->losses = wsr__alloc(n * c->heads, sizeof(double));
    c->eps = wsr__alloc(c->heads, sizeof(double));
    if (c->tables == NULL || c->losses == NULL || c->eps == NULL) {
        bench_must(WSR_NOMEM);
        return; // bench_must() ended the program
    }
    for (size_t i = 0; i < c->heads; i++) {
        c->eps[i] = wsr_search_eps(search, i);
    }
    bench_must(wsr__path_new(&path, &search->arch));
    for (size_t i = 0; i < n; i++) {
        wsr__path_sample(&path, search, i, WSR__SAMPLE_CALLER);
        memcpy(c->tables + i * c->floats, path.weights,
               c->floats * sizeof(float));
        bench_must(wsr_search_evaluate(c->losses + i * c->heads, search,
                                       path.choices));
    }
    wsr__path_free(&path);
}

static void write_file(const char *path, const collected *c,
                       const wsr_search *search)
{
    wsr__st_builder *b = NULL;
    const int64_t tables[] = {(int64_t)c->n, (int64_t)search->arch.rows,
                              (int64_t)search->arch.cols};
    const int64_t losses[] = {(int64_t)c->n, (int64_t)c->heads};
    bench_must(wsr__st_builder_new(&b));
    bench_must(wsr__st_add(b, "tables", WSR__ST_F32, c->tables, tables, 3));
    bench_must(wsr__st_add(b, "losses", WSR__ST_F64, c->losses, losses, 2));
    bench_must(wsr__st_add_f64(b, "eps", c->eps, c->heads));
    bench_must(wsr__st_write(b, path));
    wsr__st_builder_free(b);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"out",     "n",    "epochs", "images",
                                       "threads", "data", NULL};
    collected c = {0};
    wsr_dataset *data = NULL;
    wsr_search *search = NULL;
    char limit[64];
    wait_briefly(argv);
    bench_check(argc, argv, keys);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    const char *const out = bench_text(argc, argv, "out", NULL);
    if (out == NULL) {
        (void)fprintf(stderr, "collect_architectures: out=FILE is absent\n");
        return 2;
    }
    wsr_config *const config =
        configure(bench_number(argc, argv, "epochs", 30));
    (void)snprintf(limit, sizeof(limit), "limit=%ld",
                   bench_number(argc, argv, "images", 12000));
    bench_must(wsr_dataset_open(&data,
                                bench_text(argc, argv, "data", "fashion-mnist"),
                                "train", limit));
    bench_must(wsr_search_new(&search, data, config));
    const double start = bench_seconds();
    while (wsr_search_phase(search) == WSR_PHASE_WARM_UP) {
        bench_must(wsr_search_step(search));
    }
    const double trained = bench_seconds();
    collect(&c, search, (size_t)bench_number(argc, argv, "n", 160));
    write_file(out, &c, search);
    printf("{\"train_seconds\": %.1f, \"evaluate_seconds\": %.1f, \"n\": %zu, "
           "\"accuracy\": %.3f, \"threads\": %zu}\n",
           trained - start, bench_seconds() - trained, c.n,
           wsr_search_train_accuracy(search), wsr_threads());
    wsr__free(c.tables);
    wsr__free(c.losses);
    wsr__free(c.eps);
    wsr_search_free(search);
    wsr_dataset_free(data);
    wsr_config_free(config);
    return 0;
}
