// SPDX-License-Identifier: Apache-2.0
//
// Predictions, and the gradient of the objective that a search descends.

#include "predictor/predictor.h"

#include <string.h>

// A plan at `heads` strengths, its inputs filled, after its forward pass.
// `eps` is read for classes that take strengths only.
static wsr_status predict(wsr__predictor_plan **out, wsr_predictor *p,
                          const wsr__predictor_key *key, const float *weights,
                          const double *eps)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__predictor_need_strengths(p));
    WSR_TRY(wsr__predictor_plan_of(out, p, key));
    memcpy(wsr_plan_src((*out)->plan, "x"), weights,
           key->n * p->rows * p->cols * sizeof(*weights));
    wsr__predictor_set_eps(*out, p, eps);
    WSR_TRY(wsr_plan_forward((*out)->plan));
out:
    return status;
}

// Outputs are scaled back to losses. weights is (n, rows, cols).
wsr_status wsr_predictor_run(double *losses, wsr_predictor *p,
                             const float *weights, size_t n)
{
    wsr_status status = WSR_OK;
    wsr__predictor_plan *plan = NULL;
    const wsr__predictor_key key = {n, p->heads, WSR_FORWARD, WSR__PREDICT};
    WSR_TRY(predict(&plan, p, &key, weights, p->strengths));
    const float *const out = wsr_plan_dst(plan->plan, "out");
    for (size_t i = 0; i < n * p->heads; i++) {
        const size_t h = i % p->heads;
        losses[i] = (double)out[i] * p->stats[p->heads + h] + p->stats[h];
    }
out:
    return status;
}

wsr_status wsr_predictor_run_at(double *losses, wsr_predictor *p,
                                const float *weights, size_t n,
                                const double *eps, size_t n_eps)
{
    wsr_status status = WSR_OK;
    wsr__predictor_plan *plan = NULL;
    const wsr__predictor_key key = {n, n_eps, WSR_FORWARD, WSR__PREDICT};
    if (!p->cls->takes_strength) {
        return WSR_FAIL(WSR_UNSUPPORTED,
                        "predictor: %s predicts the losses that it remembers "
                        "only, a predictor such as strength at any eps",
                        p->cls->super.name);
    }
    if (n_eps == 0) {
        return WSR_FAIL(WSR_ARG, "predictor: 0 strengths, permitted is 1 or "
                                 "more");
    }
    WSR_TRY(wsr__predictor_check_eps(eps, n_eps));
    WSR_TRY(predict(&plan, p, &key, weights, eps));
    const float *const out = wsr_plan_dst(plan->plan, "out");
    for (size_t i = 0; i < n * n_eps; i++) {
        double mean = 0;
        double deviation = 1;
        wsr__predictor_stats_at(&mean, &deviation, p, eps[i % n_eps]);
        losses[i] = (double)out[i] * deviation + mean;
    }
out:
    return status;
}

// The objective at the losses' strengths, or at points of the class's own.
typedef struct points {
    size_t n;
    double eps[WSR__PREDICTOR_POINTS];
    double weights[WSR__PREDICTOR_POINTS];
} points;

static wsr_status take_points(points *out, const wsr_predictor *p,
                              const double *weights)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__predictor_need_strengths(p));
    if (p->cls->objective != NULL) {
        out->n = p->cls->objective(out->eps, out->weights, p, weights);
    } else {
        out->n = p->heads;
        memcpy(out->eps, p->strengths, p->heads * sizeof(*out->eps));
        memcpy(out->weights, weights, p->heads * sizeof(*weights));
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
    wsr__predictor_plan *made = NULL;
    points at;
    double sum = 0;
    WSR_TRY(take_points(&at, p, objective_weights));
    const wsr__predictor_key key = {n, at.n, WSR_GRAD_INPUT, WSR__PREDICT};
    WSR_TRY(predict(&made, p, &key, weights, at.eps));
    wsr_plan *const plan = made->plan;
    const float *const out = wsr_plan_dst(plan, "out");
    float *const diff_out = wsr_plan_diff_dst(plan, "out");
    for (size_t i = 0; i < n * at.n; i++) {
        const double w = at.weights[i % at.n] / (double)n;
        const double o = (double)out[i];
        sum += p->standardised ? w * o : w * o * o;
        diff_out[i] = (float)(p->standardised ? w : 2 * w * o);
    }
    WSR_TRY(wsr_plan_backward(plan));
    memcpy(diff, wsr_plan_diff_src(plan, "x"),
           n * p->rows * p->cols * sizeof(*diff));
    if (objective != NULL) {
        *objective = sum;
    }
out:
    return status;
}
