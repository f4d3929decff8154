// SPDX-License-Identifier: Apache-2.0
//
// Optimisers in safetensors files: the arrays that wsr__optim_state names, as
// tensors of one dimension. Reading checks all of them before it changes
// anything.

#include "io/io.h"

#include "optim/optim.h"

#include <string.h>

static const char kind_key[] = "optimizer";

wsr_status wsr__st_add_optim(wsr__st_builder *builder, const wsr_optim *optim,
                             const char *prefix)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < wsr__optim_states(optim); i++) {
        const wsr__state state = wsr__optim_state(optim, i);
        WSR_TRY(wsr__st_add_state(builder, prefix, &state));
    }
out:
    return status;
}

// Every array at a multiple of its elements' size.
static size_t room_of(const wsr__state *state)
{
    return (wsr__state_bytes(state) + 7) / 8 * 8;
}

wsr_status wsr__st_stage_optim(unsigned char **staged, const wsr_optim *optim,
                               const wsr__st *st, const char *prefix)
{
    wsr_status status = WSR_OK;
    size_t size = 0;
    for (size_t i = 0; i < wsr__optim_states(optim); i++) {
        const wsr__state state = wsr__optim_state(optim, i);
        size += room_of(&state);
    }
    unsigned char *bytes = wsr__alloc(size, 1);
    unsigned char *at = bytes;
    *staged = NULL;
    if (bytes == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < wsr__optim_states(optim); i++) {
        wsr__state state = wsr__optim_state(optim, i);
        state.data = at;
        WSR_TRY(wsr__st_read_state(&state, st, prefix));
        at += room_of(&state);
    }
    *staged = bytes;
    bytes = NULL;
out:
    wsr__free(bytes);
    return status;
}

void wsr__optim_take(wsr_optim *optim, const unsigned char *staged)
{
    const unsigned char *at = staged;
    for (size_t i = 0; i < wsr__optim_states(optim); i++) {
        const wsr__state state = wsr__optim_state(optim, i);
        memcpy(state.data, at, wsr__state_bytes(&state));
        at += room_of(&state);
    }
}

// ------------------------------------------------------------------- files

wsr_status wsr_optim_save(wsr_optim *optim, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *builder = NULL;
    WSR_TRY(wsr__optim_reserve(optim));
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_set(builder, kind_key, wsr__optim_name(optim)));
    WSR_TRY(wsr__st_add_optim(builder, optim, ""));
    WSR_TRY(wsr__st_write(builder, path));
out:
    wsr__st_builder_free(builder);
    return status;
}

// Arrays of the same names may mean other things to another optimiser; arrays
// that nothing asks for are those of other parameters.
static wsr_status check_file(const wsr__st *st, const wsr_optim *optim)
{
    const char *const kind = wsr__st_metadata(st, kind_key);
    if (kind == NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: is no state of an optimiser",
                        wsr__st_path(st));
    }
    if (!wsr__streq(kind, wsr__optim_name(optim))) {
        return WSR_FAIL(WSR_FORMAT, "%s: is the state of %.40s, not of %s",
                        wsr__st_path(st), kind, wsr__optim_name(optim));
    }
    if (wsr__st_count(st) > wsr__optim_states(optim)) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: has %zu arrays, an optimiser of these parameters "
                        "has %zu",
                        wsr__st_path(st), wsr__st_count(st),
                        wsr__optim_states(optim));
    }
    return WSR_OK;
}

// Memory for gradients is had before anything changes, so that the last call
// cannot fail.
wsr_status wsr_optim_load(wsr_optim *optim, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__st *st = NULL;
    unsigned char *staged = NULL;
    WSR_TRY(wsr__st_open(&st, path));
    WSR_TRY(wsr__optim_reserve(optim));
    WSR_TRY(check_file(st, optim));
    WSR_TRY(wsr__st_stage_optim(&staged, optim, st, ""));
    WSR_TRY(wsr__optim_need_grads(optim));
    wsr__optim_take(optim, staged);
    status = wsr__optim_recall(optim);
out:
    wsr__free(staged);
    wsr__st_free(st);
    return status;
}
