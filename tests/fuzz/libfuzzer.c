// SPDX-License-Identifier: Apache-2.0
//
// A target for libFuzzer: `fuzz_NAME FOLDER...` puts the good files into the
// first folder, unless they are there, and begins with them.

#include "fuzz/feed.h"
#include "fuzz/fuzz.h"
#include "support/support.h"
#include "wsr/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned seed);

static const char *folder;

static void put_seed(const void *data, size_t size)
{
    static size_t files;
    char name[32];
    bytes content = {0};
    (void)snprintf(name, sizeof(name), "seed-%03zu", files++);
    const char *const path = path_in(folder, name);
    if (access(path, F_OK) != 0) {
        bytes_add(&content, data, size);
        put_file(path, &content);
        bytes_free(&content);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    wsr_set_threads(1);
    for (int i = 1; i < *argc && folder == NULL; i++) {
        folder = (*argv)[i][0] == '-' ? NULL : (*argv)[i];
    }
    // A folder only: a file is one input that failed.
    if (folder != NULL && access(path_in(folder, "."), W_OK) == 0) {
        fuzz_take = put_seed;
        fuzz.seeds();
        fuzz_take = NULL;
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned seed)
{
    size_t n = size;
    if (fuzz.change != NULL && seed % 2 == 0) {
        // xorshift, since 32 bits do not reach all places.
        uint64_t dice = seed | UINT64_C(1) << 33;
        for (unsigned i = 0; i < 1 + seed / 2 % 3; i++) {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            fuzz.change(data, n, dice);
        }
    } else {
        n = LLVMFuzzerMutate(data, size, most);
    }
    if (fuzz.mend != NULL && seed / 8 % 8 != 0) {
        fuzz.mend(data, n);
    }
    return n;
}
