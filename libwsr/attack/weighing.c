// SPDX-License-Identifier: Apache-2.0
//
// The search for the weight of the misclassification that cw and ead share;
// Carlini and Wagner, arXiv:1608.04644, section VI-D.

#include "attack/attack.h"

#include <math.h>

// Per image: the columns of the array.
enum { C, C_LOW, C_HIGH, COST, REACHED, COLUMNS };

typedef struct run_state {
    const wsr__weighing *w;
    float *table;
    int64_t step;
} run_state;

static float *columns(const run_state *state, size_t row)
{
    return state->table + row * COLUMNS;
}

double wsr__weight(wsr__siege *s, size_t row)
{
    const float *const table =
        wsr__siege_spare(s, WSR__WEIGHING_SPARE, COLUMNS);
    return (double)table[row * COLUMNS + C];
}

static void begin(wsr__siege *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    columns(state, row)[COST] = INFINITY;
    columns(state, row)[REACHED] = 0;
    state->w->begin(s, row, state->w->ctx);
}

// Keeps what is wrong enough; every tenth of the steps gives up an image whose
// cost has stopped falling.
static void look(wsr__siege *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const wsr__weighing *const w = state->w;
    float *const column = columns(state, row);
    const wsr__aim *const aim = &s->goals[row];
    const double margin =
        wsr__loss_margin(NULL, s->logits + row * s->classes, aim, s->classes);
    if (wsr__siege_won(s, row) && margin >= w->kappa) {
        column[REACHED] = 1;
        wsr__siege_offer(s, row, wsr__at_const(s->x, s->d, row));
    }
    const double short_of = margin >= w->kappa ? -w->kappa : -margin;
    const double cost = w->size(s, row, w->ctx) + (double)column[C] * short_of;
    const int64_t tenth = w->steps >= 10 ? w->steps / 10 : 1;
    if (state->step % tenth == 0) {
        if (cost > (double)column[COST] * 0.9999) {
            wsr__siege_retire(s, row);
        }
        column[COST] = (float)cost;
    }
}

static void adjust(wsr__siege *s, size_t row, void *ctx)
{
    (void)s;
    const run_state *const state = ctx;
    float *const column = columns(state, row);
    column[column[REACHED] > 0 ? C_HIGH : C_LOW] = column[C];
    column[C] = column[C_HIGH] < INFINITY ? (column[C_LOW] + column[C_HIGH]) / 2
                                          : 10 * column[C];
}

static wsr_status try_weights(wsr__siege *s, run_state *state)
{
    wsr_status status = WSR_OK;
    const wsr__weighing *const w = state->w;
    wsr__siege_recall(s);
    wsr__siege_each(s, begin, state);
    for (state->step = 0; state->step <= w->steps && s->m > 0; state->step++) {
        const bool last = state->step == w->steps;
        WSR_TRY(wsr__siege_forward(s, !last));
        wsr__siege_each(s, look, state);
        wsr__siege_leave(s);
        if (!last) {
            WSR_TRY(w->step(s, w->ctx, state->step));
        }
    }
    wsr__siege_recall(s);
    wsr__siege_each(s, adjust, state);
out:
    return status;
}

wsr_status wsr__weighing_run(wsr__siege *s, const wsr__weighing *weighing)
{
    wsr_status status = WSR_OK;
    run_state state = {weighing,
                       wsr__siege_spare(s, WSR__WEIGHING_SPARE, COLUMNS), 0};
    if (state.table == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < s->capacity; i++) {
        columns(&state, i)[C] = (float)weighing->c;
        columns(&state, i)[C_LOW] = 0;
        columns(&state, i)[C_HIGH] = INFINITY;
    }
    for (int64_t k = 0; k < weighing->search && s->m > 0; k++) {
        WSR_TRY(try_weights(s, &state));
    }
out:
    return status;
}
