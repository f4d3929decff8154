// SPDX-License-Identifier: Apache-2.0
//
// Wsr-NAS. An epoch evaluates a few architectures at many strengths, most of
// them with estimated noise. A predictor learns the losses from the
// architectures' tables. The alphas descend the predicted objective
//
//   clean_weight * clean + (1 - clean_weight) * sum_i w_i / sum(w) * robust_i
//
// through the predictor and the Gumbel softmax. As released, that is one step
// of Adam an epoch along the sample that trained the epoch; as intended,
// several steps over fresh samples, at a temperature at which gradients do not
// vanish. doi:10.1609/aaai.v37i1.25118.

#include "search/search.h"

#include <stddef.h>
#include <string.h>

// ---------------------------------------------------------------- evaluate

// The architectures that an epoch evaluates, and the predictor's objective.
typedef struct evaluated {
    size_t n;
    wsr__path *paths;
    double (*losses)[WSR__SLOTS];
    double *predicted; // objective by the predictor
    double *objective; // by the losses
} evaluated;

static void evaluated_free(evaluated *e)
{
    for (size_t k = 0; e->paths != NULL && k < e->n; k++) {
        wsr__path_free(&e->paths[k]);
    }
    wsr__free(e->paths);
    wsr__free(e->losses);
    wsr__free(e->predicted);
    wsr__free(e->objective);
}

// Paths and losses of all architectures of an epoch; losses (n, slots).
static wsr_status evaluated_new(evaluated *e, const wsr_search *s)
{
    wsr_status status = WSR_OK;
    const size_t n = (size_t)s->params.architectures;
    *e = (evaluated){.n = n,
                     .paths = wsr__alloc(n, sizeof(*e->paths)),
                     .losses = wsr__alloc(n, sizeof(*e->losses)),
                     .predicted = wsr__alloc(n, sizeof(double)),
                     .objective = wsr__alloc(n, sizeof(double))};
    if (e->paths == NULL || e->losses == NULL || e->predicted == NULL ||
        e->objective == NULL) {
        return WSR_NOMEM;
    }
    for (size_t k = 0; k < n; k++) {
        WSR_TRY(wsr__path_new(&e->paths[k], &s->arch));
    }
out:
    return status;
}

static wsr_status sample(wsr__path *path, wsr_search *s, size_t k)
{
    if (!s->quirks.path_per_epoch) {
        wsr__path_sample(path, s, wsr__search_serial(s) << 32 | k,
                         WSR__SAMPLE_EVALUATE);
        return WSR_OK;
    }
    memcpy(path->weights, s->path.weights,
           s->arch.rows * s->arch.cols * sizeof(float));
    memcpy(path->top, s->path.top, s->arch.rows * sizeof(float));
    memcpy(path->choices, s->path.choices, s->arch.rows);
    return WSR_OK;
}

void wsr__nas_noise(float *g, const wsr_search *s, size_t k)
{
    const bool own = s->quirks.path_per_epoch;
    wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL,
                               own ? wsr__search_path_serial(s)
                                   : wsr__search_serial(s) << 32 | k,
                               own ? WSR__SAMPLE_TRAIN : WSR__SAMPLE_EVALUATE);
    wsr__search_noise(g, s, &rng);
}

static wsr_status evaluate_path(wsr_search *s, evaluated *e, size_t k)
{
    wsr_status status = WSR_OK;
    double predicted[WSR__SLOTS];
    double *const losses = e->losses[k];
    WSR_TRY(sample(&e->paths[k], s, k));
    WSR_TRY(s->evaluator(losses, s, &e->paths[k],
                         k == 0 ? WSR__EVALUATE_AND_STORE : WSR__EVALUATE));
    WSR_TRY(wsr_predictor_run(predicted, s->predictor, e->paths[k].weights, 1));
    e->predicted[k] = wsr_search_objective(s, predicted);
    e->objective[k] = wsr_search_objective(s, losses);
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        s->losses[i] += losses[i] / (double)e->n;
    }
out:
    return status;
}

// Losses change more from epoch to epoch, as the weights improve, than between
// the architectures of one epoch. Centring them per epoch leaves what the
// predictor is to learn: the difference between architectures.
static wsr_status store_losses(wsr_search *s, evaluated *e, wsr__nas_keep keep)
{
    wsr_status status = WSR_OK;
    const bool centred = !s->quirks.uncentred && e->n > 1;
    for (size_t k = 0; k < e->n; k++) {
        for (size_t i = 0; centred && i <= wsr__search_slots(s); i++) {
            e->losses[k][i] -= s->losses[i];
        }
        WSR_TRY(keep(s, &e->paths[k], k, e->losses[k]));
    }
out:
    return status;
}

wsr_status wsr__nas_evaluate(wsr_search *s, wsr__run *run, wsr__nas_keep keep)
{
    wsr_status status = WSR_OK;
    evaluated e;
    memset(s->losses, 0, sizeof(s->losses));
    WSR_TRY(evaluated_new(&e, s));
    for (size_t k = 0; k < e.n; k++) {
        WSR_TRY(evaluate_path(s, &e, k));
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], k + 1, e.n,
                                  "evaluating architectures"));
    }
    WSR_TRY(wsr__search_holdout(s, run));
    WSR_TRY(store_losses(s, &e, keep));
    s->correlation = wsr_kendall_tau(e.predicted, e.objective, e.n);
out:
    evaluated_free(&e);
    return status;
}

static wsr_status remember(wsr_search *s, const wsr__path *path, size_t k,
                           const double *losses)
{
    (void)k;
    return wsr_predictor_remember(s->predictor, path->weights, losses);
}

static wsr_status evaluate(wsr_search *s, wsr__run *run)
{
    return wsr__nas_evaluate(s, run, remember);
}

// Every architecture is attacked at the sources; the noises of the first one
// are stored as well.
wsr__passes wsr__nas_passes(const wsr_search *s, wsr_phase phase,
                            wsr__search_stage stage)
{
    (void)phase;
    return stage == WSR__STAGE_EVALUATE
               ? wsr__evaluation_passes(s, (double)s->params.architectures, 1)
               : (wsr__passes){0, 0};
}

// ----------------------------------------------------------- update alphas

// The tables of a step's samples and the objective's gradients to them.
typedef struct tables {
    float *weights;
    float *diffs;
} tables;

static void sample_tables(wsr_search *s, const tables *t,
                          const wsr__alpha_update *update, size_t step,
                          const float *given)
{
    const wsr__arch arch = {s->arch.rows, s->arch.cols, update->tau};
    const size_t floats = arch.rows * arch.cols;
    float g[WSR__EDGES * WSR__CANDIDATES];
    const uint64_t serial = wsr__search_serial(s);
    for (size_t k = 0; k < update->samples; k++) {
        const bool own = s->quirks.path_per_epoch && k == 0;
        const uint64_t key = own ? serial
                                 : serial << 32 | (uint64_t)(step << 10 | k);
        wsr__rng rng =
            wsr__rng_at(s->seed, WSR__RNG_GUMBEL, key,
                        own ? WSR__SAMPLE_TRAIN : WSR__SAMPLE_UPDATE);
        wsr__search_noise(g, s, &rng);
        wsr__arch_weights(t->weights + k * floats, &arch, s->alphas,
                          given != NULL ? given : g);
    }
}

static wsr_status alpha_step(wsr_search *s, const tables *t,
                             const wsr__alpha_update *update, size_t number,
                             const float *g)
{
    wsr_status status = WSR_OK;
    const wsr__arch arch = {s->arch.rows, s->arch.cols, update->tau};
    const size_t floats = arch.rows * arch.cols;
    double w[WSR__SLOTS];
    wsr__param *const alphas = wsr__params_at(s->arch_params, 0);
    wsr__search_weights(w, s);
    sample_tables(s, t, update, number, g);
    WSR_TRY(wsr_predictor_gradient(NULL, t->diffs, s->predictor, t->weights,
                                   update->samples, w));
    memset(alphas->grad, 0, floats * sizeof(float));
    for (size_t k = 0; k < update->samples; k++) {
        wsr__arch_backward(alphas->grad, &arch, t->weights + k * floats,
                           t->diffs + k * floats);
    }
    alphas->has_grad = true;
    WSR_TRY(wsr_optim_step(s->arch_optim, update->lr));
    if (s->importance != NULL) {
        wsr__importance_add(s->importance, alphas->grad, &arch);
    }
out:
    return status;
}

// Along given noise all samples of a step are equal, so one is enough.
wsr_status wsr__nas_steps(wsr_search *s, const float *g)
{
    wsr_status status = WSR_OK;
    wsr__alpha_update update = wsr__search_alpha_update(s);
    update.samples = g != NULL ? 1 : update.samples;
    const size_t floats = update.samples * s->arch.rows * s->arch.cols;
    const tables t = {wsr__alloc(floats, sizeof(float)),
                      wsr__alloc(floats, sizeof(float))};
    if (t.weights == NULL || t.diffs == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < update.steps; i++) {
        WSR_TRY(alpha_step(s, &t, &update, i, g));
    }
    if (s->importance != NULL) {
        wsr__importance_apply(s->importance, s->arch.rows * s->arch.cols);
    }
out:
    wsr__free(t.weights);
    wsr__free(t.diffs);
    return status;
}

// Both learn from their memories, which the evaluations have filled.
static wsr_status train_models(wsr_search *s, size_t passes)
{
    wsr_status status = WSR_OK;
    const double start = wsr__seconds();
    if (s->lookup == NULL) {
        WSR_TRY(wsr_estimator_train(&s->estimator_loss, s->estimator,
                                    wsr__search_serial(s)));
    }
    const double between = wsr__seconds();
    s->seconds[WSR__TIME_ESTIMATOR] += between - start;
    WSR_TRY(wsr_predictor_train(&s->predictor_loss, s->predictor, passes));
    s->seconds[WSR__TIME_PREDICTOR] += wsr__seconds() - between;
out:
    return status;
}

// The predictor warms up once, when the population is complete.
static size_t predictor_passes(const wsr_search *s)
{
    const bool last = s->epoch + 1 == wsr__phase_epochs(s, s->phase);
    if (s->phase == WSR_PHASE_SEARCH) {
        return (size_t)s->params.predictor_passes;
    }
    return last ? (size_t)s->params.predictor_warm_up : 0;
}

wsr_status wsr__nas_train(wsr_search *s)
{
    return train_models(s, predictor_passes(s));
}

static wsr_status update_alphas(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__nas_train(s));
    if (s->phase == WSR_PHASE_SEARCH) {
        WSR_TRY(wsr__nas_steps(s, NULL));
    }
    WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], 1, 1,
                              "updating alphas"));
out:
    return status;
}

// ----------------------------------------------------------------- options

typedef struct options {
    wsr__text diw;
} options;

static const char *const modes[] = {"off", "mean", "sum", "last", NULL};

static const wsr__option schema[] = {
    {"diw", WSR__WORD, offsetof(options, diw), "off", 0, 0, "",
     "importance weights of candidates, by which the Gumbel noise shrinks: of "
     "all steps or of the last one",
     modes},
    {0},
};

static wsr_status make(wsr_search *s, const void *params)
{
    return wsr__importance_new(&s->importance, &((const options *)params)->diw,
                               s->arch.rows * s->arch.cols);
}

static size_t states(const wsr_search *s)
{
    return s->importance == NULL ? 0 : (size_t)WSR__IMPORTANCE_STATES;
}

static wsr__state state(const wsr_search *s, size_t i)
{
    return wsr__importance_state(s->importance, i, s->arch.rows * s->arch.cols);
}

static wsr_status check(const wsr_search *s, const wsr__st *st)
{
    if (s->importance != NULL && s->importance->count < 0) {
        return WSR_FAIL(WSR_FORMAT, "%s: %lld steps of the importance weights",
                        wsr__st_path(st), (long long)s->importance->count);
    }
    if (s->importance != NULL) {
        wsr__importance_apply(s->importance, s->arch.rows * s->arch.cols);
    }
    return WSR_OK;
}

const wsr__searcher_class wsr__searcher_wsr_nas = {
    .super = {"wsr_nas",
              "alphas descend the predicted losses at many strengths",
              "doi:10.1609/aaai.v37i1.25118", schema, sizeof(options)},
    .make = make,
    .states = states,
    .state = state,
    .check = check,
    .evaluate = evaluate,
    .update_alphas = update_alphas,
    .passes = wsr__nas_passes,
    .estimates = true,
};
