// SPDX-License-Identifier: Apache-2.0
//
// What the tests of schedules share.

#ifndef WSR_TESTS_SCHED_SUPPORT_H
#define WSR_TESTS_SCHED_SUPPORT_H

#include "sched/sched.h"
#include "support/support.h"

#include <string.h>

/// The first `n` rates of a schedule with base rate 0.1.
static inline void check_rates(const char *spec, int64_t total,
                               const double *expected, size_t n)
{
    wsr_sched *sched = NULL;
    ck_assert_ok(wsr_sched_new(&sched, spec));
    for (size_t i = 0; i < n; i++) {
        const double rate = wsr_sched_rate(sched, 0.1, (int64_t)i, total);
        ck_assert_msg(rate > expected[i] - 1e-9 && rate < expected[i] + 1e-9,
                      "%s: rate %zu is %.12g, not %.12g", spec, i, rate,
                      expected[i]);
    }
    wsr_sched_free(sched);
}

#define CHECK_RATES(spec, total, ...)                       \
    check_rates(spec, total, (const double[]){__VA_ARGS__}, \
                sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

#endif
