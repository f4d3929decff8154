// SPDX-License-Identifier: Apache-2.0
//
// Reads the help text of a program ("--help all") entry by entry. The text is
// made from the schemas, so what is made from it here cannot differ from what
// the program accepts.

#ifndef WSR_TOOLS_PAGES_HELP_TEXT_H
#define WSR_TOOLS_PAGES_HELP_TEXT_H

#include <stdbool.h>

typedef enum help_kind {
    HELP_SECTION, // "train:"
    HELP_KEY,     // "  train.epochs=100" and its meaning
    HELP_MEMBER,  // "  with estimator.name=an: ..."
    HELP_FAMILY,  // "attack (name:key=value,...):"; its members are left out
} help_kind;

typedef struct help_entry {
    help_kind kind;
    char name[64];   // of the section, key or family
    char value[256]; // default of the key
    char text[2048]; // meaning of the key; the line of the member
} help_entry;

/// Read the next entry of a text and advance it; false at its end, and where
/// the text has a form that this reader does not know: then it is not empty.
bool help_next(help_entry *entry, const char **rest);

/// What a key permits, "linf or l2" of "norm of the ball (linf or l2)", as
/// words: "linf l2"; "" where it is not a choice of words. [out] size bytes
void help_words(char *out, unsigned long size, const help_entry *key);

#endif
