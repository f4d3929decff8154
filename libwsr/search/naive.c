// SPDX-License-Identifier: Apache-2.0
//
// The baseline of Wsr-NAS, without estimator and predictor. Every strength is
// attacked on every held-out batch. The gradient of the objective reaches the
// alphas through the supernet: the weight of the chosen candidate multiplies
// the result of each edge, and the gradient with respect to that weight is
// computed (single path, straight through). One step of Adam per batch, as in
// DARTS (arXiv:1806.09055).

#include "search/search.h"

#include <string.h>

// The path sampled for a batch, and its plans.
typedef struct sampled {
    wsr__path path; // weights at the temperature of the steps
    wsr__arch arch;
    wsr__path_attack attack;
    wsr_plan *weights; // with edge weights as inputs
    wsr_graph *graph;  // of the path
    float *diffs;      // of the path's weights, (rows, cols)
} sampled;

static void free_plans(sampled *t)
{
    wsr__path_attack_free(&t->attack);
    wsr_plan_free(t->weights);
    wsr_graph_free(t->graph);
    t->weights = NULL;
    t->graph = NULL;
}

static wsr_status make_weights_plan(wsr_plan **out, wsr_search *s,
                                    const sampled *t)
{
    wsr_status status = WSR_OK;
    const double start = wsr__seconds();
    wsr_graph *graph = NULL;
    WSR_TRY(wsr__supernet_open(&graph, s->net, t->path.choices));
    WSR_TRY(wsr__plan_new_in(out, graph, (size_t)s->params.batch,
                             WSR_GRAD_INPUT | WSR_TRAIN, &s->arena));
    s->seconds[WSR__TIME_PLANS] += wsr__seconds() - start;
out:
    wsr_graph_free(graph);
    return status;
}

// The temperature is that of the updates, not of the training of the supernet.
// In the released code the path is that of the epoch.
static void sample(sampled *t, const wsr_search *s, uint64_t key)
{
    const bool own = s->quirks.path_per_epoch;
    wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL,
                               own ? wsr__search_serial(s) : key,
                               own ? WSR__SAMPLE_TRAIN : WSR__SAMPLE_UPDATE);
    float g[WSR__EDGES * WSR__CANDIDATES];
    wsr__gumbel_fill(g, t->arch.rows * t->arch.cols, &rng);
    wsr__arch_weights(t->path.weights, &t->arch, s->alphas, g);
    wsr__arch_choose(t->path.choices, t->path.top, &t->arch, t->path.weights);
}

// diffs (rows, cols) is the gradient with respect to all weights; only those
// of the chosen candidates become other than 0.
static wsr_status begin_batch(sampled *t, wsr_search *s, size_t batch)
{
    wsr_status status = WSR_OK;
    free_plans(t);
    sample(t, s, wsr__search_serial(s) << 32 | (uint64_t)batch);
    WSR_TRY(make_weights_plan(&t->weights, s, t));
    WSR_TRY(wsr__path_graph(&t->graph, s, &t->path));
    WSR_TRY(wsr__path_attack_new(&t->attack, s, t->graph,
                                 WSR_GRAD_INPUT | WSR_TRAIN, t->weights));
    memset(t->diffs, 0, t->arch.rows * t->arch.cols * sizeof(*t->diffs));
out:
    return status;
}

// Called for each edge weight of the plan.
typedef void (*visit)(sampled *t, float *values, const float *diffs, size_t row,
                      size_t n, double factor);

static void each_weight(sampled *t, const wsr_search *s, visit f, double factor)
{
    const size_t n = (size_t)s->params.batch;
    for (size_t cell = 0; cell < wsr__net_layers(s->net); cell++) {
        for (size_t row = 0; row < t->arch.rows; row++) {
            char name[WSR__SITE_NAME];
            wsr__edge_weight_name(name, cell, row);
            float *const values = wsr_plan_src(t->weights, name);
            if (values != NULL) {
                f(t, values, wsr_plan_diff_src(t->weights, name), row, n,
                  factor);
            }
        }
    }
}

// As released the factor is the edge's weight; intended: 1, with the same
// gradient.
static void set_weight(sampled *t, float *values, const float *diffs,
                       size_t row, size_t n, double weighted)
{
    (void)diffs;
    for (size_t i = 0; i < n; i++) {
        values[i] = weighted != 0 ? t->path.top[row] : 1.0F;
    }
}

// The same edge in all cells of a kind shares its weight, so gradients add up
// over cells and images. An edge behind which nothing depends on the image has
// none (a node whose edges all take "none").
static void add_diff(sampled *t, float *values, const float *diffs, size_t row,
                     size_t n, double factor)
{
    (void)values;
    double sum = 0;
    for (size_t i = 0; diffs != NULL && i < n; i++) {
        sum += (double)diffs[i];
    }
    t->diffs[row * t->arch.cols + t->path.choices[row]] +=
        (float)(factor * sum);
}

// One loss, and its weighted gradient.
static wsr_status add_loss(double *loss, sampled *t, wsr_search *s,
                           const wsr_batch *batch, const float *x,
                           double factor)
{
    wsr_status status = WSR_OK;
    size_t correct = 0;
    double mean = 0;
    const double start = wsr__seconds();
    wsr__train_step step = {.plan = t->weights,
                            .net = s->net,
                            .labels = wsr_batch_labels(batch),
                            .n = (size_t)s->params.batch,
                            .classes = wsr_net_classes(s->net)};
    each_weight(t, s, set_weight, s->quirks.weighted ? 1 : 0);
    s->counted.gradient += (double)step.n;
    WSR_TRY(wsr__train_step_pass(&mean, &correct, &step, x, (wsr__pass){1, 0}));
    each_weight(t, s, add_diff, factor);
    *loss += mean;
    s->seconds[WSR__TIME_EVALUATION] += wsr__seconds() - start;
out:
    return status;
}

// The chain rule through the softmax, then one step of the optimiser.
static wsr_status alpha_step(sampled *t, wsr_search *s)
{
    wsr__param *const alphas = wsr__params_at(s->arch_params, 0);
    memset(alphas->grad, 0, t->arch.rows * t->arch.cols * sizeof(float));
    wsr__arch_backward(alphas->grad, &t->arch, t->path.weights, t->diffs);
    alphas->has_grad = true;
    return wsr_optim_step(s->arch_optim, wsr__search_alpha_update(s).lr);
}

// Losses follow the statistics of the batch, so that each attack ends before.
static wsr_status attack(const sampled *t, wsr_search *s,
                         const wsr_batch *batch, double eps)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__search_attack_begin(s, &t->attack.plans, batch));
    status = wsr__search_attack(s, &t->attack.plans, batch, eps);
    wsr__attack_plans_end(&t->attack.plans);
out:
    return status;
}

// losses[0] is the clean loss; w has the same order.
static wsr_status update_batch(sampled *t, wsr_search *s, size_t number)
{
    wsr_status status = WSR_OK;
    const wsr_batch *batch = NULL;
    double w[WSR__SLOTS];
    wsr__search_weights(w, s);
    WSR_TRY(begin_batch(t, s, number));
    WSR_TRY(wsr_loader_next(&batch, s->held_out_loader));
    WSR_TRY(
        add_loss(&s->losses[0], t, s, batch, wsr_batch_images(batch), w[0]));
    for (size_t i = 0; i < wsr__search_slots(s); i++) {
        WSR_TRY(attack(t, s, batch, wsr__search_slot_eps(s, i)));
        WSR_TRY(add_loss(&s->losses[1 + i], t, s, batch, s->x_adv, w[1 + i]));
    }
    WSR_TRY(alpha_step(t, s));
out:
    return status == WSR_NUMERIC
               ? wsr__fail_at(status, "updating alphas, epoch %zu, batch %zu",
                              s->epoch, number)
               : status;
}

static wsr_status update_alphas(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t batches = wsr__search_batches(s);
    sampled t = {
        .arch = {s->arch.rows, s->arch.cols, wsr__search_alpha_update(s).tau}};
    memset(s->losses, 0, sizeof(s->losses));
    if (s->phase != WSR_PHASE_SEARCH) {
        return WSR_OK;
    }
    t.diffs = wsr__alloc(t.arch.rows * t.arch.cols, sizeof(float));
    WSR_TRY(t.diffs == NULL ? WSR_NOMEM : wsr__path_new(&t.path, &t.arch));
    WSR_TRY(wsr_loader_seek(s->held_out_loader, wsr__search_serial(s), 0));
    for (size_t b = 0; b < batches; b++) {
        WSR_TRY(update_batch(&t, s, b));
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], b + 1,
                                  batches, "updating alphas"));
    }
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        s->losses[i] /= (double)batches;
    }
out:
    free_plans(&t);
    wsr__path_free(&t.path);
    wsr__free(t.diffs);
    return status;
}

// Every loss needs its gradient, and every strength its attack.
static wsr__passes passes(const wsr_search *s, wsr_phase phase,
                          wsr__search_stage stage)
{
    const double images = (double)s->params.batch *
                          (double)wsr__search_batches(s);
    const double slots = (double)wsr__search_slots(s);
    const double steps = (double)s->params.attack_steps;
    return phase == WSR_PHASE_SEARCH && stage == WSR__STAGE_UPDATE
               ? (wsr__passes){images * (1 + slots * (steps + 1)),
                               wsr__search_frozen(&s->params) ? images * slots
                                                              : 0}
               : (wsr__passes){0, 0};
}

const wsr__searcher_class wsr__searcher_naive = {
    .super = {"naive", "every strength is attacked, alphas descend the losses",
              "doi:10.1609/aaai.v37i1.25118", NULL, 0},
    .update_alphas = update_alphas,
    .passes = passes,
};
