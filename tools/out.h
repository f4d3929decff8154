// SPDX-License-Identifier: Apache-2.0
//
// The folder that a program writes into.

#ifndef WSR_TOOLS_OUT_H
#define WSR_TOOLS_OUT_H

#include "cli.h"

/// Refuse a new run in a folder that holds something. Returns CLI_GO_ON, or
/// the code to exit with after a mistake that was reported.
int out_check(const cli *c);

/// Make the folder and its parents. Returns as out_check().
int out_make(const cli *c);

/// Remove the folders that this run made and left empty, because it failed
/// before it had anything to write.
void out_tidy(const cli *c);

/// "folder/name", in one of several static buffers that are used in turn;
/// names that are too long are cut off, and then do not exist.
const char *out_path(const cli *c, const char *name);

/// Replace a file of the folder as a whole. Returns as out_check().
int out_write(const cli *c, const char *name, const char *text);

#endif
