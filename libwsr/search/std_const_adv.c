// SPDX-License-Identifier: Apache-2.0
//
// Searches cells beside a base network under the constraint that clean images
// have no larger loss than with the base alone, by an augmented Lagrangian. For
// each batch, of training images as of held-out ones,
//
//   1. c = CE(f(x), y) - CE(base(x), y); loss = lambda c + rho/2 max(c, 0)^2,
//      a step; the second term of c has no gradient
//   2. as vanilla_adv
//   after an epoch: lambda <- lambda + rho mean(c) of the training images
//
// The first step is taken even where its gradient is zero. The searcher
// std_const_adv of the released code of Wsr-NAS, after NADAR (Li et al. 2021,
// arXiv:2108.06885).

#include "search/boost.h"

#include <math.h>
#include <stddef.h>

typedef struct options {
    wsr__boost_params super;
    double lambda;
    double rho;
} options;

static const wsr__option schema[] = {
    WSR__BOOST_OPTIONS,
    {"lambda", WSR__FLOAT, offsetof(options, lambda), "0", -1000, 1000, "",
     "multiplier of the constraint at first", NULL},
    {"rho", WSR__FLOAT, offsetof(options, rho), "0.001", 0, 1000, "",
     "weight of its square, and rate of the multiplier", NULL},
    {0},
};

// The constraint of the epoch so far, and the number of the epoch.
enum { LAMBDA, SUM, COUNT, EPOCH, NUMBERS };

typedef struct constrained {
    wsr__boost super;
    double rho;
    double numbers[NUMBERS];
} constrained;

// The first batch of an epoch adds what the epoch before says.
static double lambda_now(constrained *c, const wsr_search *s)
{
    double *const n = c->numbers;
    const double epoch = (double)wsr__search_serial(s);
    if (n[EPOCH] < epoch) {
        n[LAMBDA] += n[COUNT] > 0 ? c->rho * n[SUM] / n[COUNT] : 0;
        n[SUM] = 0;
        n[COUNT] = 0;
        n[EPOCH] = epoch;
    }
    return n[LAMBDA];
}

static wsr_status constrain(wsr_search *s, const wsr_batch *batch,
                            wsr__boost_part part)
{
    wsr_status status = WSR_OK;
    constrained *const own = s->own;
    wsr_plan *const plan = own->super.plans[part];
    const float *const x = wsr_batch_images(batch);
    const double lambda = lambda_now(own, s);
    double base = 0;
    double loss = 0;
    WSR_TRY(wsr__boost_forward(&base, s, own->super.base, batch, x));
    wsr__boost_begin(s, part);
    WSR_TRY(wsr__boost_forward(&loss, s, plan, batch, x));
    const double c = loss - base;
    const double above = fmax(c, 0);
    WSR_TRY(wsr__boost_backward(s, plan, batch, lambda + own->rho * above));
    WSR_TRY(wsr__boost_step(s, part, NULL));
    if (part == WSR__BOOST_WEIGHTS) {
        own->numbers[SUM] += c;
        own->numbers[COUNT]++;
    }
out:
    return status;
}

static wsr_status make(wsr_search *s, const void *params)
{
    static const wsr__boost_rule rule = {
        .clean = constrain,
        .clean_passes = {{.gradient = 1, .forward = 1},
                         {.gradient = 1, .forward = 1}},
        .base_purpose = WSR_FORWARD | WSR_TRAIN | WSR_MOVE_STATS};
    const options *const o = params;
    constrained *const own = wsr__alloc(1, sizeof(*own));
    s->own = own;
    if (own == NULL) {
        return WSR_NOMEM;
    }
    own->rho = o->rho;
    own->numbers[LAMBDA] = o->lambda;
    return wsr__boost_open(s, &o->super, &rule);
}

static size_t states(const wsr_search *s)
{
    return wsr__boost_states(s) + 1;
}

static wsr__state state(const wsr_search *s, size_t i)
{
    constrained *const own = s->own;
    return i < WSR__BOOST_STATES ? wsr__boost_state(s, i)
                                 : (wsr__state){"constraint", WSR__STATE_F64,
                                                own->numbers, NUMBERS};
}

const wsr__searcher_class wsr__searcher_std_const_adv = {
    .super = {"std_const_adv",
              "cells beside a base network, clean images no worse than with it",
              "Li et al. 2021, arXiv:2108.06885", schema, sizeof(options)},
    WSR__BOOST_MEMBERS,
    .make = make,
    .states = states,
    .state = state,
};
