// SPDX-License-Identifier: Apache-2.0
//
// Files in the folder that a program writes into.

#ifndef WSR_TOOLS_OUT_H
#define WSR_TOOLS_OUT_H

#include "cli.h"

/// "folder/name", in one of several static buffers that are used in turn;
/// names that are too long are cut off, and then do not exist.
const char *out_path(const cli *c, const char *name);

#endif
