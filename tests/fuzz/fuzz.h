// SPDX-License-Identifier: Apache-2.0
//
// Fuzzers of readers of untrusted bytes. fuzz_NAME.c defines a target, and one
// line in fuzz.cmake names it. The test fuzz/NAME feeds the target with changes
// of good files, the same in each run (test_target.c); with the preset "fuzz"
// libFuzzer feeds it with what it finds (libfuzzer.c).

#ifndef WSR_TESTS_FUZZ_H
#define WSR_TESTS_FUZZ_H

#include "support/files.h"
#include "wsr/base.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/// What a fuzz_NAME.c defines.
typedef struct fuzz_target {
    /// Hand good files to fuzz_seed().
    void (*seeds)(void);
    size_t files;  // of seeds() that must be taken: the last fuzz_check() is OK
    size_t rounds; // changes of each file in a test
    /// Correct the checksums of a changed file, which otherwise stop it before
    /// most of the reader sees it; half of the changes are passed to it. NULL:
    /// there are none.
    void (*mend)(uint8_t *data, size_t size);
    /// Change a value inside a file so that its form stays intact; the
    /// checksums are mended afterwards. `dice` decides what changes. NULL:
    /// there is nothing to know about the form.
    void (*change)(uint8_t *data, size_t size, uint64_t dice);
} fuzz_target;

extern const fuzz_target fuzz;

/// Read the bytes; abort() when a promise is broken. Returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// --------------------------------------------------------------- for targets

/// Take a good file. The bytes are copied.
void fuzz_seed(const void *data, size_t size);
void fuzz_seed_text(const char *text);
/// Take the content of a file, and leave the file.
void fuzz_seed_file(const char *path);

/// abort() unless it holds.
static inline void fuzz_demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

/// What every call of the library promises: an object exactly when the status
/// is OK, else one line that says why, and never INTERNAL.
void fuzz_check(wsr_status status, bool made);

/// The same of a call that makes an object.
#define FUZZ_CHECK(call, object)                   \
    do {                                           \
        const wsr_status fuzz_status = (call);     \
        fuzz_check(fuzz_status, (object) != NULL); \
    } while (0)

/// Path of a file of the target's own with these bytes. [borrowed] until the
/// eighth call from now
const char *fuzz_file(const char *name, const uint8_t *data, size_t size);

/// Folder of these files. [borrowed]
const char *fuzz_folder(void);

/// The bytes as a text, in one of four buffers that are used in turn. NULL when
/// they are too many.
const char *fuzz_text(const uint8_t *data, size_t size);

/// Correct the checksums of a zip archive, of a PNG image, of a checkpoint.
void fuzz_mend_zip(uint8_t *data, size_t size);
void fuzz_mend_png(uint8_t *data, size_t size);
void fuzz_mend_checkpoint(uint8_t *data, size_t size);

/// Change a value of safetensors: a number of a tensor becomes one at its
/// limits, or a digit of the header becomes another.
void fuzz_change_tensors(uint8_t *data, size_t size, uint64_t dice);

#endif
