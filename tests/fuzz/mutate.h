// SPDX-License-Identifier: Apache-2.0
//
// Changes of good files: bits, bytes, numbers at their limits, runs that are
// copied, moved or lost. The same seed makes the same changes.

#ifndef WSR_TESTS_FUZZ_MUTATE_H
#define WSR_TESTS_FUZZ_MUTATE_H

#include "base/base.h"
#include "fuzz/one_input.h"
#include "support/support.h"

#include <string.h>

// Sanitizers make a round a hundred times slower.
#ifdef __SANITIZE_ADDRESS__
enum { FUZZ_SHARE = 20 };
#else
enum { FUZZ_SHARE = 1 };
#endif

/// Feed a file and `rounds` changes of it to the target.
static inline void fuzz_file(const unsigned char *file, size_t size,
                             size_t rounds)
{
    static const unsigned char limits[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, (uint32_t)size, 0);
    unsigned char *const bytes = wsr__alloc(2 * size + 1, 1);
    ck_assert_ptr_nonnull(bytes);
    (void)LLVMFuzzerTestOneInput(file, size);
    for (size_t round = 0; round < rounds; round++) {
        size_t n = size;
        memcpy(bytes, file, size);
        const uint32_t changes = 1 + wsr__rng_below(&rng, 4);
        for (uint32_t i = 0; i < changes && n > 0; i++) {
            const size_t at = wsr__rng_below(&rng, (uint32_t)n);
            const size_t from = wsr__rng_below(&rng, (uint32_t)n);
            const size_t most = n - (at > from ? at : from);
            const size_t run = wsr__rng_below(&rng, (uint32_t)most + 1) % 64;
            switch (wsr__rng_below(&rng, 6)) {
            case 0:
                bytes[at] ^= (unsigned char)(1U << wsr__rng_below(&rng, 8));
                break;
            case 1:
                bytes[at] = limits[wsr__rng_below(&rng, sizeof(limits))];
                break;
            case 2: // a run from elsewhere
                memmove(bytes + at, bytes + from, run);
                break;
            case 3: // a run of one byte
                memset(bytes + at, bytes[from], run);
                break;
            case 4: // a run is lost
                memmove(bytes + at, bytes + at + run, n - at - run);
                n -= run;
                break;
            default: // the file breaks off
                n = wsr__rng_below(&rng, 4) == 0 ? at : n;
                break;
            }
        }
        (void)LLVMFuzzerTestOneInput(bytes, n);
    }
    wsr__free(bytes);
}

#endif
