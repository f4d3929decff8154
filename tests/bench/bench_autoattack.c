// SPDX-License-Identifier: Apache-2.0
//
// AutoAttack, whole: seconds, and logits and gradients per image. Prints one
// JSON object.
//
// bench_autoattack [key=value...]
//   net=FILE         a network's file; without, a random one of 4 channels
//   genotype=NAME    of a file that does not say
//   data=SPEC        images; without, synthetic ones
//   images=256 eps=0.1 norm=linf version=standard steps=100 queries=5000
//   batch=64 threads=2 seed=0
//   peer=COMMAND     a command that prints "seconds", "cpu_seconds",
//   "standing",
//                    "queries" and "gradients" (per image); both are run
//   pairs=1          that many times in turn, and ratios are medians

#include "bench/bench.h"
#include "waiting.h"
#include "wsr/attack.h"
#include "wsr/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct work {
    wsr_net *net;
    wsr_model *model;
    wsr_dataset *data;
    wsr_attack *attack;
    float *x;
    size_t n;
    double cpu;     // processor seconds of the last run
    double queries; // of the last run, per image
    double gradients;
    size_t clean, standing;
} work;

static void open_net(work *w, int argc, char **argv)
{
    char text[96];
    const char *const file = bench_text(argc, argv, "net", NULL);
    const char *const genotype = bench_text(argc, argv, "genotype", NULL);
    (void)snprintf(
        text, sizeof(text), "%s%.64s",
        genotype == NULL ? "" : "genotype=", genotype == NULL ? "" : genotype);
    if (file != NULL) {
        bench_must(wsr_net_load(&w->net, file, text));
    } else {
        bench_must(wsr_net_new(&w->net, NULL,
                               "genotype=cna_r,channels=4,layers=2", 1));
    }
    bench_must(wsr_model_from_net(
        &w->model, w->net, (size_t)bench_number(argc, argv, "batch", 64)));
}

static void open_data(work *w, int argc, char **argv)
{
    char text[96];
    const wsr_shape *const shape = wsr_model_shape(w->model);
    (void)snprintf(text, sizeof(text), "limit=%zu,size=%d,channels=%d", w->n,
                   (int)shape->dims[1], (int)shape->dims[0]);
    bench_must(wsr_dataset_open(
        &w->data, bench_text(argc, argv, "data", "synthetic"), "test", text));
    w->n = wsr_dataset_count(w->data) < w->n ? wsr_dataset_count(w->data)
                                             : w->n;
    w->x = malloc(w->n * (size_t)wsr_shape_count(shape) * sizeof(*w->x));
    if (w->x == NULL) {
        exit(1);
    }
    bench_must(wsr_dataset_images(w->x, w->data, NULL, w->n));
}

static void make_attack(work *w, int argc, char **argv)
{
    char spec[256];
    char options[64];
    const float eps = strtof(bench_text(argc, argv, "eps", "0.1"), NULL);
    (void)snprintf(spec, sizeof(spec),
                   "autoattack:norm=%.8s,version=%.16s,steps=%ld,queries=%ld",
                   bench_text(argc, argv, "norm", "linf"),
                   bench_text(argc, argv, "version", "standard"),
                   bench_number(argc, argv, "steps", 100),
                   bench_number(argc, argv, "queries", 5000));
    (void)snprintf(options, sizeof(options), "images=false,seed=%ld",
                   bench_number(argc, argv, "seed", 0));
    bench_must(wsr_attack_new(&w->attack, spec, options));
    bench_must(wsr_attack_set_strengths(w->attack, &eps, 1));
}

static void run(void *ctx)
{
    work *const w = ctx;
    wsr_attack_result *result = NULL;
    const uint64_t queries = wsr_model_queries(w->model);
    const uint64_t gradients = wsr_model_gradients(w->model);
    const clock_t start = clock();
    bench_must(wsr_attack_run(&result, w->attack, w->model, w->x,
                              wsr_dataset_labels(w->data), w->n));
    w->cpu = (double)(clock() - start) / CLOCKS_PER_SEC;
    w->clean = w->standing = 0;
    for (size_t i = 0; i < w->n; i++) {
        w->clean += wsr_attack_result_clean(result)[i];
        w->standing += wsr_attack_result_robust(result, 0)[i];
    }
    w->queries = (double)(wsr_model_queries(w->model) - queries) / (double)w->n;
    w->gradients = (double)(wsr_model_gradients(w->model) - gradients) /
                   (double)w->n;
    wsr_attack_result_free(result);
}

static void print_ours(const work *w, double seconds)
{
    printf("\"seconds\": %.3f, \"cpu_seconds\": %.3f, \"clean\": %zu, "
           "\"standing\": %zu, "
           "\"queries\": %.1f, \"gradients\": %.1f, ",
           seconds, w->cpu, w->clean, w->standing, w->queries, w->gradients);
}

static void print_pairs(work *w, const char *peer, long pairs)
{
    double ours[16];
    double theirs[16];
    double ratios[16];
    char text[4096] = "";
    const size_t n = pairs < 1 ? 1 : pairs > 16 ? 16 : (size_t)pairs;
    for (size_t p = 0; p < n; p++) {
        ours[p] = bench_best(run, w, 1);
        bench_peer(text, sizeof(text), peer);
        theirs[p] = bench_field(text, "seconds");
        ratios[p] = theirs[p] / ours[p];
    }
    print_ours(w, bench_median(ours, n));
    printf("\"peer_seconds\": %.3f, \"peer_standing\": %.0f, "
           "\"peer_cpu_seconds\": %.3f, \"peer_queries\": %.1f, "
           "\"peer_gradients\": %.1f, "
           "\"ratio\": %.2f, \"pairs\": %zu, ",
           bench_median(theirs, n), bench_field(text, "standing"),
           bench_field(text, "cpu_seconds"), bench_field(text, "queries"),
           bench_field(text, "gradients"), bench_median(ratios, n), n);
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    static const char *const keys[] = {
        "net",     "genotype", "data",  "images",  "eps",
        "norm",    "version",  "steps", "queries", "seed",
        "threads", "peer",     "pairs", "batch",   NULL};
    work w = {0};
    bench_check(argc, argv, keys);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    w.n = (size_t)bench_number(argc, argv, "images", 256);
    open_net(&w, argc, argv);
    open_data(&w, argc, argv);
    make_attack(&w, argc, argv);
    const char *const peer = bench_text(argc, argv, "peer", NULL);
    printf("{");
    if (peer != NULL) {
        print_pairs(&w, peer, bench_number(argc, argv, "pairs", 1));
    } else {
        print_ours(&w, bench_best(run, &w, 1));
    }
    printf("\"images\": %zu, \"threads\": %zu, \"peak_mib\": %ld}\n", w.n,
           wsr_threads(), bench_peak_mib());
    wsr_attack_free(w.attack);
    wsr_dataset_free(w.data);
    wsr_model_free(w.model);
    wsr_net_free(w.net);
    free(w.x);
    return 0;
}
