// SPDX-License-Identifier: Apache-2.0
//
// The arrays of an object (an optimiser, a predictor, ...) that a checkpoint
// must hold for the object to go on as if it had never stopped.

#ifndef WSR_BASE_STATE_H
#define WSR_BASE_STATE_H

#include <stddef.h>

/// Element type of an array of state.
typedef enum wsr__state_kind {
    WSR__STATE_F32,
    WSR__STATE_F64,
    WSR__STATE_I64,
    WSR__STATE_U32,
    WSR__STATE_FLAGS // uint8_t, 0 or 1
} wsr__state_kind;

/// An array of state: read `data` to export, overwrite it to import. Names are
/// unique in the object.
typedef struct wsr__state {
    const char *name; // borrowed from the object
    wsr__state_kind kind;
    void *data;
    size_t count;
} wsr__state;

static inline size_t wsr__state_bytes(const wsr__state *state)
{
    return state->count * (state->kind == WSR__STATE_F32 ? 4 : 8);
}

#endif
