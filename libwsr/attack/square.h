// SPDX-License-Identifier: Apache-2.0
//
// Options of Square, for ensembles that it is a member of.

#ifndef WSR_ATTACK_SQUARE_H
#define WSR_ATTACK_SQUARE_H

#include "base/param.h"

typedef struct wsr__square {
    int64_t queries;
    double p;
    int64_t restarts;
    bool rescale;
    wsr__text loss;
    wsr__text norm;
} wsr__square;

#endif
