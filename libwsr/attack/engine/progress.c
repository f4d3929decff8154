// SPDX-License-Identifier: Apache-2.0
//
// What the caller's hook hears of a running attack. It is called before every
// pass of the model, so that an attack that is asked to stop does so after the
// pass that runs.

#include "attack/engine/batch.h"

static double share_done(const wsr__attack_counts *p)
{
    const double passes = p->most == 0 ? 0
                          : p->passes < p->most
                              ? (double)p->passes / (double)p->most
                              : 1;
    return p->begin + (p->end - p->begin) * passes;
}

// Images of the batch that the model takes for what they are, so far.
static size_t count_robust(const wsr__attack_batch *s)
{
    size_t robust = 0;
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        robust += !s->success[row] && wsr__attack_batch_clean_correct(s, row);
    }
    return robust;
}

static wsr_status call_hook(const wsr__attack_batch *s, const char *member,
                            bool member_done)
{
    const wsr_attack *const attack = s->attack;
    if (attack->hook == NULL) {
        return WSR_OK;
    }
    const wsr__attack_counts *const p = &s->progress;
    const wsr_attack_progress progress = {
        .attack = attack->cls->super.name,
        .member = member,
        .eps = s->eps,
        .passes = p->passes,
        .passes_most = p->most,
        .done = share_done(p),
        .member_done = member_done,
        .robust = member_done ? count_robust(s) : 0,
        .first = s->id,
        .images = s->n};
    return attack->hook(&progress, attack->user)
               ? WSR_OK
               : WSR_FAIL(WSR_CANCELED, "attack %s: canceled",
                          attack->cls->super.name);
}

wsr_status wsr__attack_batch_report(const wsr__attack_batch *s)
{
    return call_hook(s, s->cls != s->attack->cls ? s->cls->super.name : NULL,
                     false);
}

wsr_status wsr__attack_batch_report_member(const wsr__attack_batch *s,
                                           const wsr__attack_class *member)
{
    return call_hook(s, member->super.name, true);
}
