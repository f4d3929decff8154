// SPDX-License-Identifier: Apache-2.0
//
// The trained network of the golden files with its images, and attacks on it.

#ifndef WSR_TESTS_GOLDEN_ROBUST_NET_H
#define WSR_TESTS_GOLDEN_ROBUST_NET_H

#include "attack/attack.h"
#include "io/io.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { IMAGES = 256, SIDE = 32, PIXELS = 3 * SIDE * SIDE, SHOWN = 16 };

typedef struct world {
    wsr_net *net;
    wsr_model *model;
    float *x;
    int32_t labels[IMAGES];
} world;

static inline wsr__st *open_golden(const char *name)
{
    char path[512];
    wsr__st *st = NULL;
    (void)snprintf(path, sizeof(path), "%s/golden/%s.safetensors",
                   shared_folder(), name);
    if (!wsr__file_exists(path)) {
        skip("the golden files are absent");
    }
    ck_assert_ok(wsr__st_open(&st, path));
    return st;
}

static inline world *world_new(void)
{
    static unsigned char bytes[IMAGES * 28 * 28];
    static int64_t labels[IMAGES];
    char path[512];
    world *const w = wsr__alloc(1, sizeof(*w));
    wsr__st *const st = open_golden("testset_256");
    ck_assert_ptr_nonnull(w);
    ck_assert_ok(wsr__st_read_u8(bytes, st, "images_u8", sizeof(bytes)));
    ck_assert_ok(wsr__st_read_i64(labels, st, "labels", IMAGES));
    wsr__st_free(st);
    w->x = wsr__alloc(IMAGES, PIXELS * sizeof(float));
    for (size_t i = 0; i < (size_t)IMAGES * 28 * 28; i++) {
        const size_t row = i / 28 % 28 + 2;
        const size_t column = i % 28 + 2;
        for (size_t c = 0; c < 3; c++) {
            w->x[i / 784 * PIXELS + (c * SIDE + row) * SIDE + column] =
                (float)bytes[i] / 255.0f;
        }
    }
    for (size_t i = 0; i < IMAGES; i++) {
        w->labels[i] = (int32_t)labels[i];
    }
    (void)snprintf(path, sizeof(path),
                   "%s/golden/robust_fashion_mnist.safetensors",
                   shared_folder());
    ck_assert_ok(
        wsr_net_load(&w->net, path, "genotype=cna_r,channels=8,layers=5"));
    ck_assert_ok(wsr_model_from_net(&w->model, w->net, 64));
    return w;
}

static inline void world_free(world *w)
{
    wsr_model_free(w->model);
    wsr_net_free(w->net);
    wsr__free(w->x);
    wsr__free(w);
}

static inline wsr_attack_result *attack(const world *w, const char *spec,
                                        const char *options, float eps,
                                        size_t n)
{
    wsr_attack *attack = NULL;
    wsr_attack_result *result = NULL;
    ck_assert_ok(wsr_attack_new(&attack, spec, options));
    ck_assert_ok(wsr_attack_set_strengths(attack, &eps, 1));
    ck_assert_ok(wsr_attack_run(&result, attack, w->model, w->x, w->labels, n));
    wsr_attack_free(attack);
    return result;
}

static inline size_t robust_count(const wsr_attack_result *result)
{
    size_t n = 0;
    for (size_t i = 0; i < wsr_attack_result_count(result); i++) {
        n += wsr_attack_result_robust(result, 0)[i];
    }
    return n;
}

#endif
