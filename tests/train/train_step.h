// SPDX-License-Identifier: Apache-2.0
//
// What tests of trainers share: one batch of a tiny network.

#ifndef WSR_TESTS_TRAIN_STEP_H
#define WSR_TESTS_TRAIN_STEP_H

#include "support/support.h"
#include "train/train.h"

#include <math.h>
#include <string.h>

enum {
    STEP_N = 4,
    STEP_CLASSES = 3,
    STEP_SIDE = 16,
    STEP_PIXELS = 3 * STEP_SIDE * STEP_SIDE,
    STEP_FLOATS = STEP_N * STEP_PIXELS,
    STEP_STATS = 8192
};

typedef struct step_bench {
    wsr_net *net;
    wsr_graph *graph;
    wsr_graph *attack_graph;
    wsr_plan *plan;
    wsr_plan *second;
    wsr__attack_plans attack;
    wsr__image_plans *images;
    float stats[STEP_STATS];
    const wsr__trainer_class *trainer;
    void *options;
    void *own;
    float x[STEP_FLOATS];
    float x_adv[STEP_FLOATS];
    float logits[STEP_N * STEP_CLASSES];
    float state[STEP_FLOATS];
    int32_t labels[STEP_N];
    int32_t adv_labels[STEP_N];
    wsr__train_step step;
} step_bench;

static const char step_network[] =
    "genotype=cna_r,channels=4,layers=3,classes=3,image_size=16";

static inline void step_attack(step_bench *b, unsigned purpose)
{
    const wsr__attack_of of = {.graph = b->attack_graph,
                               .purpose = purpose,
                               .images = b->images,
                               .params = wsr_net_params(b->net),
                               .stats = b->stats};
    ck_assert_uint_le(wsr__stats_copy(NULL, of.params), STEP_STATS);
    ck_assert_ok(wsr__attack_plans_make(&b->attack, &of, STEP_N));
}

static inline void step_open(step_bench *b, const char *spec)
{
    const wsr__class *cls = NULL;
    memset(b, 0, sizeof(*b));
    ck_assert_ok(wsr_net_new(&b->net, NULL, step_network, 7));
    ck_assert_ok(wsr__class_spec(&cls, &b->options, &wsr__trainers, spec));
    b->trainer = (const wsr__trainer_class *)(const void *)cls;
    ck_assert_ok(wsr_net_graph(&b->graph, b->net, true));
    const unsigned purpose = WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS |
                             b->trainer->purposes;
    ck_assert_ok(wsr_plan_new(&b->plan, b->graph, STEP_N, purpose));
    if (b->trainer->two_passes) {
        ck_assert_ok(wsr_plan_new(&b->second, b->graph, STEP_N, purpose));
    }
    if (b->trainer->attack != NULL) {
        ck_assert_ok(wsr_net_graph(&b->attack_graph, b->net, false));
        step_attack(b, b->trainer->attack(b->options));
    }
    if (b->trainer->open != NULL) {
        const wsr__training_of of = {b->net, NULL, NULL, 1};
        ck_assert_ok(b->trainer->open(&b->own, b->options, &of, STEP_N));
    }
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < STEP_FLOATS; i++) {
        b->x[i] = wsr__rng_uniform(&rng);
    }
    for (size_t i = 0; i < STEP_N; i++) {
        b->labels[i] = (int32_t)(i % STEP_CLASSES);
    }
    b->step = (wsr__train_step){.plan = b->plan,
                                .second = b->second,
                                .attack = &b->attack,
                                .net = b->net,
                                .x = b->x,
                                .labels = b->labels,
                                .x_adv = b->x_adv,
                                .logits = b->logits,
                                .state = b->state,
                                .own = b->own,
                                .adv_labels = b->adv_labels,
                                .n = STEP_N,
                                .classes = STEP_CLASSES};
    wsr_params_zero_grad(wsr_net_params(b->net), true);
}

/// Attack image by image from now on.
static inline void step_by_images(step_bench *b)
{
    wsr__attack_plans_free(&b->attack);
    ck_assert_ok(
        wsr__image_plans_new(&b->images, b->attack_graph, WSR_GRAD_INPUT));
    step_attack(b, b->trainer->attack(b->options));
}

static inline void step_close(step_bench *b)
{
    wsr_plan_free(b->plan);
    wsr_plan_free(b->second);
    wsr__attack_plans_free(&b->attack);
    wsr__image_plans_free(b->images);
    wsr_graph_free(b->graph);
    wsr_graph_free(b->attack_graph);
    wsr_net_free(b->net);
    if (b->own != NULL) {
        b->trainer->close(b->own);
    }
    wsr__free(b->options);
}

/// How often running statistics of the first norm were moved.
static inline float step_tracked(const step_bench *b)
{
    size_t at = 0;
    const wsr_params *const params = wsr_net_params(b->net);
    for (; at < wsr_params_count(params); at++) {
        if (strstr(wsr_params_name(params, at), "num_batches_tracked")) {
            return wsr_params_data(params, at)[0];
        }
    }
    ck_abort_msg("the network has no running statistics");
    return 0;
}

/// Largest distance of an attacked image's pixel from the image; all are in
/// [0, 1].
static inline float step_farthest(const step_bench *b)
{
    float most = 0;
    for (size_t i = 0; i < STEP_FLOATS; i++) {
        ck_assert(b->x_adv[i] >= 0 && b->x_adv[i] <= 1);
        most = fmaxf(most, fabsf(b->x_adv[i] - b->x[i]));
    }
    return most;
}

/// Mean cross entropy of logits (n, classes) for labels, in double.
static inline double step_cross_entropy(const float *z, const int32_t *labels)
{
    double loss = 0;
    for (size_t i = 0; i < STEP_N; i++) {
        double sum = 0;
        for (size_t c = 0; c < STEP_CLASSES; c++) {
            sum += exp((double)z[i * STEP_CLASSES + c]);
        }
        loss += log(sum) - (double)z[i * STEP_CLASSES + (size_t)labels[i]];
    }
    return loss / STEP_N;
}

#endif
