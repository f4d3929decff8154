// SPDX-License-Identifier: Apache-2.0
//
// Models that are programs: wsr_model_from_command() with decoded options.

#ifndef WSR_ATTACK_ENGINE_MODEL_COMMAND_H
#define WSR_ATTACK_ENGINE_MODEL_COMMAND_H

#include "attack/engine/model.h"
#include "op/normalize.h"

typedef struct wsr__command_params {
    double timeout; // seconds for the beginning and for each answer
    int64_t batch;  // images of a query at most, 0: 64
    wsr__normalize normalize;
    double range; // what normalised images are multiplied by
} wsr__command_params;

/// Row of a schema for a time limit.
// clang-format off
#define WSR__TIMEOUT_OPTION(offset) \
    {"timeout", WSR__FLOAT, (offset), "60", 0.001, 1e6, "seconds", \
     "that a program may take for its beginning and for each answer", NULL}
// clang-format on

/// wsr_model_from_command() with decoded options.
wsr_status wsr__model_from_command(wsr_model **out, const char *command,
                                   const wsr__command_params *params);

/// The name that a program gives itself, "" for none. [borrowed]
const char *wsr__model_command_name(const wsr_model *model);

#endif
