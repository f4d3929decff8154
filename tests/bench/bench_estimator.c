// SPDX-License-Identifier: Apache-2.0
//
// What an estimator saves: noises of three target strengths estimated from
// three known ones, against generating those three with PGD-7 on a supernet
// path; and one training step of the estimator on a batch with three sources
// and one target. Prints one JSON object.
//
// bench_estimator [estimator=an] [arch=0] [channels=16] [layers=8] [batch=64]
//                 [threads=2] [repeat=5] [peer=COMMAND] [pairs=5]
//                 [only=estimate|train] [dump=1]
//   estimator: name, or name:option=value,...
//   peer: peer_estimator.py of this directory and its arguments
//   dump: print the plans of the estimator, with times, to stderr

#include "attack/attack.h"
#include "attack/engine/pgd_plan.h"
#include "base/base.h"
#include "bench/bench.h"
#include "estimator/estimator.h"
#include "graph/plan.h"
#include "waiting.h"
#include "wsr/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EDGES = 28, PIXELS = 3 * 32 * 32, SOURCES = 3, TARGETS = 3, PAIRS = 64 };

typedef struct work {
    wsr_net *net;
    wsr_plan *plan;
    wsr_estimator *estimator;
    size_t batch;
    float *x;
    float *x_adv;
    float *noise[SOURCES + 1];
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
    for (size_t k = 0; k < TARGETS; k++) {
        w->estimates[k] = array(floats);
    }
    for (size_t k = 0; k < SOURCES + 1; k++) {
        w->noise[k] = array(floats);
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

// The memory holds one batch, so this is one step.
static void train(void *ctx)
{
    const work *const w = ctx;
    bench_must(wsr_estimator_train(NULL, w->estimator, 0));
}

static void make_estimator(work *w, int argc, char **argv)
{
    const char *const spec = bench_text(argc, argv, "estimator", "an");
    const wsr_shape image = {3, {3, 32, 32}};
    char text[512];
    (void)snprintf(text, sizeof(text), "%s%cmemory=%zu,batch=%zu,passes=1",
                   spec, strchr(spec, ':') == NULL ? ':' : ',', w->batch,
                   w->batch);
    bench_must(wsr_estimator_new(&w->estimator, text, &image, 1));
    bench_must(wsr_estimator_remember(w->estimator,
                                      (const float *const *)w->noise, w->x,
                                      SOURCES + 1, w->batch));
}

// Time each step of the estimator's plans in one more run of both.
static void dump_plans(work *w)
{
    for (size_t i = 0; i < WSR__ESTIMATOR_PLANS; i++) {
        if (w->estimator->plans[i].plan != NULL) {
            wsr_plan_time(w->estimator->plans[i].plan, true);
        }
    }
    estimate(w);
    train(w);
    for (size_t i = 0; i < WSR__ESTIMATOR_PLANS; i++) {
        char *text = NULL;
        if (w->estimator->plans[i].plan != NULL) {
            bench_must(wsr_plan_dump(&text, w->estimator->plans[i].plan));
            (void)fputs(text, stderr);
            wsr_text_free(text);
        }
    }
}

typedef struct pair {
    double attack;
    double estimate;
    double train;
    double peer; // training, 0 without one
} pair;

static bool wanted(int argc, char **argv, const char *what)
{
    return strcmp(bench_text(argc, argv, "only", what), what) == 0;
}

static pair measure(work *w, int argc, char **argv, const char *peer)
{
    const long repeat = bench_number(argc, argv, "repeat", 5);
    char text[4096] = "";
    pair p = {0};
    if (peer != NULL) {
        bench_peer(text, sizeof(text), peer);
        p.peer = bench_field(text, "train");
    }
    if (wanted(argc, argv, "train")) {
        p.train = bench_best(train, w, repeat);
    }
    if (wanted(argc, argv, "estimate")) {
        p.attack = bench_best(attack, w, repeat);
        p.estimate = bench_best(estimate, w, repeat);
    }
    return p;
}

static void print(const pair *p, size_t pairs, size_t batch)
{
    double attacks[PAIRS];
    double estimates[PAIRS];
    double trains[PAIRS];
    double peers[PAIRS];
    double by_attack[PAIRS];
    double by_peer[PAIRS];
    for (size_t i = 0; i < pairs; i++) {
        attacks[i] = p[i].attack;
        estimates[i] = p[i].estimate;
        trains[i] = p[i].train;
        peers[i] = p[i].peer;
        by_attack[i] = p[i].estimate > 0 ? p[i].attack / p[i].estimate : 0;
        by_peer[i] = p[i].train > 0 ? p[i].peer / p[i].train : 0;
    }
    printf("{\"attack\": %.4f, \"estimate\": %.4f, \"ratio\": %.2f, "
           "\"train\": %.4f, ",
           bench_median(attacks, pairs), bench_median(estimates, pairs),
           bench_median(by_attack, pairs), bench_median(trains, pairs));
    printf("\"peer_train\": %.4f, \"train_ratio\": %.2f, \"pairs\": %zu, "
           "\"batch\": %zu, \"threads\": %zu}\n",
           bench_median(peers, pairs), bench_median(by_peer, pairs), pairs,
           batch, wsr_threads());
}

static void work_free(work *w)
{
    wsr_estimator_free(w->estimator);
    wsr_plan_free(w->plan);
    wsr_net_free(w->net);
    for (size_t k = 0; k < SOURCES + 1; k++) {
        free(w->noise[k]);
    }
    for (size_t k = 0; k < TARGETS; k++) {
        free(w->estimates[k]);
    }
    free(w->x);
    free(w->x_adv);
    free(w->norms);
    free(w->labels);
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    static const char *const keys[] = {
        "estimator", "arch", "channels", "layers", "batch", "threads",
        "repeat",    "peer", "pairs",    "only",   "dump",  NULL};
    bench_check(argc, argv, keys);
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    work w = {.batch = (size_t)bench_number(argc, argv, "batch", 64)};
    const char *const peer = bench_text(argc, argv, "peer", NULL);
    const size_t pairs =
        peer == NULL ? 1 : (size_t)bench_number(argc, argv, "pairs", 5) % PAIRS;
    pair measured[PAIRS];
    make_plan(&w, argc, argv);
    make_arrays(&w);
    make_estimator(&w, argc, argv);
    (void)measure(&w, argc, argv, NULL);
    for (size_t i = 0; i < pairs; i++) {
        measured[i] = measure(&w, argc, argv, peer);
    }
    print(measured, pairs, w.batch);
    if (bench_number(argc, argv, "dump", 0) != 0) {
        dump_plans(&w);
    }
    work_free(&w);
    return 0;
}
