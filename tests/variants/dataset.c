// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: one black pixel.

#include "data/data.h"

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    (void)options;
    (void)request;
    dataset->stored = (wsr__image){1, 1, 1};
    dataset->classes = 1;
    return wsr__dataset_reserve(dataset, 1);
}

const wsr__dataset_class wsr__dataset_dummy = {
    .super = {"dummy", "one black pixel", "", NULL, 0},
    .load = load,
};
