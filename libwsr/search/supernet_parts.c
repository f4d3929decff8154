// SPDX-License-Identifier: Apache-2.0
//
// Batches of the supernet's training in parts, of which processes of a job have
// a share each; see train/parts.c. Parts are attacked each by itself.
//
// With search.train_norms=rank they are normalised each by itself, too: all
// begin with the supernet's running statistics, and it goes on with those of
// the first part. With global the parts of this process advance together from
// norm to norm (train/lockstep.c), so that each has a plan with memory of its
// own, and there is one set of running statistics.

#include "data/loader.h"
#include "search/supernet.h"

#include <string.h>

// What a part says of itself, the same on all processes.
typedef struct result {
    wsr__supernet_result learned;
    wsr__passes passes;
} result;

struct wsr__supernet_parts {
    wsr__reducer *reducer;
    size_t count; // of all processes
    result *results;
    float *stats; // running statistics before and after a batch, (2, buffers)
    wsr__lockstep *lockstep; // NULL: rank
    wsr__arena *arenas;      // of the plans of this process's parts
    float *images;           // attacked ones of these parts
};

// ---------------------------------------------------------------- lifetime

static wsr_status check_global(const wsr_search *s)
{
    const char *reason = NULL;
    if (s->cls->train != NULL) {
        reason = "whose searcher trains in its own way";
    } else if (s->quirks.leftover) {
        reason = "with search.gradients as released";
    } else if (s->quirks.moving) {
        reason = "with search.attack_stats as released, where each part moves "
                 "the running statistics";
    } else if (wsr_comm_size() > (size_t)s->params.shards) {
        reason = "with more processes than parts (search.shards)";
    }
    return reason == NULL ? WSR_OK
                          : WSR_FAIL(WSR_CONFIG,
                                     "search.train_norms: global is not for a "
                                     "search %s; permitted: rank",
                                     reason);
}

static bool is_global(const wsr_search *s)
{
    return wsr__streq(s->params.train_norms.s, "global");
}

// Part k of a batch has as many images as the others.
static size_t part_images(const wsr_search *s)
{
    return (size_t)(s->params.batch / s->params.shards);
}

static wsr_status make_together(wsr__supernet_parts *p, const wsr_search *s)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__lockstep_new(&p->lockstep, wsr_net_params(s->net), p->count));
    const size_t here = wsr__lockstep_count(p->lockstep);
    p->arenas = wsr__alloc(here, sizeof(*p->arenas));
    p->images =
        wsr__alloc(here * part_images(s) * s->pixels, sizeof(*p->images));
    status = p->arenas == NULL || p->images == NULL ? WSR_NOMEM : WSR_OK;
out:
    return status;
}

// Room for parts, where there is more than one.
wsr_status wsr__search_make_parts(wsr_search *s)
{
    wsr_status status = WSR_OK;
    const wsr_params *const params = wsr_net_params(s->net);
    const size_t parts = (size_t)s->params.shards;
    if (s->params.batch % s->params.shards != 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.shards: %zu does not divide a batch of %lld",
                        parts, (long long)s->params.batch);
    }
    if (is_global(s)) {
        WSR_TRY(check_global(s));
    }
    if (parts == 1 && !wsr__comm_many()) {
        return WSR_OK;
    }
    s->parts = wsr__alloc(1, sizeof(*s->parts));
    if (s->parts == NULL) {
        return WSR_NOMEM;
    }
    s->parts->count = parts;
    s->parts->results = wsr__alloc(parts, sizeof(*s->parts->results));
    s->parts->stats = wsr__alloc(2 * wsr__stats_copy(NULL, params) + 1,
                                 sizeof(*s->parts->stats));
    if (s->parts->results == NULL || s->parts->stats == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__reducer_new(&s->parts->reducer, params));
    if (is_global(s) && parts > 1) {
        WSR_TRY(make_together(s->parts, s));
    }
out:
    return status;
}

void wsr__search_free_parts(wsr_search *s)
{
    wsr__supernet_parts *const p = s->parts;
    if (p == NULL) {
        return;
    }
    for (size_t i = 0;
         p->arenas != NULL && i < wsr__lockstep_count(p->lockstep); i++) {
        wsr__arena_free(&p->arenas[i]);
    }
    wsr__lockstep_free(p->lockstep);
    wsr__reducer_free(p->reducer);
    wsr__free(p->arenas);
    wsr__free(p->images);
    wsr__free(p->results);
    wsr__free(p->stats);
    wsr__free(p);
}

// Parts that advance together have their gradients until all are done.
wsr__reducer *wsr__search_reducer(const wsr_search *s)
{
    return s->parts != NULL && s->parts->lockstep == NULL ? s->parts->reducer
                                                          : NULL;
}

// A plan of the whole batch needs no less than those of its parts.
double wsr__search_parts_bytes(const wsr_search *s, double net)
{
    const wsr__supernet_parts *const p = s->parts;
    double bytes = 0;
    if (p != NULL) {
        bytes += wsr__reducer_bytes(p->reducer);
    }
    if (p != NULL && p->lockstep != NULL) {
        const double here = (double)wsr__lockstep_count(p->lockstep);
        bytes += sizeof(float) * (double)s->arena.floats * here /
                     (double)p->count +
                 (here - 1) * net + wsr__lockstep_bytes(p->lockstep);
    }
    return bytes;
}

// Gradients in a plan are those of its part.
wsr_status wsr__supernet_part_plans(wsr__supernet_plans *plans, wsr_search *s)
{
    wsr_status status = WSR_OK;
    const wsr__supernet_parts *const p = s->parts;
    if (p == NULL || p->lockstep == NULL) {
        return WSR_OK;
    }
    const size_t here = wsr__lockstep_count(p->lockstep);
    plans->parts = wsr__alloc(here, sizeof(*plans->parts));
    if (plans->parts == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < here && status == WSR_OK; i++) {
        wsr__lockstep_exchange(p->lockstep, i);
        status = wsr__path_plan_in(&plans->parts[i], s, plans->graph,
                                   part_images(s), WSR__SUPERNET_TRAIN,
                                   &p->arenas[i]);
        wsr__lockstep_exchange(p->lockstep, i);
        WSR_TRY(status);
        plans->part_count++;
        WSR_TRY(wsr__plan_sync_norms(plans->parts[i],
                                     wsr__lockstep_sync(p->lockstep, i)));
    }
out:
    return status;
}

// -------------------------------------------------------------- parts in turn

// Attack part k; its passes are counted with it.
static wsr_status attack_part(wsr_search *s, const wsr__supernet_plans *plans,
                              const wsr_batch *part, size_t k)
{
    wsr_status status = WSR_OK;
    const wsr__passes before = s->counted;
    wsr__passes *const passes = &s->parts->results[k].passes;
    WSR_TRY(wsr__supernet_attack(s, plans, part));
    passes->gradient = s->counted.gradient - before.gradient +
                       (double)wsr_batch_count(part);
    passes->forward = s->counted.forward - before.forward;
    s->counted = before;
out:
    return status;
}

static wsr_status part_here(wsr_search *s, const wsr__supernet_plans *plans,
                            const wsr_batch *batch, size_t k)
{
    wsr_status status = WSR_OK;
    wsr__supernet_parts *const p = s->parts;
    wsr_params *const params = wsr_net_params(s->net);
    const wsr_batch part = wsr__batch_part(batch, k, p->count, s->pixels);
    const size_t buffers = wsr__stats_copy(NULL, params);
    wsr_params_zero_grad(params, !s->quirks.leftover);
    wsr__stats_put(params, p->stats);
    WSR_TRY(wsr__reducer_part(p->reducer, 1 / (double)p->count));
    WSR_TRY(attack_part(s, plans, &part, k));
    const double begun = wsr__seconds();
    WSR_TRY(wsr__supernet_learn(&p->results[k].learned, s, plans->train, &part,
                                s->x_adv));
    s->seconds[WSR__TIME_SUPERNET] += wsr__seconds() - begun;
    WSR_TRY(wsr__reducer_take(p->reducer));
    if (k == 0) {
        (void)wsr__stats_copy(p->stats + buffers, params);
    }
out:
    return status;
}

static wsr_status work_in_turn(wsr_search *s, const wsr__supernet_plans *plans,
                               const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const wsr__items mine = wsr__comm_share(s->parts->count, wsr_comm_rank());
    (void)wsr__stats_copy(s->parts->stats, wsr_net_params(s->net));
    for (size_t k = mine.begin; k < mine.end; k++) {
        WSR_TRY(part_here(s, plans, batch, k));
    }
out:
    return status;
}

// The statistics of the first part are the supernet's.
static wsr_status share_stats(const wsr_search *s)
{
    wsr_status status = WSR_OK;
    const wsr_params *const params = wsr_net_params(s->net);
    const size_t buffers = wsr__stats_copy(NULL, params);
    float *const after = s->parts->stats + buffers;
    if (s->parts->lockstep != NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__comm_broadcast(after, buffers * sizeof(*after), 0));
    wsr__stats_put(params, after);
out:
    return status;
}

// ------------------------------------------------------------- parts together

typedef struct together {
    wsr_search *s;
    const wsr__supernet_plans *plans;
    const wsr_batch *batch;
} together;

static size_t number_of(const wsr_search *s, size_t room)
{
    return wsr__comm_share(s->parts->count, wsr_comm_rank()).begin + room;
}

static float *images_of(const wsr_search *s, size_t room)
{
    return s->parts->images + room * part_images(s) * s->pixels;
}

static wsr_status attack_all(const together *of)
{
    wsr_status status = WSR_OK;
    wsr_search *const s = of->s;
    for (size_t i = 0; i < of->plans->part_count; i++) {
        const size_t k = number_of(s, i);
        const wsr_batch part =
            wsr__batch_part(of->batch, k, s->parts->count, s->pixels);
        WSR_TRY(attack_part(s, of->plans, &part, k));
        memcpy(images_of(s, i), s->x_adv,
               part_images(s) * s->pixels * sizeof(*s->x_adv));
    }
out:
    return status;
}

static wsr_status learn_room(void *ctx, size_t room)
{
    const together *const of = ctx;
    wsr_search *const s = of->s;
    const size_t k = number_of(s, room);
    const wsr_batch part =
        wsr__batch_part(of->batch, k, s->parts->count, s->pixels);
    wsr_params_zero_grad(wsr_net_params(s->net), true);
    return wsr__supernet_learn(&s->parts->results[k].learned, s,
                               of->plans->parts[room], &part,
                               images_of(s, room));
}

// All processes reach the norms, or none does.
static wsr_status work_together(wsr_search *s, const wsr__supernet_plans *plans,
                                const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    wsr__supernet_parts *const p = s->parts;
    together of = {s, plans, batch};
    WSR_TRY(wsr__comm_agree(attack_all(&of)));
    const double begun = wsr__seconds();
    WSR_TRY(wsr__lockstep_run(p->lockstep, learn_room, &of));
    for (size_t i = 0; i < plans->part_count && status == WSR_OK; i++) {
        wsr__lockstep_exchange(p->lockstep, i);
        status = wsr__reducer_part(p->reducer, 1 / (double)p->count);
        status = status == WSR_OK ? wsr__reducer_take(p->reducer) : status;
        wsr__lockstep_exchange(p->lockstep, i);
    }
    s->seconds[WSR__TIME_SUPERNET] += wsr__seconds() - begun;
out:
    return status;
}

// -------------------------------------------------------------------- a step

static wsr_status agree(void *ctx, wsr_status own)
{
    (void)ctx;
    return wsr__comm_agree(own);
}

wsr_status wsr__supernet_train_parts(wsr_search *s,
                                     const wsr__supernet_plans *plans,
                                     const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    wsr__supernet_parts *const p = s->parts;
    const float *gradient = NULL;
    wsr__reducer_begin(p->reducer, p->count, p->count);
    status =
        (p->lockstep != NULL ? work_together : work_in_turn)(s, plans, batch);
    WSR_TRY(wsr__reducer_sum(&gradient, p->reducer, status,
                             &(wsr__reducer_agree){agree, NULL}));
    WSR_TRY(wsr__comm_gather_shares(p->results, sizeof(*p->results), p->count));
    WSR_TRY(wsr__gradients_put(wsr_net_params(s->net), gradient, NULL));
    WSR_TRY(share_stats(s));
    WSR_TRY(wsr__supernet_descend(s));
    for (size_t k = 0; k < p->count; k++) {
        wsr__supernet_count(s, p->results[k].learned, part_images(s));
        s->counted.gradient += p->results[k].passes.gradient;
        s->counted.forward += p->results[k].passes.forward;
    }
out:
    return status;
}
