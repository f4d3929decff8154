// SPDX-License-Identifier: Apache-2.0
//
// Says when a network unlearns robustness while it still learns its training
// images: robust overfitting (Rice et al. 2020, arXiv:2002.11569), or, where
// the trainer's attack is a single step and half of the robustness is gone,
// catastrophic overfitting (Wong et al. 2020, arXiv:2001.03994).
//
// After a validation the accuracy under attack is compared with the best so
// far: it is lower if its 95 % interval lies below that.

#include "train/train.h"

enum { WARNED_NOT, WARNED_GAP, WARNED_COLLAPSE };

// Without a folder only the log hook hears it.
static wsr_status say(const wsr__training *t, wsr__run *run, const char *name,
                      double robust)
{
    static const char remedy[] = "train.keep=best_robust keeps the best epoch";
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    char detail[160];
    (void)snprintf(detail, sizeof(detail),
                   "accuracy under attack fell from %.1f %% after epoch %.0f "
                   "to %.1f %%, that of training rose",
                   100 * t->guard.peak, t->guard.epoch, 100 * robust);
    wsr__log(WSR_LOG_WARNING, "train: %s: epoch %zu: %s; %s", name,
             t->epoch + 1, detail, remedy);
    if (run->log == NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__run_log_begin(&line, run->log, "warning"));
    wsr__json_text(line, "warning", name);
    wsr__json_text(line, "attack", t->params.eval_attack.s);
    wsr__json_text(line, "norm", NULL);
    wsr__json_float(line, "eps", (float)t->params.eval_eps);
    wsr__json_text(line, "detail", detail);
    wsr__json_text(line, "remedy", remedy);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

// Each of the two is said once, until the accuracy has a new peak.
wsr_status wsr__training_guard(wsr__training *t, wsr__run *run, double robust,
                               double images)
{
    wsr__guard *const g = &t->guard;
    const double learned = wsr__training_epoch(t).accuracy;
    double low = 0;
    double high = 0;
    if (robust >= g->peak) {
        *g = (wsr__guard){robust, (double)(t->epoch + 1), learned, WARNED_NOT};
        return WSR_OK;
    }
    wsr__wilson(&low, &high, robust, images);
    const bool collapsed = t->trainer->single_step && robust < g->peak / 2;
    const double level = collapsed ? WARNED_COLLAPSE : WARNED_GAP;
    if (high >= g->peak || learned <= g->learned || level <= g->warned) {
        return WSR_OK;
    }
    g->warned = level;
    return say(t, run,
               collapsed ? "catastrophic_overfitting" : "robust_overfitting",
               robust);
}
