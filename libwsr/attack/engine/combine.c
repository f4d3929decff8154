// SPDX-License-Identifier: Apache-2.0
//
// Combinations of attacks (chain, autoattack): the members run one after the
// other, each on the images on which the members before it failed.
//
// A member is a class with its own options. Settings, norm and strength are
// those of the combination. A member may be a combination itself.

#include "attack/engine/combine.h"
#include "attack/engine/part.h"

#include <string.h>

enum { SPEC_SIZE = 1024 };

void wsr__members_free(wsr__members *members)
{
    for (size_t i = 0; i < members->n; i++) {
        wsr__attack_params_free(members->list[i].cls, members->list[i].params);
    }
    *members = (wsr__members){0};
}

// The list has a fixed size: options of a class are plain memory that is
// copied.
static wsr_status check_room(const wsr__members *members)
{
    return members->n < WSR__MEMBERS
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG, "attacks: more than %d", WSR__MEMBERS);
}

// Adds a member with its default options, which the caller may change through
// `params`.
wsr_status wsr__members_add(void **params, wsr__members *members,
                            const wsr__attack_class *cls)
{
    wsr_status status = WSR_OK;
    *params = NULL;
    WSR_TRY(check_room(members));
    wsr__member *const member = &members->list[members->n];
    *member = (wsr__member){.cls = cls};
    WSR_TRY(wsr__class_copy(&member->params, &cls->super, NULL));
    *params = member->params;
    members->n++;
out:
    return status;
}

static wsr_status add(wsr__members *members, const char *spec, size_t length)
{
    wsr_status status = WSR_OK;
    char text[SPEC_SIZE];
    WSR_TRY(check_room(members));
    if (length >= sizeof(text)) {
        return WSR_FAIL(WSR_CONFIG, "attack '%.40s...': longer than %d bytes",
                        spec, SPEC_SIZE - 1);
    }
    memcpy(text, spec, length);
    text[length] = '\0';
    wsr__member *const member = &members->list[members->n];
    WSR_TRY(wsr__attack_decode(&member->cls, &member->params, text));
    members->n++;
out:
    return status;
}

// A combination has one ball, so all members must have its norm.
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

// On failure `out` is empty.
wsr_status wsr__members_parse(wsr__members *out, const char *specs)
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

// An optional member is skipped on a model with too few classes for it; DLR
// losses need three.
static bool is_left_out(const wsr__member *m, size_t classes)
{
    return m->optional && classes < m->cls->classes;
}

// Largest number of forward passes of all members; 0 stands for a failed
// allocation in a member.
uint64_t wsr__members_passes(const wsr__attack_batch *s,
                             const wsr__members *members)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < members->n; i++) {
        const wsr__member *const m = &members->list[i];
        const bool out = is_left_out(m, s->classes);
        const uint64_t passes = out ? 0 : m->cls->passes(s, m->params);
        if (passes == 0 && !out) {
            return 0;
        }
        sum += passes;
    }
    return sum;
}

// Members are numbered from 1, those of member p of a combination from
// p * WSR__MEMBERS + 1: the streams of wsr__members_run().
const wsr__member *wsr__members_at(const wsr__members *members, uint32_t number,
                                   size_t classes)
{
    const uint32_t parent = number == 0 ? 0 : (number - 1) / WSR__MEMBERS;
    uint32_t left = number == 0 ? 0 : (number - 1) % WSR__MEMBERS + 1;
    const wsr__members *list = members;
    if (parent > 0) {
        const wsr__member *const m = wsr__members_at(members, parent, classes);
        list = m == NULL || m->cls->members == NULL
                   ? NULL
                   : m->cls->members(m->params);
    }
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        left -= left > 0 && !is_left_out(&list->list[i], classes);
        if (left == 0 && number > 0) {
            return &list->list[i];
        }
    }
    return NULL;
}

// The time of a member counts for the member of the whole attack that it is or
// belongs to.
static wsr_status run_single(wsr__attack_batch *s, const wsr__member *m,
                             uint32_t stream)
{
    const double begin = wsr__seconds();
    const wsr_status status =
        wsr__attack_batch_run_member(s, m->cls, m->params, stream);
    if (m->cls->members == NULL) {
        s->own->member_seconds[s->own->member] += wsr__seconds() - begin;
    }
    return status;
}

// Every member has a stream of random numbers, counted also for members that a
// resumed batch skips: so the others draw the same numbers. Combinations are
// entered, not skipped, since only single attacks are counted as complete.
wsr_status wsr__members_run(wsr__attack_batch *s, const wsr__members *members)
{
    wsr_status status = WSR_OK;
    uint32_t stream = s->stream * WSR__MEMBERS;
    for (size_t i = 0; i < members->n && s->n_active > 0; i++) {
        const wsr__member *const m = &members->list[i];
        if (is_left_out(m, s->classes)) {
            continue;
        }
        const bool single = m->cls->members == NULL;
        stream++;
        if (s->stream == 0) { // a member of the whole attack
            s->own->member = stream - 1;
        }
        if (single && s->skip > 0) {
            WSR_TRY(wsr__attack_batch_skip_member(s, m->cls, m->params));
            continue;
        }
        WSR_TRY(run_single(s, m, stream));
        if (single) {
            wsr__attack_part_member_done(s);
        }
        WSR_TRY(wsr__attack_batch_report_member(s, m->cls));
    }
out:
    return status;
}
