// SPDX-License-Identifier: Apache-2.0
//
// Graphs of a predictor and their plans. A variant builds what it needs for
// one use; inputs and outputs that all variants share are added here:
//
//   x (1, rows, cols), eps (1, heads), mask0, ...   inputs
//   out (1, heads), loss (1)                        outputs

#include "op/params.h"
#include "predictor/predictor.h"

#include <math.h>

// ---------------------------------------------------------------- building

// In single precision, like the parameters.
double wsr__predictor_bound(int64_t k)
{
    return (double)(1 / sqrtf((float)k));
}

static wsr_value param(const wsr__predictor_graph *g, const char *name,
                       wsr_shape shape, double bound)
{
    const wsr__init init = {.bound = (float)bound};
    return wsr__param_value(g->graph, name, shape, init);
}

wsr_value wsr__predictor_linear(const wsr__predictor_graph *g, const char *name,
                                wsr_value src, int64_t m, double bound)
{
    char text[96];
    const wsr_shape *const shape = wsr_graph_shape(g->graph, src);
    const int64_t k = shape == NULL ? 1 : shape->dims[1];
    (void)snprintf(text, sizeof(text), "%s.weight", name);
    const wsr_value w = param(g, text, wsr__shape2(m, k), bound);
    (void)snprintf(text, sizeof(text), "%s.bias", name);
    const wsr_value b = param(g, text, wsr__shape1(m), bound);
    return wsr__op3(g->graph, "linear", NULL, src, w, b);
}

// One concat takes half as many parts as there may be heads, hence the levels.
wsr_value wsr__predictor_join(const wsr__predictor_graph *g,
                              const wsr_value *parts, size_t n)
{
    enum { GROUP = 32, GROUPS = (WSR__HEADS + GROUP - 1) / GROUP };
    wsr_value groups[GROUPS] = {0};
    if (n == 1) {
        return parts[0];
    }
    if (n <= GROUP) {
        return wsr__opn(g->graph, "concat", NULL, parts, n);
    }
    for (size_t i = 0; i * GROUP < n; i++) {
        const size_t rest = n - i * GROUP;
        groups[i] = wsr__predictor_join(g, parts + i * GROUP,
                                        rest < GROUP ? rest : GROUP);
    }
    return wsr__predictor_join(g, groups, (n + GROUP - 1) / GROUP);
}

// PyTorch starts all parameters of an LSTM in +-1 / sqrt(hidden).
wsr_value wsr__predictor_lstm_state(const wsr__predictor_graph *g, int64_t m)
{
    const double bound = wsr__predictor_bound(m);
    const wsr_value srcs[] = {
        g->x,
        param(g, "rnn_cell.weight_ih_l0", wsr__shape2(4 * m, g->cols), bound),
        param(g, "rnn_cell.weight_hh_l0", wsr__shape2(4 * m, m), bound),
        param(g, "rnn_cell.bias_ih_l0", wsr__shape1(4 * m), bound),
        param(g, "rnn_cell.bias_hh_l0", wsr__shape1(4 * m), bound)};
    return wsr__opn(g->graph, "lstm", NULL, srcs, 5);
}

// The mask is an input: a graph computes, and does not draw.
wsr_value wsr__predictor_dropout(wsr__predictor_graph *g, wsr_value src,
                                 double rate)
{
    const wsr_shape *const shape = wsr_graph_shape(g->graph, src);
    char name[32];
    if (g->use == WSR__PREDICT || rate <= 0 || shape == NULL ||
        g->n_masks == WSR__PREDICTOR_MASKS) {
        return src;
    }
    (void)snprintf(name, sizeof(name), "mask%zu", g->n_masks);
    g->masks[g->n_masks++] =
        (wsr__predictor_mask){(size_t)wsr_shape_count(shape), rate};
    return wsr__op2(g->graph, "mul", NULL, src,
                    wsr__input(g->graph, name, *shape));
}

void wsr__predictor_own_loss(wsr__predictor_graph *g, wsr_value loss,
                             double factor)
{
    const wsr__scale_params scale = {.factor = factor};
    const wsr_value value =
        g->use == WSR__PRETRAIN
            ? loss
            : wsr__op1_of(g->graph, &wsr__op_scale, &scale, loss);
    wsr__set_output(g->graph, "loss", value);
    g->has_loss = true;
}

// As released, outputs are 2 sigmoid. When there is nothing to predict, the
// heads are in no plan, and their parameters have no gradient.
static void add_output(wsr__predictor_graph *g, const wsr_predictor *p,
                       wsr_value out)
{
    if (p->sigmoid) {
        out = wsr__op1(g->graph, "sigmoid", NULL, out);
        out = wsr__op1_of(g->graph, &wsr__op_scale,
                          &(wsr__scale_params){.factor = 2}, out);
    }
    if (g->use != WSR__PRETRAIN) {
        wsr__set_output(g->graph, "out", out);
    }
}

static wsr_status build(wsr__predictor_graph *g, const wsr_predictor *p,
                        const wsr__predictor_key *key)
{
    wsr_status status = WSR_OK;
    *g = (wsr__predictor_graph){.options = p->options,
                                .use = key->use,
                                .rows = (int64_t)p->rows,
                                .cols = (int64_t)p->cols,
                                .heads = key->heads};
    WSR_TRY(wsr_graph_new(&g->graph, p->params));
    g->x = wsr__input(g->graph, "x", wsr__shape3(1, g->rows, g->cols));
    if (p->cls->takes_strength) {
        g->eps = wsr__input(g->graph, "eps", wsr__shape2(1, (int64_t)g->heads));
    }
    add_output(g, p, p->cls->build(g));
    WSR_TRY(wsr__graph_status(g->graph));
out:
    return status;
}

wsr_status wsr__predictor_add_params(wsr_predictor *p)
{
    const wsr__predictor_key key = {.n = 1, .heads = p->heads, .use = WSR__FIT};
    wsr__predictor_graph g = {0};
    const wsr_status status = build(&g, p, &key);
    wsr_graph_free(g.graph);
    return status;
}

// ------------------------------------------------------------------- plans

static bool same_key(const wsr__predictor_key *a, const wsr__predictor_key *b)
{
    return a->n == b->n && a->heads == b->heads && a->purpose == b->purpose &&
           a->use == b->use;
}

static wsr_status make_plan(wsr__predictor_plan *plan, const wsr_predictor *p,
                            const wsr__predictor_key *key)
{
    wsr_status status = WSR_OK;
    wsr__predictor_graph g = {0};
    WSR_TRY(build(&g, p, key));
    WSR_TRY(wsr_plan_new(&plan->plan, g.graph, key->n, key->purpose));
    plan->key = *key;
    plan->n_masks = g.n_masks;
    plan->has_loss = g.has_loss;
    for (size_t i = 0; i < g.n_masks; i++) {
        plan->masks[i] = g.masks[i];
    }
out:
    wsr_graph_free(g.graph);
    return status;
}

// As in estimator/plans.c, the least recently used plan is replaced.
wsr_status wsr__predictor_plan_of(wsr__predictor_plan **out, wsr_predictor *p,
                                  const wsr__predictor_key *key)
{
    wsr__predictor_plan *oldest = &p->plans[0];
    *out = NULL;
    for (size_t i = 0; i < WSR__PREDICTOR_PLANS; i++) {
        wsr__predictor_plan *const plan = &p->plans[i];
        if (plan->plan != NULL && same_key(&plan->key, key)) {
            plan->used = ++p->uses;
            *out = plan;
            return WSR_OK;
        }
        oldest = plan->used < oldest->used ? plan : oldest;
    }
    wsr_plan_free(oldest->plan);
    *oldest = (wsr__predictor_plan){.used = ++p->uses};
    const wsr_status status = make_plan(oldest, p, key);
    *out = status == WSR_OK ? oldest : NULL;
    return status;
}

wsr_status wsr__predictor_plan_for(wsr_plan **out, wsr_predictor *p, size_t n,
                                   unsigned purpose)
{
    wsr_status status = WSR_OK;
    wsr__predictor_plan *plan = NULL;
    const bool fits = (purpose & WSR_GRAD_PARAMS) != 0;
    const wsr__predictor_key key = {.n = n,
                                    .heads = p->heads,
                                    .purpose = purpose,
                                    .use = fits ? WSR__FIT : WSR__PREDICT};
    *out = NULL;
    WSR_TRY(wsr__predictor_plan_of(&plan, p, &key));
    *out = plan->plan;
out:
    return status;
}

void wsr__predictor_plans_free(wsr_predictor *p)
{
    for (size_t i = 0; i < WSR__PREDICTOR_PLANS; i++) {
        wsr_plan_free(p->plans[i].plan);
        p->plans[i] = (wsr__predictor_plan){0};
    }
}
