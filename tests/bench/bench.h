// SPDX-License-Identifier: Apache-2.0
//
// What the programs of this directory share: options key=value, time, medians,
// and the peer, a program that prints one JSON object of numbers.

#ifndef WSR_TESTS_BENCH_H
#define WSR_TESTS_BENCH_H

#include "wsr/base.h"

#include <stddef.h>

/// Seconds of a clock that never steps back.
double bench_seconds(void);

/// End the program with the library's message unless the status is WSR_OK.
void bench_must(wsr_status status);

/// The value of key=value among the arguments, or `fallback`.
const char *bench_text(int argc, char **argv, const char *key,
                       const char *fallback);
long bench_number(int argc, char **argv, const char *key, long fallback);

/// End the program for an argument that is not key=value with one of `keys`.
void bench_check(int argc, char **argv, const char *const *keys);

/// Median; sorts.
double bench_median(double *values, size_t n);

/// Best of `repeat` runs of a step, seconds.
double bench_best(void (*step)(void *ctx), void *ctx, long repeat);

/// Largest resident set of this process, MiB.
long bench_peak_mib(void);

/// The path of a supernet that peer_torch.py draws for a seed: `n` candidates
/// of eight.
void bench_path(unsigned char *choices, size_t n, long seed);

/// Run a command and copy the JSON line that it prints. `text` has `room`.
void bench_peer(char *text, size_t room, const char *command);

/// A number of such a line; ends the program where it is absent.
double bench_field(const char *json, const char *name);

#endif
