// SPDX-License-Identifier: Apache-2.0
//
// Tells what a file is by its first bytes.

#ifndef WSR_BASE_MAGIC_H
#define WSR_BASE_MAGIC_H

#include "base/base.h"

/// A kind of file that this library does not read, or not everywhere.
typedef struct wsr__magic {
    const char *what;    // "a zip archive"
    const char *weights; // what to do where weights were expected, or NULL
    const char *data;    // what to do where data were expected, or NULL
} wsr__magic;

/// What a file is that consists of, or starts with, these bytes; NULL when
/// that is not known. Kinds of zip archives are told apart by their members,
/// which the end of the file lists. [borrowed, forever]
const wsr__magic *wsr__magic_of(const unsigned char *bytes, size_t size);

/// Whether a word occurs in the first or last 256 KiB. A zip archive lists its
/// members at its end, and a truncated one has its first ones still.
bool wsr__magic_mentions(const unsigned char *bytes, size_t size,
                         const char *word);

#endif
