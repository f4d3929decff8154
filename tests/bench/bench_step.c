// SPDX-License-Identifier: Apache-2.0
//
// The inner loop of adversarial training and search: forward, forward and
// backward to all parameters, PGD, and a whole adversarial step (PGD, forward,
// backward, clipping, SGD with momentum). Prints one JSON object.
//
// bench_step [key=value...]
//   arch=SEED        path of the supernet, drawn as peer_torch.py draws it
//   genotype=NAME    a network of a genotype instead
//   kind=NAME        a network of any kind instead, its options=KEY=VALUE,...
//   channels=16 layers=8 batch=64 steps=7 repeat=3
//   threads=N isa=base|avx2|avx512  of the native kernels
//   mode=train|eval|frozen
//                    batch norms of the attack and of fwd: statistics of each
//                    attacked batch; running ones, and both go through a model
//                    as in an evaluation; those of the clean batch
//   only=fwd|fwdbwd|attack|at_step
//   peer=COMMAND     a command that prints the same fields; both are run
//   pairs=5          that many times in turn, and ratios are medians
//   dump=1           print the plan of the attack in train mode, with times, to
//                    stderr

#include "attack/attack.h"
#include "attack/engine/attack_plans.h"
#include "bench/bench.h"
#include "bench/bench_model.h"
#include "graph/plan.h"
#include "kernel/native.h"
#include "train/train.h"
#include "waiting.h"
#include "wsr/net.h"
#include "wsr/optim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EDGES = 28, PIXELS = 3 * 32 * 32, CLASSES = 10 };

typedef struct engine {
    wsr_net *net;
    wsr_graph *graph;
    bool by_model; // evaluation mode
    bool frozen;
    bench_model m;
    wsr_plan *infer, *learn;
    wsr__attack_plans attack;
    wsr__image_plans *images;
    float *stats;
    wsr__arena arena; // of all plans, as in a search
    wsr_optim *optim;
    float *x, *x_adv;
    int32_t *labels;
    size_t batch, steps;
} engine;

static const char *const names[] = {"fwd", "fwdbwd", "attack", "at_step"};
enum { WHATS = 4 };

static void make_graph(wsr_graph **out, wsr_net **net, int argc, char **argv)
{
    char text[96];
    const char *const kind = bench_text(argc, argv, "kind", NULL);
    const char *const genotype = bench_text(argc, argv, "genotype", NULL);
    if (kind != NULL) {
        bench_must(wsr_net_new_kind(
            net, kind, bench_text(argc, argv, "options", NULL), 1));
        bench_must(wsr_net_graph(out, *net, true));
        return;
    }
    (void)snprintf(text, sizeof(text), "channels=%ld,layers=%ld",
                   bench_number(argc, argv, "channels", 16),
                   bench_number(argc, argv, "layers", 8));
    if (genotype != NULL) {
        wsr_genotype *g = NULL;
        bench_must(wsr_genotype_load(&g, genotype));
        bench_must(wsr_net_new(net, g, text, 1));
        wsr_genotype_free(g);
        bench_must(wsr_net_graph(out, *net, true));
        return;
    }
    unsigned char choices[EDGES];
    bench_path(choices, EDGES, bench_number(argc, argv, "arch", 0));
    bench_must(wsr_supernet_new(net, text, 1));
    bench_must(wsr_supernet_graph(out, *net, choices, NULL));
}

static void make_batch(engine *e)
{
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    e->x = malloc(e->batch * PIXELS * sizeof(*e->x));
    e->x_adv = malloc(e->batch * PIXELS * sizeof(*e->x_adv));
    e->labels = malloc(e->batch * sizeof(*e->labels));
    if (e->x == NULL || e->x_adv == NULL || e->labels == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < e->batch * PIXELS; i++) {
        e->x[i] = (float)wsr__rng_uniform(&rng);
    }
    for (size_t i = 0; i < e->batch; i++) {
        e->labels[i] = (int32_t)(i * 7 % CLASSES);
    }
}

static void make_attack(engine *e)
{
    const wsr_params *const params = wsr_net_params(e->net);
    wsr__attack_of of = {
        .graph = e->graph,
        .purpose = WSR_GRAD_INPUT |
                   (e->frozen ? WSR__CLEAN_STATS : (unsigned)WSR_TRAIN),
        .arena = &e->arena,
        .params = params};
    e->stats = malloc((wsr__stats_copy(NULL, params) + 1) * sizeof(*e->stats));
    if (e->stats == NULL) {
        exit(1);
    }
    of.stats = e->stats;
    bench_must(
        wsr__attack_plans_images(&e->images, e->graph, of.purpose, e->learn));
    of.images = e->images;
    bench_must(wsr__attack_plans_make(&e->attack, &of, e->batch));
}

static void engine_new(engine *e, int argc, char **argv)
{
    const char *const mode = bench_text(argc, argv, "mode", "train");
    const bool train = strcmp(mode, "eval") != 0;
    e->frozen = strcmp(mode, "frozen") == 0;
    e->batch = (size_t)bench_number(argc, argv, "batch", 64);
    e->steps = (size_t)bench_number(argc, argv, "steps", 7);
    make_graph(&e->graph, &e->net, argc, argv);
    if (train) {
        bench_must(wsr__plan_new_in(&e->infer, e->graph, e->batch, WSR_TRAIN,
                                    &e->arena));
    } else {
        wsr_model *model = NULL;
        bench_must(wsr_model_from_graph(&model, e->graph, e->batch));
        bench_model_new(&e->m, model, e->batch, e->steps);
        e->by_model = true;
    }
    bench_must(wsr__plan_new_in(&e->learn, e->graph, e->batch,
                                WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS,
                                &e->arena));
    if (train) {
        make_attack(e);
    }
    bench_must(wsr_optim_new(&e->optim, wsr_net_params(e->net),
                             "sgd:momentum=0.9,weight_decay=3e-4"));
    make_batch(e);
}

static void engine_free(engine *e)
{
    bench_model_free(&e->m);
    wsr_graph_free(e->graph);
    wsr_plan_free(e->infer);
    wsr__attack_plans_free(&e->attack);
    wsr__image_plans_free(e->images);
    free(e->stats);
    wsr_plan_free(e->learn);
    wsr__arena_free(&e->arena);
    wsr_optim_free(e->optim);
    wsr_net_free(e->net);
    free(e->x);
    free(e->x_adv);
    free(e->labels);
}

static void fwd(void *ctx)
{
    engine *const e = ctx;
    if (e->by_model) {
        bench_model_forward(&e->m);
        return;
    }
    memcpy(wsr_plan_src(e->infer, "x"), e->x,
           e->batch * PIXELS * sizeof(*e->x));
    bench_must(wsr_plan_forward(e->infer));
}

static void pass(engine *e, const float *x)
{
    wsr__train_step step = {.plan = e->learn,
                            .net = e->net,
                            .labels = e->labels,
                            .n = e->batch,
                            .classes = CLASSES};
    double loss = 0;
    size_t correct = 0;
    wsr_params_zero_grad(wsr_net_params(e->net), true);
    bench_must(
        wsr__train_step_pass(&loss, &correct, &step, x, (wsr__pass){1, 0}));
}

static void fwdbwd(void *ctx)
{
    engine *const e = ctx;
    pass(e, e->x);
}

static void attack(void *ctx)
{
    engine *const e = ctx;
    if (e->by_model) {
        bench_model_attack(&e->m);
        memcpy(e->x_adv, e->m.x_adv, e->batch * PIXELS * sizeof(*e->x_adv));
        return;
    }
    const wsr__pgd pgd = {.eps = 0.03F,
                          .alpha = 2.5F * 0.03F / (float)e->steps,
                          .steps = e->steps};
    bench_must(wsr__attack_plans_begin(&e->attack, e->x));
    bench_must(
        wsr__attack_plans_pgd(e->x_adv, &e->attack, e->x, e->labels, &pgd));
    wsr__attack_plans_end(&e->attack);
}

static void at_step(void *ctx)
{
    engine *const e = ctx;
    attack(e);
    pass(e, e->x_adv);
    bench_must(wsr_optim_clip(NULL, e->optim, 5));
    bench_must(wsr_optim_step(e->optim, 0.1));
}

static void (*const whats[])(void *) = {fwd, fwdbwd, attack, at_step};

static bool wanted(size_t i, const char *only)
{
    return only == NULL || strcmp(only, names[i]) == 0;
}

static void print_times(engine *e, const char *only, long repeat)
{
    for (size_t i = 0; i < WHATS; i++) {
        if (wanted(i, only)) {
            whats[i](e);
            printf("\"%s\": %.4f, ", names[i], bench_best(whats[i], e, repeat));
        }
    }
}

static void print_pairs(engine *e, const char *only, const char *peer,
                        long pairs)
{
    double ratios[WHATS][64];
    double ours[WHATS][64];
    double theirs[WHATS][64];
    char text[4096] = "";
    pairs = pairs > 64 ? 64 : pairs;
    for (long p = 0; p < pairs; p++) {
        bench_peer(text, sizeof(text), peer);
        for (size_t i = 0; i < WHATS; i++) {
            if (wanted(i, only)) {
                whats[i](e);
                ours[i][p] = bench_best(whats[i], e, 3);
                theirs[i][p] = bench_field(text, names[i]);
                ratios[i][p] = theirs[i][p] / ours[i][p];
            }
        }
    }
    for (size_t i = 0; i < WHATS; i++) {
        if (wanted(i, only)) {
            printf("\"%s\": {\"seconds\": %.4f, \"peer\": %.4f, "
                   "\"ratio\": %.2f}, ",
                   names[i], bench_median(ours[i], (size_t)pairs),
                   bench_median(theirs[i], (size_t)pairs),
                   bench_median(ratios[i], (size_t)pairs));
        }
    }
    printf("\"pairs\": %ld, \"peer_peak_mib\": %.0f, ", pairs,
           bench_field(text, "peak_rss_mib"));
}

static void dump(engine *e)
{
    char *text = NULL;
    wsr_plan_time(e->attack.batch, true);
    attack(e);
    bench_must(wsr_plan_dump(&text, e->attack.batch));
    fprintf(stderr, "%s", text);
    wsr_text_free(text);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {
        "arch",  "genotype", "kind",   "options", "channels", "layers",
        "batch", "steps",    "repeat", "threads", "mode",     "only",
        "peer",  "pairs",    "isa",    "dump",    NULL};
    wait_briefly(argv);
    engine e = {0};
    bench_check(argc, argv, keys);
    if (bench_text(argc, argv, "isa", NULL) != NULL) {
        bench_must(wsr__native_force(bench_text(argc, argv, "isa", NULL)));
    }
    wsr_set_threads((size_t)bench_number(argc, argv, "threads", 2));
    engine_new(&e, argc, argv);
    const char *const only = bench_text(argc, argv, "only", NULL);
    const char *const peer = bench_text(argc, argv, "peer", NULL);
    printf("{");
    if (peer != NULL) {
        print_pairs(&e, only, peer, bench_number(argc, argv, "pairs", 5));
    } else {
        print_times(&e, only, bench_number(argc, argv, "repeat", 3));
    }
    printf("\"threads\": %zu, \"batch\": %zu, \"peak_mib\": %ld, "
           "\"plan_mib\": %zu}\n",
           wsr_threads(), e.batch, bench_peak_mib(),
           e.attack.batch == NULL ? 0 : wsr_plan_bytes(e.attack.batch) >> 20);
    if (e.attack.batch != NULL && bench_number(argc, argv, "dump", 0) != 0) {
        dump(&e);
    }
    engine_free(&e);
    return 0;
}
