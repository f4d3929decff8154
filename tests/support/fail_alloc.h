// SPDX-License-Identifier: Apache-2.0
//
// What fail_alloc.c offers a program that it is linked into.

#ifndef WSR_TESTS_FAIL_ALLOC_H
#define WSR_TESTS_FAIL_ALLOC_H

/// Requests of the whole process so far.
unsigned long fail_alloc_requests(void);

/// Refuse the `nth` request from now on, 1 being the next; 0 refuses none. Of
/// the library whose name contains `spared` (NULL: none) calls of
/// posix_memalign are counted, but not refused.
void fail_alloc_at(unsigned long nth, const char *spared);

#endif
