// SPDX-License-Identifier: Apache-2.0
//
// wsr-attack --export: the network is written to another file, nothing is
// attacked.

#ifndef WSR_TOOLS_ATTACK_EXPORT_H
#define WSR_TOOLS_ATTACK_EXPORT_H

#include "cli.h"

/// Write the network to the file of --export. Returns the code to exit with.
int attack_export(cli *c);

#endif
