// SPDX-License-Identifier: Apache-2.0
//
// wsr-attack --verify: saved images are checked, nothing is attacked.

#ifndef WSR_TOOLS_ATTACK_VERIFY_H
#define WSR_TOOLS_ATTACK_VERIFY_H

#include "cli.h"

/// Check the images of --verify and print a table. Returns the code to exit
/// with: CLI_FAILED as well if something is violated.
int attack_verify(cli *c);

#endif
