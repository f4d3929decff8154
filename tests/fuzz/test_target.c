// SPDX-License-Identifier: Apache-2.0
//
// Changes of a target's good files: bits, bytes, numbers at their limits, runs
// that are copied, moved or lost. The same in each run.

#include "base/base.h"
#include "fuzz/feed.h"
#include "fuzz/fuzz.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>

// Sanitizers make a round ten times slower.
enum { SHARE = SANITIZED ? 10 : 1 };

static size_t files; // that were taken

static size_t change(unsigned char *data, size_t size, wsr__rng *rng)
{
    static const unsigned char limits[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    const size_t at = wsr__rng_below(rng, (uint32_t)size);
    const size_t from = wsr__rng_below(rng, (uint32_t)size);
    const size_t most = size - (at > from ? at : from);
    const size_t run = wsr__rng_below(rng, (uint32_t)most + 1) % 64;
    switch (wsr__rng_below(rng, 6)) {
    case 0:
        data[at] ^= (unsigned char)(1U << wsr__rng_below(rng, 8));
        return size;
    case 1:
        data[at] = limits[wsr__rng_below(rng, sizeof(limits))];
        return size;
    case 2: // a run from elsewhere
        memmove(data + at, data + from, run);
        return size;
    case 3: // a run of one byte
        memset(data + at, data[from], run);
        return size;
    case 4: // a run is lost
        memmove(data + at, data + at + run, size - at - run);
        return size - run;
    default: // the file breaks off
        return wsr__rng_below(rng, 4) == 0 ? at : size;
    }
}

static size_t change_some(unsigned char *data, size_t size, wsr__rng *rng)
{
    size_t n = size;
    const uint32_t changes = 1 + wsr__rng_below(rng, 4);
    const bool values = fuzz.change != NULL && wsr__rng_below(rng, 2) == 0;
    for (uint32_t i = 0; i < changes && n > 0; i++) {
        if (values) {
            const uint64_t high = wsr__rng_u32(rng);
            fuzz.change(data, n, high << 32 | wsr__rng_u32(rng));
        } else {
            n = change(data, n, rng);
        }
    }
    if (fuzz.mend != NULL && (values || wsr__rng_below(rng, 2) == 0)) {
        fuzz.mend(data, n);
    }
    return n;
}

// The target gets a copy of its own, so that the sanitizer sees its end.
static void feed(const unsigned char *data, size_t size)
{
    unsigned char *const copy = wsr__alloc_raw(size, 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, data, size);
    ck_assert_int_eq(LLVMFuzzerTestOneInput(copy, size), 0);
    wsr__free(copy);
}

static void feed_changes(const void *file, size_t size)
{
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, (uint32_t)size, 0);
    unsigned char *const data = wsr__alloc(size, 1);
    ck_assert_ptr_nonnull(data);
    fuzz_taken = false;
    feed(file, size);
    files += fuzz_taken;
    if (!fuzz_taken) {
        (void)printf("not taken: %s\n", wsr_error_detail());
    }
    for (size_t round = 0; round < fuzz.rounds / SHARE + 1; round++) {
        memcpy(data, file, size);
        feed(data, change_some(data, size, &rng));
    }
    wsr__free(data);
}

START_TEST(changed_files_do_no_harm)
{
    wsr_set_threads(1);
    fuzz_take = feed_changes;
    fuzz.seeds();
    ck_assert_uint_ge(files, fuzz.files);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {changed_files_do_no_harm, NULL};
    return suite_of("fuzz", tests);
}
