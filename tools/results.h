// SPDX-License-Identifier: Apache-2.0
//
// What the programs do around a run of the library: progress, results for a
// person, the code to exit with.

#ifndef WSR_TOOLS_RESULTS_H
#define WSR_TOOLS_RESULTS_H

#include "cli.h"

/// Do the work of a program whose results lie in the folder --out: check that
/// first, `run` it, bring the folder in order after a failure. Returns the code
/// to exit with.
int results_run(cli *c, wsr_status (*run)(cli *c));

/// With --dry-run: print what the run costs instead of doing it.
wsr_status results_cost(cli *c);

/// The help of a run of the library, such as wsr_train_help().
typedef wsr_status (*results_topic)(char **out, const char *topic);

/// Print the help on a topic, as cli_tool wants it.
wsr_status results_help(results_topic help, const char *topic);

/// With --json: print the line of the log that `progress` has, if it has one.
/// Returns whether it has, so that there is nothing else to show.
bool results_line(const cli *c, const wsr_progress *progress);

/// Print the accuracies over the strengths for a person. Nothing with --quiet
/// or --json, and nothing when the run had no evaluation.
void results_eval(const cli *c, const wsr_result *result);

#endif
