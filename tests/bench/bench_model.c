// SPDX-License-Identifier: Apache-2.0

#include "bench/bench_model.h"

#include "attack/engine/loss.h"
#include "attack/engine/model.h"
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

#define EPS 0.03F

static float *array(size_t n)
{
    float *const p = calloc(n, sizeof(*p));
    if (p == NULL) {
        exit(1);
    }
    return p;
}

void bench_model_new(bench_model *m, wsr_model *model, size_t batch,
                     size_t steps)
{
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    *m = (bench_model){.model = model,
                       .batch = batch,
                       .pixels = (size_t)model->pixels,
                       .steps = steps};
    m->x = array(batch * m->pixels);
    m->x_adv = array(batch * m->pixels);
    m->grad = array(batch * m->pixels);
    m->logits = array(batch * model->classes);
    m->labels = calloc(batch, sizeof(*m->labels));
    if (m->labels == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < batch * m->pixels; i++) {
        m->x[i] = (float)wsr__rng_uniform(&rng);
    }
    for (size_t i = 0; i < batch; i++) {
        m->labels[i] = (int32_t)(i * 7 % model->classes);
    }
}

void bench_model_free(bench_model *m)
{
    wsr_model_free(m->model);
    free(m->x);
    free(m->x_adv);
    free(m->grad);
    free(m->logits);
    free(m->labels);
}

void bench_model_forward(void *ctx)
{
    const bench_model *const m = ctx;
    bench_must(wsr_model_logits(m->logits, m->model, m->x, m->batch));
}

static bool seed(void *ctx, size_t row, float *dz, const float *z)
{
    const bench_model *const m = ctx;
    const wsr__loss_target target = {m->labels[row], -1, NULL};
    int exponent = 0;
    (void)wsr__loss_ce(dz, &exponent, z, &target, m->model->classes);
    return true;
}

static void step(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const bench_model *const m = ctx;
    const int64_t d = (int64_t)m->pixels;
    (void)part;
    for (int64_t i = begin; i < end; i++) {
        const wsr__ball ball = {m->x + i * d, d, EPS, WSR__LINF, {0, 1}};
        wsr__sign_step(m->x_adv + i * d, m->grad + i * d,
                       2.5F * EPS / (float)m->steps, &ball);
    }
}

void bench_model_attack(void *ctx)
{
    bench_model *const m = ctx;
    const wsr__rows rows = {NULL, m->batch};
    const wsr__model_seed how = {seed, m};
    memcpy(m->x_adv, m->x, m->batch * m->pixels * sizeof(*m->x));
    for (size_t k = 0; k < m->steps; k++) {
        bench_must(m->model->cls->gradient(m->model, m->grad, m->logits,
                                           m->x_adv, &rows, &how));
        wsr__share((int64_t)m->batch, (int64_t)m->pixels, step, m);
    }
}
