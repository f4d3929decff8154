// SPDX-License-Identifier: Apache-2.0
//
// What every test program shares.

#ifndef WSR_TESTS_SUPPORT_H
#define WSR_TESTS_SUPPORT_H

// Check's headers do not compile under all of our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <check.h>
#pragma GCC diagnostic pop
// Check writes the place of every assertion that holds to a file, for tests
// that crash. Among millions of assertions that takes longer than the tests.
#define _mark_point(file, line) ((void)0)

#include <stdbool.h>
#include <stddef.h>

/// Whether the program has a sanitizer, which makes it slower and ends it where
/// memory is limited. GCC and clang say so differently.
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/// Defined by each test file.
Suite *suite(void);

/// End the program as skipped, saying why: for what a test needs and this
/// machine lacks.
void skip(const char *reason) __attribute__((noreturn));

/// A test whose status must be OK; the detail is shown otherwise.
#define ck_assert_ok(call)                                               \
    do {                                                                 \
        const wsr_status ck_status = (call);                             \
        ck_assert_msg(ck_status == WSR_OK, "%s: %s: %s", #call,          \
                      wsr_status_string(ck_status), wsr_error_detail()); \
    } while (0)

/// A call that must fail with `code` and a detail that contains `words`.
#define ck_assert_fails(call, code, words)                                    \
    do {                                                                      \
        const wsr_status ck_status = (call);                                  \
        ck_assert_msg(ck_status == (code), "%s: %s, not %s", #call,           \
                      wsr_status_string(ck_status), wsr_status_string(code)); \
        ck_assert_msg(strstr(wsr_error_detail(), (words)) != NULL,            \
                      "'%s' lacks '%s'", wsr_error_detail(), (words));        \
    } while (0)

/// Whether all bytes agree: numbers bit for bit, so that a NaN is like itself
/// and 0 unlike -0.
bool same_bits(const void *a, const void *b, size_t bytes);

/// Folder of shared files ("golden", "data"); skips the test without it.
const char *shared_folder(void);

/// A fresh empty folder below the build tree, [borrowed] until the next call.
const char *scratch_folder(const char *name);

/// Suite of one case from a NULL-ended list of tests. The list cannot be
/// static: the names of tests are variables.
Suite *suite_of(const char *name, const TTest *const *tests);

/// The same, with a function that runs once before the tests.
Suite *suite_with(const char *name, const TTest *const *tests,
                  void (*setup)(void));

#endif
