// SPDX-License-Identifier: Apache-2.0
//
// Accuracies that others have measured, or a table of our own, in place of a
// supernet: searches then take seconds. lookup.c answers for an architecture,
// lookup_files.c reads the files.

#ifndef WSR_SEARCH_LOOKUP_H
#define WSR_SEARCH_LOOKUP_H

#include "search/search.h"

/// An architecture of a lookup.
typedef struct wsr__lookup_entry {
    unsigned char choices[WSR__EDGES]; // of its path
    char *unique; // text that equal cells of a single space share [owned]; NULL
                  // in other spaces
    double clean; // accuracies
    double robust[WSR__LIST_SIZE];
} wsr__lookup_entry;

struct wsr__lookup {
    const wsr__space_class *space;
    char *path;         // of the file, for messages [owned]
    const char *attack; // of which the strengths are [borrowed]
    bool nearest;       // answer with the nearest where one is missing
    double eps[WSR__LIST_SIZE];
    size_t n_eps;
    wsr__lookup_entry *list; // sorted by `unique`
    size_t n;
    size_t capacity;
};

/// Add an architecture of the accuracies [copied]: clean, then each strength.
/// FORMAT, naming the architecture, where one is outside [0, 1].
wsr_status wsr__lookup_add(wsr__lookup *lookup, const char *genotype,
                           const double *accuracies);

/// Read a file or a folder into a lookup whose other members are set.
wsr_status wsr__lookup_read(wsr__lookup *lookup, const char *path);

#endif
