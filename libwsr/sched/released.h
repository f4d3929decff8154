// SPDX-License-Identifier: Apache-2.0
//
// Options of schedules that the research code has otherwise than the paper.

#ifndef WSR_SCHED_RELEASED_H
#define WSR_SCHED_RELEASED_H

#include "base/fidelity.h"
#include "sched/sched.h"

#include <stddef.h>

typedef struct wsr__sched_released {
    double lr_min;
    wsr__text fidelity;
} wsr__sched_released;

/// Their schema.
extern const wsr__option wsr__sched_released_schema[];

#endif
