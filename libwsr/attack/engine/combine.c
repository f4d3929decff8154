// SPDX-License-Identifier: Apache-2.0
//
// Attacks one after the other, each on the images that are still robust.

#include "attack/engine/combine.h"

#include <string.h>

enum { SPEC_SIZE = 1024 };

void wsr__members_free(wsr__members *members)
{
    for (size_t i = 0; i < members->n; i++) {
        wsr__free(members->list[i].params);
    }
    *members = (wsr__members){0};
}

static wsr_status add(wsr__members *members, const char *spec, size_t length)
{
    char text[SPEC_SIZE];
    if (members->n == WSR__MEMBERS) {
        return WSR_FAIL(WSR_CONFIG, "attacks: more than %d", WSR__MEMBERS);
    }
    if (length >= sizeof(text)) {
        return WSR_FAIL(WSR_CONFIG, "attack '%.40s...': longer than %d bytes",
                        spec, SPEC_SIZE - 1);
    }
    memcpy(text, spec, length);
    text[length] = '\0';
    wsr__member *const member = &members->list[members->n];
    const wsr_status status =
        wsr__attack_decode(&member->cls, &member->params, text);
    members->n += status == WSR_OK;
    return status;
}

// All members must measure the same way.
static wsr_status check_norms(const wsr__members *members)
{
    const wsr__member *const first = &members->list[0];
    const wsr__lp norm = wsr__attack_norm_of(first->cls, first->params);
    for (size_t i = 1; i < members->n; i++) {
        const wsr__member *const m = &members->list[i];
        const wsr__lp other = wsr__attack_norm_of(m->cls, m->params);
        if (other != norm) {
            return WSR_FAIL(WSR_CONFIG, "attacks: %s is in %s, %s in %s",
                            first->cls->super.name, wsr__lp_names[norm],
                            m->cls->super.name, wsr__lp_names[other]);
        }
    }
    return WSR_OK;
}

wsr_status wsr__members_new(wsr__members *out, const char *specs)
{
    wsr_status status = WSR_OK;
    const char *rest = specs;
    *out = (wsr__members){0};
    if (*rest == '\0') {
        return WSR_FAIL(WSR_CONFIG, "attacks: there is none");
    }
    for (bool more = true; more;) {
        const size_t length = wsr__spec_length(rest);
        WSR_TRY(add(out, rest, length));
        more = rest[length] == ',';
        rest += length + more;
    }
    WSR_TRY(check_norms(out));
    return WSR_OK;
out:
    wsr__members_free(out);
    return status;
}

uint64_t wsr__members_passes(const wsr__attack_batch *s,
                             const wsr__members *members)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < members->n; i++) {
        const wsr__member *const m = &members->list[i];
        const uint64_t passes = m->cls->passes(s, m->params);
        if (passes == 0) {
            return 0;
        }
        sum += passes;
    }
    return sum;
}

wsr_status wsr__members_run(wsr__attack_batch *s, const wsr__members *members)
{
    wsr_status status = WSR_OK;
    const uint32_t stream = s->stream;
    for (size_t i = 0; i < members->n && s->n_active > 0; i++) {
        const wsr__member *const m = &members->list[i];
        WSR_TRY(wsr__attack_batch_run_member(
            s, m->cls, m->params, stream * WSR__MEMBERS + (uint32_t)i + 1));
        WSR_TRY(wsr__attack_batch_report_member(s, m->cls));
    }
out:
    return status;
}
