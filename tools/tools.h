// SPDX-License-Identifier: Apache-2.0
//
// The programs, as constants.

#ifndef WSR_TOOLS_TOOLS_H
#define WSR_TOOLS_TOOLS_H

#include "cli.h"

#define TOOL(name) extern const cli_tool name##_tool;
#include "tools.def"
#undef TOOL

#endif
