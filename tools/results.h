// SPDX-License-Identifier: Apache-2.0
//
// Results of a run, read from its log, where the report finds them too.

#ifndef WSR_TOOLS_RESULTS_H
#define WSR_TOOLS_RESULTS_H

#include "cli.h"

/// Do the work of a program whose results lie in the folder --out: check that
/// first, `run` it, bring the folder in order after a failure. Returns the code
/// to exit with.
int results_run(cli *c, wsr_status (*run)(cli *c));

/// Print the accuracies over the strengths for a person. Nothing with --quiet
/// or
/// --json.
void results_eval(const cli *c);

/// With --json: print what the log has got since the last call, whose lines
/// are written in one piece. For every step, and once at the end.
void results_follow(const cli *c);

#endif
