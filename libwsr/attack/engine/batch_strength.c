// SPDX-License-Identifier: Apache-2.0
//
// An attack's batch from its clean images through one strength after the other:
// targets, which rows are active, the members of combinations, and what is
// taken over from the strengths before.

#include "attack/attack.h"
#include "attack/engine/batch.h"

#include <math.h>
#include <string.h>

// A min-norm attack succeeds by what it found inside the ball.
static void settle(wsr__attack_batch *s)
{
    for (size_t k = 0; k < s->n_active; k++) {
        const size_t row = s->active[k];
        if (wsr__attack_batch_within(s, row, s->eps)) {
            s->success[row] = 1;
        } else {
            memcpy(wsr__at(s->found, s->d, row),
                   wsr__at_const(s->x0, s->d, row),
                   (size_t)s->d * sizeof(*s->x));
        }
    }
}

// Successes become inactive, with stop.
static void compact_successes(wsr__attack_batch *s)
{
    for (size_t k = 0; k < s->n_active; k++) {
        s->own->finished[s->active[k]] = s->success[s->active[k]];
    }
    wsr__attack_batch_compact(s);
}

// Runs an attack that deactivates and reactivates rows itself. `held` is the
// list of rows at its start, which is restored afterwards. In a combination
// such an attack may stop for a row within eps; alone it serves all strengths
// and must go on. Calls nest, so the outer values are kept.
static wsr_status run_held(wsr__attack_batch *s, const wsr__attack_class *cls,
                           const void *params)
{
    wsr__attack_batch_own *const own = s->own;
    uint32_t *const outer_held = own->held;
    const size_t outer_n = own->held_n;
    const bool outer_stop = s->stop;
    const bool outer_stop_at_eps = s->stop_at_eps;
    wsr_status status = WSR_OK;
    own->held = wsr__alloc(s->n_active, sizeof(*own->held));
    if (own->held == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    own->held_n = s->n_active;
    memcpy(own->held, s->active, s->n_active * sizeof(*s->active));
    s->stop = true;
    s->stop_at_eps = cls != s->attack->cls;
    WSR_TRY(cls->run(s, params));
    memcpy(s->active, own->held, own->held_n * sizeof(*s->active));
    s->n_active = own->held_n;
    for (size_t k = 0; k < s->n_active; k++) {
        own->finished[s->active[k]] = 0;
    }
out:
    s->stop = outer_stop;
    s->stop_at_eps = outer_stop_at_eps;
    wsr__free(own->held);
    own->held = outer_held;
    own->held_n = outer_n;
    return status;
}

// The number of passes serves the progress report only, so it is computed only
// with a hook. 0 stands for a failed allocation.
static wsr_status passes_of(uint64_t *out, const wsr__attack_batch *s,
                            const wsr__attack_class *cls, const void *params)
{
    const bool watched = s->attack->hook != NULL;
    *out = watched ? cls->passes(s, params) : 0;
    if (s->attack->settings.queries > 0) {
        const uint64_t most = (uint64_t)s->attack->settings.queries;
        *out = *out < most ? *out : most;
    }
    return watched && *out == 0 ? WSR_NOMEM : WSR_OK;
}

// Runs an attack, or a member of a combination, on the active rows. `stream`
// gives members random numbers of their own. The member's passes are added in
// full when it ends, also those that it saved, so that progress does not
// depend on luck.
wsr_status wsr__attack_batch_run_member(wsr__attack_batch *s,
                                        const wsr__attack_class *cls,
                                        const void *params, uint32_t stream)
{
    wsr_status status = WSR_OK;
    const wsr__attack_class *const outer = s->cls;
    const uint32_t outer_stream = s->stream;
    const uint64_t passes_before = s->progress.passes;
    uint64_t passes = 0;
    WSR_TRY(passes_of(&passes, s, cls, params));
    s->cls = cls;
    s->stream = stream;
    for (size_t k = 0; k < s->n_active; k++) {
        s->best[s->active[k]] = (double)INFINITY;
        s->loss_targets[s->active[k]] = s->targets[s->active[k]];
        s->own->begun[s->active[k]] = s->queries[s->active[k]];
    }
    if (cls->classes > s->classes) {
        status = WSR_FAIL(WSR_ARG,
                          "attack %s: needs %zu classes, the model has %zu",
                          cls->super.name, cls->classes, s->classes);
        goto out;
    }
    if (s->attack->target != WSR__TARGET_NONE && !cls->targets) {
        status = WSR_FAIL(WSR_CONFIG, "attack.target: %s knows no targets",
                          cls->super.name);
        goto out;
    }
    if (s->n_active > 0 && (cls->min_norm || cls->early_stop)) {
        WSR_TRY(run_held(s, cls, params));
    } else if (s->n_active > 0) {
        WSR_TRY(cls->run(s, params));
    }
    if (cls->min_norm) {
        settle(s);
    }
    compact_successes(s);
    s->progress.passes = passes_before + passes;
out:
    s->cls = outer;
    s->stream = outer_stream;
    return status;
}

// A resumed batch passes over the members that were complete.
wsr_status wsr__attack_batch_skip_member(wsr__attack_batch *s,
                                         const wsr__attack_class *cls,
                                         const void *params)
{
    uint64_t passes = 0;
    const wsr_status status = passes_of(&passes, s, cls, params);
    s->skip--;
    s->progress.members++;
    s->progress.passes += passes;
    return status;
}

void wsr__attack_batch_deactivate(wsr__attack_batch *s, size_t row)
{
    s->own->finished[row] = 1;
}

// All held rows become active again, except those that are done: fooled or,
// for a minimum-norm attack inside a combination, fooled within eps.
void wsr__attack_batch_reactivate(wsr__attack_batch *s)
{
    const wsr__attack_batch_own *const own = s->own;
    s->n_active = 0;
    for (size_t k = 0; k < own->held_n; k++) {
        const uint32_t row = own->held[k];
        const bool done = s->cls->min_norm
                              ? s->stop_at_eps &&
                                    wsr__attack_batch_within(s, row, s->eps)
                              : s->success[row] != 0;
        own->finished[row] = 0;
        if (!done) {
            s->active[s->n_active++] = row;
        }
    }
}

// The class to reach, chosen by the logits of the clean image.
static int32_t pick(const wsr__attack_batch *s, size_t row, int32_t label)
{
    const float *const z = s->clean + row * s->classes;
    const wsr__target_mode target = s->attack->target;
    if (target == WSR__TARGET_CLASS) {
        return (int32_t)s->attack->settings.target_class;
    }
    if (target == WSR__TARGET_RANDOM) {
        wsr__rng rng = wsr__attack_batch_rng(s, row, UINT32_MAX);
        const int32_t t =
            (int32_t)wsr__rng_below(&rng, (uint32_t)s->classes - 1);
        return t + (t >= label);
    }
    const float sign = target == WSR__TARGET_LEAST ? -1 : 1;
    int32_t best = label == 0 ? 1 : 0;
    for (int32_t c = 0; c < (int32_t)s->classes; c++) {
        if (c != label && sign * z[c] > sign * z[best]) {
            best = c;
        }
    }
    return best;
}

typedef struct given {
    const int32_t *labels;
} given;

// What is attacked and wanted of a row, now that its clean logits are known.
// Its gradient is wanted if it is attacked.
static bool take_up(wsr__attack_batch *s, size_t row, void *ctx)
{
    const given *const of = ctx;
    const int32_t label = of->labels[row];
    wsr__attack_batch_own *const own = s->own;
    wsr__loss_target *const target = &own->targets[row];
    *target = (wsr__loss_target){label, -1, s->clean + row * s->classes};
    if (s->attack->target == WSR__TARGET_GIVEN) {
        target->label = -1;
        target->target_class = label;
    } else if (s->attack->target != WSR__TARGET_NONE) {
        target->target_class = pick(s, row, label);
    }
    s->loss_targets[row] = *target;
    own->attacked[row] = !s->stop || wsr__attack_batch_clean_correct(s, row);
    own->nested_success[row] = 0;
    s->best[row] = (double)INFINITY;
    return own->attacked[row] != 0;
}

// Begins a batch of n images with the numbers id, id + 1, ... and computes the
// clean logits. Images that are misclassified already are not attacked, with
// stop.
wsr_status wsr__attack_batch_begin(wsr__attack_batch *s, const float *x0,
                                   const int32_t *labels, size_t n, uint64_t id)
{
    wsr__attack_batch_own *const own = s->own;
    s->x0 = x0;
    s->n = n;
    s->id = id;
    s->n_active = n;
    s->eps = 0;
    s->skip = 0;
    s->progress = (wsr__attack_counts){.begin = s->progress.end,
                                       .end = s->progress.end,
                                       .first = s->progress.first};
    own->clean_of = NULL;
    own->object_used = false;
    for (size_t i = 0; i < n; i++) {
        s->active[i] = (uint32_t)i;
        s->queries[i] = 0;
        s->gradients[i] = 0;
        s->flat[i] = 0;
        s->success[i] = 0;
        own->finished[i] = 0;
    }
    given of = {labels};
    return wsr__attack_batch_clean(s, take_up, &of);
}

// Attacks the batch at one strength. Strengths come in ascending order, so
// that with `nested` a success stays one: its image lies in every larger ball.
// After a resumption (skip > 0) the successes of the complete members are
// already in `success`.
wsr_status wsr__attack_batch_strength(wsr__attack_batch *s, float eps)
{
    wsr_status status = WSR_OK;
    wsr__attack_batch_own *const own = s->own;
    const bool nested = s->stop && s->attack->settings.nested;
    const bool taken_up = s->skip > 0;
    s->eps = eps;
    s->n_active = 0;
    if (!taken_up) {
        memset(own->member_seconds, 0, sizeof(own->member_seconds));
    }
    for (size_t i = 0; i < s->n; i++) {
        s->success[i] = own->nested_success[i] || (taken_up && s->success[i]);
        if (own->attacked[i] && !s->success[i]) {
            s->active[s->n_active++] = (uint32_t)i;
        }
    }
    s->progress.passes = 0;
    s->progress.members = 0;
    WSR_TRY(passes_of(&s->progress.most, s, s->cls, s->attack->params));
    WSR_TRY(wsr__attack_batch_run_member(s, s->cls, s->attack->params, 0));
    s->skip = 0;
    for (size_t i = 0; nested && i < s->n; i++) {
        own->nested_success[i] = s->success[i];
    }
out:
    return status;
}
