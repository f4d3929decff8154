// SPDX-License-Identifier: Apache-2.0
//
// What a configuration names to be attacked: a network's file, or a program
// ("cmd:./serve --quiet") that answers with logits.

#ifndef WSR_EVAL_TARGET_H
#define WSR_EVAL_TARGET_H

#include "eval/run_params.h"

/// {0}: none.
typedef struct wsr__eval_target {
    wsr_net *net; // NULL: a program, of which there are logits alone
    wsr_model *model;
} wsr__eval_target;

/// Load the network, or start the program. `out` is {0} before, and after a
/// file name that is empty. `batch`: images at once at most, 0: the default.
wsr_status wsr__eval_target_open(wsr__eval_target *out,
                                 const wsr__eval_file_params *params,
                                 int64_t batch);

void wsr__eval_target_free(wsr__eval_target *target); // {0} afterwards

/// The network in a line of text, or the program, its name and its shape.
/// [out, owned] wsr_text_free()
wsr_status wsr__eval_target_describe(char **out, const wsr__eval_target *target,
                                     const char *file);

#endif
