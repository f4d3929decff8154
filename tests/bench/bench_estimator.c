// SPDX-License-Identifier: Apache-2.0
//
// What the estimator saves: noises of three target strengths estimated from
// three known ones, against generating those three with PGD-7 on a supernet
// path. Prints one JSON object.
//
// bench_estimator [arch=0] [channels=16] [layers=8] [batch=64] [threads=2]
//                 [repeat=5]

#include "attack/attack.h"
#include "attack/engine/pgd_plan.h"
#include "base/base.h"
#include "bench/bench.h"
#include "waiting.h"
#include "wsr/estimator.h"
#include "wsr/net.h"

#include <stdio.h>
#include <stdlib.h>

enum { EDGES = 28, PIXELS = 3 * 32 * 32, SOURCES = 3, TARGETS = 3 };

typedef struct work {
    wsr_net *net;
    wsr_plan *plan;
    wsr_estimator *estimator;
    size_t batch;
    float *x;
    float *x_adv;
    float *noise[SOURCES];
    float *estimates[TARGETS];
    float *norms;
    int32_t *labels;
} work;

static float *array(size_t n)
{
    float *const p = calloc(n, sizeof(*p));
    if (p == NULL) {
        exit(1);
    }
    return p;
}

static void make_plan(work *w, int argc, char **argv)
{
    unsigned char choices[EDGES];
    char options[64];
    wsr_graph *graph = NULL;
    bench_path(choices, EDGES, bench_number(argc, argv, "arch", 0));
    (void)snprintf(options, sizeof(options), "channels=%ld,layers=%ld",
                   bench_number(argc, argv, "channels", 16),
                   bench_number(argc, argv, "layers", 8));
    bench_must(wsr_supernet_new(&w->net, options, 1));
    bench_must(wsr_supernet_graph(&graph, w->net, choices, NULL));
    bench_must(
        wsr_plan_new(&w->plan, graph, w->batch, WSR_GRAD_INPUT | WSR_TRAIN));
    wsr_graph_free(graph);
}

static void make_arrays(work *w)
{
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    const size_t floats = w->batch * PIXELS;
    w->x = array(floats);
    w->x_adv = array(floats);
    w->norms = array(w->batch * TARGETS);
    w->labels = calloc(w->batch, sizeof(*w->labels));
    for (size_t i = 0; i < floats; i++) {
        w->x[i] = wsr__rng_uniform(&rng);
    }
    for (size_t k = 0; k < SOURCES; k++) {
        w->noise[k] = array(floats);
        w->estimates[k] = array(floats);
        for (size_t i = 0; i < floats; i++) {
            w->noise[k][i] = 0.03F * (float)(k + 1) *
                             (2 * wsr__rng_uniform(&rng) - 1);
        }
    }
    for (size_t i = 0; i < w->batch * TARGETS; i++) {
        w->norms[i] = 1.5F + (float)(i % TARGETS);
    }
}

static void attack(void *ctx)
{
    const work *const w = ctx;
    for (size_t k = 0; k < TARGETS; k++) {
        const float eps = 0.045F + 0.03F * (float)k;
        const wsr__pgd pgd = {.eps = eps, .alpha = 2.5F * eps / 7, .steps = 7};
        bench_must(wsr__pgd_plan(w->x_adv, w->plan, w->x, w->labels, &pgd));
    }
}

static void estimate(void *ctx)
{
    const work *const w = ctx;
    const size_t counts[] = {w->batch, SOURCES, TARGETS};
    bench_must(wsr_estimator_run((float *const *)w->estimates, w->estimator,
                                 (const float *const *)w->noise, w->x, w->norms,
                                 counts));
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    static const char *const keys[] = {"arch",    "channels", "layers", "batch",
                                       "threads", "repeat",   NULL};
    bench_check(argc, argv, keys);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    work w = {.batch = (size_t)bench_number(argc, argv, "batch", 64)};
    const long repeat = bench_number(argc, argv, "repeat", 5);
    const wsr_shape image = {3, {3, 32, 32}};
    make_plan(&w, argc, argv);
    make_arrays(&w);
    bench_must(wsr_estimator_new(&w.estimator, "an", &image, 1));
    attack(&w);
    estimate(&w);
    const double attacked = bench_best(attack, &w, repeat);
    const double estimated = bench_best(estimate, &w, repeat);
    printf("{\"attack\": %.4f, \"estimate\": %.4f, \"ratio\": %.2f, "
           "\"batch\": %zu, \"threads\": %zu}\n",
           attacked, estimated, attacked / estimated, w.batch, wsr_threads());
    wsr_estimator_free(w.estimator);
    wsr_plan_free(w.plan);
    wsr_net_free(w.net);
    for (size_t k = 0; k < SOURCES; k++) {
        free(w.noise[k]);
        free(w.estimates[k]);
    }
    free(w.x);
    free(w.x_adv);
    free(w.norms);
    free(w.labels);
    return 0;
}
