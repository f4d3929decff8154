// SPDX-License-Identifier: Apache-2.0
//
// Results of wsr-attack for a person, on stdout (attack_show.c).

#ifndef WSR_TOOLS_ATTACK_SHOW_H
#define WSR_TOOLS_ATTACK_SHOW_H

#include "cli.h"

/// Print a table of what was measured so far, then the warnings. Nothing with
/// --quiet or --json.
wsr_status attack_show(const cli *c, const wsr_result *result);

#endif
