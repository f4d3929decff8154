// SPDX-License-Identifier: Apache-2.0
//
// What all predictors share: the handle, the ring of evaluated architectures,
// and the state in checkpoints. A predictor maps the table of an architecture
// (a row of operation weights for each edge) to its losses, one head for the
// clean images and one for each strength. The search descends the gradient of
// its predictions.

#include "predictor/predictor.h"

#include <math.h>
#include <string.h>

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "predictor/predictors.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__predictors = {"predictor", classes};

const char *const wsr__predictor_targets[] = {"losses", "ranks", NULL};

static wsr_status make_stats(wsr_predictor *p)
{
    p->stats = wsr__alloc(2 * p->heads, sizeof(*p->stats));
    p->strengths = wsr__alloc(p->heads, sizeof(*p->strengths));
    if (p->stats == NULL || p->strengths == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < p->heads; i++) {
        // Means start at 0 and deviations at 1: without data nothing is scaled.
        p->stats[p->heads + i] = 1;
    }
    return WSR_OK;
}

// Training and prediction allocate plans only. The last array says that all are
// there.
static wsr_status make_memory(wsr_predictor *p)
{
    const size_t n = (size_t)p->common->memory;
    const size_t most = (size_t)p->common->batch;
    const size_t batch = most < n ? most : n;
    void **const arrays[] = {(void **)&p->tables,  (void **)&p->losses,
                             (void **)&p->scores,  (void **)&p->order,
                             (void **)&p->targets, (void **)&p->noise};
    const size_t sizes[][2] = {{n * p->rows * p->cols, sizeof(*p->tables)},
                               {n * p->heads, sizeof(*p->losses)},
                               {n * p->heads, sizeof(*p->scores)},
                               {n, sizeof(*p->order)},
                               {batch * p->heads, sizeof(*p->targets)},
                               {batch * p->rows * p->cols, sizeof(*p->noise)}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (*arrays[i] == NULL) {
            *arrays[i] = wsr__alloc(sizes[i][0], sizes[i][1]);
        }
        if (*arrays[i] == NULL) {
            return WSR_NOMEM;
        }
    }
    return WSR_OK;
}

wsr_status wsr__predictor_optim(wsr_optim **out, wsr_predictor *p)
{
    wsr__adam adam;
    wsr__params_default(&adam, wsr__optim_adam.super.schema);
    adam.beta1 = 0.5;
    adam.beta2 = 0.999;
    adam.weight_decay = p->common->weight_decay;
    return wsr__optim_make(out, p->params, &wsr__optim_adam, &adam);
}

// Checked first, since all sizes follow from them.
static wsr_status check_sizes(const wsr_shape *table, size_t heads)
{
    if (table->ndims != 2 || table->dims[0] < 1 || table->dims[1] < 1 ||
        heads < 1 || heads > WSR__HEADS) {
        return WSR_FAIL(WSR_ARG,
                        "predictor: a table of %d dimensions or %zu heads, "
                        "permitted are 2 and [1, %d]",
                        table->ndims, heads, WSR__HEADS);
    }
    return WSR_OK;
}

// Decides once what depends on the fidelity.
static wsr_status take_options(wsr_predictor *p,
                               const wsr__predictor_class *cls,
                               const void *options)
{
    wsr_status status = WSR_OK;
    p->cls = cls;
    WSR_TRY(wsr__class_copy(&p->options, &cls->super, options));
    p->common = p->options;
    p->sigmoid = wsr__is_released(&p->common->heads, &p->common->fidelity);
    p->standardised =
        !wsr__is_released(&p->common->scale, &p->common->fidelity);
    if (p->common->weighted && p->standardised) {
        status = WSR_FAIL(WSR_CONFIG,
                          "predictor.weighted: errors are divided by losses, "
                          "which only predictor.scale=released leaves "
                          "positive");
    }
    p->ranked = wsr__streq(p->common->targets.s, "ranks");
    if (p->ranked && !p->standardised) {
        status = WSR_FAIL(WSR_CONFIG,
                          "predictor.targets: ranks are learned with "
                          "predictor.scale=intended only");
    }
out:
    return status;
}

// Everything but what a class loads of its parameters, and the memory: a file
// whose options claim a large one must not make its reader take it. On failure
// wsr_predictor_free() takes whatever has been made.
wsr_status wsr__predictor_make_random(wsr_predictor **out,
                                      const wsr__predictor_class *cls,
                                      const void *options,
                                      const wsr_shape *table, size_t heads,
                                      uint64_t seed)
{
    wsr_status status = WSR_OK;
    wsr_predictor *p = NULL;
    *out = NULL;
    WSR_TRY(check_sizes(table, heads));
    p = wsr__alloc(1, sizeof(*p));
    if (p == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(take_options(p, cls, options));
    if (cls->check != NULL) {
        WSR_TRY(cls->check(p->options, table->dims[0], table->dims[1]));
    }
    p->rows = (size_t)table->dims[0];
    p->cols = (size_t)table->dims[1];
    p->heads = heads;
    p->seed = seed;
    WSR_TRY(wsr_params_new(&p->params, seed));
    WSR_TRY(wsr__predictor_add_params(p));
    WSR_TRY(make_stats(p));
    WSR_TRY(wsr__predictor_optim(&p->optim, p));
    *out = p;
    p = NULL;
out:
    wsr_predictor_free(p);
    return status;
}

wsr_status wsr__predictor_make(wsr_predictor **out,
                               const wsr__predictor_class *cls,
                               const void *options, const wsr_shape *table,
                               size_t heads, uint64_t seed)
{
    wsr_status status = WSR_OK;
    wsr_predictor *p = NULL;
    *out = NULL;
    WSR_TRY(wsr__predictor_make_random(&p, cls, options, table, heads, seed));
    WSR_TRY(make_memory(p));
    if (cls->load != NULL) {
        WSR_TRY(cls->load(p->params, p->options));
    }
    *out = p;
    p = NULL;
out:
    wsr_predictor_free(p);
    return status;
}

// "name:options", such as "lstm:hidden=32".
wsr_status wsr_predictor_new(wsr_predictor **out, const char *spec,
                             const wsr_shape *table, size_t heads,
                             uint64_t seed)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    void *options = NULL;
    *out = NULL;
    WSR_TRY(wsr__class_spec(&cls, &options, &wsr__predictors, spec));
    WSR_TRY(wsr__predictor_make(out,
                                (const wsr__predictor_class *)(const void *)cls,
                                options, table, heads, seed));
out:
    wsr__free(options);
    return status;
}

void wsr_predictor_free(wsr_predictor *p)
{
    if (p == NULL) {
        return;
    }
    wsr__predictor_plans_free(p);
    wsr_optim_free(p->optim);
    wsr_params_free(p->params);
    wsr__free(p->options);
    wsr__free(p->tables);
    wsr__free(p->losses);
    wsr__free(p->stats);
    wsr__free(p->scores);
    wsr__free(p->strengths);
    wsr__free(p->order);
    wsr__free(p->targets);
    wsr__free(p->noise);
    wsr__free(p);
}

// Borrowed; saved with the network's parameters in checkpoints.
wsr_params *wsr_predictor_params(wsr_predictor *p)
{
    return p->params;
}

// ------------------------------------------------------------------ memory

// Losses are checked before anything is written: the memory holds finite
// numbers only. A predictor that was read has no memory before.
wsr_status wsr_predictor_remember(wsr_predictor *p, const float *weights,
                                  const double *losses)
{
    wsr_status status = WSR_OK;
    const int64_t capacity = p->common->memory;
    const size_t floats = p->rows * p->cols;
    WSR_TRY(wsr__predictor_need_strengths(p));
    for (size_t i = 0; i < p->heads; i++) {
        if (!isfinite(losses[i])) {
            return WSR_FAIL(WSR_NUMERIC, "predictor: loss %zu is %g", i,
                            losses[i]);
        }
    }
    WSR_TRY(make_memory(p));
    const size_t at = (size_t)((p->counters[0] + p->counters[1]) % capacity);
    memcpy(p->tables + at * floats, weights, floats * sizeof(*weights));
    memcpy(p->losses + at * p->heads, losses, p->heads * sizeof(*losses));
    if (p->counters[1] < capacity) {
        p->counters[1]++;
    } else {
        p->counters[0] = (p->counters[0] + 1) % capacity;
    }
out:
    return status;
}

// At most the capacity of the memory.
size_t wsr_predictor_remembered(const wsr_predictor *p)
{
    return (size_t)p->counters[1];
}

// ------------------------------------------------------------------- state

wsr_status wsr__predictor_reserve(wsr_predictor *p)
{
    const wsr_status status = make_memory(p);
    return status == WSR_OK ? wsr__optim_reserve(p->optim) : status;
}

size_t wsr__predictor_states(const wsr_predictor *p)
{
    return 4 + wsr__optim_states(p->optim);
}

// Names and order are part of the checkpoint format.
wsr__state wsr__predictor_state(wsr_predictor *p, size_t i)
{
    const size_t n = (size_t)p->common->memory;
    const wsr__state own[] = {
        {"memory.tables", WSR__STATE_F32, p->tables, n * p->rows * p->cols},
        {"memory.losses", WSR__STATE_F64, p->losses, n * p->heads},
        {"memory.counters", WSR__STATE_I64, p->counters, 3},
        {"memory.stats", WSR__STATE_F64, p->stats, 2 * p->heads}};
    return i < 4 ? own[i] : wsr__optim_state(p->optim, i - 4);
}
