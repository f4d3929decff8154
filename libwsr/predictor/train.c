// SPDX-License-Identifier: Apache-2.0
//
// Training of a predictor on its memory, and before it, for variants with a
// loss of their own, on architectures without losses.
//
// A pass visits the memory in random order, batch by batch; the last batch may
// be smaller. Each batch is one step of Adam on
//
//   sum over heads of mean over the batch of (o - y)^2
//
// and the variant's own loss, with Gaussian noise on the tables. As intended, y
// is the loss standardised over the memory, so that all heads have the same
// scale; with targets=ranks its rank, spread evenly to the same mean and
// deviation. Squared errors of losses are mostly those of the few architectures
// that hardly learn, and say little of the order of the good ones.

#include "net/net.h"
#include "predictor/predictor.h"

#include <math.h>
#include <stdlib.h>
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

// A loss of the memory and where it stands.
typedef struct placed {
    double loss;
    size_t at;
} placed;

static int by_loss(const void *a, const void *b)
{
    const placed *const x = a;
    const placed *const y = b;
    return (x->loss > y->loss) - (x->loss < y->loss);
}

// Equal losses share the mean of their ranks. Ranks 0 to n - 1 become numbers
// of mean 0 and, but for ties and small n, deviation 1.
static void rank_head(wsr_predictor *p, placed *sorted, size_t n, size_t h)
{
    for (size_t i = 0; i < n; i++) {
        sorted[i] = (placed){p->losses[i * p->heads + h], i};
    }
    qsort(sorted, n, sizeof(*sorted), by_loss);
    for (size_t i = 0, end = 0; i < n; i = end) {
        while (end < n && sorted[end].loss <= sorted[i].loss) {
            end++;
        }
        const double middle = (double)(i + end) / (2 * (double)n);
        for (size_t k = i; k < end; k++) {
            p->scores[sorted[k].at * p->heads + h] = sqrt(3) * (2 * middle - 1);
        }
    }
}

// What is learned of each loss in the memory.
static wsr_status set_scores(wsr_predictor *p)
{
    wsr_status status = WSR_OK;
    const size_t n = (size_t)p->counters[1];
    placed *const sorted = wsr__alloc(n + 1, sizeof(*sorted));
    WSR_TRY(sorted == NULL ? WSR_NOMEM : WSR_OK);
    standardise(p);
    for (size_t h = 0; h < p->heads; h++) {
        for (size_t i = 0; i < n; i++) {
            p->scores[i * p->heads + h] =
                (p->losses[i * p->heads + h] - p->stats[h]) /
                p->stats[p->heads + h];
        }
        if (p->ranked) {
            rank_head(p, sorted, n, h);
        }
    }
out:
    wsr__free(sorted);
    return status;
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
    memcpy(x + i * floats, p->tables + k * floats, floats * sizeof(*x));
    memcpy(p->targets + i * p->heads, p->scores + k * p->heads,
           p->heads * sizeof(*p->targets));
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

// What a batch is keyed by: pre-training counts its own passes, from the end.
typedef struct minibatch {
    size_t n;
    uint64_t pass;
    uint32_t number;
} minibatch;

// Elements that stay are scaled, so that their mean stays. Mask i of a batch
// has a stream of its own.
static void draw_masks(const wsr__predictor_plan *plan, const wsr_predictor *p,
                       const minibatch *b)
{
    for (size_t i = 0; i < plan->n_masks; i++) {
        char name[32];
        const float keep = (float)(1 - plan->masks[i].rate);
        wsr__rng rng = wsr__rng_at(p->seed, WSR__RNG_DROPOUT,
                                   b->pass << 8 | (uint64_t)i, b->number);
        (void)snprintf(name, sizeof(name), "mask%zu", i);
        float *const mask = wsr_plan_src(plan->plan, name);
        for (size_t k = 0; k < b->n * plan->masks[i].floats; k++) {
            mask[k] = wsr__rng_uniform(&rng) < keep ? 1 / keep : 0;
        }
    }
}

// The mean of the variant's own loss over the batch, and its gradient.
static double own_loss(const wsr__predictor_plan *plan)
{
    const size_t n = plan->key.n;
    double sum = 0;
    if (plan->has_loss) {
        const float *const loss = wsr_plan_dst(plan->plan, "loss");
        float *const diff = wsr_plan_diff_dst(plan->plan, "loss");
        for (size_t i = 0; i < n; i++) {
            sum += (double)loss[i] / (double)n;
            diff[i] = 1 / (float)n;
        }
    }
    return sum;
}

// Tables, and losses where the plan has heads, are in place.
static wsr_status step(double *loss, wsr_predictor *p, wsr_optim *optim,
                       const wsr__predictor_plan *plan, const minibatch *b)
{
    wsr_status status = WSR_OK;
    const float *const out = wsr_plan_dst(plan->plan, "out");
    draw_masks(plan, p, b);
    WSR_TRY(wsr_plan_forward(plan->plan));
    *loss = own_loss(plan);
    if (out != NULL) {
        *loss += wsr__predictor_error(wsr_plan_diff_dst(plan->plan, "out"), p,
                                      out, p->targets, b->n);
    }
    if (!isfinite(*loss)) {
        status = WSR_FAIL(WSR_NUMERIC, "predictor: loss is %g in pass %lld",
                          *loss, (long long)p->counters[2]);
        goto out;
    }
    wsr_params_zero_grad(p->params, true);
    WSR_TRY(wsr_plan_backward(plan->plan));
    WSR_TRY(wsr_optim_step(optim, p->common->lr));
out:
    return status;
}

// Batch norms use the statistics of the batch, which the running ones follow.
static const unsigned TRAINING = WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS;

static wsr_status train_batch(double *loss, wsr_predictor *p, size_t first,
                              size_t n)
{
    wsr_status status = WSR_OK;
    wsr__predictor_plan *plan = NULL;
    const wsr__predictor_key key = {n, p->heads, TRAINING, WSR__FIT};
    const minibatch b = {n, (uint64_t)p->counters[2], (uint32_t)first};
    WSR_TRY(wsr__predictor_plan_of(&plan, p, &key));
    float *const x = wsr_plan_src(plan->plan, "x");
    for (size_t i = 0; i < n; i++) {
        load(p, x, i, p->order[first + i]);
    }
    add_noise(p, x, n * p->rows * p->cols, (uint32_t)first);
    wsr__predictor_set_eps(plan, p, p->strengths);
    WSR_TRY(step(loss, p, p->optim, plan, &b));
out:
    return status;
}

// ------------------------------------------------------------ pre-training

// Architectures of the search space as a search samples them at first: every
// candidate is equally likely, and the temperature is the search's default.
static void random_tables(float *x, const wsr_predictor *p, const minibatch *b)
{
    const wsr__arch arch = {p->rows, p->cols, 0.1};
    const size_t floats = p->rows * p->cols;
    wsr__rng rng = wsr__rng_at(p->seed, WSR__RNG_GUMBEL, b->pass, b->number);
    wsr__gumbel_fill(p->noise, b->n * floats, &rng);
    for (size_t i = 0; i < b->n; i++) {
        wsr__arch_weights(x + i * floats, &arch, p->noise + i * floats, NULL);
    }
}

// Training's optimiser keeps no moments of these steps, which had another
// loss.
static wsr_status pretrain(wsr_predictor *p, size_t passes)
{
    wsr_status status = WSR_OK;
    wsr_optim *optim = NULL;
    wsr__predictor_plan *plan = NULL;
    const size_t n = (size_t)p->common->memory;
    const size_t most = (size_t)p->common->batch;
    double loss = 0;
    WSR_TRY(wsr__predictor_optim(&optim, p));
    for (size_t pass = 0; pass < passes; pass++) {
        for (size_t at = 0; at < n; at += most) {
            const minibatch b = {n - at < most ? n - at : most,
                                 UINT32_MAX - pass, (uint32_t)at};
            const wsr__predictor_key key = {b.n, p->heads, TRAINING,
                                            WSR__PRETRAIN};
            WSR_TRY(wsr__predictor_plan_of(&plan, p, &key));
            random_tables(wsr_plan_src(plan->plan, "x"), p, &b);
            WSR_TRY(step(&loss, p, optim, plan, &b));
        }
    }
out:
    wsr_optim_free(optim);
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
    WSR_TRY(set_scores(p));
    if (p->cls->pretrain != NULL && p->counters[2] == 0 && n > 0 &&
        passes > 0) {
        WSR_TRY(pretrain(p, p->cls->pretrain(p->options)));
    }
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
