// SPDX-License-Identifier: Apache-2.0
//
// The checkpoint of a training: parameters and buffers, the optimiser's
// arrays, what the trainer keeps, the position, the sums of the epoch, the best
// parameters so far.
// Random numbers and schedules depend on the position only, so they have no
// state. Nothing depends on time or place: equal trainings write equal bytes.
//
// Names begin with a prefix, since a search's checkpoint holds a training
// beside its own tensors.

#include "train/train.h"

#include <string.h>

enum { POSITION = 4, VALUES = 5, GUARD = 4 };

// Running statistics of all parts of a batch; those of a single part are the
// network's.
static bool has_stats(const wsr__training *t)
{
    return t->stats != NULL && t->params.shards > 1;
}

static size_t stats_floats(const wsr__training *t)
{
    return (size_t)t->params.shards * t->buffers;
}

wsr_status wsr__training_save(const wsr__training *training,
                              wsr__st_builder *builder, const char *prefix)
{
    wsr_status status = WSR_OK;
    const wsr__training *const t = training;
    char name[WSR__ST_NAME];
    // Counts too, so that the state of other data is recognised.
    const uint64_t position[POSITION] = {t->epoch, t->batch, t->batches,
                                         t->best_epoch};
    const double values[VALUES] = {t->sums.loss, t->sums.correct, t->sums.clean,
                                   t->sums.seen, t->best_value};
    WSR_TRY(wsr__training_gather_parts(t));
    WSR_TRY(wsr__st_name(name, prefix, "params."));
    WSR_TRY(wsr__st_add_params(builder, wsr_net_params(t->of.net), name));
    WSR_TRY(wsr__st_name(name, prefix, "optim."));
    WSR_TRY(wsr__st_add_optim(builder, t->optim, name));
    WSR_TRY(wsr__st_name(name, prefix, "position"));
    WSR_TRY(wsr__st_add_u64(builder, name, position, POSITION));
    WSR_TRY(wsr__st_name(name, prefix, "values"));
    WSR_TRY(wsr__st_add_f64(builder, name, values, VALUES));
    const double guard[GUARD] = {t->guard.peak, t->guard.epoch,
                                 t->guard.learned, t->guard.warned};
    WSR_TRY(wsr__st_name(name, prefix, "guard"));
    WSR_TRY(wsr__st_add_f64(builder, name, guard, GUARD));
    if (t->best != NULL) {
        WSR_TRY(wsr__st_name(name, prefix, "best"));
        WSR_TRY(wsr__st_add_f32(builder, name, t->best, t->floats));
    }
    if (t->average != NULL) {
        WSR_TRY(wsr__st_name(name, prefix, "average"));
        WSR_TRY(wsr__st_add_f32(builder, name, t->average, t->floats));
    }
    if (t->state != NULL) {
        WSR_TRY(wsr__st_name(name, prefix, "trainer"));
        WSR_TRY(wsr__st_add_f32(builder, name, t->state, t->states));
    }
    if (has_stats(t)) {
        WSR_TRY(wsr__st_name(name, prefix, "shards"));
        WSR_TRY(wsr__st_add_f32(builder, name, t->stats, stats_floats(t)));
    }
out:
    return status;
}

// A file may be of other data or damaged; positions index arrays.
static wsr_status check_position(const wsr__training *t,
                                 const uint64_t position[POSITION],
                                 const wsr__st *st)
{
    const bool known = position[0] <= (uint64_t)t->params.epochs;
    const size_t batches =
        wsr__training_batches(t, known ? (size_t)position[0] : 0);
    if (position[2] != batches) {
        return WSR_FAIL(
            WSR_FORMAT, "%s: has epochs of %llu steps, the data make %zu",
            wsr__st_path(st), (unsigned long long)position[2], batches);
    }
    if (!known || position[1] > batches || position[3] > position[0]) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: stands at epoch %llu, step %llu, with the best "
                        "epoch %llu, which are not there",
                        wsr__st_path(st), (unsigned long long)position[0],
                        (unsigned long long)position[1],
                        (unsigned long long)position[3]);
    }
    return WSR_OK;
}

static wsr_status read_position(uint64_t position[POSITION],
                                const wsr__training *t, const wsr__st *st,
                                const char *prefix)
{
    wsr_status status = WSR_OK;
    char name[WSR__ST_NAME];
    WSR_TRY(wsr__st_name(name, prefix, "position"));
    WSR_TRY(wsr__st_read_u64(position, st, name, POSITION));
    WSR_TRY(check_position(t, position, st));
out:
    return status;
}

// Number of complete epochs in a file, which a trainer needs to read its
// curves.
wsr_status wsr__training_stored(size_t *epochs, const wsr__training *training,
                                const wsr__st *st, const char *prefix)
{
    uint64_t position[POSITION] = {0};
    const wsr_status status = read_position(position, training, st, prefix);
    *epochs = (size_t)position[0];
    return status;
}

// What a file holds of a training, read and checked.
typedef struct staged {
    uint64_t position[POSITION];
    double values[VALUES];
    double guard[GUARD];
    float *best; // NULL: unwanted
    float *average;
    float *state; // NULL: the trainer has none
    float *stats; // NULL: batches have one part
    unsigned char *optim;
} staged;

typedef struct stored {
    const wsr__st *st;
    const char *prefix;
} stored;

// A tensor of floats that only some trainings have: those with room for it.
static wsr_status stage_floats(float **out, const float *room, size_t floats,
                               const char *key, const stored *from)
{
    wsr_status status = WSR_OK;
    char name[WSR__ST_NAME];
    if (room == NULL) {
        return WSR_OK;
    }
    *out = wsr__alloc(floats, sizeof(**out));
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__st_name(name, from->prefix, key));
    WSR_TRY(wsr__st_read_f32(*out, from->st, name, floats));
out:
    return status;
}

// Reads everything into copies first, so that a bad file leaves the training
// unchanged.
static wsr_status stage(staged *s, const wsr__training *t, const wsr__st *st,
                        const char *prefix)
{
    wsr_status status = WSR_OK;
    char name[WSR__ST_NAME];
    WSR_TRY(read_position(s->position, t, st, prefix));
    WSR_TRY(wsr__st_name(name, prefix, "values"));
    WSR_TRY(wsr__st_read_f64(s->values, st, name, VALUES));
    WSR_TRY(wsr__st_name(name, prefix, "guard"));
    if (wsr__st_find(st, name) != NULL) { // older checkpoints have none
        WSR_TRY(wsr__st_read_f64(s->guard, st, name, GUARD));
    }
    const stored from = {st, prefix};
    WSR_TRY(stage_floats(&s->best, t->best, t->floats, "best", &from));
    WSR_TRY(stage_floats(&s->average, t->average, t->floats, "average", &from));
    WSR_TRY(stage_floats(&s->state, t->state, t->states, "trainer", &from));
    WSR_TRY(stage_floats(&s->stats, has_stats(t) ? t->stats : NULL,
                         stats_floats(t), "shards", &from));
    WSR_TRY(wsr__st_name(name, prefix, "optim."));
    WSR_TRY(wsr__st_stage_optim(&s->optim, t->optim, st, name));
out:
    return status;
}

// Nothing here can fail.
static void take(wsr__training *t, const staged *s)
{
    const double *const v = s->values;
    wsr__optim_take(t->optim, s->optim);
    if (t->best != NULL) {
        memcpy(t->best, s->best, t->floats * sizeof(*t->best));
    }
    if (t->average != NULL) {
        memcpy(t->average, s->average, t->floats * sizeof(*t->average));
    }
    if (t->state != NULL) {
        memcpy(t->state, s->state, t->states * sizeof(*t->state));
    }
    if (has_stats(t)) {
        memcpy(t->stats, s->stats, stats_floats(t) * sizeof(*t->stats));
    }
    t->best_epoch = s->position[3];
    t->best_value = v[4];
    t->guard = (wsr__guard){s->guard[0], s->guard[1], s->guard[2], s->guard[3]};
}

wsr_status wsr__training_load(wsr__training *training, const wsr__st *st,
                              const char *prefix)
{
    wsr_status status = WSR_OK;
    wsr__training *const t = training;
    char name[WSR__ST_NAME];
    staged s = {0};
    WSR_TRY(stage(&s, t, st, prefix));
    WSR_TRY(wsr__st_name(name, prefix, "params."));
    WSR_TRY(wsr__st_read_params(wsr_net_params(t->of.net), st, name));
    take(t, &s);
    if (!has_stats(t)) {
        wsr__training_begin_stats(t);
    }
    WSR_TRY(wsr__training_move(
        t, (size_t)s.position[0], (size_t)s.position[1],
        (wsr__sums){s.values[0], s.values[1], s.values[2], s.values[3]}));
out:
    wsr__free(s.best);
    wsr__free(s.average);
    wsr__free(s.state);
    wsr__free(s.stats);
    wsr__free(s.optim);
    return status;
}
