// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: no change.

#include "attack/attack.h"
#include "attack/engine/batch.h"

static wsr_status run(wsr__attack_batch *s, const void *params)
{
    (void)params;
    wsr__attack_batch_reset(s);
    return wsr__attack_batch_finish(s);
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    (void)options;
    return 1;
}

const wsr__attack_class wsr__attack_dummy = {
    .super = {"dummy", "no change", "", NULL, 0},
    .norms = 1u << WSR__LINF,
    .run = run,
    .passes = passes,
};
