// SPDX-License-Identifier: Apache-2.0
//
// Several attacks as one, which chain and autoattack share.

#ifndef WSR_ATTACK_ENGINE_COMBINE_H
#define WSR_ATTACK_ENGINE_COMBINE_H

#include "attack/engine/batch.h"

typedef struct wsr__member {
    const wsr__attack_class *cls;
    void *params;
    bool optional; // left out where the model has too few classes for it
} wsr__member;

/// Attacks that are applied one after the other, all in one norm.
struct wsr__members {
    wsr__member list[WSR__MEMBERS];
    size_t n;
};

/// From "a,b:k=v,c". Nothing to free on failure.
wsr_status wsr__members_parse(wsr__members *out, const char *specs);
void wsr__members_free(wsr__members *members);

/// Add a member that has the defaults of its class.
/// [out, borrowed] its params, to be changed
wsr_status wsr__members_add(void **params, wsr__members *members,
                            const wsr__attack_class *cls);

/// Forward passes of all members at most; 0: memory is short.
uint64_t wsr__members_passes(const wsr__attack_batch *s,
                             const wsr__members *members);

/// The single attack that a result names by a number above 0, NULL when there
/// is none; a model with so many classes was attacked.
const wsr__member *wsr__members_at(const wsr__members *members, uint32_t number,
                                   size_t classes);

/// Each on the images that are still robust; for classes with `early_stop`.
wsr_status wsr__members_run(wsr__attack_batch *s, const wsr__members *members);

#endif
