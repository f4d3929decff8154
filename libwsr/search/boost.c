// SPDX-License-Identifier: Apache-2.0
//
// The loops of the searchers over boost networks, see boost.h. For each batch
// `repeats` times:
//
//   x' = clip(x + d, 0, 1);  loss = CE(f(x'), y);  one step of the optimiser
//   d <- clip(d + alpha sign(grad), -eps, eps)
//
// with SGD on the weights and training images, with Adam on alphas and betas
// and held-out images. Both have a perturbation d of their own, which lives on
// from batch to batch.

#include "search/boost.h"

#include "train/inner.h"

#include <string.h>

// ------------------------------------------------------------------- making

wsr_status wsr__boost_network(wsr_net **out, const wsr__cells_options *supernet,
                              const void *options, uint64_t seed)
{
    wsr_status status = WSR_OK;
    const wsr__boost_params *const p = options;
    void *params = NULL;
    WSR_TRY(wsr__boost_options(&params, p->base.s, supernet));
    WSR_TRY(wsr__net_make(out, &wsr__net_boost, NULL, params, seed));
out:
    wsr__free(params);
    return status;
}

// The base is that of the search; what images and classes are follows from the
// data.
wsr_status wsr__boost_found(void **options, const wsr__net_class **kind,
                            const wsr_search *s, const wsr__net_options *net)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__class_copy(options, &wsr__net_boost.super, s->net->options));
    *(wsr__net_options *)*options = *net;
    *kind = &wsr__net_boost;
out:
    return status;
}

static wsr_status make_plan(wsr_plan **out, wsr_search *s, bool base,
                            unsigned purpose)
{
    wsr_status status = WSR_OK;
    const double start = wsr__seconds();
    wsr_graph *graph = NULL;
    WSR_TRY(wsr__boost_graph(&graph, s->net, base));
    WSR_TRY(wsr__plan_new_in(out, graph, (size_t)s->params.batch, purpose,
                             &s->arena));
    s->seconds[WSR__TIME_PLANS] += wsr__seconds() - start;
out:
    wsr_graph_free(graph);
    return status;
}

static wsr_status make_plans(wsr_search *s, wsr__boost *b)
{
    wsr_status status = WSR_OK;
    const unsigned weights = WSR_GRAD_INPUT | WSR_GRAD_PARAMS | WSR_TRAIN |
                             WSR_MOVE_STATS;
    WSR_TRY(make_plan(&b->plans[WSR__BOOST_WEIGHTS], s, false, weights));
    WSR_TRY(make_plan(&b->plans[WSR__BOOST_ALPHAS], s, false,
                      WSR_GRAD_INPUT | WSR_TRAIN));
    if (b->rule->base_purpose != 0) {
        WSR_TRY(make_plan(&b->base, s, true, b->rule->base_purpose));
    }
out:
    return status == WSR_OK
               ? status
               : wsr__fail_at(status, "search: plans for %lld images at once",
                              (long long)s->params.batch);
}

// Betas start as alphas do. The rows of the second cell repeat the first.
static wsr_status make_betas(wsr_search *s, wsr__boost *b)
{
    wsr_status status = WSR_OK;
    const size_t edges = s->arch.rows / 2;
    const wsr_shape shape = wsr__shape1((int64_t)edges);
    wsr__param *param = NULL;
    WSR_TRY(wsr__params_trained(&param, s->arch_params, "betas", &shape,
                                (wsr__init){0}));
    WSR_TRY(wsr__param_need_grad(param));
    wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_INIT, UINT64_MAX, 1);
    wsr__alphas_fill(param->data, edges, &rng);
    b->betas = param->data;
    memcpy(s->alphas + edges * s->arch.cols, s->alphas,
           edges * s->arch.cols * sizeof(float));
out:
    return status;
}

wsr_status wsr__boost_open(wsr_search *s, const wsr__boost_params *params,
                           const wsr__boost_rule *rule)
{
    wsr_status status = WSR_OK;
    wsr__boost *const b = s->own;
    const size_t batch = (size_t)s->params.batch;
    const size_t table = s->arch.rows * s->arch.cols;
    b->rule = rule;
    b->params = *params;
    b->table = wsr__alloc(table, sizeof(*b->table));
    b->madds = wsr__alloc(table / 2, sizeof(*b->madds));
    WSR_TRY(b->table == NULL || b->madds == NULL ? WSR_NOMEM : WSR_OK);
    for (size_t i = 0; i < WSR__BOOST_PARTS; i++) {
        b->noise[i] = wsr__alloc(batch * s->pixels, sizeof(float));
        WSR_TRY(b->noise[i] == NULL ? WSR_NOMEM : WSR_OK);
    }
    WSR_TRY(wsr__boost_madds(b->madds, &b->other_madds, s->net));
    WSR_TRY(make_betas(s, b));
    WSR_TRY(make_plans(s, b));
out:
    return status;
}

wsr_status wsr__boost_make(wsr_search *s, const void *params,
                           const wsr__boost_rule *rule)
{
    s->own = wsr__alloc(1, sizeof(wsr__boost));
    return s->own == NULL ? WSR_NOMEM : wsr__boost_open(s, params, rule);
}

void wsr__boost_free(void *own)
{
    wsr__boost *const b = own;
    if (b == NULL) {
        return;
    }
    for (size_t i = 0; i < WSR__BOOST_PARTS; i++) {
        wsr_plan_free(b->plans[i]);
        wsr__free(b->noise[i]);
    }
    wsr_plan_free(b->base);
    wsr__free(b->table);
    wsr__free(b->madds);
    wsr__free(b);
}

size_t wsr__boost_states(const wsr_search *s)
{
    (void)s;
    return WSR__BOOST_STATES;
}

wsr__state wsr__boost_state(const wsr_search *s, size_t i)
{
    const wsr__boost *const b = s->own;
    const size_t floats = (size_t)s->params.batch * s->pixels;
    const wsr__state all[WSR__BOOST_STATES] = {
        {"betas", WSR__STATE_F32, b->betas, s->arch.rows / 2},
        {"noise.weights", WSR__STATE_F32, b->noise[WSR__BOOST_WEIGHTS], floats},
        {"noise.alphas", WSR__STATE_F32, b->noise[WSR__BOOST_ALPHAS], floats}};
    return all[i];
}

// -------------------------------------------------------------------- passes

static wsr__train_step step_of(const wsr_search *s, wsr_plan *plan,
                               const wsr_batch *batch)
{
    return (wsr__train_step){.plan = plan,
                             .net = s->net,
                             .labels = wsr_batch_labels(batch),
                             .n = (size_t)s->params.batch,
                             .classes = wsr_net_classes(s->net)};
}

// Plans share their memory, so that inputs are put in anew for each pass.
wsr_status wsr__boost_forward(double *loss, wsr_search *s, wsr_plan *plan,
                              const wsr_batch *batch, const float *x)
{
    wsr_status status = WSR_OK;
    const wsr__boost *const b = s->own;
    const wsr__train_step step = step_of(s, plan, batch);
    size_t correct = 0;
    wsr__boost_enter(plan, s, s->alphas, b->betas);
    WSR_TRY(wsr__train_step_forward(&step, plan, x));
    WSR_TRY(
        wsr__train_step_loss(loss, &correct, &step, plan, (wsr__pass){1, 0}));
    s->counted.forward += (double)step.n;
out:
    return status;
}

// The pass that becomes one with gradients counts as such.
wsr_status wsr__boost_backward(wsr_search *s, wsr_plan *plan,
                               const wsr_batch *batch, double weight)
{
    wsr_status status = WSR_OK;
    const wsr__train_step step = step_of(s, plan, batch);
    double loss = 0;
    size_t correct = 0;
    WSR_TRY(wsr__train_step_loss(&loss, &correct, &step, plan,
                                 (wsr__pass){weight, 0}));
    WSR_TRY(wsr_plan_backward(plan));
    s->counted.forward -= (double)step.n;
    s->counted.gradient += (double)step.n;
out:
    return status;
}

void wsr__boost_begin(wsr_search *s, wsr__boost_part part)
{
    if (part == WSR__BOOST_WEIGHTS) {
        wsr_params_zero_grad(wsr_net_params(s->net), true);
    }
}

static wsr_status step_weights(wsr_search *s)
{
    wsr_status status = WSR_OK;
    if (s->params.grad_clip > 0) {
        WSR_TRY(wsr_optim_clip(NULL, s->optim, s->params.grad_clip));
    }
    WSR_TRY(wsr_optim_step(s->optim, wsr__search_lr(s)));
out:
    return status;
}

wsr_status wsr__boost_step(wsr_search *s, wsr__boost_part part,
                           const double *loss)
{
    wsr_status status = WSR_OK;
    const wsr__boost *const b = s->own;
    if (part == WSR__BOOST_WEIGHTS) {
        return step_weights(s);
    }
    WSR_TRY(wsr__boost_gradients(s, b->plans[part], loss));
    WSR_TRY(wsr_optim_step(s->arch_optim, wsr__search_alpha_update(s).lr));
out:
    return status;
}

// Parameters of the base keep their values where nothing has a gradient.
static void freeze_base(const wsr_search *s)
{
    static const char prefix[] = "base.";
    wsr_params *const params = wsr_net_params(s->net);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        if (strncmp(p->name, prefix, sizeof(prefix) - 1) == 0) {
            p->has_grad = false;
        }
    }
}

// ----------------------------------------------------------------- learning

// The sums of an epoch are means over the repetitions.
static void add_sums(wsr_search *s, wsr_plan *plan, const wsr_batch *batch,
                     double loss)
{
    const wsr__boost *const b = s->own;
    const double n = (double)s->params.batch;
    const double times = (double)b->params.repeats;
    const size_t correct = wsr_count_correct(wsr_plan_dst(plan, "logits"),
                                             wsr_plan_shape(plan, "logits"),
                                             wsr_batch_labels(batch));
    s->loss += loss * n / times;
    s->correct += (double)correct / times;
    s->seen += n / times;
}

static wsr_status learn_once(wsr_search *s, const wsr_batch *batch,
                             wsr__boost_part part)
{
    wsr_status status = WSR_OK;
    const wsr__boost *const b = s->own;
    wsr_plan *const plan = b->plans[part];
    const size_t floats = (size_t)s->params.batch * s->pixels;
    const wsr__kept_noise noise = {
        .d = b->noise[part],
        .x = wsr_batch_images(batch),
        .eps = (float)s->params.eps,
        .alpha = (float)(b->params.alpha > 0 ? b->params.alpha : s->params.eps),
        .at_use = true};
    double loss = 0;
    wsr__kept_noise_use(s->x_adv, &noise, floats);
    wsr__boost_begin(s, part);
    WSR_TRY(wsr__boost_forward(&loss, s, plan, batch, s->x_adv));
    if (part == WSR__BOOST_WEIGHTS) {
        add_sums(s, plan, batch, loss);
    }
    WSR_TRY(wsr__boost_backward(s, plan, batch, 1));
    wsr__kept_noise_move(&noise, wsr_plan_diff_src(plan, "x"), floats);
    if (part == WSR__BOOST_WEIGHTS && b->rule->frozen_base) {
        freeze_base(s);
    }
    WSR_TRY(wsr__boost_step(s, part, &loss));
out:
    return status;
}

static wsr_status learn(wsr_search *s, const wsr_batch *batch,
                        wsr__boost_part part)
{
    wsr_status status = WSR_OK;
    const wsr__boost *const b = s->own;
    if (b->rule->clean != NULL) {
        WSR_TRY(b->rule->clean(s, batch, part));
    }
    for (int64_t i = 0; i < b->params.repeats; i++) {
        WSR_TRY(learn_once(s, batch, part));
    }
out:
    return status;
}

wsr_status wsr__boost_train(wsr_search *s, const wsr_batch *batch)
{
    const double start = wsr__seconds();
    const wsr_status status = learn(s, batch, WSR__BOOST_WEIGHTS);
    s->seconds[WSR__TIME_SUPERNET] += wsr__seconds() - start;
    return status;
}

// The network as it is relaxed now.
wsr_status wsr__boost_evaluate(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const wsr__boost *const b = s->own;
    wsr_plan *const plan = b->plans[WSR__BOOST_ALPHAS];
    wsr__boost_enter(plan, s, s->alphas, b->betas);
    WSR_TRY(wsr__search_measure(s->losses, s, plan));
    WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], 1, 1,
                              "evaluating the relaxed network"));
out:
    return status;
}

wsr_status wsr__boost_update(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t batches = wsr__search_batches(s);
    const double start = wsr__seconds();
    if (s->phase != WSR_PHASE_SEARCH) {
        return WSR_OK;
    }
    WSR_TRY(wsr_loader_seek(s->held_out_loader, wsr__search_serial(s), 0));
    for (size_t i = 0; i < batches; i++) {
        const wsr_batch *batch = NULL;
        WSR_TRY(wsr_loader_next(&batch, s->held_out_loader));
        WSR_TRY(learn(s, batch, WSR__BOOST_ALPHAS));
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], i + 1,
                                  batches, "updating alphas"));
    }
    s->seconds[WSR__TIME_EVALUATION] += wsr__seconds() - start;
out:
    return status == WSR_NUMERIC
               ? wsr__fail_at(status, "updating alphas, epoch %zu", s->epoch)
               : status;
}

// The choices of the first cell count, the weights of the path do not.
wsr_status wsr__boost_evaluator(double *losses, wsr_search *s,
                                const wsr__path *path, wsr__evaluation how)
{
    const wsr__boost *const b = s->own;
    wsr_plan *const plan = b->plans[WSR__BOOST_ALPHAS];
    float alphas[WSR__EDGES * WSR__CANDIDATES];
    float betas[WSR__EDGES];
    (void)how; // no statistics move, nothing is estimated
    wsr__boost_fix(alphas, betas, s, path->choices);
    wsr__boost_enter(plan, s, alphas, betas);
    const wsr_status status = wsr__search_measure(losses, s, plan);
    return status == WSR_NUMERIC
               ? wsr__fail_at(status,
                              "evaluating an architecture, %s epoch %zu",
                              wsr__phase_names[s->phase], s->epoch)
               : status;
}

static wsr__passes learning_passes(const wsr_search *s, wsr__boost_part part,
                                   size_t batches)
{
    const wsr__boost *const b = s->own;
    const wsr__passes *const clean = &b->rule->clean_passes[part];
    const double images = (double)s->params.batch * (double)batches;
    return (wsr__passes){images * ((double)b->params.repeats + clean->gradient),
                         images * clean->forward};
}

wsr__passes wsr__boost_passes(const wsr_search *s, wsr_phase phase,
                              wsr__search_stage stage)
{
    if (stage == WSR__STAGE_TRAIN) {
        return learning_passes(s, WSR__BOOST_WEIGHTS,
                               wsr__search_train_batches(s));
    }
    if (stage == WSR__STAGE_EVALUATE) {
        return wsr__evaluation_passes(s, 1, 0);
    }
    return phase == WSR_PHASE_SEARCH
               ? learning_passes(s, WSR__BOOST_ALPHAS, wsr__search_batches(s))
               : (wsr__passes){0, 0};
}
