// SPDX-License-Identifier: Apache-2.0
//
// Between fuzz.c and what feeds a target: the tests or libFuzzer.

#ifndef WSR_TESTS_FUZZ_FEED_H
#define WSR_TESTS_FUZZ_FEED_H

#include <stdbool.h>
#include <stddef.h>

typedef void fuzz_taker(const void *data, size_t size);

/// What fuzz_seed() hands files to; NULL: nobody takes them.
extern fuzz_taker *fuzz_take;

/// Whether the last fuzz_check() was of something that was read.
extern bool fuzz_taken;

#endif
