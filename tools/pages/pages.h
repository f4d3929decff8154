// SPDX-License-Identifier: Apache-2.0
//
// Writers of what is made from the tables of the programs and the registry.
// All write to stdout and return false, after a line on stderr, when they
// cannot.

#ifndef WSR_TOOLS_PAGES_PAGES_H
#define WSR_TOOLS_PAGES_PAGES_H

#include "tools.h"

/// All programs; NULL beyond the end.
const cli_tool *pages_tool(size_t i);

/// The whole help of a program, which is written to a file of no name.
/// [out, owned] release with free(); NULL on failure
char *pages_help(const cli_tool *tool);

/// Manual page of a program. `date` is that of the page, "2026-01-31".
bool manual_tool(const cli_tool *tool, const char *date);

/// Manual page of all families and variants.
bool manual_specs(const char *date);

/// The words that a command line may consist of, as assignments that bash and
/// zsh read.
bool completion_words(void);

/// Text for roff: what has a meaning there is escaped.
void roff_text(const char *text);

/// The same in lines of at most 79 characters, the last one ended as well.
void roff_fill(const char *text);

/// A call "wsr-train --out DIR" as an example, in lines that a shell joins.
void roff_example(const char *call);

#endif
