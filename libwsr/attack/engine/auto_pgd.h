// SPDX-License-Identifier: Apache-2.0
//
// Auto-PGD, which apgd_ce, apgd_dlr and apgd_t share.

#ifndef WSR_ATTACK_ENGINE_AUTO_PGD_H
#define WSR_ATTACK_ENGINE_AUTO_PGD_H

#include "attack/engine/batch.h"

typedef struct wsr__apgd {
    int64_t steps;
    int64_t restarts;
    int64_t eot;
    double rho;
    bool large;
    wsr__text norm;
    int64_t targets; // of wsr__apgd_run_targets
} wsr__apgd;

extern const wsr__option wsr__apgd_schema[];
wsr__lp wsr__apgd_norm(const void *apgd);

/// Forward passes at most of wsr__apgd_run and wsr__apgd_run_targets.
uint64_t wsr__apgd_passes(const wsr__attack_batch *s, const void *apgd);
uint64_t wsr__apgd_passes_targets(const wsr__attack_batch *s, const void *apgd);

/// Auto-PGD on a loss, from `restarts` random points; for classes with
/// `early_stop`. `order`: of that loss.
wsr_status wsr__apgd_run(wsr__attack_batch *s, const wsr__apgd *apgd,
                         wsr__loss loss, wsr__order order);

/// The same towards one class after the other.
wsr_status wsr__apgd_run_targets(wsr__attack_batch *s, const wsr__apgd *apgd,
                                 wsr__loss loss, wsr__order order);

#endif
