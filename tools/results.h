// SPDX-License-Identifier: Apache-2.0
//
// Results of a run, read from its log, where the report finds them too.

#ifndef WSR_TOOLS_RESULTS_H
#define WSR_TOOLS_RESULTS_H

#include "cli.h"

/// Print the accuracies over the spectrum: for a person, or with --json as the
/// log's lines. Nothing with --quiet.
void results_spectrum(const cli *c);

#endif
