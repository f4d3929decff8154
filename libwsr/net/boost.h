// SPDX-License-Identifier: Apache-2.0
//
// What boost.c and boost_cells.c share.

#ifndef WSR_NET_BOOST_H
#define WSR_NET_BOOST_H

#include "net/net.h"

/// wsr_net.own of a boost network.
typedef struct wsr__boost_own {
    wsr_net *base; // without parameters
    const wsr__space_class *space;
} wsr__boost_own;

/// The space of the candidates, NULL where there is a genotype.
const wsr__space_class *wsr__boost_space(const wsr_net *net);

wsr_value wsr__boost_body(const wsr__build *build, const wsr__site *site,
                          wsr_value x);

#endif
