// SPDX-License-Identifier: Apache-2.0
//
// Results of runs (wsr/result.h). An evaluation borrows its model and data
// set, and a model its network, so a result owns all of them.

#include "eval/result.h"

wsr_status wsr__result_new(wsr_result **out)
{
    *out = wsr__alloc(1, sizeof(**out));
    return *out != NULL ? WSR_OK : WSR_NOMEM;
}

// Moves what a method has made into a result; the method's pointers become
// NULL, so that it does not free them. A run that failed before the first step
// of its evaluation has no result.
wsr_status wsr__result_of_stage(wsr_result **out, wsr__evaluated *evaluated,
                                wsr_net **net, wsr_dataset **dataset,
                                bool failed)
{
    const wsr_eval *const eval = evaluated->eval;
    if (failed && (eval == NULL || wsr_eval_position(eval) == 0)) {
        return WSR_OK;
    }
    const wsr_status status = wsr__result_new(out);
    if (status == WSR_OK) {
        (*out)->evaluated = *evaluated;
        (*out)->net = *net;
        (*out)->dataset = *dataset;
        *evaluated = (wsr__evaluated){0};
        *net = NULL;
        *dataset = NULL;
    }
    return status;
}

// Evaluation, then models, then networks: each borrows from the next.
void wsr_result_free(wsr_result *result)
{
    if (result == NULL) {
        return;
    }
    wsr_corruption_eval_free(result->corruptions);
    wsr_hessian_free(result->hessian);
    wsr__evaluated_free(&result->evaluated);
    wsr_model_free(result->source);
    wsr_net_free(result->source_net);
    wsr_net_free(result->net);
    wsr_dataset_free(result->dataset);
    for (size_t i = 0; i < result->n_estimate_names; i++) {
        wsr__free(result->estimate_names[i]);
    }
    wsr__free(result->estimate_names);
    wsr__free(result->estimates);
    wsr__free(result);
}

const wsr_net *wsr_result_net(const wsr_result *result)
{
    return result->net;
}

const wsr_genotype *wsr_result_genotype(const wsr_result *result)
{
    return result->net == NULL ? NULL : wsr_net_genotype(result->net);
}

const wsr_eval *wsr_result_eval(const wsr_result *result)
{
    return result->evaluated.eval;
}

const wsr_corruption_eval *wsr_result_corruptions(const wsr_result *result)
{
    return result->corruptions;
}

const wsr_hessian *wsr_result_hessian(const wsr_result *result)
{
    return result->hessian;
}

size_t wsr_result_released(const float **eps, const double **accuracy,
                           const wsr_result *result)
{
    if (result->n_released > 0 && eps != NULL) {
        *eps = result->eps;
    }
    if (result->n_released > 0 && accuracy != NULL) {
        *accuracy = result->released;
    }
    return result->n_released;
}

size_t wsr_result_estimates(const wsr_estimate_row **rows,
                            const wsr_result *result)
{
    if (rows != NULL) {
        *rows = result->estimates;
    }
    return result->n_estimates;
}
