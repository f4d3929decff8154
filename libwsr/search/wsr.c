// SPDX-License-Identifier: Apache-2.0
//
// Wsr-NAS: measure a few architectures an epoch at many strengths, most of
// them estimated; let a predictor learn losses from architectures; move the
// alphas down the predicted objective
//
//   clean_weight * clean + (1 - clean_weight) * sum_i w_i / sum(w) * robust_i
//
// through the predictor and the Gumbel softmax. As released that is one step
// of Adam an epoch along the sample that the epoch trained; as intended
// several over fresh samples at a temperature at which gradients do not
// vanish. doi:10.1609/aaai.v37i1.25118.

#include "search/search.h"

#include <string.h>

// -------------------------------------------------------------------- look

// What an epoch measured, and what the predictor expected of it.
typedef struct looked {
    size_t n;
    wsr__path *paths;
    double (*losses)[WSR__SLOTS];
    double *predicted; // the objective
    double *measured;
} looked;

static void looked_free(looked *l)
{
    for (size_t k = 0; l->paths != NULL && k < l->n; k++) {
        wsr__path_free(&l->paths[k]);
    }
    wsr__free(l->paths);
    wsr__free(l->losses);
    wsr__free(l->predicted);
    wsr__free(l->measured);
}

static wsr_status looked_new(looked *l, const wsr__search *s)
{
    wsr_status status = WSR_OK;
    const size_t n = (size_t)s->params.architectures;
    *l = (looked){.n = n,
                  .paths = wsr__alloc(n, sizeof(*l->paths)),
                  .losses = wsr__alloc(n, sizeof(*l->losses)),
                  .predicted = wsr__alloc(n, sizeof(double)),
                  .measured = wsr__alloc(n, sizeof(double))};
    if (l->paths == NULL || l->losses == NULL || l->predicted == NULL ||
        l->measured == NULL) {
        return WSR_NOMEM;
    }
    for (size_t k = 0; k < n; k++) {
        WSR_TRY(wsr__path_new(&l->paths[k], &s->arch));
    }
out:
    return status;
}

static wsr_status sample(wsr__path *path, wsr__search *s, size_t k)
{
    if (!s->quirks.path_per_epoch) {
        wsr__path_sample(path, s, wsr__search_serial(s) << 32 | k,
                         WSR__SAMPLE_LOOK);
        return WSR_OK;
    }
    memcpy(path->weights, s->path.weights,
           s->arch.rows * s->arch.cols * sizeof(float));
    memcpy(path->top, s->path.top, s->arch.rows * sizeof(float));
    memcpy(path->choices, s->path.choices, s->arch.rows);
    return WSR_OK;
}

static wsr_status look_at(wsr__search *s, looked *l, size_t k)
{
    wsr_status status = WSR_OK;
    double guess[WSR__SLOTS];
    double *const losses = l->losses[k];
    WSR_TRY(sample(&l->paths[k], s, k));
    WSR_TRY(
        wsr__search_measure(losses, s, &l->paths[k],
                            k == 0 ? WSR__MEASURE_AND_REMEMBER : WSR__MEASURE));
    WSR_TRY(wsr_predictor_run(guess, s->predictor, l->paths[k].weights, 1));
    l->predicted[k] = wsr__search_objective(s, guess);
    l->measured[k] = wsr__search_objective(s, losses);
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        s->losses[i] += losses[i] / (double)l->n;
    }
out:
    return status;
}

// What architectures that nothing steered to are like.
static wsr_status look_beside(wsr__search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t n = (size_t)s->params.control;
    wsr__path path = {0};
    WSR_TRY(wsr__path_new(&path, &s->arch));
    memset(s->control, 0, sizeof(s->control));
    for (size_t k = 0; k < n; k++) {
        double losses[WSR__SLOTS];
        wsr__path_uniform(&path, s, wsr__search_serial(s) << 32 | k);
        WSR_TRY(wsr__search_measure(losses, s, &path, WSR__MEASURE_APART));
        for (size_t i = 0; i <= wsr__search_slots(s); i++) {
            s->control[i] += losses[i] / (double)n;
        }
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], k + 1, n,
                                  "measuring others"));
    }
out:
    wsr__path_free(&path);
    return status;
}

// Weights improve and batches differ from epoch to epoch, much more so than
// architectures of one epoch differ among themselves. What the predictor is
// to tell apart are the latter.
static wsr_status remember(wsr__search *s, looked *l)
{
    wsr_status status = WSR_OK;
    const bool centred = !s->quirks.drifting && l->n > 1;
    for (size_t k = 0; k < l->n; k++) {
        for (size_t i = 0; centred && i <= wsr__search_slots(s); i++) {
            l->losses[k][i] -= s->losses[i];
        }
        WSR_TRY(wsr_predictor_remember(s->predictor, l->paths[k].weights,
                                       l->losses[k]));
    }
out:
    return status;
}

static wsr_status look(wsr__search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    looked l;
    memset(s->losses, 0, sizeof(s->losses));
    WSR_TRY(looked_new(&l, s));
    for (size_t k = 0; k < l.n; k++) {
        WSR_TRY(look_at(s, &l, k));
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], k + 1, l.n,
                                  "measuring architectures"));
    }
    WSR_TRY(look_beside(s, run));
    WSR_TRY(remember(s, &l));
    s->correlation = wsr_kendall_tau(l.predicted, l.measured, l.n);
out:
    looked_free(&l);
    return status;
}

// ------------------------------------------------------------------- steer

// Tables of the samples of a step, and the gradient of the alphas.
typedef struct tables {
    float *weights;
    float *diffs;
} tables;

static void draw(wsr__search *s, const tables *t, const wsr__arch_sizes *size,
                 size_t step)
{
    const wsr__arch arch = {s->arch.rows, s->arch.cols, size->tau};
    const size_t floats = arch.rows * arch.cols;
    float g[WSR__EDGES * WSR__CANDIDATES];
    const uint64_t serial = wsr__search_serial(s);
    for (size_t k = 0; k < size->samples; k++) {
        const bool own = s->quirks.path_per_epoch && k == 0;
        const uint64_t key = own ? serial
                                 : serial << 32 | (uint64_t)(step << 10 | k);
        wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL, key,
                                   own ? WSR__SAMPLE_TEACH : WSR__SAMPLE_STEER);
        wsr__gumbel_fill(g, floats, &rng);
        wsr__arch_weights(t->weights + k * floats, &arch, s->alphas, g);
    }
}

static wsr_status step(wsr__search *s, const tables *t,
                       const wsr__arch_sizes *size, size_t number)
{
    wsr_status status = WSR_OK;
    const wsr__arch arch = {s->arch.rows, s->arch.cols, size->tau};
    const size_t floats = arch.rows * arch.cols;
    double w[WSR__SLOTS];
    wsr__param *const alphas = wsr__params_at(s->arch_params, 0);
    wsr__search_weights(w, s);
    draw(s, t, size, number);
    WSR_TRY(wsr_predictor_gradient(NULL, t->diffs, s->predictor, t->weights,
                                   size->samples, w));
    memset(alphas->grad, 0, floats * sizeof(float));
    for (size_t k = 0; k < size->samples; k++) {
        wsr__arch_backward(alphas->grad, &arch, t->weights + k * floats,
                           t->diffs + k * floats);
    }
    alphas->has_grad = true;
    WSR_TRY(wsr_optim_step(s->arch_optim, size->lr));
out:
    return status;
}

static wsr_status move(wsr__search *s)
{
    wsr_status status = WSR_OK;
    const wsr__arch_sizes size = wsr__search_sizes(s);
    const size_t floats = size.samples * s->arch.rows * s->arch.cols;
    const tables t = {wsr__alloc(floats, sizeof(float)),
                      wsr__alloc(floats, sizeof(float))};
    if (t.weights == NULL || t.diffs == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < size.steps; i++) {
        WSR_TRY(step(s, &t, &size, i));
    }
out:
    wsr__free(t.weights);
    wsr__free(t.diffs);
    return status;
}

static wsr_status learn(wsr__search *s, size_t passes)
{
    wsr_status status = WSR_OK;
    const double start = wsr__seconds();
    WSR_TRY(wsr_estimator_train(&s->estimator_loss, s->estimator,
                                wsr__search_serial(s)));
    const double between = wsr__seconds();
    s->seconds[WSR__TIME_ESTIMATOR] += between - start;
    WSR_TRY(wsr_predictor_train(&s->predictor_loss, s->predictor, passes));
    s->seconds[WSR__TIME_PREDICTOR] += wsr__seconds() - between;
out:
    return status;
}

// The population only learns noise; its predictor is warmed up at its end.
static size_t passes_of(const wsr__search *s)
{
    const bool last = s->epoch + 1 == wsr__phase_epochs(s, s->phase);
    if (s->phase == WSR__STEERING) {
        return (size_t)s->params.predictor_passes;
    }
    return last ? (size_t)s->params.predictor_warm_up : 0;
}

static wsr_status steer(wsr__search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    WSR_TRY(learn(s, passes_of(s)));
    if (s->phase == WSR__STEERING) {
        WSR_TRY(move(s));
    }
    WSR_TRY(
        wsr__run_progress(run, wsr__phase_names[s->phase], 1, 1, "steering"));
out:
    return status;
}

const wsr__searcher_class wsr__searcher_wsr = {
    .super = {"wsr", "predicted losses at many strengths steer the alphas",
              "doi:10.1609/aaai.v37i1.25118", NULL, 0},
    .look = look,
    .steer = steer,
    .estimates = true,
};
