// SPDX-License-Identifier: Apache-2.0
//
// Training of a predictor on its memory, predictions, and their gradients.
//
// A pass visits the memory in random order, batch by batch; the last batch may
// be smaller. Each batch is one step of Adam on
//
//   sum over heads of mean over the batch of (o - y)^2
//
// with Gaussian noise on the tables. As intended, y is the loss standardised
// over the memory, so that all heads have the same scale.

#include "predictor/predictor.h"

#include <math.h>
#include <string.h>

// This number keys the order of the memory. An estimator of the same seed
// counts from 0, so its order differs.
static const uint32_t STREAM = UINT32_MAX;

// stats is (2, heads). A head whose losses are all alike keeps deviation 1.
static void standardise(wsr_predictor *p)
{
    const size_t n = (size_t)p->counters[1];
    for (size_t h = 0; p->standardised && h < p->heads; h++) {
        double mean = 0;
        double square = 0;
        for (size_t i = 0; i < n; i++) {
            mean += p->losses[i * p->heads + h] / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            const double d = p->losses[i * p->heads + h] - mean;
            square += d * d / (double)n;
        }
        p->stats[h] = mean;
        p->stats[p->heads + h] = square > 1e-12 ? sqrt(square) : 1;
    }
}

// diff is (n, heads), the gradient of the loss by the outputs.
double wsr__predictor_error(float *diff, const wsr_predictor *p,
                            const float *out, const double *target, size_t n)
{
    double loss = 0;
    for (size_t i = 0; i < n * p->heads; i++) {
        const double error = (double)out[i] - target[i];
        const double scale =
            1 / ((double)n * (p->common->weighted ? target[i] : 1));
        loss += error * error * scale;
        diff[i] = (float)(2 * error * scale);
    }
    return loss;
}

// Entry `k` of the memory to row `i` of a batch.
static void load(wsr_predictor *p, float *x, size_t i, size_t k)
{
    const size_t floats = p->rows * p->cols;
    double *const target = p->targets + i * p->heads;
    memcpy(x + i * floats, p->tables + k * floats, floats * sizeof(*x));
    for (size_t h = 0; h < p->heads; h++) {
        target[h] = (p->losses[k * p->heads + h] - p->stats[h]) /
                    p->stats[p->heads + h];
    }
}

// Keyed by pass and batch, so a resumed run draws the same noise.
static void add_noise(wsr_predictor *p, float *x, size_t n, uint32_t batch)
{
    const float deviation = (float)p->common->noise;
    if (deviation > 0) {
        wsr__rng rng = wsr__rng_at(p->seed, WSR__RNG_NOISE,
                                   (uint64_t)p->counters[2], batch);
        wsr__rng_normals(&rng, p->noise, n);
        wsr__axpy(x, deviation, p->noise, (int64_t)n);
    }
}

static wsr_status train_batch(double *loss, wsr_predictor *p, size_t first,
                              size_t n)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    WSR_TRY(wsr__predictor_plan_for(&plan, p, n, WSR_GRAD_PARAMS));
    float *const x = wsr_plan_src(plan, "x");
    for (size_t i = 0; i < n; i++) {
        load(p, x, i, p->order[first + i]);
    }
    add_noise(p, x, n * p->rows * p->cols, (uint32_t)first);
    WSR_TRY(wsr_plan_forward(plan));
    *loss = wsr__predictor_error(wsr_plan_diff_dst(plan, "out"), p,
                                 wsr_plan_dst(plan, "out"), p->targets, n);
    if (!isfinite(*loss)) {
        status = WSR_FAIL(WSR_NUMERIC, "predictor: loss is %g in pass %lld",
                          *loss, (long long)p->counters[2]);
        goto out;
    }
    wsr_params_zero_grad(p->params, true);
    WSR_TRY(wsr_plan_backward(plan));
    WSR_TRY(wsr_optim_step(p->optim, p->common->lr));
out:
    return status;
}

// counters[2] counts passes over the whole life, for the keys of random
// numbers. *loss is the mean of the last pass, over samples and heads.
wsr_status wsr_predictor_train(double *loss, wsr_predictor *p, size_t passes)
{
    wsr_status status = WSR_OK;
    const size_t n = (size_t)p->counters[1];
    const size_t batch = (size_t)p->common->batch;
    double mean = 0;
    standardise(p);
    for (size_t pass = 0; pass < passes; pass++, p->counters[2]++) {
        wsr__rng rng = wsr__rng_at(p->seed, WSR__RNG_MEMORY,
                                   (uint64_t)p->counters[2], STREAM);
        wsr__rng_permutation(&rng, p->order, (uint32_t)n);
        mean = 0;
        for (size_t at = 0; at < n; at += batch) {
            const size_t count = n - at < batch ? n - at : batch;
            double value = 0;
            WSR_TRY(train_batch(&value, p, at, count));
            mean += value * (double)count / (double)(n * p->heads);
        }
    }
    if (loss != NULL) {
        *loss = mean;
    }
out:
    return status;
}

// Outputs are scaled back to losses. weights is (n, rows, cols).
wsr_status wsr_predictor_run(double *losses, wsr_predictor *p,
                             const float *weights, size_t n)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    WSR_TRY(wsr__predictor_plan_for(&plan, p, n, WSR_FORWARD));
    memcpy(wsr_plan_src(plan, "x"), weights,
           n * p->rows * p->cols * sizeof(*weights));
    WSR_TRY(wsr_plan_forward(plan));
    const float *const out = wsr_plan_dst(plan, "out");
    for (size_t i = 0; i < n * p->heads; i++) {
        const size_t h = i % p->heads;
        losses[i] = (double)out[i] * p->stats[p->heads + h] + p->stats[h];
    }
out:
    return status;
}

// The objective is linear in standardised outputs: their scale and mean do not
// change where it descends. As released it is the sum of squares.
wsr_status wsr_predictor_gradient(double *objective, float *diff,
                                  wsr_predictor *p, const float *weights,
                                  size_t n, const double *objective_weights)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    double sum = 0;
    const size_t floats = n * p->rows * p->cols;
    WSR_TRY(wsr__predictor_plan_for(&plan, p, n, WSR_GRAD_INPUT));
    memcpy(wsr_plan_src(plan, "x"), weights, floats * sizeof(*weights));
    WSR_TRY(wsr_plan_forward(plan));
    const float *const out = wsr_plan_dst(plan, "out");
    float *const diff_out = wsr_plan_diff_dst(plan, "out");
    for (size_t i = 0; i < n * p->heads; i++) {
        const double w = objective_weights[i % p->heads] / (double)n;
        const double o = (double)out[i];
        sum += p->standardised ? w * o : w * o * o;
        diff_out[i] = (float)(p->standardised ? w : 2 * w * o);
    }
    WSR_TRY(wsr_plan_backward(plan));
    memcpy(diff, wsr_plan_diff_src(plan, "x"), floats * sizeof(*diff));
    if (objective != NULL) {
        *objective = sum;
    }
out:
    return status;
}
