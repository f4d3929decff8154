// SPDX-License-Identifier: Apache-2.0
//
// The strengths of a predictor's losses, for predictors that take a strength
// as an input: they predict at any strength, also where no loss was measured.

#include "predictor/predictor.h"

#include <math.h>
#include <string.h>

wsr_status wsr__predictor_check_eps(const double *eps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(eps[i]) || eps[i] < 0) {
            return WSR_FAIL(WSR_ARG,
                            "predictor: strength %zu is %g, permitted are "
                            "finite numbers from 0 on",
                            i, eps[i]);
        }
    }
    return WSR_OK;
}

// Losses of one strength would be two for one point.
static wsr_status check_distinct(const double *strengths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strengths[k] == strengths[i]) {
                return WSR_FAIL(WSR_ARG,
                                "predictor: strengths %zu and %zu are both %g",
                                k, i, strengths[i]);
            }
        }
    }
    return WSR_OK;
}

// What is remembered belongs to the strengths of its time.
wsr_status wsr_predictor_set_strengths(wsr_predictor *p,
                                       const double *strengths)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__predictor_check_eps(strengths, p->heads));
    WSR_TRY(check_distinct(strengths, p->heads));
    if (p->counters[1] > 0) {
        return WSR_FAIL(WSR_ARG,
                        "predictor: strengths cannot change: %lld "
                        "architectures are remembered",
                        (long long)p->counters[1]);
    }
    memcpy(p->strengths, strengths, p->heads * sizeof(*strengths));
    p->has_strengths = true;
out:
    return status;
}

bool wsr_predictor_takes_strength(const wsr_predictor *p)
{
    return p->cls->takes_strength;
}

wsr_status wsr__predictor_need_strengths(const wsr_predictor *p)
{
    return !p->cls->takes_strength || p->has_strengths
               ? WSR_OK
               : WSR_FAIL(WSR_ARG,
                          "predictor: %s needs the strengths of the losses, "
                          "wsr_predictor_set_strengths() sets them",
                          p->cls->super.name);
}

// Networks read strengths as shares of the greatest one.
void wsr__predictor_set_eps(const wsr__predictor_plan *plan,
                            const wsr_predictor *p, const double *eps)
{
    float *const at = p->cls->takes_strength ? wsr_plan_src(plan->plan, "eps")
                                             : NULL;
    const size_t heads = plan->key.heads;
    double most = 0;
    for (size_t i = 0; i < p->heads; i++) {
        most = fmax(most, p->strengths[i]);
    }
    for (size_t i = 0; at != NULL && i < plan->key.n * heads; i++) {
        at[i] = (float)(eps[i % heads] / (most > 0 ? most : 1));
    }
}

// The nearest strengths at or below, and at or above; one of them for both
// where there is no other.
static void neighbours(size_t out[2], const wsr_predictor *p, double eps)
{
    const double *const s = p->strengths;
    const size_t none = p->heads;
    size_t below = none;
    size_t above = none;
    for (size_t i = 0; i < p->heads; i++) {
        if (s[i] <= eps && (below == none || s[i] > s[below])) {
            below = i;
        }
        if (s[i] >= eps && (above == none || s[i] < s[above])) {
            above = i;
        }
    }
    out[0] = below == none ? above : below;
    out[1] = above == none ? below : above;
}

void wsr__predictor_stats_at(double *mean, double *deviation,
                             const wsr_predictor *p, double eps)
{
    const double *const deviations = p->stats + p->heads;
    size_t at[2];
    neighbours(at, p, eps);
    const double width = p->strengths[at[1]] - p->strengths[at[0]];
    const double share = width > 0 ? (eps - p->strengths[at[0]]) / width : 0;
    *mean = (1 - share) * p->stats[at[0]] + share * p->stats[at[1]];
    *deviation = (1 - share) * deviations[at[0]] + share * deviations[at[1]];
}
