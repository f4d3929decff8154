// SPDX-License-Identifier: Apache-2.0
//
// The search's part of a checkpoint: parameters and optimiser state of the
// supernet, the alphas, estimator and predictor with their memories, what the
// searcher has of its own, and the position.
//
// Random numbers are not part of it: they depend on seed and position. Plans
// are made again.

#include "search/search.h"

enum { POSITION = 4, SUMS = 3 };

// An object with state of its own, which it lists as named arrays. `prefix`
// keeps the names of different objects apart.
typedef struct carrier {
    const char *prefix;
    size_t count;
} carrier;

enum { OPTIM, ARCH, ESTIMATOR, PREDICTOR, SEARCHER, CARRIERS };

static void list_carriers(carrier list[CARRIERS], const wsr_search *s)
{
    list[OPTIM] = (carrier){"state.optim.", wsr__optim_states(s->optim)};
    list[ARCH] = (carrier){"state.arch.", wsr__optim_states(s->arch_optim)};
    list[ESTIMATOR] =
        (carrier){"state.estimator.", wsr__estimator_states(s->estimator)};
    list[PREDICTOR] =
        (carrier){"state.predictor.", wsr__predictor_states(s->predictor)};
    list[SEARCHER] = (carrier){"state.searcher.",
                               s->cls->states == NULL ? 0 : s->cls->states(s)};
}

static wsr__state state_at(const wsr_search *s, int which, size_t i)
{
    switch (which) {
    case OPTIM:
        return wsr__optim_state(s->optim, i);
    case ARCH:
        return wsr__optim_state(s->arch_optim, i);
    case ESTIMATOR:
        return wsr__estimator_state(s->estimator, i);
    case PREDICTOR:
        return wsr__predictor_state(s->predictor, i);
    default:
        return s->cls->state(s, i);
    }
}

// The losses of an evaluation. Only a checkpoint between the evaluation and
// the update of the alphas needs them.
static wsr_status add_evaluation(const wsr_search *s, wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    if (s->stage == WSR__STAGE_UPDATE) {
        WSR_TRY(
            wsr__st_add_f64(builder, "search.losses", s->losses, WSR__SLOTS));
        WSR_TRY(
            wsr__st_add_f64(builder, "search.correlation", &s->correlation, 1));
        WSR_TRY(wsr__st_add_f64(builder, "search.holdout", s->holdout[0],
                                sizeof(s->holdout) / sizeof(double)));
    }
out:
    return status;
}

static wsr_status read_evaluation(wsr_search *s, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    if (s->stage == WSR__STAGE_UPDATE) {
        WSR_TRY(wsr__st_read_f64(s->losses, st, "search.losses", WSR__SLOTS));
        WSR_TRY(wsr__st_read_f64(&s->correlation, st, "search.correlation", 1));
        WSR_TRY(wsr__st_read_f64(s->holdout[0], st, "search.holdout",
                                 sizeof(s->holdout) / sizeof(double)));
    }
out:
    return status;
}

// Optimisers allocate in their first step; a checkpoint before it needs their
// arrays.
wsr_status wsr__search_add_state(const wsr_search *s, wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    const uint64_t position[POSITION] = {(uint64_t)s->phase, (uint64_t)s->stage,
                                         s->epoch, s->batch};
    const double sums[SUMS] = {s->loss, s->correct, s->seen};
    carrier list[CARRIERS];
    WSR_TRY(wsr__optim_reserve(s->optim));
    WSR_TRY(wsr__optim_reserve(s->arch_optim));
    list_carriers(list, s);
    WSR_TRY(wsr__st_add_u64(builder, "search.position", position, POSITION));
    WSR_TRY(wsr__st_add_f64(builder, "search.sums", sums, SUMS));
    WSR_TRY(add_evaluation(s, builder));
    WSR_TRY(wsr__st_add_f32(builder, "search.alphas", s->alphas,
                            s->arch.rows * s->arch.cols));
    WSR_TRY(wsr__ranking_save(s->ranking, builder));
    if (s->best_measured) {
        WSR_TRY(wsr__st_add_f32(builder, "search.best", s->best,
                                s->arch.rows * s->arch.cols));
    }
    WSR_TRY(wsr__st_add_params(builder, wsr_net_params(s->net), "supernet."));
    WSR_TRY(wsr__st_add_params(builder, wsr_estimator_params(s->estimator),
                               "estimator."));
    WSR_TRY(wsr__st_add_params(builder, wsr_predictor_params(s->predictor),
                               "predictor."));
    for (int c = 0; c < CARRIERS; c++) {
        for (size_t i = 0; i < list[c].count; i++) {
            const wsr__state state = state_at(s, c, i);
            WSR_TRY(wsr__st_add_state(builder, list[c].prefix, &state));
        }
    }
out:
    return status;
}

// A file may hold any position: phase, stage, epoch and batch are checked
// before they are used.
static wsr_status load_position(wsr_search *s, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    uint64_t position[POSITION];
    double sums[SUMS];
    WSR_TRY(wsr__st_read_u64(position, st, "search.position", POSITION));
    WSR_TRY(wsr__st_read_f64(sums, st, "search.sums", SUMS));
    if (position[0] > WSR_PHASE_DONE || position[1] > WSR__STAGE_UPDATE) {
        return WSR_FAIL(WSR_FORMAT, "%s: phase %llu, stage %llu do not exist",
                        wsr__st_path(st), (unsigned long long)position[0],
                        (unsigned long long)position[1]);
    }
    const size_t epochs = wsr__phase_epochs(s, (wsr_phase)position[0]);
    if (position[2] > epochs ||
        position[3] > wsr_loader_batches(s->train_loader)) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: epoch %llu of %zu, step %llu, are not there",
                        wsr__st_path(st), (unsigned long long)position[2],
                        epochs, (unsigned long long)position[3]);
    }
    s->phase = (wsr_phase)position[0];
    s->stage = (wsr__search_stage)position[1];
    s->epoch = (size_t)position[2];
    s->batch = (size_t)position[3];
    s->loss = sums[0];
    s->correct = sums[1];
    s->seen = sums[2];
out:
    return status;
}

// The memories are ring buffers; their counters index arrays.
static wsr_status check_rings(const wsr_search *s, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__checkpoint_ring(st, "the estimator's memory",
                                 s->estimator->memory.counters,
                                 (int64_t)s->estimator->memory.capacity));
    WSR_TRY(wsr__checkpoint_ring(st, "the predictor's memory",
                                 s->predictor->counters,
                                 s->predictor->common->memory));
out:
    return status;
}

// What was chosen by prediction follows from the predictor.
static wsr_status read_best(wsr_search *s, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    s->best_measured = wsr__search_measured(s) > 0 &&
                       wsr__st_find(st, "search.best") != NULL;
    if (s->best_measured) {
        WSR_TRY(wsr__st_read_f32(s->best_room, st, "search.best",
                                 s->arch.rows * s->arch.cols));
        s->best = s->best_room;
    } else if (s->phase >= WSR_PHASE_SEARCH &&
               s->epoch + s->phase > WSR_PHASE_SEARCH) {
        WSR_TRY(wsr__search_choose_best(s));
    }
out:
    return status;
}

// In the same order as it was written. On failure the search is undefined and
// the caller frees it. The released code zeroes gradients instead of removing
// them, so all of them count as present after a resumption too.
wsr_status wsr__search_read_state(wsr_search *s, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    carrier list[CARRIERS];
    WSR_TRY(wsr__optim_reserve(s->optim));
    WSR_TRY(wsr__optim_reserve(s->arch_optim));
    list_carriers(list, s);
    WSR_TRY(load_position(s, st));
    WSR_TRY(read_evaluation(s, st));
    WSR_TRY(wsr__st_read_f32(s->alphas, st, "search.alphas",
                             s->arch.rows * s->arch.cols));
    WSR_TRY(wsr__st_read_params(wsr_net_params(s->net), st, "supernet."));
    WSR_TRY(wsr__st_read_params(wsr_estimator_params(s->estimator), st,
                                "estimator."));
    WSR_TRY(wsr__st_read_params(wsr_predictor_params(s->predictor), st,
                                "predictor."));
    for (int c = 0; c < CARRIERS; c++) {
        for (size_t i = 0; i < list[c].count; i++) {
            const wsr__state state = state_at(s, c, i);
            WSR_TRY(wsr__st_read_state(&state, st, list[c].prefix));
        }
    }
    WSR_TRY(check_rings(s, st));
    if (s->cls->check != NULL) {
        WSR_TRY(s->cls->check(s, st));
    }
    WSR_TRY(wsr__ranking_load(s->ranking, st));
    WSR_TRY(read_best(s, st));
    if (s->quirks.leftover) { // zeroed gradients count as present
        WSR_TRY(wsr__optim_recall(s->optim));
    }
out:
    return status;
}
