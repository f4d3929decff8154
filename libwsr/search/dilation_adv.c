// SPDX-License-Identifier: Apache-2.0
//
// Searches cells that dilate a base network: the base learns from clean images
// by itself, and the cells beside it learn from attacked images what the base
// does not know. For each batch
//
//   1. loss = CE(base(x), y), a step of the base's weights
//   2. as vanilla_adv, but steps of the cells' weights alone
//
// Alphas and betas learn as in vanilla_adv. The searcher dilation_adv of the
// released code of Wsr-NAS, after NADAR (Li et al. 2021, arXiv:2108.06885).

#include "search/boost.h"

#include <stddef.h>

static const wsr__option schema[] = {WSR__BOOST_OPTIONS, {0}};

static wsr_status train_base(wsr_search *s, const wsr_batch *batch,
                             wsr__boost_part part)
{
    wsr_status status = WSR_OK;
    const wsr__boost *const b = s->own;
    double loss = 0;
    if (part == WSR__BOOST_ALPHAS) {
        return WSR_OK;
    }
    wsr__boost_begin(s, part);
    WSR_TRY(
        wsr__boost_forward(&loss, s, b->base, batch, wsr_batch_images(batch)));
    WSR_TRY(wsr__boost_backward(s, b->base, batch, 1));
    WSR_TRY(wsr__boost_step(s, part, NULL));
out:
    return status;
}

static wsr_status make(wsr_search *s, const void *params)
{
    static const wsr__boost_rule rule = {
        .clean = train_base,
        .clean_passes = {[WSR__BOOST_WEIGHTS] = {.gradient = 1}},
        .base_purpose = WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS,
        .frozen_base = true};
    return wsr__boost_make(s, params, &rule);
}

const wsr__searcher_class wsr__searcher_dilation_adv = {
    .super = {"dilation_adv",
              "cells learn from attacks beside a base that learns clean images",
              "Li et al. 2021, arXiv:2108.06885", schema,
              sizeof(wsr__boost_params)},
    WSR__BOOST_MEMBERS,
    .make = make,
    .states = wsr__boost_states,
    .state = wsr__boost_state,
};
