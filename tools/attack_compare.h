// SPDX-License-Identifier: Apache-2.0
//
// wsr-attack --compare: runs against each other, nothing is attacked.

#ifndef WSR_TOOLS_ATTACK_COMPARE_H
#define WSR_TOOLS_ATTACK_COMPARE_H

#include "cli.h"

/// Compare the folders of --compare and print a table. Returns the code to
/// exit with.
int attack_compare(cli *c);

#endif
