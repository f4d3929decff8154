// SPDX-License-Identifier: Apache-2.0

#include "sched/released.h"

const wsr__option wsr__sched_released_schema[] = {
    {"lr_min", WSR__FLOAT, offsetof(wsr__sched_released, lr_min), "0", 0, 1e3,
     "", "smallest rate, in intended fidelity", NULL},
    WSR__FIDELITY(wsr__sched_released),
    {0},
};
