// SPDX-License-Identifier: Apache-2.0
//
// The controller search: an LSTM (controller_graph.c) draws architectures, the
// supernet trains on what it draws, and REINFORCE (Williams 1992) raises the
// probability of architectures with a reward r above a baseline b:
//
//   loss = -log p(architecture) (r - b)
//
// with a step of Adam for each architecture that was evaluated. The result is
// the architecture that takes the most probable choice everywhere.
// Pham et al. 2018 (ENAS), arXiv:1802.03268.

#include "search/controller.h"

#include <math.h>
#include <stddef.h>

typedef struct options {
    wsr__text fidelity;
    wsr__text reward;
    wsr__text baseline;
    wsr__text inputs;
    double lr;
} options;

static const wsr__option schema[] = {
    WSR__FIDELITY(options),
    WSR__QUIRK(options, reward,
               "released: accuracy on clean images; intended: minus the "
               "objective, in deviations over the epoch"),
    WSR__QUIRK(options, baseline,
               "released: a mean of all rewards, which starts at 0 and moves "
               "by a thousandth; intended: the mean of the epoch's other "
               "rewards, since weights improve from epoch to epoch"),
    WSR__QUIRK(options, inputs,
               "released: both edges of a node may come from the same state, "
               "and the second one counts; intended: from different ones"),
    {"lr", WSR__FLOAT, offsetof(options, lr), "0.0035", 0, 10, "",
     "learning rate of Adam", NULL},
    {0},
};

typedef struct controller {
    wsr__controller net;
    wsr_optim *optim;
    bool accuracy; // is the reward
    bool moving;   // baseline over all epochs
    double lr;
    size_t n;          // architectures of an epoch
    uint32_t *choices; // (n, WSR__DECISIONS)
    double *rewards;   // (n)
    double *baseline;  // (1) that moves
    uint32_t *best;    // (WSR__DECISIONS)
    float *table;      // of it
} controller;

static void release(void *own)
{
    controller *const c = own;
    wsr_optim_free(c->optim);
    wsr__controller_free(&c->net);
    wsr__free(c->choices);
    wsr__free(c->rewards);
    wsr__free(c->baseline);
    wsr__free(c->best);
    wsr__free(c->table);
    wsr__free(c);
}

// Candidates other than "none".
static size_t count_ops(const wsr_search *s)
{
    size_t n = 0;
    for (size_t k = 0; k < s->arch.cols; k++) {
        n += !wsr__streq(wsr_supernet_candidate(s->net, k), "none");
    }
    return n;
}

static wsr_status make_arrays(controller *c, const wsr_search *s)
{
    c->choices = wsr__alloc(c->n * WSR__DECISIONS, sizeof(uint32_t));
    c->rewards = wsr__alloc(c->n, sizeof(double));
    c->baseline = wsr__alloc(1, sizeof(double));
    c->best = wsr__alloc(WSR__DECISIONS, sizeof(uint32_t));
    c->table = wsr__alloc(s->arch.rows * s->arch.cols, sizeof(float));
    return c->choices == NULL || c->rewards == NULL || c->baseline == NULL ||
                   c->best == NULL || c->table == NULL
               ? WSR_NOMEM
               : WSR_OK;
}

static wsr_status make(wsr_search *s, const void *params)
{
    wsr_status status = WSR_OK;
    const options *const o = params;
    controller *const c = wsr__alloc(1, sizeof(*c));
    const wsr__adam adam = {.beta1 = 0.1, .beta2 = 0.999, .tol = 1e-3};
    s->own = c;
    if (c == NULL) {
        return WSR_NOMEM;
    }
    if (wsr__search_space(s)->single) {
        return WSR_FAIL(WSR_CONFIG,
                        "searcher.name: controller chooses two edges for each "
                        "node, cells of the space %s keep all",
                        wsr__search_space(s)->super.name);
    }
    if (s->params.architectures < 2 &&
        !wsr__is_released(&o->baseline, &o->fidelity)) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.architectures: 1 leaves no other rewards for "
                        "the baseline of the controller, give it 2 or more, or "
                        "searcher.baseline=released");
    }
    c->accuracy = wsr__is_released(&o->reward, &o->fidelity);
    c->moving = wsr__is_released(&o->baseline, &o->fidelity);
    c->lr = o->lr;
    c->n = (size_t)s->params.architectures;
    WSR_TRY(make_arrays(c, s));
    WSR_TRY(wsr__controller_make(
        &c->net, wsr__search_space(s)->nodes, count_ops(s),
        !wsr__is_released(&o->inputs, &o->fidelity), s->seed));
    WSR_TRY(wsr__optim_make(&c->optim, c->net.params, &wsr__optim_adam, &adam));
    WSR_TRY(wsr__optim_reserve(c->optim));
out:
    return status;
}

// ------------------------------------------------------------ architectures

// Choices of operations count those other than "none".
static void to_pairs(wsr__pairs *pairs, const wsr_search *s,
                     const uint32_t *choices)
{
    const controller *const c = s->own;
    uint32_t ops[WSR__CANDIDATES];
    size_t n = 0;
    for (size_t k = 0; k < s->arch.cols; k++) {
        if (!wsr__streq(wsr_supernet_candidate(s->net, k), "none")) {
            ops[n++] = (uint32_t)k;
        }
    }
    *pairs = (wsr__pairs){0};
    for (size_t i = 0; i < c->net.decisions; i++) {
        size_t edge = 0;
        bool op = false;
        (void)wsr__controller_decision(&edge, &op, &c->net, i);
        if (op) {
            pairs->ops[edge] = ops[choices[i]];
        } else {
            pairs->states[edge] = choices[i];
        }
    }
}

static wsr_status sample(wsr_search *s, uint64_t key)
{
    wsr_status status = WSR_OK;
    controller *const c = s->own;
    uint32_t choices[WSR__DECISIONS];
    wsr__pairs pairs;
    wsr__rng rng =
        wsr__rng_at(s->seed, WSR__RNG_GUMBEL, key, WSR__SAMPLE_TRAIN);
    WSR_TRY(wsr__controller_sample(choices, &c->net, &rng));
    to_pairs(&pairs, s, choices);
    wsr__pairs_path(&s->path, &pairs, wsr__search_space(s));
out:
    return status;
}

static void set_table(const wsr_search *s)
{
    controller *const c = s->own;
    wsr__pairs pairs;
    to_pairs(&pairs, s, c->best);
    wsr__pairs_table(c->table, &pairs, wsr__search_space(s));
}

static const float *table(const wsr_search *s)
{
    return ((const controller *)s->own)->table;
}

// ------------------------------------------------------------------- stages

static wsr_status draw(wsr__pairs *pairs, wsr_search *s, size_t k,
                       wsr__rng *rng)
{
    controller *const c = s->own;
    uint32_t *const choices = c->choices + k * WSR__DECISIONS;
    const wsr_status status = wsr__controller_sample(choices, &c->net, rng);
    if (status == WSR_OK) {
        to_pairs(pairs, s, choices);
    }
    return status;
}

static void keep(wsr_search *s, size_t k, const wsr__pairs *pairs,
                 double objective)
{
    controller *const c = s->own;
    (void)pairs;
    c->rewards[k] = c->accuracy ? s->clean_accuracy : -objective;
}

static wsr_status evaluate(wsr_search *s, wsr__run *run)
{
    static const wsr__pairs_walk walk = {WSR__SAMPLE_EVALUATE, draw, keep};
    return wsr__pairs_evaluate(s, run, &walk);
}

// Intended rewards are measured in deviations over the epoch: then it does not
// matter in which unit the objective is. One architecture alone has none.
static double deviation_of(const controller *c)
{
    double mean = 0;
    double squares = 0;
    for (size_t k = 0; k < c->n; k++) {
        mean += c->rewards[k] / (double)c->n;
    }
    for (size_t k = 0; k < c->n; k++) {
        squares += (c->rewards[k] - mean) * (c->rewards[k] - mean);
    }
    const double deviation = sqrt(squares / (double)c->n);
    return c->accuracy || deviation < 1e-12 ? 1 : deviation;
}

// The reward of architecture k above the baseline. As released the baseline
// moves before it is used.
static double advantage_of(const controller *c, size_t k)
{
    const double reward = c->rewards[k];
    double others = 0;
    if (c->moving) {
        *c->baseline -= 1e-3 * (*c->baseline - reward);
        return reward - *c->baseline;
    }
    for (size_t i = 0; i < c->n; i++) {
        others += i == k ? 0 : c->rewards[i] / (double)(c->n - 1);
    }
    return reward - others;
}

static wsr_status update_alphas(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    controller *const c = s->own;
    const double deviation = deviation_of(c);
    for (size_t k = 0; k < c->n; k++) {
        const double advantage = advantage_of(c, k) / deviation;
        double log_p = 0;
        wsr_params_zero_grad(c->net.params, false);
        WSR_TRY(wsr__controller_backward(
            &log_p, &c->net, c->choices + k * WSR__DECISIONS, -advantage));
        WSR_TRY(wsr_optim_step(c->optim, c->lr));
    }
    WSR_TRY(wsr__controller_sample(c->best, &c->net, NULL));
    set_table(s);
    WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], 1, 1,
                              "training the controller"));
out:
    return status;
}

// ------------------------------------------------------------------- state

enum { ARRAYS = 4 };

static size_t states(const wsr_search *s)
{
    const controller *const c = s->own;
    return ARRAYS + wsr_params_count(c->net.params) +
           wsr__optim_states(c->optim);
}

// Arrays, then parameters under their names, then the optimiser's.
static wsr__state state(const wsr_search *s, size_t i)
{
    const controller *const c = s->own;
    const size_t params = wsr_params_count(c->net.params);
    const wsr__state arrays[ARRAYS] = {
        {"choices", WSR__STATE_U32, c->choices, c->n * WSR__DECISIONS},
        {"rewards", WSR__STATE_F64, c->rewards, c->n},
        {"baseline", WSR__STATE_F64, c->baseline, 1},
        {"best", WSR__STATE_U32, c->best, WSR__DECISIONS}};
    if (i < ARRAYS) {
        return arrays[i];
    }
    if (i < ARRAYS + params) {
        const wsr__param *const p = wsr__params_at(c->net.params, i - ARRAYS);
        return (wsr__state){p->name, WSR__STATE_F32, p->data, (size_t)p->count};
    }
    return wsr__optim_state(c->optim, i - ARRAYS - params);
}

static bool in_range(const controller *c, const uint32_t *choices)
{
    for (size_t i = 0; i < c->net.decisions; i++) {
        if (choices[i] >= wsr__controller_decision(NULL, NULL, &c->net, i)) {
            return false;
        }
    }
    return true;
}

static wsr_status check(const wsr_search *s, const wsr__st *st)
{
    const controller *const c = s->own;
    bool good = in_range(c, c->best);
    for (size_t k = 0; k < c->n; k++) {
        good = good && in_range(c, c->choices + k * WSR__DECISIONS);
    }
    if (!good) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: the controller chose what the space does not have",
                        wsr__st_path(st));
    }
    for (size_t i = 0; i < wsr_params_count(c->net.params); i++) {
        wsr__param_touch(wsr__params_at(c->net.params, i));
    }
    set_table(s);
    return WSR_OK;
}

const wsr__searcher_class wsr__searcher_controller = {
    .super = {"controller", "an LSTM draws architectures and learns from them",
              "Pham et al. 2018, arXiv:1802.03268", schema, sizeof(options)},
    .make = make,
    .free = release,
    .states = states,
    .state = state,
    .check = check,
    .sample = sample,
    .table = table,
    .evaluate = evaluate,
    .update_alphas = update_alphas,
    .passes = wsr__pairs_passes,
    .pairs = true,
};
