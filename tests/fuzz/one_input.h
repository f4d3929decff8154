// SPDX-License-Identifier: Apache-2.0
//
// Readers of untrusted bytes, one input at a time, in the form that libFuzzer
// calls. Each fuzz_*.c is a target of its own for it:
//
//   clang -fsanitize=fuzzer,address -Ilibwsr -Ilibwsr/include -Itests
//       tests/fuzz/fuzz_tensors.c libwsr.a ... && ./a.out FOLDER
//
// and is what test_*.c feeds with changes of good files, the same in each run.

#ifndef WSR_TESTS_FUZZ_ONE_INPUT_H
#define WSR_TESTS_FUZZ_ONE_INPUT_H

#include <stddef.h>
#include <stdint.h>

/// Read the bytes; abort() when a promise is broken. Returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
