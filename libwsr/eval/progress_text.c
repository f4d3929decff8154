// SPDX-License-Identifier: Apache-2.0
//
// An evaluation in the words of AutoAttack's log (fra31/auto-attack), which
// scripts search for:
//
//   initial accuracy: 95.00%
//   robust accuracy after APGD-CE: 61.20% (total time 12.3 s)
//   max Linf perturbation: 0.03137, nan in tensor: 0, max: 1.00000, min:
//   0.00000 robust accuracy: 58.00%

#include "attack/engine/combine.h"
#include "eval/eval.h"

#include <math.h>
#include <string.h>

// AutoAttack writes APGD-CE for apgd_ce.
static void add_name(wsr__str *out, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        const bool small = *c >= 'a' && *c <= 'z';
        const char upper = small ? (char)(*c - 'a' + 'A') : *c;
        wsr__str_addn(out, *c == '_' ? "-" : &upper, 1);
    }
}

// Member of the whole attack, from 1, that a member at any depth belongs to.
static uint32_t top_of(uint32_t number)
{
    while (number > WSR__MEMBERS) {
        number = (number - 1) / WSR__MEMBERS;
    }
    return number;
}

// Images that no member up to this one has broken, as a share.
static double robust_after(const wsr_eval *s, size_t a, size_t e,
                           uint32_t member)
{
    const wsr__eval_cell *const cell = wsr__eval_at(s, a, e);
    const size_t n = wsr_eval_count(s, a);
    size_t robust = 0;
    for (size_t i = 0; i < n; i++) {
        const bool broken = cell->success[i] &&
                            top_of(cell->member[i]) <= member;
        robust += s->clean[i] && !broken;
    }
    return (double)robust / (double)n;
}

// A combination has a line for each member, any other attack one.
static void add_members(wsr__str *out, const wsr_eval *s, size_t a, size_t e)
{
    const wsr_attack *const attack = s->attacks[a];
    const wsr__eval_cell *const cell = wsr__eval_at(s, a, e);
    const wsr__members *const members =
        attack->cls->members == NULL || s->source != NULL
            ? NULL
            : attack->cls->members(attack->params);
    double seconds = 0;
    for (uint32_t i = 0; members != NULL && i < WSR__MEMBERS; i++) {
        const wsr__member *const m =
            wsr__members_at(members, i + 1, s->model->classes);
        if (m == NULL) {
            break;
        }
        seconds += cell->member_seconds[i];
        wsr__str_add(out, "robust accuracy after ");
        add_name(out, m->cls->super.name);
        wsr__str_addf(out, ": %.2f%% (total time %.1f s)\n",
                      100 * robust_after(s, a, e, i + 1), seconds);
    }
    if (members == NULL) {
        wsr__str_add(out, "robust accuracy after ");
        add_name(out, attack->cls->super.name);
        wsr__str_addf(out, ": %.2f%% (total time %.1f s)\n",
                      100 * wsr_eval_get(s, a, e, WSR_EVAL_ROBUST),
                      cell->seconds);
    }
}

// A sum over the pixels is not a number if one of them is not.
static void add_changes(wsr__str *out, const wsr_eval *s, size_t a, size_t e)
{
    static const char *const names[] = {"Linf", "L2", "L1"};
    const wsr__lp norm = s->attacks[a]->norm;
    const wsr__eval_cell *const cell = wsr__eval_at(s, a, e);
    const size_t n = wsr_eval_count(s, a);
    double most = 0;
    double high = (double)-INFINITY; // of all pixels of all images
    double low = (double)INFINITY;
    size_t undefined = 0;
    for (size_t i = 0; i < n; i++) {
        most = cell->success[i] ? fmax(most, (double)cell->norms[norm][i])
                                : most;
        low = fmin(low, (double)cell->ends[0][i]);
        high = fmax(high, (double)cell->ends[1][i]);
        undefined += isnan(cell->norms[WSR__L1][i]) != 0;
    }
    wsr__str_addf(out,
                  "max %s perturbation: %.5f, nan in tensor: %zu, max: %.5f, "
                  "min: %.5f\n",
                  names[norm], most, undefined, high, low);
}

wsr_status wsr_eval_progress_text(char **out, const wsr_eval *eval)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    *out = NULL;
    wsr__str_add(&text, "");
    for (size_t k = 0; eval->model != NULL && k < eval->n_attacks * eval->n_eps;
         k++) {
        const size_t a = k / eval->n_eps;
        const size_t e = k % eval->n_eps;
        char eps[32];
        if (wsr_eval_count(eval, a) == 0) {
            continue;
        }
        wsr__format_float(eps, eval->eps[e]);
        wsr__attack_print(&text, eval->attacks[a]);
        wsr__str_addf(&text, ", %s, eps %s, %zu images\n",
                      wsr_attack_norm(eval->attacks[a]), eps,
                      wsr_eval_count(eval, a));
        wsr__str_addf(&text, "initial accuracy: %.2f%%\n",
                      100 * wsr_eval_get(eval, a, e, WSR_EVAL_CLEAN));
        add_members(&text, eval, a, e);
        add_changes(&text, eval, a, e);
        wsr__str_addf(&text, "robust accuracy: %.2f%%\n",
                      100 * wsr_eval_get(eval, a, e, WSR_EVAL_ROBUST));
    }
    WSR_TRY(wsr__str_give(out, &text));
out:
    wsr__str_free(&text);
    return status;
}
