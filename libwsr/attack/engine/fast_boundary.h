// SPDX-License-Identifier: Apache-2.0
//
// The fast adaptive boundary attack, which fab and fab_t share.

#ifndef WSR_ATTACK_ENGINE_FAST_BOUNDARY_H
#define WSR_ATTACK_ENGINE_FAST_BOUNDARY_H

#include "attack/engine/batch.h"

typedef struct wsr__fab {
    int64_t steps;
    int64_t restarts;
    double alpha;
    double eta;
    double beta;
    wsr__text norm;
    int64_t targets; // of wsr__fab_run_targets
} wsr__fab;

wsr__lp wsr__fab_norm(const void *fab);

/// Forward passes at most of wsr__fab_run and wsr__fab_run_targets.
uint64_t wsr__fab_passes(const wsr__attack_batch *s, const void *fab);
uint64_t wsr__fab_passes_targets(const wsr__attack_batch *s, const void *fab);

/// The attack on the boundaries to all classes at once, or to one class after
/// the other; for classes with `min_norm`.
wsr_status wsr__fab_run(wsr__attack_batch *s, const wsr__fab *fab);
wsr_status wsr__fab_run_targets(wsr__attack_batch *s, const wsr__fab *fab);

#endif
