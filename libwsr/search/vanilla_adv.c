// SPDX-License-Identifier: Apache-2.0
//
// Searches cells beside the stages of a base network by adversarial training of
// both: the weights of base and cells learn from attacked training images,
// alphas and betas from attacked held-out images (boost.h). The searcher
// vanilla_adv of the released code of Wsr-NAS; networks and the term of the
// multiply-adds are those of NADAR (Li et al. 2021, arXiv:2108.06885).

#include "search/boost.h"

#include <stddef.h>

static const wsr__option schema[] = {WSR__BOOST_OPTIONS, {0}};

static wsr_status make(wsr_search *s, const void *params)
{
    static const wsr__boost_rule rule = {0};
    return wsr__boost_make(s, params, &rule);
}

const wsr__searcher_class wsr__searcher_vanilla_adv = {
    .super = {"vanilla_adv", "cells beside a base network, both trained alike",
              "Li et al. 2021, arXiv:2108.06885", schema,
              sizeof(wsr__boost_params)},
    WSR__BOOST_MEMBERS,
    .make = make,
    .states = wsr__boost_states,
    .state = wsr__boost_state,
};
