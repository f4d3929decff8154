// SPDX-License-Identifier: Apache-2.0
//
// What all optimisers share: the choice of parameters, their state, and the
// loops. A step updates the trainable parameters that have a gradient.
// Parameters are cut into chunks of a fixed size: small and large ones then
// load the threads alike, and sums over chunks have the same order for any
// number of threads.

#include "optim/optim.h"

#include <math.h>
#include <string.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "optim/optims.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__optims = {"optim", classes};

// Floats of a chunk, and floats of all chunks for which waking the threads is
// worth while.
enum { CHUNK = 8192, WORTH = 32768 };

// State of one parameter: up to two arrays of its size ("momentum_buffer";
// "exp_avg", "exp_avg_sq"), and the names under which checkpoints keep them.
typedef struct entry {
    float *state[WSR__OPTIM_STATES];
    char *names[WSR__OPTIM_STATES];
} entry;

typedef struct chunk {
    wsr__param *param;
    size_t at; // index of the parameter
    int64_t begin;
    int64_t end;
    double square; // of the gradient
} chunk;

// Parameters may be added to the set later; state exists for those that have
// been stepped, or for all after wsr__optim_reserve().
struct wsr_optim {
    const wsr__optim_class *cls;
    void *options;
    wsr_params *params;
    entry *entries; // one per parameter of the set
    int64_t *steps;
    size_t count;
    size_t entry_capacity;
    size_t step_capacity;
    chunk *chunks; // of the parameters that have a gradient now
    size_t chunk_count;
    size_t chunk_capacity;
    double lr;    // of the step under way
    double scale; // of the clipping under way
};

wsr_status wsr__optim_make(wsr_optim **out, wsr_params *params,
                           const wsr__optim_class *cls, const void *options)
{
    wsr_status status = WSR_OK;
    wsr_optim *optim = wsr__alloc(1, sizeof(*optim));
    *out = NULL;
    if (optim == NULL) {
        return WSR_NOMEM;
    }
    optim->cls = cls;
    optim->params = params;
    WSR_TRY(wsr__class_copy(&optim->options, &cls->super, options));
    *out = optim;
    optim = NULL;
out:
    wsr_optim_free(optim);
    return status;
}

// "name:options". The options are copied by wsr__optim_make().
wsr_status wsr_optim_new(wsr_optim **out, wsr_params *params, const char *spec)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    void *options = NULL;
    *out = NULL;
    WSR_TRY(wsr__class_spec(&cls, &options, &wsr__optims, spec));
    WSR_TRY(wsr__optim_make(
        out, params, (const wsr__optim_class *)(const void *)cls, options));
out:
    wsr__free(options);
    return status;
}

void wsr_optim_free(wsr_optim *optim)
{
    if (optim == NULL) {
        return;
    }
    for (size_t i = 0; i < optim->count; i++) {
        for (size_t k = 0; k < WSR__OPTIM_STATES; k++) {
            wsr__free(optim->entries[i].state[k]);
            wsr__free(optim->entries[i].names[k]);
        }
    }
    wsr__free(optim->entries);
    wsr__free(optim->steps);
    wsr__free(optim->chunks);
    wsr__free(optim->options);
    wsr__free(optim);
}

// ------------------------------------------------------------------- state

// 0 for plain gradient descent.
static size_t state_count(const wsr_optim *optim)
{
    size_t n = 0;
    while (n < WSR__OPTIM_STATES && optim->cls->state_names[n] != NULL) {
        n++;
    }
    return n;
}

// Arrays start at 0; those that exist stay as they are.
static wsr_status entry_fill(entry *s, const wsr_optim *optim,
                             const wsr__param *param)
{
    wsr_status status = WSR_OK;
    wsr__str name = {0};
    for (size_t k = 0; k < state_count(optim); k++) {
        if (s->state[k] != NULL) {
            continue;
        }
        name.len = 0;
        wsr__str_addf(&name, "%s.%s", param->name, optim->cls->state_names[k]);
        WSR_TRY(wsr__str_status(&name));
        wsr__free(s->names[k]);
        s->names[k] = wsr__strdup(name.s);
        s->state[k] = wsr__alloc((size_t)param->count, sizeof(float));
        if (s->names[k] == NULL || s->state[k] == NULL) {
            status = WSR_NOMEM;
            goto out;
        }
    }
out:
    wsr__str_free(&name);
    return status;
}

// An entry and a step count for every parameter of the set.
static wsr_status entries_extend(wsr_optim *optim)
{
    wsr_status status = WSR_OK;
    const size_t count = wsr_params_count(optim->params);
    WSR_TRY(wsr__reserve((void **)&optim->entries, &optim->entry_capacity,
                         count, sizeof(*optim->entries)));
    WSR_TRY(wsr__reserve((void **)&optim->steps, &optim->step_capacity, count,
                         sizeof(*optim->steps)));
    while (optim->count < count) {
        optim->entries[optim->count] = (entry){0};
        optim->steps[optim->count++] = 0;
    }
out:
    return status;
}

wsr_status wsr__optim_reserve(wsr_optim *optim)
{
    wsr_status status = WSR_OK;
    WSR_TRY(entries_extend(optim));
    for (size_t i = 0; i < optim->count; i++) {
        const wsr__param *const param = wsr__params_at(optim->params, i);
        if (param->trainable) {
            WSR_TRY(entry_fill(&optim->entries[i], optim, param));
        }
    }
out:
    return status;
}

size_t wsr__optim_states(const wsr_optim *optim)
{
    size_t n = 1;
    for (size_t i = 0; i < optim->count; i++) {
        n += optim->entries[i].state[0] != NULL ? state_count(optim) : 0;
    }
    return n;
}

// Numbered through: "steps" first, then array by array of each parameter.
wsr__state wsr__optim_state(const wsr_optim *optim, size_t i)
{
    if (i == 0) {
        return (wsr__state){"steps", WSR__STATE_I64, optim->steps,
                            optim->count};
    }
    const size_t per_entry = state_count(optim);
    size_t left = i - 1;
    for (size_t p = 0; p < optim->count; p++) {
        const entry *const s = &optim->entries[p];
        if (s->state[0] == NULL) {
            continue;
        }
        if (left < per_entry) {
            return (wsr__state){
                s->names[left], WSR__STATE_F32, s->state[left],
                (size_t)wsr__params_at(optim->params, p)->count};
        }
        left -= per_entry;
    }
    return (wsr__state){0};
}

const char *wsr__optim_name(const wsr_optim *optim)
{
    return optim->cls->super.name;
}

wsr_status wsr__optim_need_grads(const wsr_optim *optim)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < optim->count; i++) {
        wsr__param *const param = wsr__params_at(optim->params, i);
        if (param->trainable) {
            WSR_TRY(wsr__param_need_grad(param));
        }
    }
out:
    return status;
}

// Only training that keeps zeroed gradients (zero_grad without forget) needs
// it: whether a parameter has a gradient is not part of a checkpoint.
wsr_status wsr__optim_recall(wsr_optim *optim)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < optim->count; i++) {
        wsr__param *const param = wsr__params_at(optim->params, i);
        if (optim->steps[i] > 0 && !param->has_grad) {
            WSR_TRY(wsr__param_need_grad(param));
            memset(param->grad, 0, (size_t)param->count * sizeof(float));
            param->has_grad = true;
        }
    }
out:
    return status;
}

// ------------------------------------------------------------------ chunks

// The last chunk of a parameter may be shorter.
static wsr_status add_chunks(wsr_optim *optim, wsr__param *param, size_t at)
{
    wsr_status status = WSR_OK;
    for (int64_t begin = 0; begin < param->count; begin += CHUNK) {
        const int64_t left = param->count - begin;
        WSR_TRY(wsr__reserve((void **)&optim->chunks, &optim->chunk_capacity,
                             optim->chunk_count + 1, sizeof(*optim->chunks)));
        optim->chunks[optim->chunk_count++] =
            (chunk){.param = param,
                    .at = at,
                    .begin = begin,
                    .end = begin + (left < CHUNK ? left : CHUNK)};
    }
out:
    return status;
}

// Anew for each step: which parameters have a gradient differs from step to
// step, as when a search trains one path of a supernet.
static wsr_status collect(wsr_optim *optim)
{
    wsr_status status = WSR_OK;
    optim->chunk_count = 0;
    WSR_TRY(entries_extend(optim));
    for (size_t i = 0; i < optim->count; i++) {
        wsr__param *const param = wsr__params_at(optim->params, i);
        if (param->trainable && param->has_grad) {
            WSR_TRY(add_chunks(optim, param, i));
        }
    }
out:
    return status;
}

// Few numbers are updated by the calling thread.
static void for_chunks(wsr_optim *optim, wsr__body body)
{
    int64_t floats = 0;
    for (size_t i = 0; i < optim->chunk_count && floats < WORTH; i++) {
        floats += optim->chunks[i].end - optim->chunks[i].begin;
    }
    if (floats < WORTH) {
        body(optim, 0, (int64_t)optim->chunk_count, 0);
    } else {
        wsr__parallel((int64_t)optim->chunk_count, body, optim);
    }
}

// -------------------------------------------------------------------- step

static void update_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    wsr_optim *const optim = ctx;
    const size_t states = state_count(optim);
    for (int64_t i = begin; i < end; i++) {
        const chunk *const c = &optim->chunks[i];
        wsr__update u = {.data = c->param->data + c->begin,
                         .grad = c->param->grad + c->begin,
                         .n = c->end - c->begin,
                         .lr = optim->lr,
                         .step = optim->steps[c->at]};
        for (size_t k = 0; k < states; k++) {
            u.state[k] = optim->entries[c->at].state[k] + c->begin;
        }
        optim->cls->update(&u, optim->options);
    }
}

wsr_status wsr_optim_step(wsr_optim *optim, double lr)
{
    wsr_status status = WSR_OK;
    if (!isfinite(lr) || lr < 0) {
        return WSR_FAIL(WSR_ARG, "optim: learning rate %g is not at least 0",
                        lr);
    }
    WSR_TRY(collect(optim));
    for (size_t i = 0; i < optim->chunk_count; i++) {
        const chunk *const c = &optim->chunks[i];
        if (c->begin == 0) {
            WSR_TRY(entry_fill(&optim->entries[c->at], optim, c->param));
        }
    }
    for (size_t i = 0; i < optim->chunk_count; i++) {
        const chunk *const c = &optim->chunks[i];
        optim->steps[c->at] += c->begin == 0;
    }
    optim->lr = lr;
    for_chunks(optim, update_share);
    for (size_t i = 0; i < optim->chunk_count; i++) {
        wsr__param_touch(optim->chunks[i].param);
    }
out:
    return status;
}

// ---------------------------------------------------------------- clipping

// Eight sums side by side, so that the loop can be vectorised, added up in a
// fixed order.
static double square_sum(const float *x, int64_t n)
{
    double sums[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; k++) {
            sums[k] += (double)x[i + k] * (double)x[i + k];
        }
    }
    for (; i < n; i++) {
        sums[0] += (double)x[i] * (double)x[i];
    }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

// Each chunk keeps its own sum; the caller adds them up in their order.
static void square_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    wsr_optim *const optim = ctx;
    for (int64_t i = begin; i < end; i++) {
        chunk *const c = &optim->chunks[i];
        c->square = square_sum(c->param->grad + c->begin, c->end - c->begin);
    }
}

static void scale_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr_optim *const optim = ctx;
    const float factor = (float)optim->scale;
    for (int64_t i = begin; i < end; i++) {
        const chunk *const c = &optim->chunks[i];
        for (int64_t k = c->begin; k < c->end; k++) {
            c->param->grad[k] *= factor;
        }
    }
}

// The norm is that of all gradients together, before clipping.
wsr_status wsr_optim_clip(double *norm, wsr_optim *optim, double max)
{
    wsr_status status = WSR_OK;
    double sum = 0;
    WSR_TRY(collect(optim));
    for_chunks(optim, square_share);
    for (size_t i = 0; i < optim->chunk_count; i++) {
        sum += optim->chunks[i].square;
        if (!isfinite(sum)) {
            status = WSR_FAIL(WSR_NUMERIC, "gradient of %s: is not finite",
                              optim->chunks[i].param->name);
            goto out;
        }
    }
    // As PyTorch has it, with the same guard against a norm of zero.
    const double factor = max / (sqrt(sum) + 1e-6);
    if (factor < 1) {
        optim->scale = factor;
        for_chunks(optim, scale_share);
    }
    if (norm != NULL) {
        *norm = sqrt(sum);
    }
out:
    return status;
}
