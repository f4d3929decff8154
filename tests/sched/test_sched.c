// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"
#include "support/oom.h"

#include <math.h>

START_TEST(unknown_schedules_and_options_are_named)
{
    wsr_sched *sched = NULL;
    ck_assert_fails(wsr_sched_new(&sched, "cosin"), WSR_NOTFOUND,
                    "did you mean 'cosine'");
    ck_assert_ptr_null(sched);
    ck_assert_fails(wsr_sched_new(&sched, "cosine:lr_min=-1"), WSR_CONFIG,
                    "cosine.lr_min: -1 is outside [0, 1000]");
    ck_assert_fails(wsr_sched_new(&sched, "cosine:lrmin=1"), WSR_CONFIG,
                    "lr_min");
}
END_TEST

START_TEST(every_schedule_stays_finite_and_at_least_zero)
{
    for (size_t i = 0; wsr__scheds.classes[i] != NULL; i++) {
        wsr_sched *sched = NULL;
        ck_assert_ok(wsr_sched_new(&sched, wsr__scheds.classes[i]->name));
        for (int64_t total = 0; total < 30; total++) {
            for (int64_t step = -1; step < 2 * total + 2; step++) {
                const double lr = wsr_sched_rate(sched, 0.1, step, total);
                const bool past = step >= total; // lines may cross zero there
                ck_assert_msg(
                    isfinite(lr) && (past || (lr >= 0 && lr <= 0.1 + 1e-12)),
                    "%s: rate %lld of %lld is %g", wsr__scheds.classes[i]->name,
                    (long long)step, (long long)total, lr);
            }
        }
        wsr_sched_free(sched);
    }
}
END_TEST

static wsr_status make(void *ctx)
{
    (void)ctx;
    wsr_sched *sched = NULL;
    const wsr_status status = wsr_sched_new(&sched, "step:gamma=0.5");
    wsr_sched_free(sched);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_gt(oom_sweep(make, NULL), 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        unknown_schedules_and_options_are_named,
        every_schedule_stays_finite_and_at_least_zero,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("sched", tests);
}
