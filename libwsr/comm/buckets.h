// SPDX-License-Identifier: Apache-2.0
//
// The sum of one array of each process in buckets, each of which begins when
// its numbers are there. See buckets.c.

#ifndef WSR_COMM_BUCKETS_H
#define WSR_COMM_BUCKETS_H

#include "base/base.h"

typedef struct wsr__buckets wsr__buckets;

/// Arrays of n numbers, of `size` bytes each: floats or doubles. [out, owned]
/// NULL on failure; `incoming` has room for such an array. [borrowed]
wsr_status wsr__buckets_new(wsr__buckets **out, size_t n, size_t size,
                            void *incoming);
void wsr__buckets_free(wsr__buckets *buckets); // NULL is legal

/// A further array of this process, n numbers, comes behind those before; the
/// sum is a[0] + (a[1] + (a[2] + ...)), and goes to the first. [borrowed]
void wsr__buckets_add(wsr__buckets *buckets, void *array);
/// Forget all arrays.
void wsr__buckets_begin(wsr__buckets *buckets);

/// n numbers from `begin` on are there in all arrays. BACKEND.
wsr_status wsr__buckets_ready(wsr__buckets *buckets, size_t begin, size_t n);
/// Let messages go on. BACKEND.
wsr_status wsr__buckets_poll(wsr__buckets *buckets);
/// Collective. All numbers are there: wait for the sums. BACKEND.
wsr_status wsr__buckets_finish(wsr__buckets *buckets);

/// a += b, numbers of `size` bytes.
void wsr__add_numbers(void *a, const void *b, size_t n, size_t size);

#endif
