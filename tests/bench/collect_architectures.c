// SPDX-License-Identifier: Apache-2.0
//
// Architectures of a small supernet with their losses, the data on which
// bench_predictors_rank compares predictors. It trains the supernet on
// Fashion-MNIST as a search does, samples architectures as a search does, and
// measures each at all strengths with PGD. Writes a safetensors file: tables
// (n, rows, cols), losses (n, heads) and eps (heads).
//
// collect_architectures out=FILE [n=160] [epochs=30] [threads=2] [images=12000]
//     [config=CONFIG.yaml] [seed=1] [table=TABLE.jsonl]
//   config: of a search, for example config.yaml of its folder, instead of the
//           settings below; its warm-up trains the supernet. data and images
//           are still those of this line.
//   table: cells that were trained alone (wsr-search --preset table-nb201).
//   They
//          are measured as well: trained_tables (m, rows, cols), trained_losses
//          (m, heads), and accuracies (m), mean robust ones with the first
//          seed.

#include "base/base.h"
#include "bench/bench.h"
#include "io/io.h"
#include "search/table.h"
#include "waiting.h"

#include <stdio.h>
#include <string.h>

static void set(wsr_config *config, const char *key, long value)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%s=%ld", key, value);
    bench_must(wsr_config_set(config, text));
}

static wsr_config *configure(const char *path, long epochs)
{
    static const char *const settings[] = {
        "supernet.channels=8",
        "supernet.layers=4",
        "search.batch=64",
        "search.augment=random_crop:pad=2,flip",
        "search.lr=0.05",
        "search.steps=2",
        "search.sources=[0.03,0.06,0.09]",
        "search.targets=[0.045,0.075,0.105]",
        "search.val_batches=4",
        "search.train_batches=40"};
    wsr_config *config = NULL;
    bench_must(wsr_config_new(&config));
    if (path != NULL) {
        bench_must(wsr_config_load(config, path));
    } else {
        for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
            bench_must(wsr_config_set(config, settings[i]));
        }
        set(config, "search.warm_up", epochs);
    }
    // All strengths are attacked, and rankings are made here.
    bench_must(wsr_config_set(config, "searcher.name=naive"));
    bench_must(wsr_config_set(config, "search.derive=alphas"));
    bench_must(wsr_config_set(config, "search.ranking="));
    set(config, "search.population", 0);
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
    wsr__table trained;
    float *trained_tables;
    double *trained_losses;
    double *accuracies;
    size_t n_trained;
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

static void add_trained(collected *c, wsr_search *search,
                        const wsr__table_row *row)
{
    const wsr__space_class *const space = wsr__search_space(search);
    const size_t k = c->n_trained++;
    wsr_genotype *genotype = NULL;
    wsr__path path = {0};
    wsr__pairs pairs;
    bench_must(wsr_genotype_parse(&genotype, row->genotype, row->cell));
    bench_must(wsr__pairs_take(&pairs, space, genotype));
    bench_must(wsr__path_new(&path, &search->arch));
    wsr__pairs_path(&path, &pairs, space);
    wsr__pairs_table(c->trained_tables + k * c->floats, &pairs, space);
    bench_must(wsr_search_evaluate(c->trained_losses + k * c->heads, search,
                                   path.choices));
    c->accuracies[k] = row->mean;
    wsr__path_free(&path);
    wsr_genotype_free(genotype);
}

// The random cells of a table: edge cases would make any ranking look good.
static void collect_trained(collected *c, wsr_search *search, const char *table)
{
    bench_must(wsr__table_read(&c->trained, table));
    const size_t n = c->trained.n;
    c->trained_tables = wsr__alloc(n * c->floats, sizeof(float));
    c->trained_losses = wsr__alloc(n * c->heads, sizeof(double));
    c->accuracies = wsr__alloc(n, sizeof(double));
    if (c->trained_tables == NULL || c->trained_losses == NULL ||
        c->accuracies == NULL) {
        bench_must(WSR_NOMEM);
        return; // bench_must() ended the program
    }
    for (size_t i = 0; i < n; i++) {
        const wsr__table_row *const row = &c->trained.rows[i];
        if (row->seed == 1 && strncmp(row->cell, "random_", 7) == 0) {
            add_trained(c, search, row);
        }
    }
}

static void write_trained(wsr__st_builder *b, const collected *c,
                          const wsr_search *search)
{
    const int64_t n = (int64_t)c->n_trained;
    const int64_t tables[] = {n, (int64_t)search->arch.rows,
                              (int64_t)search->arch.cols};
    const int64_t losses[] = {n, (int64_t)c->heads};
    bench_must(wsr__st_add(b, "trained_tables", WSR__ST_F32, c->trained_tables,
                           tables, 3));
    bench_must(wsr__st_add(b, "trained_losses", WSR__ST_F64, c->trained_losses,
                           losses, 2));
    bench_must(wsr__st_add_f64(b, "accuracies", c->accuracies, c->n_trained));
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
    if (c->n_trained > 0) {
        write_trained(b, c, search);
    }
    bench_must(wsr__st_write(b, path));
    wsr__st_builder_free(b);
}

static wsr_dataset *open_images(int argc, char **argv)
{
    wsr_dataset *data = NULL;
    char view[64];
    (void)snprintf(view, sizeof(view), "limit=%ld,size=%ld",
                   bench_number(argc, argv, "images", 12000),
                   bench_number(argc, argv, "size", 0));
    bench_must(wsr_dataset_open(
        &data, bench_text(argc, argv, "data", "fashion-mnist"), "train", view));
    return data;
}

static void free_collected(collected *c)
{
    wsr__free(c->tables);
    wsr__free(c->losses);
    wsr__free(c->eps);
    wsr__table_free(&c->trained);
    wsr__free(c->trained_tables);
    wsr__free(c->trained_losses);
    wsr__free(c->accuracies);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"out",    "n",     "epochs",  "images",
                                       "config", "table", "threads", "data",
                                       "seed",   "size",  NULL};
    collected c = {0};
    wsr_search *search = NULL;
    wait_briefly(argv);
    bench_check(argc, argv, keys);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    const char *const out = bench_text(argc, argv, "out", NULL);
    if (out == NULL) {
        (void)fprintf(stderr, "collect_architectures: out=FILE is absent\n");
        return 2;
    }
    wsr_config *const config =
        configure(bench_text(argc, argv, "config", NULL),
                  bench_number(argc, argv, "epochs", 30));
    set(config, "seed", bench_number(argc, argv, "seed", 1));
    set(config, "threads", bench_number(argc, argv, "threads", 2));
    wsr_dataset *const data = open_images(argc, argv);
    bench_must(wsr_search_new(&search, data, config));
    const double start = bench_seconds();
    while (wsr_search_phase(search) == WSR_PHASE_WARM_UP) {
        bench_must(wsr_search_step(search));
    }
    const double trained = bench_seconds();
    collect(&c, search, (size_t)bench_number(argc, argv, "n", 160));
    const char *const table = bench_text(argc, argv, "table", NULL);
    if (table != NULL) {
        collect_trained(&c, search, table);
    }
    write_file(out, &c, search);
    printf("{\"train_seconds\": %.1f, \"evaluate_seconds\": %.1f, \"n\": %zu, "
           "\"accuracy\": %.3f, \"threads\": %zu}\n",
           trained - start, bench_seconds() - trained, c.n,
           wsr_search_train_accuracy(search), wsr_threads());
    free_collected(&c);
    wsr_search_free(search);
    wsr_dataset_free(data);
    wsr_config_free(config);
    return 0;
}
