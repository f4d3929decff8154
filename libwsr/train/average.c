// SPDX-License-Identifier: Apache-2.0
//
// Averages of the parameters over the steps of a training,
//
//   ema: a <- decay a + (1 - decay) w after each step, from the first w on
//   swa: a = mean of w over the steps from epoch train.swa on
//
// (Polyak and Juditsky 1992; Izmailov et al. 2018, arXiv:1803.05407.) Running
// statistics are averaged like weights. Validations see the average, and it is
// what the network has in the end; training itself goes on from w.

#include "train/train.h"

#include <string.h>

bool wsr__training_averages(const wsr__training *t)
{
    return t->params.ema > 0 || t->params.swa > 0;
}

// Steps that the average holds; after the last of an epoch `batch` counts it.
static size_t averaged(const wsr__training *t)
{
    const size_t first = t->params.swa > 0 ? wsr__training_steps_to(
                                                 t, (size_t)(t->params.swa - 1))
                                           : 0;
    const size_t done = wsr__training_steps(t);
    return done > first ? done - first : 0;
}

wsr_status wsr__training_average(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const wsr_params *const params = wsr_net_params(t->of.net);
    const size_t steps = averaged(t);
    float *a = t->average;
    if (a == NULL || steps == 0) {
        return WSR_OK;
    }
    WSR_TRY(wsr__training_share_stats(t));
    const double decay = t->params.swa > 0 ? 1 - 1 / (double)steps
                                           : t->params.ema;
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        const bool copied = p->integer || steps == 1;
        for (int64_t k = 0; k < p->count; k++) {
            const double w = (double)p->data[k];
            a[k] = copied ? p->data[k]
                          : (float)(decay * (double)a[k] + (1 - decay) * w);
        }
        a += p->count;
    }
out:
    return status;
}

const float *wsr__training_averaged(const wsr__training *t)
{
    return averaged(t) > 0 ? t->average : NULL;
}

// Called twice, it changes nothing.
void wsr__training_swap_average(wsr__training *t)
{
    const wsr_params *const params = wsr_net_params(t->of.net);
    float *a = t->average;
    if (a == NULL || averaged(t) == 0) {
        return;
    }
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        wsr__param *const p = wsr__params_at(params, i);
        for (int64_t k = 0; k < p->count; k++) {
            const float w = p->data[k];
            p->data[k] = a[k];
            a[k] = w;
        }
        wsr__param_touch(p);
        a += p->count;
    }
}
